"""The evaluator of real U-Nets, on a tiny pipeline with random weights that is saved and loaded like a real one."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import autobuild_lib as ab
from autobuild_book.chapters.diffusion.real_size import inception, unet_space
from autobuild_book.chapters.diffusion.real_size.evaluator import StableDiffusionInpainting
from autobuild_book.chapters.diffusion.real_size.files import Pictures, read_text
from autobuild_book.chapters.diffusion.real_size.inpainting import Inpainter
from autobuild_book.chapters.diffusion.real_size.networks import FIXED, configuration, inherit
from autobuild_lib.search import evaluate_all

TINY = unet_space(widths=((8, 16), (16, 24)), name="tiny_unets")
TINY_FIXED = {**FIXED, "sample_size": 8, "cross_attention_dim": 12, "attention_head_dim": 2, "norm_num_groups": 4}
GIVEN = TINY.parse("width8;yes;yes;residual|width16;no;yes;residual|yes;residual")
DEEPER = TINY.parse("width8;yes;yes;residual|width16;no;yes;residual,residual|yes;residual")
WIDER = TINY.parse("width16;yes;yes;residual|width24;no;no;residual|no;residual")
PIXELS, IMAGES = 16, 6


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `save_pretrained` of an inpainting pipeline leaves it, without its text encoder."""
    folder = tmp_path_factory.mktemp("pipeline")
    torch.manual_seed(1)
    UNet2DConditionModel.from_config(configuration(GIVEN, TINY_FIXED)).save_pretrained(folder / "unet")
    AutoencoderKL(
        block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2, norm_num_groups=4,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, scaling_factor=0.5,
    ).save_pretrained(folder / "vae")  # fmt: skip
    PNDMScheduler(  # what the real folder holds
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
    ).save_pretrained(folder / "scheduler")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images, a mask each, and a prompt."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    (folder / "images").mkdir(), (folder / "masks").mkdir()
    for number in range(IMAGES):
        Image.fromarray(rng.integers(0, 256, (PIXELS, PIXELS, 3), dtype=np.uint8)).save(folder / f"images/{number}.png")
        mask = np.zeros((PIXELS, PIXELS), dtype=np.uint8)
        mask[4:12, number : number + 8] = 255
        Image.fromarray(mask).save(folder / f"masks/{number}.png")
    save_file({"prompt_embeds": torch.from_numpy(rng.standard_normal((1, 5, 12), dtype=np.float32))},
              folder / "prompt_embeds.safetensors")  # fmt: skip
    return folder


@pytest.fixture
def copied(pipeline: Path, data: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Pipeline and data that a test may spoil."""
    return Path(shutil.copytree(pipeline, tmp_path / "weights")), Path(shutil.copytree(data, tmp_path / "data"))


def averages(images: Tensor) -> Tensor:
    """A feature network: means over quarters of the images, [B, 12]."""
    return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)


@pytest.fixture
def evaluator(pipeline: Path, data: Path) -> Callable[..., StableDiffusionInpainting]:
    def make(**given: Any) -> StableDiffusionInpainting:
        usual = {"weights": pipeline, "data": data, "features": averages, "steps": 3}
        return StableDiffusionInpainting(**{**usual, **given})

    return make


# -------------------------------------------------------------------- weights


def test_the_given_network_is_inherited_whole(pipeline: Path) -> None:
    network, share = inherit(GIVEN, pipeline, seed=0)
    assert share == 1
    theirs = UNet2DConditionModel.from_pretrained(pipeline / "unet", low_cpu_mem_usage=False).eval()
    torch.manual_seed(0)
    inputs = torch.randn(2, 9, 8, 8), torch.tensor(7), torch.randn(2, 5, 12)
    with torch.no_grad():
        torch.testing.assert_close(network(*inputs).sample, theirs(*inputs).sample, rtol=0, atol=0)


@pytest.mark.parametrize("architecture", [DEEPER, WIDER], ids=["deeper", "wider"])
def test_what_keeps_its_shape_is_inherited_and_the_rest_is_drawn_by_the_seed(
    pipeline: Path, architecture: ab.Architecture
) -> None:
    given = load_file(pipeline / "unet" / "diffusion_pytorch_model.safetensors")
    (first, share), (again, _), (other, _) = (inherit(architecture, pipeline, seed) for seed in (0, 0, 1))
    own, same, drawn = first.state_dict(), again.state_dict(), other.state_dict()
    fitting = {name for name in own if name in given and given[name].shape == own[name].shape}
    assert all(torch.equal(own[name], same[name]) for name in own)
    assert all(torch.equal(own[name], given[name]) and torch.equal(drawn[name], given[name]) for name in fitting)
    weights = {name for name in own if own[name].ndim > 1}  # biases of normalisations are always zero
    assert all(not torch.equal(own[name], drawn[name]) for name in weights - fitting) and weights - fitting
    assert share == sum(own[name].numel() for name in fitting) / sum(tensor.numel() for tensor in own.values())


def test_stages_that_keep_their_neighbours_are_inherited_whole(pipeline: Path) -> None:
    """One more block in the second level: the first level, the middle stage and input and output stay."""
    given = load_file(pipeline / "unet" / "diffusion_pytorch_model.safetensors")
    own = inherit(DEEPER, pipeline, seed=0)[0].state_dict()
    kept = [name for name in given if name.startswith(("conv_", "time_", "down_blocks.0", "mid_block", "up_blocks.1"))]
    assert len(kept) > 100 and all(torch.equal(own[name], given[name]) for name in kept)


def test_random_state_outside_is_left_alone(pipeline: Path) -> None:
    before = torch.get_rng_state()
    inherit(WIDER, pipeline, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_in_half_precision_will_do(copied: tuple[Path, Path]) -> None:
    weights, data = copied
    for part in ("unet", "vae"):
        path = weights / part / "diffusion_pytorch_model.safetensors"
        halves = {name: tensor.half() for name, tensor in load_file(path).items()}
        save_file(halves, path.with_name("diffusion_pytorch_model.fp16.safetensors"), {"format": "pt"})
        path.unlink()
    network, share = inherit(GIVEN, weights, seed=0)
    assert share == 1 and {p.dtype for p in network.parameters()} == {torch.float32}
    table = StableDiffusionInpainting(weights=weights, data=data, features=averages, steps=2)([GIVEN])
    assert np.isfinite(table.fid[0])


# -------------------------------------------------------------------- inpainting


def test_a_network_that_knows_the_noise_restores_what_is_clean(pipeline: Path, data: Path) -> None:
    """From perfect predictions the sampler must end at the clean latents with the scheduler's least noise."""
    inpainter = Inpainter.load(pipeline, data / "prompt_embeds.safetensors", "cpu")
    images, masks = Pictures.find(data).read(range(3))
    clean, noise = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3, 4, 8, 8), dtype=np.float32))
    seen = []

    def oracle(inputs: Tensor, time: Tensor, text: Tensor) -> SimpleNamespace:
        kept = inpainter.scheduler.alphas_cumprod[time]
        predicted = (inputs[:, :4] - kept.sqrt() * clean) / (1 - kept).sqrt()
        seen.append((inputs[:, 4:], text, predicted))
        return SimpleNamespace(sample=predicted)

    filled = inpainter.fill(oracle, images, masks, noise, steps=8)
    least = 1 - inpainter.scheduler.alphas_cumprod[0]
    ending = (1 - least).sqrt() * clean + least.sqrt() * seen[0][2]
    decoded = inpainter.vae.decode(ending / 0.5).sample.clamp(-1, 1)
    torch.testing.assert_close(filled, images * (1 - masks) + decoded * masks, rtol=0, atol=1e-4)
    assert 0 < least < 0.001 and clean.abs().max() > 2
    assert len(seen) == 8 and seen[0][1].shape == (3, 5, 12)
    mask, visible = seen[0][0][:, :1], seen[0][0][:, 1:]
    assert torch.equal(mask, masks[:, :, ::2, ::2])
    assert torch.equal(visible, inpainter.vae.encode(images * (1 - masks)).latent_dist.mode() * 0.5)


def test_visible_pixels_stay_and_masked_ones_change(pipeline: Path, data: Path) -> None:
    inpainter = Inpainter.load(pipeline, data / "prompt_embeds.safetensors", "cpu")
    images, masks = Pictures.find(data).read(range(IMAGES))
    filled = inpainter.fill(inherit(GIVEN, pipeline, 0)[0], images, masks, torch.randn(IMAGES, 4, 8, 8), steps=2)
    visible = (masks == 0).expand_as(images)
    assert torch.equal(filled[visible], images[visible]) and filled.abs().max() <= 1
    assert (filled != images)[~visible].float().mean() > 0.99


def test_images_and_masks_are_read_as_they_are(data: Path) -> None:
    images, masks = Pictures.find(data).read([2])
    pixels = np.random.default_rng(0).integers(0, 256, (1, PIXELS, PIXELS, 3), dtype=np.uint8)[0]
    first, _ = Pictures.find(data).read([0])
    assert np.allclose(first[0].permute(1, 2, 0).numpy(), pixels / 127.5 - 1, atol=1e-6)
    assert images.shape == (1, 3, PIXELS, PIXELS) and masks.shape == (1, 1, PIXELS, PIXELS)
    assert masks.sum() == 64 and masks[0, 0, 4:12, 2:10].all()


# -------------------------------------------------------------------- the evaluator


def test_it_labels_architectures_and_repeats_exactly(evaluator: Callable[..., StableDiffusionInpainting]) -> None:
    table = evaluator()([GIVEN, WIDER])
    assert list(table) == ["fid", "inherited"] and len(table) == 2
    assert np.isfinite(table.fid).all() and (table.fid > 0).all() and table.fid.nunique() == 2
    assert table.inherited[0] == 1 and 0 < table.inherited[1] < 1
    assert evaluator()([WIDER]).fid[0] == table.fid[1]
    assert evaluator(seed=1)([GIVEN]).fid[0] != table.fid[0]


def test_labels_do_not_depend_on_the_batches(evaluator: Callable[..., StableDiffusionInpainting]) -> None:
    found = [evaluator(batch_size=size)([GIVEN]).fid[0] for size in (1, 4, IMAGES)]
    assert found == pytest.approx([found[0]] * 3, rel=1e-3)


def test_nothing_to_inpaint_is_a_distance_of_zero(copied: tuple[Path, Path]) -> None:
    weights, data = copied
    for path in (data / "masks").iterdir():
        Image.new("L", (PIXELS, PIXELS)).save(path)
    table = StableDiffusionInpainting(weights=weights, data=data, features=averages, steps=1)([WIDER])
    assert table.fid[0] == pytest.approx(0, abs=1e-9)


def test_it_works_in_a_search_and_in_other_processes(
    evaluator: Callable[..., StableDiffusionInpainting], tmp_path: Path
) -> None:
    ours = evaluator()
    table = evaluate_all([GIVEN, WIDER], ours, log=tmp_path / "log.jsonl", workers=0, progress=False)
    assert list(table) == ["architecture", "fid", "inherited"] and table.fid.notna().all()
    sent = ForkingPickler.loads(ForkingPickler.dumps(ours))
    assert len(ForkingPickler.dumps(ours)) < 2_000, "what was loaded stays here"
    assert sent([GIVEN]).fid[0] == table.fid[0]


def test_the_readers_function_trains_each_network(evaluator: Callable[..., StableDiffusionInpainting]) -> None:
    trained = []

    def silence(network: nn.Module, architecture: ab.Architecture) -> None:
        trained.append(architecture)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.zero_()

    table = evaluator(fine_tune=silence)([GIVEN, DEEPER])
    assert trained == [GIVEN, DEEPER]
    assert table.fid[0] == table.fid[1] != evaluator()([GIVEN]).fid[0], "all silent networks are the same"


# -------------------------------------------------------------------- what is missing or wrong


def test_missing_weights_say_what_to_download(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unet, vae and scheduler of https://hugging") as error:
        StableDiffusionInpainting(weights=tmp_path, data=data)
    text = str(error.value)
    assert "unet/config.json" in text and "vae/diffusion_pytorch_model.safetensors" in text and "\n" not in text


def test_pickled_weights_are_never_opened(copied: tuple[Path, Path]) -> None:
    weights, data = copied
    path = weights / "unet" / "diffusion_pytorch_model.safetensors"
    path.rename(path.with_suffix(".bin"))
    with pytest.raises(ValueError, match=r"has no unet/diffusion_pytorch_model\.safetensors"):
        StableDiffusionInpainting(weights=weights, data=data, features=averages)


def test_missing_inception_says_what_to_download(pipeline: Path, data: Path) -> None:
    with pytest.raises(ValueError, match=r"pt_inception.*is missing: download https://github\.com/mseitzer"):
        StableDiffusionInpainting(weights=pipeline, data=data)


SPOILED: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "no images": (lambda _, d: shutil.rmtree(d / "images"), "has 0 images"),
    "no mask": (lambda _, d: (d / "masks/3.png").unlink(), "masks/3.png: not a readable image"),
    "other size": (lambda _, d: Image.new("RGB", (8, 16)).save(d / "images/4.png"), "8 x 16 pixels, 0.png has 16 x 16"),
    "no image at all": (lambda _, d: (d / "images/4.png").write_text("x"), "4.png: not a readable image"),
    "a pipe": (lambda _, d: os.mkfifo(d / "images/9.png"), "9.png: not a readable image"),
    "a pipe for a mask": (
        lambda _, d: ((d / "masks/3.png").unlink(), os.mkfifo(d / "masks/3.png")), "masks/3.png: not a readable image",
    ),
    "no prompt": (lambda _, d: (d / "prompt_embeds.safetensors").unlink(), "save it once where transformers"),
    "prompt of another name": (
        lambda _, d: save_file({"x": torch.zeros(1)}, d / "prompt_embeds.safetensors"), r"tensors \['x'\], expected",
    ),
    "torn weights": (
        lambda w, _: (w / "vae/diffusion_pytorch_model.safetensors").write_bytes(b"x" * 40), "cannot be loaded",
    ),
    "torn configuration": (lambda w, _: (w / "vae/config.json").write_text("{"), "cannot be loaded"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILED)
def test_what_is_wrong_is_an_error_of_one_line_before_any_work(what: str, copied: tuple[Path, Path]) -> None:
    spoil, message = SPOILED[what]
    spoil(*copied)
    with pytest.raises(ValueError, match=message) as error:
        StableDiffusionInpainting(weights=copied[0], data=copied[1], features=averages)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [({"_class_name": "Other"}, "describes a Other"), ({"in_channels": 4}, "4 input and 4 output"), ([], "a list")],
)
def test_another_network_is_refused(copied: tuple[Path, Path], config: Any, message: str) -> None:
    path = copied[0] / "unet" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **config} if config else config))
    with pytest.raises(ValueError, match=message):
        inherit(GIVEN, copied[0], seed=0)


def test_a_prompt_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    save_file({"prompt_embeds": torch.full((1, 2, 3), torch.nan)}, tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match=r"prompt_embeds of shape \(1, 2, 3\)"):
        read_text(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metric": "kid"}, "choose from fid"),
        ({"steps": 0}, "at least 1"),
        ({"features": lambda images: images}, r"features= gave \(1, 3, 16, 16\) for 1 images"),
    ],
)
def test_wrong_settings(evaluator: Callable[..., StableDiffusionInpainting], given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluator(**given)


# -------------------------------------------------------------------- Inception


def on_meta() -> inception.Inception:
    with torch.device("meta"):
        return inception.Inception()


def test_inception_has_the_published_number_of_parameters() -> None:
    """21,768,352 of the convolutions and shifts (Keras, without top), and a scale for each of 17,216 channels."""
    network = on_meta()
    assert sum(p.numel() for p in network.parameters()) - network.fc.weight.numel() - 1008 == 21_768_352 + 17_216
    assert network(torch.empty(2, 3, 64, 48, device="meta")).shape == (2, 2048)


def test_inception_loads_numbers_of_its_file_only(tmp_path: Path) -> None:
    path = tmp_path / inception.FILE
    shapes = on_meta().state_dict()
    numbers = {name: torch.full((), 0.5, dtype=t.dtype).expand(t.shape) for name, t in shapes.items()}
    torch.save(numbers, path)
    with pytest.raises(ValueError, match="expected 6726825d"):
        inception.load_inception(path)
    network = inception.load_inception(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert (network.fc.bias == 0.5).all() and not network.training

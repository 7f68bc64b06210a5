"""The real U-Net as a search space: its architectures are diffusers' modules, and the fast counts are theirs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.diffusion.real_size import Stage, costs, costs_of_codes, original, stages, unet_space
from autobuild_book.chapters.diffusion.real_size.networks import FIXED, build, configuration, count
from autobuild_book.chapters.diffusion.real_size.space import WIDTHS, of_stages

ROOT = Path(__file__).resolve().parents[5]
SPACE = unet_space()
SAMPLE = SPACE.sample(np.random.default_rng(2), 20)
TINY = unet_space(widths=((8, 16), (16, 24)), name="tiny_unets")
TINY_FIXED = {**FIXED, "sample_size": 8, "cross_attention_dim": 12, "attention_head_dim": 2, "norm_num_groups": 4}


def uniform(width: int, blocks: int, attention: bool) -> ab.Architecture:
    return of_stages([Stage(own[width], blocks, attention, attention) for own in WIDTHS], attention)


ENDS = [uniform(0, 1, False), uniform(-1, 3, True)]


def test_four_levels_of_36_choices_and_a_middle_stage() -> None:
    assert SPACE.size == 36**4 * 2 == 3_359_232
    assert [codec.size for codec in SPACE.codecs] == [36] * 4 + [2]
    assert [group.units for group in SPACE.scoring_groups] == [(0,), (1,), (2,), (3,), (4,)]


def test_the_space_is_data_and_texts_parse_back() -> None:
    assert ab.SequenceSpace.from_json(json.loads(json.dumps(SPACE.to_json()))) == SPACE
    assert [SPACE.parse(str(architecture)) for architecture in SAMPLE] == SAMPLE


def test_stages_there_and_back() -> None:
    text = "width192;yes;no;residual|width640;no;yes;residual,residual,residual|" + "width768;no;no;residual|" * 2
    levels, middle = stages(SPACE.parse(text + "no;residual"))
    assert levels[:2] == (Stage(192, 1, True, False), Stage(640, 3, False, True)) and not middle
    assert [of_stages(*stages(architecture)) for architecture in SAMPLE] == SAMPLE


def test_a_width_of_another_level_is_refused() -> None:
    levels, middle = stages(original())
    with pytest.raises(ab.SpaceError, match="1280"):
        of_stages([Stage(1280, 2, True, True), *levels[1:]], middle)


def test_an_architecture_of_another_space_is_refused(toy: ab.SequenceSpace) -> None:
    with pytest.raises(ab.SpaceError, match="toy"):
        costs([toy.sample(np.random.default_rng(0))])


# -------------------------------------------------------------------- the original


def test_the_original_is_in_the_space_and_is_the_default_network_of_diffusers() -> None:
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        theirs = UNet2DConditionModel(sample_size=64, in_channels=9, out_channels=4, cross_attention_dim=768)
    ours = build(original())
    assert original() in SPACE and type(ours) is type(theirs)
    shapes = [{name: tensor.shape for name, tensor in network.state_dict().items()} for network in (ours, theirs)]
    assert shapes[0] == shapes[1]


def test_the_original_has_the_published_number_of_parameters_and_402_gmacs() -> None:
    macs, parameters = costs([original()]).iloc[0]
    assert parameters == 859_535_364  # 859,520,964 of the text-to-image U-Net, and five more input channels
    assert parameters - 5 * 320 * 3**2 == 859_520_964
    assert (macs, parameters) == count(original()) and round(macs / 1e9) == 402


# -------------------------------------------------------------------- counts of any


@pytest.mark.parametrize("architecture", [*ENDS, *SAMPLE[:5]], ids=str)
def test_costs_are_those_that_pytorch_counts(architecture: ab.Architecture) -> None:
    assert tuple(costs([architecture]).iloc[0]) == count(architecture)


def test_parameters_are_those_of_diffusers_modules() -> None:
    built = [sum(p.numel() for p in build(architecture).parameters()) for architecture in SAMPLE[5:]]
    assert costs(SAMPLE[5:])["parameters"].tolist() == built


def test_costs_of_many_at_once_are_those_of_each() -> None:
    assert costs_of_codes(SPACE.to_codes(SAMPLE)).equals(costs(SAMPLE))
    assert [costs([a]).iloc[0].tolist() for a in SAMPLE] == costs(SAMPLE).to_numpy().tolist()


def test_more_of_anything_costs_more() -> None:
    smaller, larger = costs(ENDS).to_numpy()
    between = costs(SAMPLE).to_numpy()
    assert (smaller < between).all() and (between < larger).all()


# -------------------------------------------------------------------- networks


@pytest.mark.parametrize("architecture", TINY.sample(np.random.default_rng(3), 6), ids=str)
def test_widths_that_differ_really_work(architecture: ab.Architecture) -> None:
    """Real numbers through a small network of the same kind, in and out, forwards and backwards."""
    torch.manual_seed(0)
    network = build(architecture, "cpu", TINY_FIXED)
    predicted = network(torch.randn(2, 9, 8, 8), torch.tensor([3, 900]), torch.randn(2, 5, 12)).sample
    assert predicted.shape == (2, 4, 8, 8)
    predicted.square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_attention_stands_where_it_was_asked_for() -> None:
    from diffusers.models.transformers.transformer_2d import Transformer2DModel

    text = "width8;yes;no;residual,residual|width16;no;yes;residual|yes;residual"
    found = [name for name, m in build(TINY.parse(text), "meta", TINY_FIXED).named_modules()
             if isinstance(m, Transformer2DModel)]  # fmt: skip
    places = sorted(name.rpartition(".attentions")[0] for name in found)
    assert places == ["down_blocks.0"] * 2 + ["mid_block"] + ["up_blocks.0"] * 2


def test_a_width_that_groups_do_not_divide_is_an_error() -> None:
    odd = unet_space(widths=((48,),), name="odd").sample(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"\[48\] must be multiples of norm_num_groups=32"):
        configuration(odd)


def test_diffusers_is_asked_for_in_one_line_and_only_where_it_is_needed() -> None:
    code = """
import sys
sys.modules["diffusers"] = None
import autobuild_lib
from autobuild_book.chapters.diffusion.real_size import costs, original
assert len(costs([original()])) == 1
try:
    import autobuild_book.chapters.diffusion.real_size.evaluator
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "diffusers" in done.stdout and "'autobuild-book[sd]'" in done.stdout and done.stdout.count("\n") == 1

"""The files that the evaluator needs, where they come from, and images with their masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from autobuild_lib.extras import extra

with extra("sd"):
    from PIL import Image

PIPELINE_URL = "https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-inpainting"
WEIGHTS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors")
CONFIGURATIONS = ("unet/config.json", "vae/config.json", "scheduler/scheduler_config.json")
IMAGES, MASKS, TEXT = "images", "masks", "prompt_embeds.safetensors"
HOW = (
    "save it once where transformers is installed: "
    "save_file({'prompt_embeds': pipeline.encode_prompt('', 'cpu', 1, False)[0]}, path)"
)
ENDINGS = (".png", ".jpg", ".jpeg")


def check_pipeline(weights: Path) -> None:
    """Raise `ValueError`, with what to download, unless U-Net, autoencoder and scheduler of a pipeline are there."""
    missing = [name for name in CONFIGURATIONS if not (weights / name).is_file()]
    for part in ("unet", "vae"):
        if not any((weights / part / name).is_file() for name in WEIGHTS):
            missing.append(f"{part}/{WEIGHTS[0]} (or {WEIGHTS[1]})")
    if missing:
        raise ValueError(
            f"{weights} has no {', '.join(missing)}: download the folders unet, vae and scheduler of {PIPELINE_URL} "
            "into it (.json and .safetensors files only; nothing else is opened)"
        )


def weights_file(folder: Path) -> Path:
    """Return the safetensors file of a pipeline's part, in full precision if that is there."""
    return next((path for name in WEIGHTS if (path := folder / name).is_file()), folder / WEIGHTS[0])


@dataclass(frozen=True)
class Pictures:
    """Images of one size, each with the mask of what is to be inpainted (white) under the same name.

    files: pairs of paths. size: width and height in pixels.
    """

    files: tuple[tuple[Path, Path], ...]
    size: tuple[int, int]

    @classmethod
    def find(cls, folder: Path) -> "Pictures":
        """Find images/NAME.png (or .jpg) and masks/NAME.png in a folder; what is wrong with them is a `ValueError`."""
        images = sorted(path for path in (folder / IMAGES).glob("*") if path.suffix.lower() in ENDINGS)
        if len(images) < 2:
            raise ValueError(f"{folder / IMAGES} has {len(images)} images ({', '.join(ENDINGS)}); a distance needs 2")
        files = tuple((path, folder / MASKS / f"{path.stem}.png") for path in images)
        size = _size(images[0])
        for path in (path for pair in files for path in pair):
            if (other := _size(path)) != size:
                raise ValueError(f"{path}: {other[0]} x {other[1]} pixels, {images[0].name} has {size[0]} x {size[1]}")
        return cls(files, size)

    def read(self, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Read some images [B, 3, H, W] in [-1, 1] and their masks [B, 1, H, W], 1 where white."""
        images, masks = zip(*(self.files[place] for place in places), strict=True)
        pixels = torch.from_numpy(np.stack([_pixels(path, "RGB") for path in images])).permute(0, 3, 1, 2)
        white = torch.from_numpy(np.stack([_pixels(path, "L") for path in masks])).unsqueeze(1)
        return pixels.float() / 127.5 - 1, (white > 127).float()


def _size(path: Path) -> tuple[int, int]:
    if not path.is_file():  # a pipe would be waited for
        raise ValueError(f"{path}: not a readable image (no regular file)")
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: not a readable image ({error})") from None


def _pixels(path: Path, mode: str) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.array(image.convert(mode))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: not a readable image ({error})") from None


def read_text(path: Path) -> Tensor:
    """Read the embedding of the prompt that all images share, [1, tokens, channels].

    It is the output of the pipeline's text encoder, saved once (see `HOW`), so that this library does without.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error}); {HOW}") from None
    text = tensors.get("prompt_embeds")
    if text is None or text.ndim != 3 or len(text) != 1 or not torch.isfinite(text).all():
        held = f"tensors {sorted(tensors)}" if text is None else f"prompt_embeds of shape {tuple(text.shape)}"
        raise ValueError(f"{path}: {held}, expected finite prompt_embeds [1, tokens, channels]; {HOW}")
    return text.float()

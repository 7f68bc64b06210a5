"""Digits that the networks of the end inpaint, drawn once and bundled beside the table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from safetensors.torch import load as load_bytes, save as to_bytes
from torch import Tensor

from autobuild_book.bundled import bundled_file
from autobuild_book.chapters.diffusion.choice import BEST, first_choices
from autobuild_book.chapters.diffusion.task.images import digits
from autobuild_book.chapters.diffusion.task.measuring import RECIPES
from autobuild_book.chapters.diffusion.task.metrics import evaluation_stream
from autobuild_book.chapters.diffusion.task.table import NAME
from autobuild_book.chapters.diffusion.task.training import Batch, Recipe, inpaint, train
from autobuild_book.chapters.shared.choices import file_beside
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.spaces import Architecture
from autobuild_lib.storage import replace_bytes

Images = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]
PICTURES_FILE = f"{NAME}_pictures.safetensors"
ROWS_OF_PICTURES = {BEST: "best labelled", NORM: "norm score", EFFECT: "effect score"}
CLASSES = 10
SEED = "seed"  # name of the number that is saved beside the pictures


def picture_batch(seed: int, recipe: Recipe | None = None) -> Batch:
    """Return the first image of every class in the half `final`, with the masks and noise that it is measured with."""
    batch, classes = evaluation_stream("final", seed, recipe or RECIPES["final"]), digits().final_classes
    first = torch.from_numpy(np.array([int((classes == c).nonzero()[0]) for c in range(CLASSES)]))
    return Batch(batch.images[first], batch.masks[first], batch.noise[first], batch.times[first])


def draw_pictures(architectures: Sequence[Architecture], seed: int, recipe: Recipe | None = None) -> dict[str, Tensor]:
    """Train each architecture and inpaint one image of every class: text -> images uint8 [10, 8, 8], 0 black."""
    recipe = recipe or RECIPES["final"]
    batch, drawn = picture_batch(seed, recipe), {}
    for architecture in architectures:
        network = train(architecture, seed, recipe, progress=True)
        drawn[str(architecture)] = quantised(inpaint(network, batch, recipe.euler_steps))
    return drawn


def quantised(images: Tensor) -> Tensor:
    """Turn images [N, 1, 8, 8] in [-1, 1] into whole numbers from 0 to 255, [N, 8, 8]."""
    return ((images[:, 0] + 1) * 127.5).round().to(torch.uint8)


def write_pictures(pictures: dict[str, Tensor], seed: int, folder: Path) -> dict[str, str]:
    """Write inpainted images into `folder`; return the checksum by file name."""
    replace_bytes(folder / PICTURES_FILE, to_bytes({**pictures, SEED: torch.tensor(seed)}))
    return {PICTURES_FILE: sha256_of(folder / PICTURES_FILE)}


def read_pictures() -> tuple[dict[str, Tensor], int]:
    """Read the bundled inpainted images: text of an architecture -> images uint8 [10, 8, 8], and their seed."""
    pictures = load_bytes(bundled_file(NAME, PICTURES_FILE).read_bytes())
    return pictures, int(pictures.pop(SEED))


def grid_of_digits(chosen: pd.DataFrame) -> tuple[dict[str, Images], Masks] | None:
    """Return the rows of the grid of inpainted digits, and its masks; None while they are not made.

    Images [10, 8, 8] from 0 to 255, masks [10, 8, 8], for the seed that the bundled pictures were made with.
    """
    if file_beside(NAME, PICTURES_FILE) is None:
        return None
    pictures, seed = read_pictures()
    batch = picture_batch(seed)
    real, texts = quantised(batch.images).numpy(), first_choices(chosen)
    drawn = {ROWS_OF_PICTURES[group]: pictures[text].numpy() for group, text in texts.items() if text in pictures}
    return {"masked": real, **drawn, "real": real}, batch.masks[:, 0].bool().numpy()

"""What was measured at the end: the choices, their rows and a few pictures, bundled beside the table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load as load_bytes, save as to_bytes
from torch import Tensor

from autobuild_book.chapters.diffusion.task.images import digits
from autobuild_book.chapters.diffusion.task.measuring import RECIPES, ROWS, Measurement
from autobuild_book.chapters.diffusion.task.metrics import evaluation_stream
from autobuild_book.chapters.diffusion.task.space import unet_space
from autobuild_book.chapters.diffusion.task.table import NAME
from autobuild_book.chapters.diffusion.task.training import Batch, Recipe, inpaint, train
from autobuild_lib.data.files import bundled_file
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.spaces import Architecture
from autobuild_lib.storage import replace_bytes, replace_text

CHOICE = ["setting", "group", "place", "architecture"]
CHOICES, BUILT_ROWS, PICTURES = f"{NAME}_choices.csv", f"{NAME}_built.csv", f"{NAME}_pictures.safetensors"
CLASSES = 10
SEED = "seed"  # name of the number that is saved beside the pictures


def read_choices(path: Path | None = None) -> pd.DataFrame:
    """Read what was chosen to be measured (default: the bundled choice); columns `CHOICE`, architectures as text."""
    path = path or bundled_file(NAME, CHOICES)
    frame = pd.read_csv(path)
    if list(frame) != CHOICE or frame.empty:
        raise ValueError(f"{path}: columns {', '.join(map(str, frame))}; expected rows with {', '.join(CHOICE)}")
    for text in frame["architecture"]:
        unet_space().parse(text)
    return frame


def read_built() -> list[Measurement]:
    """Read the bundled rows of the networks that were built or compared with them."""
    return ROWS.read(bundled_file(NAME, BUILT_ROWS))


def write_built(choices: Path, rows: Path, folder: Path) -> dict[str, str]:
    """Copy choices and the rows of chosen architectures into `folder`; return their checksums by file name."""
    chosen = read_choices(choices)
    order = {text: place for place, text in enumerate(dict.fromkeys(chosen["architecture"]))}
    kept = [row for row in dict.fromkeys(ROWS.read(rows)) if row.architecture in order]
    kept.sort(key=lambda row: (order[row.architecture], row.seed))
    if not kept:
        raise ValueError(f"{rows}: no row of any architecture in {choices}")
    replace_text(folder / CHOICES, chosen.to_csv(index=False, lineterminator="\n"))
    replace_text(folder / BUILT_ROWS, ROWS.write(kept))
    return {name: sha256_of(folder / name) for name in (CHOICES, BUILT_ROWS)}


# -------------------------------------------------------------------- pictures


def picture_batch(seed: int, recipe: Recipe | None = None) -> Batch:
    """Return the first image of every class in the half `final`, with the masks and noise that it is measured with."""
    batch, classes = evaluation_stream("final", seed, recipe or RECIPES["final"]), digits().final_classes
    first = torch.from_numpy(np.array([int((classes == c).nonzero()[0]) for c in range(CLASSES)]))
    return Batch(batch.images[first], batch.masks[first], batch.noise[first], batch.times[first])


def draw_pictures(architectures: Sequence[Architecture], seed: int, recipe: Recipe | None = None) -> dict[str, Tensor]:
    """Train each architecture and inpaint one image of every class: text -> images uint8 [10, 8, 8], 0 black."""
    recipe = recipe or RECIPES["final"]
    batch, found = picture_batch(seed, recipe), {}
    for architecture in architectures:
        network = train(architecture, seed, recipe, progress=True)
        found[str(architecture)] = quantised(inpaint(network, batch, recipe.euler_steps))
    return found


def quantised(images: Tensor) -> Tensor:
    """Turn images [N, 1, 8, 8] in [-1, 1] into whole numbers from 0 to 255, [N, 8, 8]."""
    return ((images[:, 0] + 1) * 127.5).round().to(torch.uint8)


def write_pictures(pictures: dict[str, Tensor], seed: int, folder: Path) -> dict[str, str]:
    """Write inpainted images into `folder`; return the checksum by file name."""
    replace_bytes(folder / PICTURES, to_bytes({**pictures, SEED: torch.tensor(seed)}))
    return {PICTURES: sha256_of(folder / PICTURES)}


def read_pictures() -> tuple[dict[str, Tensor], int]:
    """Read the bundled inpainted images: text of an architecture -> images uint8 [10, 8, 8], and their seed."""
    found = load_bytes(bundled_file(NAME, PICTURES).read_bytes())
    return found, int(found.pop(SEED))

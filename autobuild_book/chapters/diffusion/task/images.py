"""Handwritten digits, their fixed split, and the rectangles to be inpainted."""

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autobuild_lib.extras import extra

SIDE = 8
TRAINING_IMAGES, HALF = 1_297, 250
HALVES = ("labels", "final")
SHORTEST, LONGEST = 4, 7  # sides of a masked rectangle, in pixels
SPLIT_SEED = 12345


@dataclass(frozen=True)
class Digits:
    """Real images [N, 1, 8, 8] in [-1, 1] and their classes [N]: a training split and two untouched halves.

    `labels` is for the labels that architectures are built from, `final` only for comparisons at the end.
    """

    train: Tensor
    train_classes: Tensor
    labels: Tensor
    labels_classes: Tensor
    final: Tensor
    final_classes: Tensor

    def half(self, name: str) -> Tensor:
        """Return the images of "labels" or "final"."""
        if name not in HALVES:
            raise ValueError(f"half={name!r}; choose from {', '.join(HALVES)}")
        return self.labels if name == "labels" else self.final


@functools.cache
def digits() -> Digits:
    """Return scikit-learn's 1,797 digits, split by a fixed seed into 1,297 for training and twice 250.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
    """
    with extra("book"):
        from sklearn.datasets import load_digits  # noqa: PLC0415
    bunch = load_digits()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(bunch.target))
    images = torch.from_numpy(bunch.images[order] / 8 - 1).float().unsqueeze(1)
    classes = torch.from_numpy(bunch.target[order])
    sizes = [TRAINING_IMAGES, HALF, HALF]
    pairs = zip(torch.split(images, sizes), torch.split(classes, sizes), strict=True)
    return Digits(*itertools.chain.from_iterable(pairs))


def draw_masks(rng: np.random.Generator, size: int) -> Tensor:
    """Draw masks [size, 1, 8, 8]: 1 inside a rectangle whose sides and place are uniform, 0 outside."""
    sides = rng.integers(SHORTEST, LONGEST + 1, size=(2, size, 1))
    first = rng.integers(0, SIDE - sides + 1)
    pixels = np.arange(SIDE)
    rows, columns = (pixels >= first) & (pixels < first + sides)  # each [size, 8]
    return torch.from_numpy(rows[:, None, :, None] & columns[:, None, None, :]).float()


def draw_noise(rng: np.random.Generator, size: int) -> Tensor:
    """Draw Gaussian noise [size, 1, 8, 8]."""
    return torch.from_numpy(rng.standard_normal((size, 1, SIDE, SIDE), dtype=np.float32))

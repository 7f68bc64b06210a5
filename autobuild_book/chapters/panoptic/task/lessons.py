"""What the head is taught, computed once for a pool of images, and the loss."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from autobuild_book.chapters.panoptic.task.grouping import STEP, centres_of_pixels, enlarge
from autobuild_book.chapters.panoptic.task.images import MOST_THINGS, SIDE, VOID, Scenes
from autobuild_book.chapters.panoptic.task.network import Prediction

CENTRE_SPREAD = 3.0  # standard deviation of the bump at a centre, in pixels of the image
CHUNK = 500


@dataclass(frozen=True, eq=False)
class Lessons:
    """What is taught about images [N, 64, 64, 3]: classes [N, 64, 64], centres [N, 32, 32], offsets [N, 2, 32, 32].

    Bytes and numbers of half precision, to be small. Offsets are nan where a pixel is not wholly one thing's.
    """

    images: Tensor
    classes: Tensor
    centres: Tensor
    offsets: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: npt.NDArray[np.intp]) -> "Lessons":
        """Return those about some of the images."""
        index = torch.from_numpy(rows)
        return Lessons(self.images[index], self.classes[index], self.centres[index], self.offsets[index])


def lessons(scenes: Scenes) -> Lessons:
    """Compute what is taught about drawn images."""
    parts = [_maps(scenes[first : first + CHUNK]) for first in range(0, len(scenes), CHUNK)]
    centres, offsets = (torch.cat(maps) for maps in zip(*parts, strict=True))
    return Lessons(torch.from_numpy(scenes.images), torch.from_numpy(scenes.classes), centres, offsets)


def _maps(scenes: Scenes) -> tuple[Tensor, Tensor]:
    """Return centres [N, 32, 32] and offsets [N, 2, 32, 32] of half precision."""
    centres, is_there = centres_of_things(scenes)
    pixels = centres_of_pixels(SIDE // STEP)
    squares = (pixels[None, None] - centres[..., None, None]).square().sum(2)  # [N, 8, 32, 32]
    bumps = torch.exp(-squares / (2 * CENTRE_SPREAD**2)) * is_there[..., None, None]
    blocks = torch.from_numpy(scenes.instances).long().unfold(1, STEP, STEP).unfold(2, STEP, STEP).flatten(3)
    owner = blocks[..., 0]  # [N, 32, 32]
    whole = (blocks == owner[..., None]).all(-1) & (owner > 0)
    goals = centres[torch.arange(len(owner))[:, None, None], owner].movedim(-1, 1)  # [N, 2, 32, 32]
    offsets = torch.where(whole[:, None], goals - pixels, torch.nan)
    return bumps.amax(1).half(), offsets.half()


def centres_of_things(scenes: Scenes) -> tuple[Tensor, Tensor]:
    """Return the means of the visible pixels of things, (x, y) [N, 8, 2], and whether there are any [N, 8].

    Place 0 is no thing.
    """
    things = torch.from_numpy(scenes.instances).long().flatten(1)  # [N, 4096]
    areas = torch.zeros(len(things), MOST_THINGS + 1)
    areas.scatter_add_(1, things, torch.ones(things.shape))
    places = centres_of_pixels(SIDE).flatten(1)  # [2, 4096]
    sums = torch.stack([torch.zeros_like(areas).scatter_add_(1, things, p.expand_as(things)) for p in places], -1)
    is_there = areas > 0
    is_there[:, 0] = False
    return sums / areas.clamp(min=1)[..., None], is_there


@dataclass(frozen=True)
class LossWeights:
    """What the errors of centres (squared) and offsets (absolute, in pixels of the image) count beside the classes."""

    centres: float = 30.0
    offsets: float = 0.25


def panoptic_loss(predicted: Prediction, taught: Lessons, weights: LossWeights) -> Tensor:
    """Cross-entropy of the classes in all pixels but void, plus the weighted errors of centres and offsets."""
    classes = F.cross_entropy(enlarge(predicted.classes), taught.classes.long(), ignore_index=VOID)
    centres = F.mse_loss(predicted.centres, taught.centres.float())
    has_offset = ~taught.offsets.isnan()
    wrong = torch.where(has_offset, predicted.offsets - taught.offsets.nan_to_num().float(), 0.0).abs()
    offsets = wrong.sum() / has_offset.sum().clamp(min=1)
    return classes + weights.centres * centres + weights.offsets * offsets

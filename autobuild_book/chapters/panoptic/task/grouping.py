"""From what the head says to segments (Cheng et al., "Panoptic-DeepLab", CVPR 2020), for many images at once."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from autobuild_book.chapters.panoptic.task.images import CLASSES, SIDE, STUFF
from autobuild_book.chapters.panoptic.task.network import Prediction
from autobuild_book.chapters.panoptic.task.quality import Segments

MOST_CENTRES = 16  # per image
LEAST_CENTRE = 0.3  # height of a local maximum that is a centre
NEIGHBOURS = 5  # side of the window in which it is the highest
STEP = 2  # pixels of the image per pixel of a prediction


def centres_of_pixels(side: int) -> Tensor:
    """Return where the pixels of a side x side prediction have their centres, (x, y) in the image: [2, side, side]."""
    places = (torch.arange(side) + 0.5) * (SIDE / side)
    return torch.stack(torch.meshgrid(places, places, indexing="xy"))


def enlarge(scores: Tensor) -> Tensor:
    """Interpolate scores [N, C, 32, 32] to [N, C, 64, 64]."""
    return F.interpolate(scores, scale_factor=float(STEP), mode="bilinear")


def find_centres(heights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the highest local maxima of maps [N, H, W]: places in the flattened map and their heights, [N, 16].

    Height 0 marks those that are no centre; an image without one keeps its highest pixel.
    """
    highest = F.max_pool2d(heights[:, None], NEIGHBOURS, 1, NEIGHBOURS // 2)[:, 0]
    values, places = torch.where(heights == highest, heights, -torch.inf).flatten(1).topk(MOST_CENTRES)
    is_centre = values >= LEAST_CENTRE
    is_centre[:, 0] = True
    return places, is_centre


@torch.no_grad()
def group(prediction: Prediction) -> Segments:
    """Turn predictions of images into segments that cover every pixel.

    A pixel's class is the highest of the enlarged scores. A pixel of a thing belongs to the centre nearest to where its
    offsets lead; the pixels of one centre get the class that most of them have.
    """
    classes = enlarge(prediction.classes).argmax(1)  # [N, 64, 64]
    nearest = _nearest_centre(prediction).repeat_interleave(STEP, 1).repeat_interleave(STEP, 2)
    is_thing = classes >= len(STUFF)
    numbers = torch.where(is_thing, len(STUFF) + nearest, classes)
    segments = len(STUFF) + MOST_CENTRES
    image = torch.arange(len(classes))[:, None, None]
    place = (image * segments + numbers) * len(CLASSES) + classes
    votes = place.flatten().bincount(minlength=len(classes) * segments * len(CLASSES))
    majority = votes.reshape(len(classes), segments, len(CLASSES)).argmax(-1)
    return Segments(numbers.numpy(), majority.numpy())


def _nearest_centre(prediction: Prediction) -> Tensor:
    """Number the centre nearest to where each pixel points, [N, 32, 32]."""
    side = prediction.centres.shape[-1]
    places, is_centre = find_centres(prediction.centres)
    pixels = centres_of_pixels(side)
    aims = (pixels + prediction.offsets).flatten(2).transpose(1, 2)  # [N, 1024, 2]
    centres = pixels.flatten(1).T[places]  # [N, 16, 2]
    square = centres.square().sum(-1).masked_fill(~is_centre, torch.inf)  # of a distance, less what all share
    distances = torch.baddbmm(square[:, None], aims, centres.transpose(1, 2), alpha=-2)
    return distances.argmin(-1).reshape(-1, side, side)

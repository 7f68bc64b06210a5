"""Panoptic quality (Kirillov et al., "Panoptic Segmentation", CVPR 2019), for many images at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autobuild_book.chapters.panoptic.task.images import CLASSES, STUFF, VOID, Bytes, Scenes

Numbers = npt.NDArray[np.float64]
MATCH = 0.5  # segments with a higher intersection over union match; there is one such pair at most
MOST_VOID = 0.5  # a segment with a larger part in void pixels is not counted as wrong
KINDS = {"": slice(None), "_things": slice(len(STUFF), None), "_stuff": slice(len(STUFF))}
LABELS = tuple(f"{name}{kind}" for kind in KINDS for name in ("pq", "sq", "rq"))


@dataclass(frozen=True, eq=False)
class Segments:
    """Segments of images: their numbers [N, 64, 64], and the class of each, [N, S], `VOID` where it is none.

    Stuff has its class as number, so there is one segment per image and class; things follow.
    """

    numbers: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tally:
    """What panoptic quality is made of, per image and class, each [N, 8].

    Sums of intersection over union of matched pairs; numbers of pairs, of unmatched predicted and of unmatched true
    segments.
    """

    overlap: Numbers
    matched: Numbers
    extra: Numbers
    missed: Numbers

    def __getitem__(self, rows: slice | npt.NDArray[np.intp]) -> "Tally":
        return Tally(self.overlap[rows], self.matched[rows], self.extra[rows], self.missed[rows])


def true_segments(scenes: Scenes) -> Segments:
    """Return the segments of drawn images; number 0 after those of stuff is void."""
    thing = scenes.instances.astype(np.int64)
    is_stuff = scenes.classes < len(STUFF)
    numbers = np.where(is_stuff, scenes.classes, len(STUFF) + thing)
    return Segments(numbers, _classes_of(numbers, scenes.classes))


def _classes_of(numbers: npt.NDArray[np.int64], classes: Bytes) -> npt.NDArray[np.int64]:
    """Return the class of each segment, [N, S], from that of each pixel."""
    of_segments = np.full((len(numbers), numbers.max() + 1), VOID, dtype=np.int64)
    of_segments[np.arange(len(numbers))[:, None, None], numbers] = classes
    return of_segments


def count_pixels(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], sizes: tuple[int, int]) -> Numbers:
    """Count, per image, the pixels with each pair of numbers below `sizes`: two times [N, H, W] -> [N, S, T]."""
    image = np.arange(len(first))[:, None, None]
    place = (image * sizes[0] + first) * sizes[1] + second
    counts = np.bincount(place.ravel(), minlength=len(first) * sizes[0] * sizes[1])
    return counts.reshape(len(first), *sizes).astype(np.float64)


def compare(predicted: Segments, true: Segments) -> Tally:
    """Match predicted with true segments of the same images and count.

    Void pixels of the truth count for nothing; a prediction has none.
    """
    p_classes, t_classes = predicted.classes, true.classes
    both = count_pixels(predicted.numbers, true.numbers, (p_classes.shape[1], t_classes.shape[1]))  # [N, P, T]
    in_void = (both * (t_classes == VOID)[:, None]).sum(2)
    p_area, t_area = both.sum(2), both.sum(1)
    union = (p_area - in_void)[:, :, None] + t_area[:, None] - both
    same = (p_classes[:, :, None] == t_classes[:, None]) & (t_classes != VOID)[:, None]
    iou = np.divide(both, union, out=np.zeros_like(both), where=same & (both > 0))
    pairs = iou > MATCH
    extra = (p_area > 0) & ~pairs.any(2) & (in_void <= MOST_VOID * p_area)
    missed = (t_area > 0) & ~pairs.any(1) & (t_classes != VOID)
    return Tally(
        overlap=_by_class((iou * pairs).sum(1), t_classes),
        matched=_by_class(pairs.any(1), t_classes),
        extra=_by_class(extra, p_classes),
        missed=_by_class(missed, t_classes),
    )


def _by_class(values: npt.ArrayLike, classes: npt.NDArray[np.int64]) -> Numbers:
    """Sum values of segments [N, S] per image and class: [N, 8]."""
    return np.stack([(np.asarray(values) * (classes == number)).sum(1) for number in range(len(CLASSES))], 1)


# -------------------------------------------------------------------- labels


def labels(tally: Tally) -> dict[str, float]:
    """Return panoptic quality `pq`, segmentation quality `sq` and recognition quality `rq`, each also for one kind.

    Means over the classes that occur, as in the paper above and in torchmetrics: `pq` need not be `sq * rq`.
    """
    means = _class_means(*(part.sum(0) for part in (tally.overlap, tally.matched, tally.extra, tally.missed)))
    return {name: float(value) for name, value in means.items()}


def standard_error(tally: Tally) -> float:
    """Return the standard error of `pq` over images, by the jackknife; at least 2 images."""
    if len(tally.overlap) < 2:
        raise ValueError(f"{len(tally.overlap)} images; a standard error needs at least 2")
    parts = (tally.overlap, tally.matched, tally.extra, tally.missed)
    left_out = _class_means(*(part.sum(0) - part for part in parts))["pq"]  # [N]
    n = len(left_out)
    return float(np.sqrt((n - 1) / n * np.square(left_out - left_out.mean()).sum()))


def _class_means(overlap: Numbers, matched: Numbers, extra: Numbers, missed: Numbers) -> Mapping[str, Numbers]:
    """Average over classes, the last axis of sums [..., 8]."""
    weight = matched + (extra + missed) / 2
    occurs = weight > 0
    values = {
        "pq": np.divide(overlap, weight, out=np.zeros_like(weight), where=occurs),
        "sq": np.divide(overlap, matched, out=np.zeros_like(weight), where=matched > 0),
        "rq": np.divide(matched, weight, out=np.zeros_like(weight), where=occurs),
    }
    return {
        f"{name}{kind}": value[..., part].sum(-1) / np.maximum(occurs[..., part].sum(-1), 1)
        for kind, part in KINDS.items()
        for name, value in values.items()
    }

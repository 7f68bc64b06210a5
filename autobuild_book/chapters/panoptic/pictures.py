"""Experiment 5: what networks see, for a panel of pictures, and what they could see at best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
import torch.nn.functional as F  # noqa: N812

from autobuild_book.chapters.panoptic.task.grouping import STEP, group
from autobuild_book.chapters.panoptic.task.images import CLASSES, STUFF, Scenes, draw_scenes
from autobuild_book.chapters.panoptic.task.lessons import lessons
from autobuild_book.chapters.panoptic.task.measuring import CALIBRATION, Measurement, prepare, segment
from autobuild_book.chapters.panoptic.task.network import Prediction
from autobuild_book.chapters.panoptic.task.quality import Segments, compare, labels, true_segments
from autobuild_book.chapters.panoptic.task.space import largest, smallest
from autobuild_book.chapters.panoptic.task.weights import load_bundled
from autobuild_lib.spaces import Architecture

TRUTH = "ground truth"


@dataclass(frozen=True, eq=False)
class Panel:
    """Images [N, 64, 64, 3] and, by name, their segments: the class and the number of each pixel's, [N, 64, 64].

    quality: the panoptic quality of each name's segments on these images.
    """

    images: npt.NDArray[np.uint8]
    classes: Mapping[str, npt.NDArray[np.int64]]
    numbers: Mapping[str, npt.NDArray[np.int64]]
    quality: Mapping[str, float]


def panel(networks: Mapping[str, Architecture], count: int = 4) -> Panel:
    """Segment the first images of set B with parts of the bundled supernet, by name."""
    scenes, before = draw_scenes("B", count), draw_scenes("train", CALIBRATION)
    trained, truth = load_bundled(), true_segments(scenes)
    segments = {TRUTH: truth}
    for name, architecture in networks.items():
        network = prepare(trained, architecture, torch.from_numpy(before.images))
        segments[name] = segment(network, torch.from_numpy(scenes.images))
    classes = {name: _class_of_pixels(segmented) for name, segmented in segments.items()}
    quality = {name: labels(compare(segmented, truth))["pq"] for name, segmented in segments.items()}
    return Panel(scenes.images, classes, {name: segmented.numbers for name, segmented in segments.items()}, quality)


def bounds(rows: Sequence[Measurement], count: int = 400) -> pd.DataFrame:
    """Return what quality can be at worst and at best: columns network, pq, images (number of them, all of set B).

    "one class everywhere" is the best of such segmentations, "the truth, grouped" what the head would reach without
    any error, at half the image's resolution. The ends of the space are looked up in committed rows.
    """
    scenes = draw_scenes("B", count)
    truth = true_segments(scenes)
    same = [Segments(np.zeros_like(truth.numbers), np.full((count, 1), c)) for c in range(len(STUFF))]
    trivial = max(labels(compare(segments, truth))["pq"] for segments in same)
    oracle = labels(compare(group(_perfect(scenes)), truth))["pq"]
    qualities = [("one class everywhere", trivial, count), ("the truth, grouped", oracle, count)]
    supernet = load_bundled().id
    by_text = {row.architecture: row for row in rows if row.network == supernet and row.images == "B"}
    for name, architecture in (("smallest", smallest()), ("largest", largest())):
        if (row := by_text.get(str(architecture))) is not None:
            qualities.append((name, row.pq, row.count))
    return pd.DataFrame(qualities, columns=["network", "pq", "images"])


def _perfect(scenes: Scenes) -> Prediction:
    """Return the prediction of a network that says what it was taught."""
    taught = lessons(scenes)
    each = torch.stack([(taught.classes == number).float() for number in range(len(CLASSES))], 1)
    return Prediction(F.avg_pool2d(each, STEP), taught.centres.float(), taught.offsets.float().nan_to_num())


def _class_of_pixels(segments: Segments) -> npt.NDArray[np.int64]:
    images = np.arange(len(segments.numbers))[:, None, None]
    return np.asarray(segments.classes[images, segments.numbers], dtype=np.int64)

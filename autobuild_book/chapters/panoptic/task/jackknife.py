"""Measurements that can be compared image by image: quality with each part of the images left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autobuild_book.chapters.panoptic.task.measuring import FRACTIONS, Exam, Job, Measurement, make_jobs
from autobuild_book.chapters.panoptic.task.quality import Tally, labels
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.measured import rows, tasks
from autobuild_lib.spaces import Architecture

PARTS = 40
FINAL = Exam("B", 1600)  # what everything is compared on in the end

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PairedMeasurement(Measurement):
    """A row that also holds `without`: `pq` without each of 40 equal parts of the images, separated by spaces.

    Two networks that saw the same images err on the same ones, so that their difference is known better than either;
    its standard error follows from the differences with a part left out (`standard_error`).
    """

    without: str

    @property
    def left_out(self) -> Array:
        """The numbers in `without`, [40]."""
        return np.array(self.without.split(), dtype=np.float64)


PAIRED_ROWS = rows.RowFormat(PairedMeasurement, backbone_space(), FRACTIONS)


@dataclass(frozen=True)
class PairedJob(Job[PairedMeasurement]):
    """One architecture to be measured part by part."""

    ROW = PairedMeasurement

    def columns(self, tally: Tally) -> dict[str, Any]:
        """Return what the row says of what was counted."""
        return {**super().columns(tally), "without": " ".join(f"{value:.6f}" for value in leave_out(tally))}


def leave_out(tally: Tally) -> Array:
    """Return `pq` without each of 40 consecutive parts of the images, [40]; at least 40 images."""
    images = len(tally.overlap)
    if images < PARTS:
        raise ValueError(f"{images} images; {PARTS} parts need as many at least")
    every = np.arange(images)
    qualities = [labels(tally[np.delete(every, part)])["pq"] for part in np.array_split(every, PARTS)]
    return np.array(qualities)


def standard_error(left_out: Array) -> Array:
    """Return the standard error over images of numbers, from their values with a part left out: [..., 40] -> [...].

    The delete-a-group jackknife (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, Chapter 11).
    """
    parts = left_out.shape[-1]
    centred = left_out - left_out.mean(-1, keepdims=True)
    return np.asarray(np.sqrt((parts - 1) / parts * np.square(centred).sum(-1)))


def measure_paired(
    architectures: Sequence[Architecture],
    out: Path,
    *,
    folder: Path | None = None,
    exam: Exam = FINAL,
    workers: int = 1,
    progress: bool = True,
) -> list[PairedMeasurement]:
    """Do what `measuring.measure` does, part by part."""
    jobs = make_jobs(PairedJob, architectures, folder, exam)
    return tasks.complete(PAIRED_ROWS, jobs, out, unit="network", workers=workers, progress=progress)

"""Measuring architectures: their parts of a trained network, calibrated, on images that no training saw."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from scipy.stats.qmc import Halton
from torch import Tensor

from autobuild_book.chapters.panoptic.task.grouping import group
from autobuild_book.chapters.panoptic.task.images import draw_scenes
from autobuild_book.chapters.panoptic.task.network import PanopticNetwork, as_input, calibrate
from autobuild_book.chapters.panoptic.task.quality import (
    LABELS,
    Segments,
    Tally,
    compare,
    labels,
    standard_error,
    true_segments,
)
from autobuild_book.chapters.panoptic.task.space import backbone_space, costs, costs_of_codes
from autobuild_book.chapters.panoptic.task.weights import TrainedNetwork, load, load_bundled
from autobuild_book.measured import rows, tasks
from autobuild_book.measured.extremes import sample_extreme_codes
from autobuild_lib.spaces import Architecture
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.torch_settings import one_thread

POOLS = ("A", "B")  # for labels, for final comparisons
CALIBRATION = 128  # images in a batch that normalisations take their statistics from
BATCH = 50
MOST_SAMPLES, CANDIDATES = 2_000, 20_000


@dataclass(frozen=True)
class Measurement(rows.Measurement):
    """One row: how well one architecture segments; higher is better, all in [0, 1].

    `network` names the weights. `pq_se` is the standard error over images, `pq_half1` and `pq_half2` are `pq` on the
    first and the second half of them. `macs` are those of one image.
    """

    ASKED = ("network", "images", "count", "calibration")

    network: str
    images: str
    count: int
    calibration: int
    pq: float
    sq: float
    rq: float
    pq_things: float
    sq_things: float
    rq_things: float
    pq_stuff: float
    sq_stuff: float
    rq_stuff: float
    pq_se: float
    pq_half1: float
    pq_half2: float
    macs: int
    parameters: int
    seconds: float
    machine: str


FRACTIONS = (*LABELS, "pq_se", "pq_half1", "pq_half2")
ROWS = rows.RowFormat(Measurement, backbone_space(), FRACTIONS)


@dataclass(frozen=True)
class Exam:
    """What architectures are measured on: the first `count` images of a pool, after calibration on a batch.

    `calibration` numbers the batch among those of the training images.
    """

    images: str = "A"
    count: int = 800
    calibration: int = 0

    def __post_init__(self) -> None:
        if self.images not in POOLS:
            raise ValueError(f"images={self.images!r}; choose from {', '.join(POOLS)}")
        if self.count < 2 or self.calibration < 0:
            raise ValueError(f"{self}: count must be at least 2, calibration at least 0")


@dataclass(frozen=True)
class Job(tasks.Job[tasks.R_co]):
    """One architecture to be measured with the weights of a folder, None for the bundled supernet."""

    ROW: ClassVar[type[Any]] = Measurement

    folder: Path | None
    network: str
    exam: Exam

    @property
    def asked(self) -> tuple[str, str, int, int]:
        """Weights and exam."""
        return self.network, self.exam.images, self.exam.count, self.exam.calibration

    def labels(self) -> dict[str, Any]:
        """Measure on one thread."""
        return self.columns(examine(_trained(self.folder, self.network), self.architecture, self.exam))

    def columns(self, tally: Tally) -> dict[str, Any]:
        """Return what the row says of what was counted."""
        middle = self.exam.count // 2
        halves = {f"pq_half{i}": labels(part)["pq"] for i, part in enumerate((tally[:middle], tally[middle:]), start=1)}
        macs, parameters = costs([self.architecture]).iloc[0]
        counts = {"macs": int(macs), "parameters": int(parameters)}
        return {**labels(tally), "pq_se": standard_error(tally), **halves, **counts}


J = TypeVar("J", bound="Job[Any]")


@functools.lru_cache(maxsize=1)
def _trained(folder: Path | None, network: str) -> TrainedNetwork:
    trained = load_bundled() if folder is None else load(folder)
    if trained.id != network:
        raise ValueError(f"{folder}: the weights are {trained.id} now, they were {network}")
    return trained


@functools.lru_cache(maxsize=2)
def exam_images(exam: Exam) -> tuple[Tensor, Segments, Tensor]:
    """Return images [N, 64, 64, 3], their true segments, and the images to calibrate on."""
    scenes = draw_scenes(exam.images, exam.count)
    before = draw_scenes("train", CALIBRATION, first=CALIBRATION * exam.calibration)
    return torch.from_numpy(scenes.images), true_segments(scenes), torch.from_numpy(before.images)


@one_thread()
def prepare(trained: TrainedNetwork, architecture: Architecture, calibration: Tensor) -> PanopticNetwork:
    """Return the calibrated network of an architecture, cut out of a trained one; images [N, 64, 64, 3]."""
    return calibrate(trained.network.extract(architecture), as_input(calibration))


@torch.no_grad()
@one_thread()
def segment(network: PanopticNetwork, images: Tensor) -> Segments:
    """Segment images [N, 64, 64, 3]."""
    parts = [group(network(as_input(part))) for part in torch.split(images, BATCH)]
    return Segments(np.concatenate([p.numbers for p in parts]), np.concatenate([p.classes for p in parts]))


def examine(trained: TrainedNetwork, architecture: Architecture, exam: Exam) -> Tally:
    """Count what an architecture segments right and wrong, image by image."""
    images, truth, calibration = exam_images(exam)
    return compare(segment(prepare(trained, architecture, calibration), images), truth)


def measure(
    architectures: Sequence[Architecture],
    out: Path,
    *,
    folder: Path | None = None,
    exam: Exam | None = None,
    workers: int = 1,
    progress: bool = True,
) -> list[Measurement]:
    """Measure architectures with the weights in a folder (default: the bundled supernet); return the rows in order.

    Finished rows are appended to the CSV file `out` at once, so a killed call continues where it was. Numbers do not
    depend on the number of workers. Raises `ValueError` for an architecture that the network does not contain.
    """
    jobs = make_jobs(Job, architectures, folder, exam or Exam())
    return tasks.complete(ROWS, jobs, out, unit="network", workers=workers, progress=progress)


def make_jobs(kind: type[J], architectures: Sequence[Architecture], folder: Path | None, exam: Exam) -> list[J]:
    """Return one job per architecture; raises `ValueError` for one that the network in the folder does not contain."""
    trained = load_bundled() if folder is None else load(folder)
    for architecture in architectures:
        trained.network.layers_of(architecture)
    return [kind(backbone_space().adopt(a), folder, trained.id, exam) for a in architectures]


def sample_architectures(size: int) -> list[Architecture]:
    """Draw different architectures by a fixed seed: in turn one uniform, and one of a spread over all costs.

    Uniform ones have costs in the middle only. A smaller sample is the beginning of a larger one; at most 2,000.
    """
    if not 1 <= size <= MOST_SAMPLES:
        raise ValueError(f"size={size}; allowed are 1 to {MOST_SAMPLES:,} architectures")
    space, rng = backbone_space(), np.random.default_rng(tasks.SAMPLE_SEED)
    uniform = space.sample_codes(rng, MOST_SAMPLES)
    spread = _spread(sample_extreme_codes(space, rng, CANDIDATES))
    drawn = space.from_codes(np.stack([uniform, spread], 1).reshape(2 * MOST_SAMPLES, -1))
    return list(dict.fromkeys(drawn))[:size]


def _spread(codes: Codes) -> Codes:
    """Choose among the codes of architectures, one after the other, so that multiply-adds fill their range evenly."""
    macs = costs_of_codes(codes)["macs"].to_numpy(dtype=np.float64)
    goals = macs.min() + np.ptp(macs) * Halton(1, scramble=False).random(MOST_SAMPLES)[:, 0]
    chosen = np.empty(MOST_SAMPLES, dtype=np.intp)
    for place, goal in enumerate(goals):
        chosen[place] = np.abs(macs - goal).argmin()
        macs[chosen[place]] = np.inf
    return codes[chosen]

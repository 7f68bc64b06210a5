"""Small perceptrons for handwritten digits, a space unlike the families': labels of a second each, and their table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autobuild_book.chapters.shared.perceptrons import (
    CLASSES,
    NAME,
    PARTS,
    accuracy,
    build,
    count_parameters,
    digits,
    mlp_space,
    train,
)
from autobuild_book.measured import rows, tables, tasks
from autobuild_lib.spaces import Architecture

__all__ = [
    "CLASSES", "NAME", "PARTS", "ROWS", "Job", "Measurement", "accuracy", "build", "count_parameters", "digits",
    "measure", "mlp_space", "sample_architectures", "train", "write_table",
]  # fmt: skip
UNITS = {"accuracy": "fraction of 500 images", "parameters": "count"}


# -------------------------------------------------------------------- the table


@dataclass(frozen=True)
class Measurement(rows.Measurement):
    """One row: what one training of one architecture gave."""

    ASKED = ("seed",)

    seed: int
    accuracy: float
    parameters: int
    seconds: float
    machine: str


ROWS = rows.RowFormat(Measurement, mlp_space(), fractions=["accuracy"])


@dataclass(frozen=True)
class Job(tasks.Job[Measurement]):
    """One training to be done and measured."""

    ROW = Measurement

    seed: int

    @property
    def asked(self) -> tuple[int]:
        """The seed."""
        return (self.seed,)

    def labels(self) -> dict[str, float]:
        """Train and measure on one thread."""
        fraction = accuracy(train(self.architecture, self.seed))
        return {"accuracy": fraction, "parameters": count_parameters(self.architecture)}


def sample_architectures(size: int) -> list[Architecture]:
    """Draw different architectures by a fixed seed; a smaller sample is the beginning of a larger one."""
    return tasks.sample_different(mlp_space(), size)


def measure(
    architectures: Sequence[Architecture], seeds: Sequence[int], out: Path, *, workers: int = 1, progress: bool = True
) -> list[Measurement]:
    """Train every architecture with every seed; return the rows, which are appended to the CSV file `out` at once."""
    jobs = [Job(architecture, seed) for architecture in architectures for seed in seeds]
    return tasks.complete(ROWS, jobs, out, unit="training", workers=workers, progress=progress)


def write_table(rows_file: Path, folder: Path) -> dict[str, Any]:
    """Write table (mean accuracy over seeds), rows and space into `folder`; return the manifest entry.

    Raises `ValueError` where there are no rows, and unless every architecture has the same seeds.
    """
    measured = ROWS.read(rows_file)
    frame = tables.by_seed(tables.as_frame(measured, "mlps", rows_file), rows_file)
    means, seeds = tables.means_over_seeds(frame, UNITS).round(6), frame.index.unique("seed")
    return tables.write_measured(
        folder,
        NAME,
        means,
        space=mlp_space(),
        units=UNITS,
        source=f"perceptrons trained on digits by this project, mean over seeds; runs: {NAME}_rows.csv",
        builder=f"autobuild task mlps measure --sample {len(means)} --seeds {' '.join(map(str, seeds))}, then table",
        seed=tasks.SAMPLE_SEED,
        beside={f"{NAME}_rows.csv": ROWS.write(measured)},
    )

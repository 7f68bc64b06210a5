"""Measuring many U-Nets: resumable, one row per training, independent of how many run at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autobuild_book.chapters.diffusion.task.images import HALVES
from autobuild_book.chapters.diffusion.task.metrics import network_labels
from autobuild_book.chapters.diffusion.task.space import costs, unet_space
from autobuild_book.chapters.diffusion.task.training import Recipe, train
from autobuild_book.measured import rows, tasks
from autobuild_lib.spaces import Architecture

# Training is the same. At the end more masks are inpainted: the distance of 1,000 images varies from one drawing of
# masks and noise to the next as much as networks of similar size differ.
RECIPES = {"labels": Recipe(), "final": Recipe(masks_per_image=16)}


@dataclass(frozen=True)
class Measurement(rows.Measurement):
    """One row: what one training of one architecture gave.

    Lower is better in the three labels. `macs` are those of one network call on one image.
    """

    ASKED = ("seed", "half", "recipe")

    seed: int
    half: str
    recipe: str
    log_distance: float
    masked_mse: float
    flow_loss: float
    macs: int
    parameters: int
    seconds: float
    machine: str


ROWS = rows.RowFormat(Measurement, unet_space(), positive=["masked_mse", "flow_loss", "seconds"])
COLUMNS = list(ROWS.columns)


@dataclass(frozen=True)
class Job(tasks.Job[Measurement]):
    """One training to be done and measured."""

    ROW = Measurement

    seed: int
    half: str = "labels"
    recipe: Recipe = field(default_factory=Recipe)

    @property
    def asked(self) -> tuple[int, str, str]:
        """Seed, half and recipe."""
        return self.seed, self.half, self.recipe.id

    def labels(self) -> dict[str, Any]:
        """Train and measure on one thread."""
        network = train(self.architecture, self.seed, self.recipe)
        numbers = network_labels(network, self.half, self.seed, self.recipe)
        macs, parameters = costs([self.architecture]).iloc[0]
        return {**numbers, "macs": int(macs), "parameters": int(parameters)}


def measure(
    architectures: Sequence[Architecture],
    seeds: Sequence[int],
    out: Path,
    *,
    half: str = "labels",
    recipe: Recipe | None = None,
    workers: int = 1,
    progress: bool = True,
) -> list[Measurement]:
    """Train every architecture with every seed and measure it (by `RECIPES[half]`); return the rows in that order.

    Finished rows are appended to the CSV file `out` at once, so a killed call continues where it was. One worker runs
    in this process, several in processes of one thread each; numbers do not depend on how many.

    Raises:
        ValueError: for an unknown half, for a file with other rows than these, or for a training that diverges.
    """
    if half not in HALVES:
        raise ValueError(f"half={half!r}; choose from {', '.join(HALVES)}")
    jobs = [Job(unet_space().adopt(a), seed, half, recipe or RECIPES[half]) for a in architectures for seed in seeds]
    return tasks.complete(ROWS, jobs, out, unit="training", workers=workers, progress=progress)


def rows_to_csv(measured: Iterable[Measurement]) -> str:
    """Write measurements as CSV; numbers are exact."""
    return ROWS.write(measured)


def read_rows(path: Path) -> list[Measurement]:
    """Read measurements; a torn last line is left out, anything else that is wrong is a `ValueError`."""
    return ROWS.read(path)


def read_architectures(path: Path) -> list[Architecture]:
    """Read architectures in text form, one per line; empty lines and lines that begin with # are left out."""
    return tasks.read_architectures(path, unet_space())


def sample_architectures(size: int) -> list[Architecture]:
    """Draw different architectures by a fixed seed; a smaller sample is the beginning of a larger one."""
    return tasks.sample_different(unet_space(), size)

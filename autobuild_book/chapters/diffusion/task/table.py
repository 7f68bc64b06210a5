"""From measured rows to the table of evaluated architectures, and how much of a row is due to the architecture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import f as f_distribution

from autobuild_book.chapters.diffusion.task.measuring import COLUMNS, Measurement, read_rows, rows_to_csv
from autobuild_book.chapters.diffusion.task.space import unet_space
from autobuild_book.measured import tables, tasks

NAME = "diffusion_unets"
UNITS = {
    "log_distance": "log of a squared feature distance",
    "masked_mse": "squared pixel value",
    "flow_loss": "squared velocity",
    "macs": "multiply-adds",
    "parameters": "count",
}
MEASURED = ("log_distance", "masked_mse", "flow_loss")  # the labels that differ between seeds


@dataclass(frozen=True)
class Agreement:
    """Part of the variance of one run's label that its architecture explains (McGraw and Wong, 1996).

    `shared_seeds`: when all architectures use the same seeds, ICC(C,1), with its 95 % interval `low` to `high`.
    `other_seeds`: when every architecture has seeds of its own, ICC(A,1). `spread`: standard deviation of the means
    over seeds; `seed_sd`: of the runs of one architecture.
    """

    shared_seeds: float
    low: float
    high: float
    other_seeds: float
    spread: float
    seed_sd: float


def intraclass_correlation(values: npt.ArrayLike) -> Agreement:
    """Analyse the variance of labels [architectures, seeds], at least two of each."""
    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 2 or min(y.shape) < 2:
        raise ValueError(f"labels of shape {y.shape}: needs at least 2 architectures and 2 seeds")
    n, k = y.shape
    rows, columns = y.mean(1, keepdims=True), y.mean(0, keepdims=True)
    between = k * rows.var(ddof=1)
    seeds = n * columns.var(ddof=1)
    freedom = (n - 1) * (k - 1)
    error = np.square(y - rows - columns + y.mean()).sum() / freedom
    high_f, low_f = (float(f_distribution.ppf(p, n - 1, freedom)) for p in (0.975, 0.025))
    ratios = between / error / np.array([1, high_f, low_f])
    shared, low, high = (ratios - 1) / (ratios + k - 1)
    other = (between - error) / (between + (k - 1) * error + k * (seeds - error) / n)
    seed_sd = np.sqrt(y.var(1, ddof=1).mean())
    return Agreement(float(shared), float(low), float(high), float(other), float(rows.std(ddof=1)), float(seed_sd))


def by_architecture(measured: Iterable[Measurement], where: object = "rows") -> pd.DataFrame:
    """Return rows of one half and one recipe as `tables.by_seed` does; others are a `ValueError`."""
    return tables.by_seed(tables.as_frame(measured, "diffusion", where, alike=("half", "recipe")), where)


def seed_agreement(rows: Sequence[Measurement], label: str = "log_distance") -> Agreement:
    """Return how much of a label is due to the architecture, from measured rows."""
    return intraclass_correlation(by_architecture(rows)[label].unstack(sort=False))


def write_table(rows_file: Path, folder: Path) -> dict[str, Any]:
    """Write table, rows and space into `folder`; return the manifest entry.

    A label is the mean over seeds. The rows behind it stand beside it, and so does the space as JSON.
    """
    frame = by_architecture(read_rows(rows_file), rows_file)
    ordered = [Measurement(*row) for row in frame.reset_index()[COLUMNS].itertuples(index=False)]
    means, seeds = tables.means_over_seeds(frame, UNITS), " ".join(map(str, frame.index.unique("seed")))
    return tables.write_measured(
        folder,
        NAME,
        means,
        space=unet_space(),
        units=UNITS,
        source=f"inpainting U-Nets trained and measured by this project, mean over seeds; runs: {NAME}_rows.csv",
        builder=f"autobuild task diffusion measure --sample {len(means)} --seeds {seeds}, then ... table",
        seed=tasks.SAMPLE_SEED,
        beside={f"{NAME}_rows.csv": rows_to_csv(ordered)},
    )

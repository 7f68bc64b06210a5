"""Does a surrogate's GPU latency mean the latency of a GPU? Rank correlations with measured ones, by GPU and batch.

The surrogate is right for networks at resolution 224 only, and asked about these; measured are networks at resolutions
from 128 to 224. Networks at 216 and more count as near enough, those at 224 alone are shown beside them.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib import data, networks, spaces, surrogate
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture

Array = npt.NDArray[np.float64]
SOURCE = "help-ofa"
GPUS = {"2080ti": "RTX 2080 Ti", "titan_rtx": "Titan RTX", "titan_xp": "Titan Xp", "v100": "V100"}
BATCHES = (1, 32, 64)
RESOLUTIONS = (216, 224)  # the smallest of networks that count
SURROGATE, MACS, LAYERS, PARAMETERS = "surrogate's GPU latency", "multiply-adds", "layers", "parameters"
OTHERS, RIDGE = "the other three GPUs", "ridge on this GPU"
SAYS = (SURROGATE, MACS, LAYERS, PARAMETERS, OTHERS, RIDGE)
FOLDS, RESAMPLES = 5, 500
COLUMNS = ["gpu", "batch", "from_resolution", "says", "networks", "srcc", "low", "high"]


@functools.lru_cache(maxsize=1)
def measured() -> Table:
    """Return the table of measured latencies."""
    return data.load(SOURCE)


def resolutions(table: Table) -> Array:
    """Return the resolution of each row, [N]."""
    return np.array([float(architecture.global_features["resolution"]) for architecture in table.architectures])


@functools.lru_cache(maxsize=1)
def without_measuring() -> pd.DataFrame:
    """Return what is said of the networks of the table without measuring them; NaN for the surrogate below `NEAR`."""
    table = measured()
    near = np.flatnonzero(resolutions(table) >= min(RESOLUTIONS))
    said = np.full(len(table), np.nan)
    said[near] = surrogate.ofa_mbv3().predict([_at_224(table.architectures[row]) for row in near])["latency_gpu"]
    columns = {
        SURROGATE: said,
        MACS: table.labels["flops_m"].to_numpy(),
        LAYERS: [sum(architecture.depths) for architecture in table.architectures],
        PARAMETERS: [networks.count_parameters(architecture) for architecture in table.architectures],
    }
    return pd.DataFrame(columns, dtype=float)


def _at_224(architecture: Architecture) -> Architecture:
    return spaces.ofa_mbv3().from_lists(architecture.to_lists(), resolution=224)


def label_of(gpu: str, batch: int) -> str:
    """Return the name of a measured latency."""
    return f"latency_{gpu}_{batch}"


def others(labels: pd.DataFrame, gpu: str, batch: int) -> Array:
    """Return the mean over the other GPUs of the standardised logarithm of latency, [N]."""
    logs = np.log(labels[[label_of(other, batch) for other in GPUS if other != gpu]].to_numpy())
    return np.asarray(((logs - logs.mean(0)) / logs.std(0)).mean(1))


def out_of_fold(table: Table, label: str, seed: int = 0) -> Array:
    """Return predictions of the logarithm of a latency by ridges on the rows of the other folds, [N]."""
    values, folds = np.log(table.labels[label].to_numpy()), np.random.default_rng(seed).permutation(len(table)) % FOLDS
    predicted = np.empty(len(table))
    for fold in range(FOLDS):
        rest, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        ridge = AdditiveRidge(table.space).fit([table.architectures[row] for row in rest], values[rest])
        predicted[held] = ridge.predict([table.architectures[row] for row in held])
    return predicted


def srcc_with_interval(first: Array, second: Array, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, ...]:
    """Return Spearman's correlation, and its 95 % interval of a bootstrap over rows."""
    drawn = np.random.default_rng(seed).integers(len(first), size=(resamples, len(first)))
    repeated = [srcc(first[rows], second[rows]) for rows in drawn]
    return srcc(first, second), *map(float, np.quantile(repeated, (0.025, 0.975)))


def srcc(first: Array, second: Array) -> float:
    """Return Spearman's correlation, ties with average ranks."""
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def means(rows: pd.DataFrame, share: float = 0.9) -> pd.DataFrame:
    """Say of each batch size for how many GPUs the surrogate's latency is as good as `share` of a ridge's order.

    The ridge has learnt from measured latencies of that GPU. Columns: images, gpus, of, and the range of each order.
    """
    table = []
    for batch, part in rows.groupby("batch"):
        by_gpu = part.pivot_table("srcc", "gpu", "says")
        good = by_gpu[SURROGATE] >= share * by_gpu[RIDGE]
        ranges = {
            says: f"{by_gpu[says].min():.2f} to {by_gpu[says].max():.2f}" for says in (SURROGATE, LAYERS, MACS, RIDGE)
        }
        table.append({"images": batch, "gpus": int(good.sum()), "of": len(good), **ranges})
    return pd.DataFrame(table)


# -------------------------------------------------------------------- the section


@dataclass(frozen=True)
class MeasuredLatency:
    """The latency of one GPU at one batch size, beside what is said without measuring it."""

    gpu: str
    batch: int

    @property
    def key(self) -> str:
        """Changes with the rows of the table."""
        return key_of("latency", self.gpu, self.batch, measured().sha256, RESOLUTIONS, RESAMPLES)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 8.0

    def measure(self) -> pd.DataFrame:
        """Return a row per smallest resolution and per predictor of the order."""
        table, label = measured(), label_of(self.gpu, self.batch)
        extra = {OTHERS: others(table.labels, self.gpu, self.batch), RIDGE: out_of_fold(table, label)}
        predictors, latency = without_measuring().assign(**extra), table.labels[label].to_numpy()
        rows = []
        for least in RESOLUTIONS:
            near = np.flatnonzero(resolutions(table) >= least)
            for name in SAYS:
                numbers = srcc_with_interval(predictors[name].to_numpy()[near], latency[near])
                rows.append((self.gpu, self.batch, least, name, len(near), *numbers))
        return pd.DataFrame(rows, columns=COLUMNS)


def plan(sizes: Sequence[int] = (), seeds: Sequence[int] = ()) -> list[MeasuredLatency]:
    """Return a part per GPU and batch size."""
    return [MeasuredLatency(gpu, batch) for gpu in GPUS for batch in BATCHES]


SECTION = Section("trained", "latency", "what tells the order of measured GPU latencies, by batch size", plan)

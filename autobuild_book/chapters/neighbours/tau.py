"""Kendall's tau on NAS-Bench-201: neighbours learn from some cells, and rank all others.

The sizes are those of the PINAT paper (Lu et al., AAAI 2023): 0.5, 1, 3 and 5 % of the 15,625 cells. It ranks all
cells; the table here has no isomorphic copies, and those that were learnt from are not ranked.
"""

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from autobuild_book.chapters.neighbours import nas_bench_201
from autobuild_book.chapters.neighbours.registry import NEIGHBOURS
from autobuild_book.chapters.shared.models.registry import FOREST_GRAF, TUNED, Model
from autobuild_book.chapters.shared.splits import drawn_rows
from autobuild_book.intervals import mean_with_interval
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.data.table import Table
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread

LABEL = "acc"
SIZES, SEEDS = (78, 156, 469, 781), tuple(range(5))
MOST_SHARE = 0.75  # of the cells to learn from: the rest is ranked
COLUMNS = ["model", "size", "seed", "tau", "fit_seconds", "predict_seconds"]
MODELS: dict[str, Model] = {**NEIGHBOURS, FOREST_GRAF.name: FOREST_GRAF, TUNED.name: TUNED}
PUBLISHED = {
    "neural predictor": (0.343, 0.413, 0.584, 0.634),
    "arch2vec": (0.542, 0.573, 0.601, 0.606),
}  # by size, from the PINAT paper's table on NAS-Bench-201


@functools.lru_cache(maxsize=1)
def cells() -> Table:
    """Return the table that is ranked."""
    return nas_bench_201.load()


@dataclass(frozen=True)
class Tau:
    """A model that learns from `size` cells, which a seed draws, and ranks the others."""

    model: str
    size: int
    seed: int

    @property
    def key(self) -> str:
        """Changes with the cells and with how the model is made."""
        return key_of("tau", cells().sha256, repr(MODELS[self.model]), self.size, self.seed)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 8.0

    def measure(self) -> pd.DataFrame:
        """Return one row, with seconds of the processor."""
        table, model = cells(), MODELS[self.model]
        drawn = drawn_rows(len(table), self.size, self.seed)
        others = table.take(np.delete(np.arange(len(table)), drawn))
        with one_thread():
            clock = [time.process_time()]
            (learnt,) = model.fit_many(table.take(drawn), [LABEL], self.seed)
            clock.append(time.process_time())
            predicted = learnt.predict(others.architectures)
            clock.append(time.process_time())
        tau = float(kendalltau(predicted, others.evaluate(Target(LABEL))).statistic)
        row = (self.model, self.size, self.seed, tau if np.isfinite(tau) else 0.0, *np.diff(clock).round(2))
        return pd.DataFrame([row], columns=COLUMNS)


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[Tau]:
    """Return a part per seed, model and size, for sizes that leave cells to rank."""
    fitting = [size for size in sizes if size <= MOST_SHARE * len(cells())]
    return [Tau(name, size, seed) for seed in seeds for name in MODELS for size in fitting]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean tau over seeds with its 95 % interval beside the published one, and mean seconds, by model and size.

    What arch2vec learns without labels is learnt once for a seed, and is in the seconds of the first size."""
    means = []
    for (model, size), group in rows.groupby(["model", "size"], sort=False):
        printed = dict(zip(SIZES, PUBLISHED.get(str(model), ()), strict=False)).get(int(str(size)), float("nan"))
        seconds = group["fit_seconds"].mean(), group["predict_seconds"].mean()
        means.append((model, size, len(group), *mean_with_interval(group["tau"].to_numpy()), printed, *seconds))
    names = ["model", "size", "seeds", "tau", "low", "high", "published", "fit_seconds", "predict_seconds"]
    return pd.DataFrame(means, columns=names)


SECTION = Section("neighbours", "tau", "how well neighbours rank the cells of NAS-Bench-201", plan, SIZES, SEEDS)

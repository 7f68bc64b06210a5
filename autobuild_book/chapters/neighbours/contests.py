"""One model learns a table of networks from a few of its rows, and ranks others: correlations, and their cost."""

import functools
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kendalltau

from autobuild_book.chapters.neighbours import nas_bench_201
from autobuild_book.chapters.neighbours.labels import FEWEST
from autobuild_book.chapters.neighbours.registry import NEIGHBOURS
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.chapters.shared.models.base import Model
from autobuild_book.chapters.shared.models.registry import MODELS as PEERS
from autobuild_book.chapters.shared.splits import drawn_rows
from autobuild_book.measured.parts import key_of
from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread

LABEL = "acc"
MOST_SHARE = 0.75  # of a table to learn from: the rest is ranked
COLUMNS = ["source", "model", "size", "seed", "srcc", "tau", "fit_seconds", "predict_seconds"]
MODELS: dict[str, Model] = {**NEIGHBOURS, **{name: model for name, model in PEERS.items() if not model.needs_proxies}}


def find_model(name: str) -> Model:
    """Return a neighbour or a peer; an unknown name is a `ValueError` that lists them."""
    return look_up("model", name, MODELS)


@functools.lru_cache(maxsize=2)
def rows_of(source: str) -> Table:
    """Return the rows of a table that have an accuracy."""
    return nas_bench_201.load() if source == nas_bench_201.NAME else data.load(source).complete(LABEL)


@dataclass(frozen=True)
class Contest:
    """A model that learns from `size` rows of a table, which a seed draws, and ranks others of the same table.

    most: how many others, the first of an order that the seed draws, too; all where there are fewer.
    """

    source: str
    model: str
    size: int
    seed: int
    most: int

    @property
    def key(self) -> str:
        """Changes with the table and with how the model is made."""
        facts = self.source, rows_of(self.source).sha256, repr(find_model(self.model)), self.size, self.seed, self.most
        return key_of("contest", *facts)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 5.0

    def measure(self) -> pd.DataFrame:
        """Return one row, with seconds of the processor; what ranks nothing has correlations of 0.

        An unknown model, and a size that leaves too few rows to learn from or to rank, are a `ValueError`.
        """
        table, model = rows_of(self.source), find_model(self.model)
        if not fits(self.source, self.size):
            most = int(MOST_SHARE * len(table))
            raise ValueError(f"{self.source}: {self.size} rows to learn from; allowed are {FEWEST} to {most}")
        drawn, others = self._drawn(len(table))
        ranked = table.take(others)
        with one_thread():
            clock = [time.process_time()]
            (learnt,) = model.fit_many(table.take(drawn), [LABEL], self.seed)
            clock.append(time.process_time())
            predicted = learnt.predict(ranked.architectures)
            clock.append(time.process_time())
        truth = ranked.evaluate(Target(LABEL))
        correlations = srcc(predicted, truth), float(kendalltau(predicted, truth).statistic)
        values = [value if np.isfinite(value) else 0.0 for value in correlations]
        row = (self.source, self.model, self.size, self.seed, *values, *np.diff(clock).round(2))
        return pd.DataFrame([row], columns=COLUMNS)

    def _drawn(self, rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Places of the rows to learn from, and of those to rank."""
        drawn = drawn_rows(rows, self.size, self.seed)
        others = np.delete(np.arange(rows), drawn)
        if len(others) > self.most:
            others = others[drawn_rows(len(others), self.most, self.seed)]
        return drawn, others


def fits(source: str, size: int) -> bool:
    """Whether so many rows are enough to learn from, and leave enough of a table to rank."""
    return FEWEST <= size <= MOST_SHARE * len(rows_of(source))

"""What is known of the networks of a benchmark: labels, ranks and the true front, for any network of its space."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.trained.skips import trained_codes
from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.search import costs, front
from autobuild_lib.spaces import Architecture, Codes
from autobuild_lib.spaces.codec import as_keys

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
GRAPHS = tuple(
    f"nas-bench-graph:{name}"
    for name in ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv", "proteins")
)
OBJECTIVES = "acc", "latency"  # to maximise, to minimise


@dataclass(frozen=True, eq=False)
class Truth:
    """A table, and which of its rows every network of its space has.

    codes: the whole space, isomorphic networks and those that compute the same included, where units are linked; else
    the networks of the table.
    """

    table: Table
    codes: Codes

    @classmethod
    def of(cls, table: Table) -> "Truth":
        """Know what a table knows."""
        space = table.space
        return cls(table, space.to_codes(list(space) if space.links else table.architectures))

    @functools.cached_property
    def _rows(self) -> tuple[npt.NDArray[np.bytes_], Rows]:
        """Sorted codes, and the row of each; -1 for networks that nobody trained."""
        space = self.table.space
        trained = as_keys(space.canonical_codes(space.to_codes(self.table.architectures)))
        order, keys = np.argsort(trained), as_keys(trained_codes(space, self.codes))
        places = order[np.searchsorted(trained, keys, sorter=order).clip(max=len(order) - 1)]
        rows = np.where(trained[places] == keys, places, -1)
        by_code = np.argsort(as_keys(self.codes))
        return as_keys(self.codes)[by_code], rows[by_code]

    def rows(self, codes: Codes) -> Rows:
        """Return the row of each network given by its code [N, code_width], [N]; -1 where nobody trained it."""
        keys, (known, rows) = as_keys(codes), self._rows
        places = np.searchsorted(known, keys).clip(max=len(known) - 1)
        return np.where(known[places] == keys, rows[places], -1)

    def distinct(self, codes: Codes) -> Rows:
        """Return the rows of networks, each once and without those that nobody trained, in order of the codes."""
        rows = self.rows(codes)
        _, first = np.unique(rows, return_index=True)
        chosen = rows[np.sort(first)]
        return chosen[chosen >= 0]

    def evaluate(self, architectures: Sequence[Architecture]) -> pd.DataFrame:
        """Look labels up, a row per network; NaN where nobody trained it. This is what searches call."""
        rows = self.rows(self.table.space.to_codes(architectures))
        return self.table.labels.reindex(rows).reset_index(drop=True)

    @functools.cached_property
    def points(self) -> Array:
        """Costs of all rows, [rows, 2]: latency, negative accuracy."""
        return costs(self.table.labels, *OBJECTIVES)

    @functools.cached_property
    def front(self) -> Rows:
        """The rows that no other one dominates, by rising latency."""
        places = np.flatnonzero(front(self.points))
        return places[np.argsort(self.points[places, 0], kind="stable")]

    def ranks(self, label: str) -> npt.NDArray[np.int64]:
        """Rank of every row by a label, [rows]; 1 is the highest, equal ones share the better rank."""
        return self.table.labels[label].rank(ascending=False, method="min").to_numpy().astype(np.int64)


@functools.cache
def load_truth(source: str) -> Truth:
    """Return the truth of a source that `data.load` takes; loaded once."""
    return Truth.of(data.load(source))

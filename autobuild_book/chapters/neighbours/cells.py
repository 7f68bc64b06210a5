"""All 15,625 cells of NAS-Bench-201, which of them are the same network, and the row of the table for each.

What is on no way from the input to the output does nothing; cells that differ there only are one row of the table.
Those that are equal when their inner vertices are swapped as well are two rows, as both were trained.
"""

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autobuild_book.chapters.neighbours import nas_bench_201
from autobuild_book.chapters.neighbours.nas_bench_201 import NOTHING, OPERATIONS, SPACE, UNITS
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture

Numbers = npt.NDArray[np.int64]
NONE = OPERATIONS.index(NOTHING)
NUMBERS = {name: number for number, name in enumerate(OPERATIONS)}
PLACES = len(OPERATIONS) ** np.arange(len(UNITS))


def operations_of(cells: Sequence[Architecture]) -> Numbers:
    """Return which operation each cell has on each of `UNITS`, [N, 6]."""
    places = [column for column, what in enumerate(SPACE.columns) if what.feature == "op"]
    return SPACE.to_codes(cells)[:, places].astype(np.int64)


def without_dead_ends(operations: Numbers) -> Numbers:
    """Return cells [N, 6] with "none" wherever an operation is on no way from the input to the output."""
    sends = operations != NONE
    entered = {0: np.ones(len(operations), dtype=bool)}
    for vertex in (1, 2, 3):
        ways = [sends[:, n] & entered[begin] for n, (begin, end) in enumerate(UNITS) if end == vertex]
        entered[vertex] = np.any(ways, axis=0)
    leading = {3: entered[0]}
    for vertex in (2, 1, 0):
        ways = [sends[:, n] & leading[end] for n, (begin, end) in enumerate(UNITS) if begin == vertex]
        leading[vertex] = np.any(ways, axis=0)
    alive = np.column_stack([entered[begin] & leading[end] for begin, end in UNITS])
    return np.where(alive, operations, NONE)


class TrainedCells:
    """The table, ranks of its accuracies, and the row of any cell in it.

    accuracies [rows]: in %. ranks [rows]: 1 for the best.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.accuracies = table.labels["acc"].to_numpy()
        self.ranks = np.argsort(np.argsort(-self.accuracies, kind="stable")) + 1
        every = np.arange(len(OPERATIONS) ** len(UNITS))
        places = np.full(len(every), -1)
        places[without_dead_ends(operations_of(table.architectures)) @ PLACES] = np.arange(len(table))
        self._rows = places[without_dead_ends(every[:, None] // PLACES % len(OPERATIONS)) @ PLACES]

    def rows(self, operations: Numbers) -> Numbers:
        """Return the row of each cell [N, 6] in the table, [N]; -1 for what is not there."""
        return np.asarray(self._rows[operations @ PLACES])

    def row(self, names: Sequence[str]) -> int:
        """Return the row of a cell, given its operations on `UNITS`; others than its six are a `ValueError`."""
        if len(names) != len(UNITS):
            raise ValueError(f"{len(names)} operations of a cell; allowed are {len(UNITS)}")
        numbers = [look_up("operation", name, NUMBERS) for name in names]
        return int(self._rows[np.array(numbers) @ PLACES])


@functools.lru_cache(maxsize=1)
def trained_cells() -> TrainedCells:
    """Return the published table, and the rows of all cells."""
    return TrainedCells(nas_bench_201.load())

"""What a neighbour learns: the labels of a table of networks that are graphs, two rows or more, not all the same."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autobuild_book.chapters.neighbours.graphs import checked
from autobuild_lib.data.table import DataError, Table
from autobuild_lib.targets import Target

FEWEST = 2  # rows: one says nothing about what is better


def labels_of(table: Table, targets: Sequence[str]) -> list[npt.NDArray[np.float64]]:
    """Return the labels of each target, [N]; what nothing can be learnt from is a `DataError`.

    That are tables without graphs, missing labels, fewer than two rows, and labels that are all the same.
    """
    if len(checked(table)) < FEWEST:
        raise DataError(f"{table.source}: {len(table)} row to learn from; allowed are {FEWEST} or more")
    labels = [table.evaluate(Target(target)) for target in targets]
    for target, y in zip(targets, labels, strict=True):
        if y.min() == y.max():
            raise DataError(f"{table.source}: target {target} is {y[0]:g} in all {len(y)} rows; allowed are labels "
                            "that differ")  # fmt: skip
    return labels

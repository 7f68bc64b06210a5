"""Tables split for training and testing, with the targets that can be learnt from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.targets import Target, quoted

BUNDLED = ("ofa_mbv3", "ofa_pn")


@dataclass(frozen=True)
class Split:
    """One data set, split for training and testing, and the targets learnt from it."""

    train: Table
    test: Table
    targets: tuple[str, ...]

    @property
    def family(self) -> str:
        """Name of the search space."""
        return self.train.space.name


def load_splits(source: str, targets: Sequence[str], space: SequenceSpace | None = None) -> list[Split]:
    """Load "bundled" (both families) or one source, split 90/10; targets without their labels are left out.

    Raises `ValueError` when no target can be computed from a source.
    """
    splits = []
    for name in BUNDLED if source == "bundled" else (source,):
        table = data.load(name, space=space)
        usable = computable(targets, table)
        if not usable:
            labels = ", ".join(quoted(str(label)) for label in table.labels)
            raise ValueError(f"{name} has labels {labels}; no target of {list(targets)} can be computed")
        splits.append(Split(*train_and_test(table), usable))
    return splits


def computable(targets: Sequence[str], table: Table) -> tuple[str, ...]:
    """Return the targets that the labels of a table suffice for, in one spelling each and without repeats."""
    spelled = dict.fromkeys(str(Target(target)) for target in targets)
    return tuple(target for target in spelled if set(Target(target).labels) <= set(table.labels))


def train_and_test(table: Table) -> tuple[Table, Table]:
    """Split a table 90/10, the same in all chapters."""
    return table.split(0.9, seed=12345)


def subset(table: Table, size: int, seed: int) -> Table:
    """Return `size` rows of a table, all where it has fewer, drawn by `seed` and `size`, in the table's order."""
    return table.take(drawn_rows(len(table), size, seed))


def drawn_rows(number: int, size: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the places of the rows that `subset` takes of a table of `number` rows, in order, [size]."""
    return np.sort(np.random.default_rng([seed, size]).permutation(number)[:size])

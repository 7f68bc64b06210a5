"""Tables split for training and testing, with the targets that can be learnt from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    for one in BUNDLED if source == "bundled" else (source,):
        table = data.load(one, space=space)
        labels = [str(name) for name in table.labels]
        wanted = dict.fromkeys(str(Target(t)) for t in targets)  # one spelling each, without repeats
        usable = tuple(t for t in wanted if set(Target(t).labels) <= set(labels))
        if not usable:
            found = ", ".join(map(quoted, labels))
            raise ValueError(f"{one} has labels {found}; no target of {list(targets)} can be computed")
        splits.append(Split(*table.split(0.9, seed=12345), usable))
    return splits


def subset(table: Table, size: int, seed: int) -> Table:
    """Return `size` rows of a table, drawn by `seed` and `size`, in the table's order."""
    return table.take(np.sort(np.random.default_rng([seed, size]).permutation(len(table))[:size]))

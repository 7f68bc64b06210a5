"""How a model enters the table of tables: the smallest one that is of any use."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.one_hot import one_hot
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.targets import Target


@dataclass(frozen=True)
class Worths:
    """What every choice of a space is worth, [choices]; a network is worth the mean of its choices."""

    space: SequenceSpace
    worth: npt.NDArray[np.float64]

    def predict(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.float64]:
        """Predict the target in label units: architectures [N] -> [N]."""
        chosen = one_hot(self.space, architectures).to_numpy(dtype=np.float64)
        return np.asarray(chosen @ self.worth / chosen.sum(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class MarginalMeans:
    """A choice is worth the mean label of the training networks that made it, or of all where none did."""

    name: str = "marginal means"
    needs_proxies = False

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[Worths]:
        """Learn each target from the rows of the table; nothing is random."""
        chosen = one_hot(table.space, table.architectures).to_numpy(dtype=np.float64)
        counts, fitted = chosen.sum(axis=0), []
        for target in targets:
            y = Target(target).evaluate(table.labels)
            worth = np.where(counts > 0, chosen.T @ y / np.maximum(counts, 1), y.mean())
            fitted.append(Worths(table.space, worth))
        return fitted

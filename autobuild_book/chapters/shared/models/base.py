"""What a model of the registry is, and what has learnt with it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture

Array = npt.NDArray[np.float64]


class Fitted(Protocol):
    """A model that has learnt one target."""

    def predict(self, architectures: Sequence[Architecture], /) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""


class Model(Protocol):
    """A model of the registry."""

    @property
    def name(self) -> str:
        """As in tables and figures."""

    @property
    def needs_proxies(self) -> bool:
        """Whether it can be used only where proxies have been measured."""

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> Sequence[Fitted]:
        """Learn each target from the rows of the table, and from nothing else.

        Args:
            table: training architectures with labels.
            targets: labels, or equations over labels.
            seed: of everything random.
            proxies: for models that need them: a column `architecture` and one per proxy.
        """

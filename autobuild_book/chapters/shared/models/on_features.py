"""Models that learn from columns: scikit-learn on features, and the additive ridge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.models.base import Array
from autobuild_book.chapters.shared.models.features import PROXIES, as_matrix, compute
from autobuild_book.chapters.shared.models.learners import Learner
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_lib.data.table import Table
from autobuild_lib.extras import extra
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.targets import Target

with extra("book"):
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Regression:
    """A regressor that has learnt from features of the given kinds."""

    space: SequenceSpace
    kinds: tuple[str, ...]
    regressor: Any
    proxies: pd.DataFrame | None = None

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        rows = as_matrix(compute(self.kinds, self.space, architectures, self.proxies))
        with threadpool_limits(1):
            return np.asarray(self.regressor.predict(rows), dtype=np.float64)


@dataclass(frozen=True)
class FeatureModel:
    """A learner on features of some kinds."""

    name: str
    kinds: tuple[str, ...]
    learner: Learner

    @property
    def needs_proxies(self) -> bool:
        """Whether proxies are among the features."""
        return PROXIES in self.kinds

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[Regression]:
        """Learn each target from the rows of the table (see `Model`); features are computed once."""
        rows = as_matrix(compute(self.kinds, table.space, table.architectures, proxies))
        fitted = []
        with threadpool_limits(1):  # parallelism comes from processes
            for target in targets:
                regressor = self.learner.make(seed).fit(rows, table.evaluate(Target(target)))
                fitted.append(Regression(table.space, self.kinds, regressor, proxies))
        return fitted


@dataclass(frozen=True)
class RidgeModel:
    """The additive ridge; leave-one-out errors choose its penalty anew in every fit."""

    name: str
    needs_proxies = False

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[AdditiveRidge]:
        """Learn each target from the rows of the table (see `Model`); nothing is random."""
        values = [table.evaluate(Target(target)) for target in targets]
        return [AdditiveRidge(table.space).fit(table.architectures, y) for y in values]

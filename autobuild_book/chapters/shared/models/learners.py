"""Learners: what turns a table of features into predictions, each with its configuration."""

import itertools
from dataclasses import dataclass
from typing import Any, Protocol

from autobuild_book.chapters.shared.models.gaussian import HammingProcess
from autobuild_lib.extras import extra

with extra("book"):
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from sklearn.neighbors import KNeighborsRegressor


class Learner(Protocol):
    """A configuration that makes scikit-learn regressors."""

    def make(self, seed: int) -> Any:
        """Return a regressor that has not learnt yet; `seed` decides everything random about it."""


@dataclass(frozen=True)
class Forest:
    """A random forest of 100 trees (Breiman, 2001); the share of columns is what each cut of a tree may choose from."""

    share_of_columns: float = 0.3
    fewest_in_leaf: int = 1

    def make(self, seed: int) -> RandomForestRegressor:
        """Return a forest on one thread."""
        return RandomForestRegressor(
            100, max_features=self.share_of_columns, min_samples_leaf=self.fewest_in_leaf, random_state=seed
        )


# What the forests of the registry were chosen from.
FOREST_CANDIDATES = tuple(itertools.starmap(Forest, itertools.product((0.05, 0.1, 0.3), (1, 2, 5))))


@dataclass(frozen=True)
class Boosting:
    """Gradient boosting of 100 small trees on binned columns (Friedman, 2001; Ke et al., NeurIPS 2017)."""

    learning_rate: float = 0.1
    leaves: int = 15

    def make(self, seed: int) -> HistGradientBoostingRegressor:
        """Return a booster; it uses as many threads as OpenMP is allowed to."""
        return HistGradientBoostingRegressor(
            learning_rate=self.learning_rate, max_leaf_nodes=self.leaves, max_iter=100, max_bins=64,
            min_samples_leaf=5, early_stopping=False, random_state=seed,
        )  # fmt: skip


@dataclass(frozen=True)
class Neighbours:
    """The mean over the nearest training rows, weighted by the inverse of their distance (Shepard, 1968)."""

    number: int = 10

    def make(self, seed: int) -> "NearestRows":
        """Return a regressor; nothing about it is random."""
        return NearestRows(self.number)


class NearestRows(KNeighborsRegressor):  # type: ignore[misc]
    """Nearest neighbours that make do with the rows there are, when these are fewer than asked for."""

    def __init__(self, n_neighbors: int = 10) -> None:
        super().__init__(n_neighbors, weights="distance")

    def fit(self, x: Any, y: Any) -> "NearestRows":
        """Keep the training rows."""
        self.set_params(n_neighbors=min(self.get_params()["n_neighbors"], len(x)))
        super().fit(x, y)
        return self


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian process with a Hamming kernel; the power shapes how similarity falls with distance."""

    power: float = 1.0

    def make(self, seed: int) -> HammingProcess:
        """Return a process for one-hot rows."""
        return HammingProcess(self.power, seed)

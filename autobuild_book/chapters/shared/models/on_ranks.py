"""Any model of the registry on the ranks of what it learns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.models.base import Array, Fitted, Model
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture
from autobuild_lib.targets import Target, normal_scores


@dataclass(frozen=True)
class OnRanks:
    """A model that learns normal scores of the target's ranks.

    A few failed networks, far below all others, are then not all that a squared error sees.
    """

    name: str
    model: Model

    @property
    def needs_proxies(self) -> bool:
        """Whether the model does."""
        return self.model.needs_proxies

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> "list[RankFit]":
        """Learn each target's ranks (see `Model`)."""
        fitted = self.model.fit_many(table, [f"ranks({target})" for target in targets], seed, proxies)
        labels = [np.sort(table.evaluate(Target(target))) for target in targets]
        return [RankFit(learnt, values) for learnt, values in zip(fitted, labels, strict=True)]


@dataclass(frozen=True)
class RankFit:
    """A model that has learnt normal scores of some labels, [N] in ascending order."""

    scores: Fitted
    labels: Array

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units, with the labels' spread beyond them: architectures [N] -> [N]."""
        scores = self.scores.predict(architectures)
        values, first = np.unique(self.labels, return_index=True)
        places = normal_scores(self.labels)[first]
        beyond = scores - np.clip(scores, places[0], places[-1])
        predicted: Array = np.interp(scores, places, values) + beyond * self.labels.std()
        return predicted

"""AutoBuild's predictor as a model of the registry, alone and in an ensemble."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.models.base import Array
from autobuild_lib.data.table import Table
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture
from autobuild_lib.training import PRESETS, fit_many


@dataclass(frozen=True)
class AutoBuild:
    """AutoBuild's predictor in one of its presets.

    steps: of the optimiser, about as many however many rows there are; otherwise, the preset's epochs.
    """

    name: str
    preset: str
    overrides: tuple[tuple[str, Any], ...] = ()
    steps: int = 0
    needs_proxies = False

    def options(self, rows: int) -> dict[str, Any]:
        """Return what `training.fit` takes besides the preset, for so many training rows."""
        if not self.steps:
            return dict(self.overrides)
        batches = -(-rows // {**PRESETS[self.preset], **dict(self.overrides)}["batch_size"])
        return {**dict(self.overrides), "epochs": max(1, round(self.steps / batches))}

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[Predictor]:
        """Train a predictor per target, side by side (see `Model`)."""
        return fit_many(table.space, table, targets, seed, self.preset, progress=False, **self.options(len(table)))


@dataclass(frozen=True)
class AutoBuildEnsemble:
    """Several of AutoBuild's predictors per target, each with a seed of its own, trained side by side."""

    name: str
    autobuild: AutoBuild
    members: int
    needs_proxies = False

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> "list[Ensemble]":
        """Train the members for all targets (see `Model`)."""
        repeated = [target for target in targets for _ in range(self.members)]
        seeds = [seed * self.members + member for member in range(self.members)] * len(targets)
        options = self.autobuild.options(len(table))
        fitted = fit_many(table.space, table, repeated, seeds, self.autobuild.preset, progress=False, **options)
        return [Ensemble(fitted[start : start + self.members]) for start in range(0, len(fitted), self.members)]


@dataclass(frozen=True)
class Ensemble:
    """Predictors of one target."""

    predictors: Sequence[Predictor]

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units, the mean of all: architectures [N] -> [N]."""
        mean: Array = np.mean([predictor.predict(architectures) for predictor in self.predictors], axis=0)
        return mean

"""AutoBuild combined with graph features: its embeddings as columns of a forest, and GRAF as global features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.autobuild import AutoBuild
from autobuild_book.chapters.shared.models.base import Array, Fitted
from autobuild_book.chapters.shared.models.features import GRAF, as_matrix, compute
from autobuild_book.chapters.shared.models.learners import Forest
from autobuild_book.chapters.shared.models.sequence_graf import feature_names, features_of_codes
from autobuild_lib.data.table import Table
from autobuild_lib.graphs import layer_graphs_from_codes
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture, Continuous, SequenceSpace
from autobuild_lib.spaces.features import features_to_json, freeze
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.training import fit

COLUMNS = 8  # GRAF features that AutoBuild gets
MOST_VALUES = 64  # of each; a feature with more is rounded to quantiles of the training rows


def embeddings(predictor: Predictor, architectures: Sequence[Architecture]) -> npt.NDArray[np.float32]:
    """Return the graph embeddings of the last hop, which the head predicts from: architectures [N] -> [N, width]."""
    encoder, codes = predictor.network.encoder, predictor.space.to_codes(architectures)
    parts = []
    with plain_torch():
        for start in range(0, len(codes), encoder.CHUNK):
            graphs = layer_graphs_from_codes(predictor.space, codes[start : start + encoder.CHUNK])
            *_, last = predictor.network.embeddings(graphs)
            parts.append(last[0].numpy())
    return np.concatenate(parts)


@dataclass(frozen=True)
class Extension:
    """A space whose architectures carry some of their GRAF features as continuous global features.

    columns: their places among the GRAF features. grids: the values each may take; others go to the nearest.
    """

    space: SequenceSpace
    extended: SequenceSpace
    columns: tuple[int, ...]
    grids: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, space: SequenceSpace, columns: Sequence[int], rows: npt.NDArray[np.float32]) -> "Extension":
        """Extend a space by columns of GRAF, with the values that they take in the training rows [N, columns]."""
        grids = tuple(_grid(values) for values in rows.T)
        graf = freeze({f"graf_{n}": Continuous(values=grid) for n, grid in enumerate(grids)})
        record, features = space.to_json(), features_to_json((*space.global_features, *graf))
        extended = SequenceSpace.from_json({**record, "name": f"{space.name}_graf", "global_features": features})
        return cls(space, extended, tuple(columns), grids)

    def convert(self, architectures: Sequence[Architecture]) -> list[Architecture]:
        """Return the architectures as those of the extended space."""
        codes, heads = self.space.to_codes(architectures), len(self.space.global_features)
        values = features_of_codes(self.space, codes)[:, list(self.columns)]
        nearest = [
            np.abs(values[:, [n]] - np.array(grid)).argmin(1).astype(np.uint8) for n, grid in enumerate(self.grids)
        ]
        joined: Codes = np.concatenate([codes[:, :heads], np.stack(nearest, axis=1), codes[:, heads:]], axis=1)
        return self.extended.from_codes(joined)


def _grid(values: npt.NDArray[np.float32]) -> tuple[float, ...]:
    distinct = np.unique(values)
    if len(distinct) > MOST_VALUES:
        distinct = np.unique(np.quantile(values, np.linspace(0, 1, MOST_VALUES), method="nearest"))
    return tuple(float(value) for value in distinct)


@dataclass(frozen=True)
class ExtendedPredictor:
    """A predictor of an extended space, for architectures of the space itself."""

    extension: Extension
    predictor: Predictor

    @property
    def columns(self) -> list[str]:
        """Names of the GRAF features it was given."""
        names = feature_names(self.extension.space)
        return [names[column] for column in self.extension.columns]

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        return self.predictor.predict(self.extension.convert(architectures))


def fit_with_graf(
    table: Table, features: pd.DataFrame, importance: Array, train: Callable[[Table], Predictor]
) -> ExtendedPredictor:
    """Train a predictor that sees the `COLUMNS` most important GRAF features beside the architecture.

    Args:
        table: training architectures with labels.
        features: their GRAF features, [N, columns].
        importance: of each column.
        train: trains on a table of the extended space.
    """
    best = np.argsort(-importance, kind="stable")[:COLUMNS]
    extension = Extension.of(table.space, best.tolist(), features.to_numpy(dtype=np.float32)[:, best])
    extended = replace(table, space=extension.extended, architectures=tuple(extension.convert(table.architectures)))
    return ExtendedPredictor(extension, train(extended))


# -------------------------------------------------------------------- models of the registry


@dataclass(frozen=True)
class Combination:
    """AutoBuild and a forest on GRAF, of which either gets what the other makes of the same rows."""

    name: str
    autobuild: AutoBuild
    learner: Forest
    needs_proxies = False


@dataclass(frozen=True)
class ForestOnEmbeddings(Combination):
    """A forest on GRAF and on the graph embeddings of an AutoBuild predictor that learnt from the same rows."""

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> "list[EmbeddedForest]":
        """Train the predictors, then a forest for each (see `Model`)."""
        fitted = []
        for predictor in self.autobuild.fit_many(table, targets, seed):
            forest = EmbeddedForest(predictor, self.learner.make(seed))
            forest.regressor.fit(forest.features(table.architectures), table.evaluate(Target(predictor.target)))
            fitted.append(forest)
        return fitted


@dataclass(frozen=True)
class EmbeddedForest:
    """A forest on GRAF and on the graph embeddings of a predictor."""

    predictor: Predictor
    regressor: Any

    def features(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.float32]:
        """Return GRAF and graph embeddings side by side, [N, columns]."""
        graf = as_matrix(compute((GRAF,), self.predictor.space, architectures))
        return np.concatenate([graf, embeddings(self.predictor, architectures)], axis=1)

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        return np.asarray(self.regressor.predict(self.features(architectures)), dtype=np.float64)


@dataclass(frozen=True)
class AutoBuildOnGraf(Combination):
    """AutoBuild with the GRAF features that a forest on the same rows finds most important, as global features."""

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> Sequence[Fitted]:
        """Train a forest, choose columns, and train a predictor, for each target (see `Model`)."""
        options = self.autobuild.options(len(table))
        rows = compute((GRAF,), table.space, table.architectures)
        fitted = []
        for target in targets:
            forest = self.learner.make(seed).fit(as_matrix(rows), table.evaluate(Target(target)))

            def train(extended: Table, target: str = target) -> Predictor:
                return fit(extended.space, extended, target, seed, self.autobuild.preset, progress=False, **options)

            fitted.append(fit_with_graf(table, rows, forest.feature_importances_, train))
        return fitted

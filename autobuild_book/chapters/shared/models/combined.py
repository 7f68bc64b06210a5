"""Parts for combining AutoBuild with graph features: embeddings as columns, and GRAF as global features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.sequence_graf import feature_names, features_of_codes
from autobuild_lib.data.table import Table
from autobuild_lib.graphs import layer_graphs_from_codes
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture, Continuous, SequenceSpace
from autobuild_lib.spaces.features import features_to_json, freeze
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.torch_settings import plain_torch

Array = npt.NDArray[np.float64]
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

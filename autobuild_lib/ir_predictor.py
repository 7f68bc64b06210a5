"""The predictor of IR graphs: any network, of any family, as a graph of operations (paper, Section 4.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from autobuild_lib.engine.neighbourhoods import Composition, Neighbourhoods, neighbourhoods
from autobuild_lib.engine.operations import CATEGORIES, IRFeatures, IRGATv2, IRGraphConv
from autobuild_lib.graphs import OPERATIONS, IRGraph
from autobuild_lib.graphs.ir import check_operations
from autobuild_lib.predictor import (
    ACTIVATIONS,
    HopNetwork,
    NetworkConfig,
    Predicts,
    Results,
    read_labels,
    read_network_config,
    smallest_size,
)
from autobuild_lib.saved import entries, read_predictor, text, write_predictor
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.weights import fill

CONVOLUTIONS = {"gatv2": IRGATv2, "graphconv": IRGraphConv}
POOLINGS = ("mean", "sum")
FORMATS = ("autobuild-ir-predictor-1", "autobuild-ir-predictor-2")
CONFIG_KEYS = {"operations", "network", "target", "label_mean", "label_sd", "provenance"}
CHUNK = 2048  # graphs evaluated at once


class IRNetwork(HopNetwork):
    """P networks of one shape side by side, one per seed in `seeds`, for graphs of the given operations."""

    features: IRFeatures

    def __init__(self, operations: Sequence[str], config: NetworkConfig, seeds: Sequence[int]) -> None:
        check_pooling(config)
        self.operations = tuple(operations)
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        features = IRFeatures(operations, generators)
        super().__init__(features, CATEGORIES, CONVOLUTIONS[config.convolution], config, generators)

    def class_embeddings(self, graphs: Neighbourhoods) -> Iterator[tuple[Tensor, Composition]]:
        """Yield the embeddings of the classes of hop 0, 1, ..., each [P, classes, channels], and where they occur."""
        activation = ACTIVATIONS[self.config.activation]
        first, *compositions = graphs.compositions()
        h = self.features(graphs)
        yield h, first
        hops = zip(self.convolutions, self.norms, graphs.levels, compositions, strict=True)
        for hop, (convolution, norm, level, composition) in enumerate(hops, start=1):
            new = activation(norm(convolution(h, level), composition.counts))
            h = new + level.of_own @ h if self.config.residual and hop >= 2 else new
            yield h, composition

    def forward(self, graphs: Neighbourhoods) -> tuple[Tensor, Tensor]:
        """Return predictions [P, graphs] and the L1 norms of the graph embeddings, [P, hops + 1, graphs]."""
        nodes = graphs.sizes[:, None] if self.config.pooling == "mean" else 1
        norms = []
        for h, composition in self.class_embeddings(graphs):
            embedding = composition.pool @ h / nodes
            norms.append(embedding.abs().sum(2))
        return self.predict_from(embedding), torch.stack(norms, dim=1)


def check_pooling(config: NetworkConfig) -> None:
    """Raise `ValueError` for a pooling that is not for IR graphs."""
    if config.pooling not in POOLINGS:
        raise ValueError(f"pooling={config.pooling!r} is not for IR graphs; choose from {', '.join(POOLINGS)}")


@dataclass(frozen=True)
class IRPredictor(Predicts[IRGraph]):
    """A trained network with everything needed to use it: vocabulary, target, label moments, and how it was made."""

    network: IRNetwork  # a stack of one
    target: str
    label_mean: float
    label_sd: float
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations it was trained on, which are those it takes."""
        return self.network.operations

    def run(self, inputs: Sequence[IRGraph]) -> Results:
        """Return standardised predictions [N] and the L1 norms of the graph embeddings, [hops + 1, N].

        Raises:
            ValueError: for operations that were not in the training data; all are named.
        """
        self._check({OPERATIONS[place] for graph in inputs for place in np.unique(graph.operations)})
        hops = self.network.config.hops
        predicted, norms = np.empty(len(inputs)), np.empty((hops + 1, len(inputs)))
        with plain_torch():
            for start in range(0, len(inputs), CHUNK):
                part = slice(start, start + CHUNK)
                out, levels = self.network.eval()(neighbourhoods(inputs[part], hops))
                predicted[part], norms[:, part] = out[0].numpy(), levels[0].numpy()
        return predicted, norms

    def _check(self, operations: set[str]) -> None:
        if unknown := sorted(operations - set(self.operations)):
            known = ", ".join(self.operations)
            raise ValueError(f"operations {', '.join(unknown)} were not in the training data, which had {known}")

    def operation_importance(self) -> pd.DataFrame:
        """Return columns `operation` and `importance`, the magnitude of its score at hop 0, the largest first.

        Only operations of the training data are there: no other has learnt anything.
        """
        with plain_torch():
            importance = self.network.features.operation_scores()[0].abs().double().numpy()
        frame = pd.DataFrame({"operation": self.operations, "importance": importance})
        return frame.sort_values("importance", ascending=False, ignore_index=True)

    def save(self, folder: Path | str) -> None:
        """Write config.json, and the weights that it names, into `folder`, both or none; see `load`."""
        config = {
            "format": FORMATS[-1],
            "operations": list(self.operations),
            "network": asdict(self.network.config),
            "target": self.target,
            "label_mean": self.label_mean,
            "label_sd": self.label_sd,
            "provenance": self.provenance,
        }
        _read_description(config)
        write_predictor(Path(folder), self.network, config)

    @staticmethod
    @plain_torch(gradients=True)
    def load(folder: Path | str) -> "IRPredictor":
        """Read what `save` wrote; raises `ValueError` for anything missing, unknown or damaged."""
        with read_predictor(Path(folder), FORMATS, CONFIG_KEYS) as saved:
            operations, shape, *described = _read_description(saved.config)
        tensors = saved.tensors(smallest_size(shape))
        network = IRNetwork(operations, shape, seeds=[0])
        fill(network, tensors, saved.path)
        return IRPredictor(network.eval(), *described)


def _read_description(config: dict[str, Any]) -> tuple[list[str], NetworkConfig, *tuple[Any, ...]]:
    """Return the operations, the shape of the network, and what else a predictor is made of, in order."""
    operations, shape = [text(name) for name in config["operations"]], read_network_config(config)
    check_operations(operations)
    check_pooling(shape)
    return operations, shape, *read_labels(config), entries(config["provenance"])

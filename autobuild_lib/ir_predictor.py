"""The predictor of IR graphs: any network, of any family, as a graph of operations (paper, Section 4.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from autobuild_lib.graphs import OPERATIONS, IRGraph
from autobuild_lib.graphs.ir import check_operations
from autobuild_lib.graphs.neighbourhoods import Composition, Neighbourhoods, neighbourhoods
from autobuild_lib.ir_layers import CATEGORIES, IRFeatures, IRGATv2, IRGraphConv
from autobuild_lib.predictor import (
    ACTIVATIONS,
    WEIGHTS,
    HopNetwork,
    NetworkConfig,
    Predicts,
    Results,
    finite,
    read_network_config,
    read_predictor,
    write_predictor,
)
from autobuild_lib.storage import load_weights
from autobuild_lib.threads import one_thread

CONVOLUTIONS = {"gatv2": IRGATv2, "graphconv": IRGraphConv}
POOLINGS = ("mean", "sum")
FORMAT = "autobuild-ir-predictor-1"
CONFIG_KEYS = {
    "format", "operations", "network", "target", "label_mean", "label_sd", "provenance", "weights_sha256",
}  # fmt: skip
CHUNK = 2048  # graphs evaluated at once


class IRNetwork(HopNetwork):
    """P networks of one shape side by side, one per seed in `seeds`, for graphs of the given operations."""

    features: IRFeatures

    def __init__(self, operations: Sequence[str], config: NetworkConfig, seeds: Sequence[int]) -> None:
        if config.pooling not in POOLINGS:
            raise ValueError(f"pooling={config.pooling!r} is not for IR graphs; choose from {', '.join(POOLINGS)}")
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
        with torch.inference_mode(), one_thread():
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
        with torch.inference_mode(), one_thread():
            importance = self.network.features.operation_scores()[0].abs().double().numpy()
        frame = pd.DataFrame({"operation": self.operations, "importance": importance})
        return frame.sort_values("importance", ascending=False, ignore_index=True)

    def save(self, folder: Path | str) -> None:
        """Write weights.safetensors and config.json, which holds its sha256, into `folder`; each atomically."""
        config = {
            "format": FORMAT,
            "operations": list(self.operations),
            "network": asdict(self.network.config),
            "target": self.target,
            "label_mean": self.label_mean,
            "label_sd": self.label_sd,
            "provenance": self.provenance,
        }
        write_predictor(Path(folder), self.network, config)

    @staticmethod
    def load(folder: Path | str) -> "IRPredictor":
        """Read what `save` wrote; raises `ValueError` for anything missing, unknown or damaged."""
        with read_predictor(Path(folder), FORMAT, CONFIG_KEYS) as config:
            operations = [str(name) for name in config["operations"]]
            check_operations(operations)
            network = IRNetwork(operations, read_network_config(config), seeds=[0])
            mean, sd = finite(config["label_mean"]), finite(config["label_sd"])
            target, provenance = str(config["target"]), dict(config["provenance"])
            sha256 = str(config["weights_sha256"])
        load_weights(network, Path(folder) / WEIGHTS, sha256)
        return IRPredictor(network.eval(), target, mean, sd, provenance)

"""The predictor: FE-MLP, message passing at every hop, and the head (paper, Section 3.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from autobuild_lib.engine.encoder import Encoder
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.engine.passing import ACTIVATIONS, BatchNorm, GATv2, GraphConv, Messages, Pooling, pass_messages
from autobuild_lib.engine.stacked import StackedLinear
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.values import Option, read_fields

CONVOLUTIONS = {"gatv2": GATv2, "graphconv": GraphConv}
Results = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]  # predictions and norms
MOST_WIDTH, MOST_HOPS = 1024, 255  # far beyond use; what a damaged file may say must not fill the memory
NETWORK_OPTIONS = {
    "convolution": Option(str, "how a layer's embedding takes in the one before", choices=tuple(CONVOLUTIONS)),
    "pooling": Option(str, "of the layers' embeddings to that of the network", choices=("mean", "sum", "max")),
    "width": Option(int, "numbers in an embedding", 1, MOST_WIDTH),
    "hops": Option(int, "steps of message passing; the norm score needs the layers of the deepest unit, less one", 1,
                   MOST_HOPS),
    "activation": Option(str, "after every hop, and in the head", choices=tuple(ACTIVATIONS)),
    "residual": Option(bool, "add the embedding of the hop before, from hop 2 on"),
}  # fmt: skip


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of a predictor's network; the defaults are the paper's, and `NETWORK_OPTIONS` says what is allowed."""

    convolution: str = "gatv2"
    pooling: str = "mean"
    width: int = 32
    hops: int = 4
    activation: str = "relu"
    residual: bool = True

    def __post_init__(self) -> None:
        read_fields(self, NETWORK_OPTIONS)


class Network(nn.Module):
    """P networks of one shape side by side, one per seed: the encoder's hop 0, hops of message passing, and the head.

    Rows are nodes, or classes of equal ones; C channels are the encoder's categories at hop 0, then W = `config.width`.
    """

    features: Any

    def __init__(self, encoder: Encoder[Any], config: NetworkConfig, seeds: Sequence[int]) -> None:
        super().__init__()
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.encoder, self.config, width = encoder, config, config.width
        self.features = encoder.features(generators)
        convolution = CONVOLUTIONS[config.convolution]
        fan_ins = [encoder.categories] + [width] * (config.hops - 1)
        self.convolutions = nn.ModuleList(convolution(n, width, generators) for n in fan_ins)
        self.norms = nn.ModuleList(BatchNorm(width, len(generators)) for _ in fan_ins)
        self.head = nn.ModuleList(StackedLinear(width, width, generators) for _ in range(4))
        self.output = StackedLinear(width, 1, generators)

    def node_embeddings(self, graphs: Any) -> Iterator[Tensor]:
        """Yield the embeddings of all nodes at hop 0, 1, ..., [P, nodes, C]; op-level graphs have classes instead."""
        return (h.index_select(1, pool.members) for h, pool in self._hops(graphs))

    def embeddings(self, graphs: Any) -> Iterator[Tensor]:
        """Yield the embeddings of the graphs, [P, graphs, C], at hop 0, 1, ..."""
        return (pool(h, self.config.pooling) for h, pool in self._hops(graphs))

    def _hops(self, graphs: Any) -> Iterator[tuple[Tensor, Pooling]]:
        messages, poolings = self.encoder.structure(graphs, self.config.hops)
        return zip(self.rows(self.encoder.values(graphs), messages), poolings, strict=True)

    def rows(self, values: Any, messages: Sequence[Messages]) -> Iterator[Tensor]:
        """Yield the embeddings of all rows at hop 0, 1, ..., from what hop 0 reads and what rows of later hops read."""
        h = self.features(values)  # [P, rows, categories], the magnitudes |s_c|
        yield h
        layers: Any = zip(self.convolutions, self.norms, messages, strict=True)
        for hop, (convolution, norm, edges) in enumerate(layers, 1):
            residual = self.config.residual and hop >= 2
            h = pass_messages(convolution, norm, h, edges, self.config.activation, residual)  # [P, rows, W]
            yield h

    def predict_from(self, embedding: Tensor) -> Tensor:
        """Apply the head to the graph embeddings of the last hop: [P, graphs, W] -> [P, graphs]."""
        first, second, third, fourth = self.head
        x = second(first(embedding)).relu()  # [P, graphs, W]
        x = ACTIVATIONS[self.config.activation](fourth(third(x)))  # [P, graphs, W]
        return self.output(x).squeeze(2)  # type: ignore[no-any-return]

    def forward(self, graphs: Any) -> tuple[Tensor, Tensor]:
        """Return predictions [P, graphs] and the L1 norms of the graph embeddings, [P, hops + 1, graphs]."""
        norms = []
        for embedding in self.embeddings(graphs):
            norms.append(embedding.abs().sum(2))  # [P, graphs]
        return self.predict_from(embedding), torch.stack(norms, dim=1)

    def run(self, inputs: Any) -> Results:
        """Evaluate on what `encoder.read` returns: standardised predictions [P, N] and norms [P, hops + 1, N]."""
        self.eval()
        stack, hops, chunk = len(self.output.bias), self.config.hops, self.encoder.CHUNK
        predicted, norms = np.empty((stack, len(inputs))), np.empty((stack, hops + 1, len(inputs)))
        with plain_torch():
            for start in range(0, len(inputs), chunk):
                part = slice(start, start + chunk)
                out, levels = self(self.encoder.graphs(inputs[part], hops))
                predicted[:, part], norms[:, :, part] = out.numpy(), levels.numpy()
        return predicted, norms


@dataclass(frozen=True)
class Moments:
    """What the scores of modules need to know about the training split.

    hops: mean and standard deviation (ddof 1) of the L1 norm of the node embeddings, [hops + 1, 2].
    units: per (scoring group, depth), mean and standard deviation (ddof 0) of the target.
    """

    hops: npt.NDArray[np.float64]
    units: dict[tuple[int, int], tuple[float, float]]


@dataclass(frozen=True)
class Predictor:
    """A trained network, its target, and how it was made; inputs are architectures, or op-level graphs of networks."""

    network: Network  # a stack of one
    target: str
    label_mean: float
    label_sd: float
    moments: Moments | None = None  # where nodes are layers
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def space(self) -> SequenceSpace:
        """The search space of its architectures; a `ValueError` where inputs are op-level graphs."""
        if not isinstance(encoder := self.network.encoder, LayerEncoder):
            raise ValueError("a predictor of op-level graphs has no search space; `fit` makes those that have one")
        return encoder.space

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that it was trained on, and takes; a `ValueError` where nodes are layers."""
        if isinstance(encoder := self.network.encoder, LayerEncoder):
            raise ValueError("a predictor of layers has no operations; `fit_ir` makes those that have them")
        return tuple(encoder.to_json()["operations"])

    def predict_and_norms(self, inputs: Sequence[Any]) -> Results:
        """Return `predict` and `norms` from one pass."""
        predicted, norms = self.network.run(self.network.encoder.read(inputs))
        return predicted[0] * self.label_sd + self.label_mean, norms[0]

    def predict(self, inputs: Sequence[Any]) -> npt.NDArray[np.float64]:
        """Predict the target in label units: inputs [N] -> [N]."""
        return self.predict_and_norms(inputs)[0]

    def norms(self, inputs: Sequence[Any]) -> npt.NDArray[np.float64]:
        """Return the L1 norms of the graph embeddings at every hop: inputs [N] -> [hops + 1, N]."""
        return self.predict_and_norms(inputs)[1]

    def operation_importance(self) -> pd.DataFrame:
        """Return `operation` and `importance`, its score's magnitude at hop 0, of those trained on, largest first."""
        operations = self.operations
        with plain_torch():
            importance = self.network.features.operation_scores()[0].abs().double().numpy()
        frame = pd.DataFrame({"operation": operations, "importance": importance})
        return frame.sort_values("importance", ascending=False, ignore_index=True)

    def save(self, folder: Path | str) -> None:
        """Write weights.safetensors, and config.json with their checksum, into `folder`, both or none; see `load`."""
        import_module("autobuild_lib.saved").save(self, Path(folder))  # read by who saves or loads alone

"""The predictor: FE-MLP, message passing at every hop, and the head (paper, Section 3.2)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from autobuild_lib.engine.paths import FeatureMLP, PathGATv2, PathGraphConv, StackedBatchNorm, StackedLinear, pool
from autobuild_lib.graphs import PathGraphs, path_graphs_from_codes
from autobuild_lib.saved import entries, equation, finite, not_negative, read_predictor, whole, write_predictor
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.values import Option, choice, read_fields, shown
from autobuild_lib.weights import fill

CONVOLUTIONS = {"gatv2": PathGATv2, "graphconv": PathGraphConv}
ACTIVATIONS: dict[str, nn.Module] = {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(), "gelu": nn.GELU()}
POOLINGS = ("mean", "sum", "max")
FORMATS = ("autobuild-predictor-1", "autobuild-predictor-2")
CONFIG_KEYS = {
    "space", "network", "target", "label_mean", "label_sd", "hop_moments", "unit_target_moments", "provenance",
}  # fmt: skip
Input = TypeVar("Input")  # of a predictor
Results = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]  # predictions and norms
MOST_WIDTH, MOST_HOPS = 1024, 255  # far beyond use; what a damaged file may say must not fill the memory
CHUNK = 1024  # architectures evaluated at once: small enough for the processor's cache


NETWORK_OPTIONS = {
    "convolution": choice(CONVOLUTIONS, "how a layer's embedding takes in the one before"),
    "pooling": choice(POOLINGS, "of the layers' embeddings to that of the network"),
    "width": Option(int, "numbers in an embedding", 1, MOST_WIDTH),
    "hops": Option(int, "steps of message passing; the norm score needs the layers of the deepest unit, less one", 1,
                   MOST_HOPS),
    "activation": choice(ACTIVATIONS, "after every hop, and in the head"),
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


class HopNetwork(nn.Module):
    """P networks side by side: features of `categories` scalars (hop 0), message passing, and the head."""

    def __init__(
        self,
        features: nn.Module,
        categories: int,
        convolution: Callable[[int, int, Sequence[torch.Generator]], nn.Module],
        config: NetworkConfig,
        generators: Sequence[torch.Generator],
    ) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.features = features
        fan_ins = [categories] + [width] * (config.hops - 1)
        self.convolutions = nn.ModuleList(convolution(n, width, generators) for n in fan_ins)
        self.norms = nn.ModuleList(StackedBatchNorm(width, len(generators)) for _ in fan_ins)
        self.head = nn.ModuleList(StackedLinear(width, width, generators) for _ in range(4))
        self.output = StackedLinear(width, 1, generators)

    def predict_from(self, embedding: Tensor) -> Tensor:
        """Apply the head to the graph embeddings of the last hop: [P, graphs, width] -> [P, graphs]."""
        activation = ACTIVATIONS[self.config.activation]
        first, second, third, fourth = self.head
        x = second(first(embedding)).relu()
        x = activation(fourth(third(x)))
        return self.output(x).squeeze(2)  # type: ignore[no-any-return]


class StackedNetwork(HopNetwork):
    """P networks of one shape side by side, one per seed in `seeds`."""

    def __init__(self, space: SequenceSpace, config: NetworkConfig, seeds: Sequence[int]) -> None:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        features = FeatureMLP(space.categories, generators)
        super().__init__(features, len(space.categories), CONVOLUTIONS[config.convolution], config, generators)

    def node_embeddings(self, graphs: PathGraphs) -> Iterator[Tensor]:
        """Yield the node embeddings of hop 0, 1, ..., each [P, nodes, channels]."""
        activation = ACTIVATIONS[self.config.activation]
        has_previous = torch.ones(len(graphs.codes), 1)
        has_previous[graphs.starts] = 0
        h = self.features(graphs.codes)
        yield h
        for hop, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True), start=1):
            new = activation(norm(convolution(h, has_previous)))
            h = new + h if self.config.residual and hop >= 2 else new
            yield h

    def forward(self, graphs: PathGraphs) -> tuple[Tensor, Tensor]:
        """Return predictions [P, graphs] and the L1 norms of the graph embeddings, [P, hops + 1, graphs]."""
        norms = []
        for h in self.node_embeddings(graphs):
            embedding = pool(h, graphs.lengths, self.config.pooling)
            norms.append(embedding.abs().sum(2))
        return self.predict_from(embedding), torch.stack(norms, dim=1)


@dataclass(frozen=True)
class Moments:
    """What the scores of modules need to know about the training split.

    hops: mean and standard deviation (ddof 1) of the L1 norm of the node embeddings, [hops + 1, 2].
    units: per (scoring group, depth), mean and standard deviation (ddof 0) of the target.
    """

    hops: npt.NDArray[np.float64]
    units: dict[tuple[int, int], tuple[float, float]]


class Predicts(ABC, Generic[Input]):
    """Predictions in label units, and norms, from what a network computes."""

    label_mean: float
    label_sd: float

    @abstractmethod
    def run(self, inputs: Sequence[Input]) -> Results:
        """Return standardised predictions [N] and the L1 norms of the graph embeddings, [hops + 1, N]."""

    def predict(self, inputs: Sequence[Input]) -> npt.NDArray[np.float64]:
        """Predict the target in label units: inputs [N] -> [N]."""
        return self.run(inputs)[0] * self.label_sd + self.label_mean

    def norms(self, inputs: Sequence[Input]) -> npt.NDArray[np.float64]:
        """Return the L1 norms of the graph embeddings at every hop: inputs [N] -> [hops + 1, N]."""
        return self.run(inputs)[1]

    def predict_and_norms(self, inputs: Sequence[Input]) -> Results:
        """Return `predict` and `norms` from one pass."""
        predicted, norms = self.run(inputs)
        return predicted * self.label_sd + self.label_mean, norms


@dataclass(frozen=True)
class Predictor(Predicts[Architecture]):
    """A trained network with everything needed to use it: space, target, label moments, and how it was made."""

    space: SequenceSpace
    network: StackedNetwork  # a stack of one
    target: str
    label_mean: float
    label_sd: float
    moments: Moments | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def run(self, inputs: Sequence[Architecture]) -> Results:
        """Return standardised predictions [N] and the L1 norms of the graph embeddings, [hops + 1, N]."""
        predicted, norms = run_network(self.network, self.space, self.space.to_codes(inputs))
        return predicted[0], norms[0]

    def save(self, folder: Path | str) -> None:
        """Write weights.safetensors, and config.json with their checksum, into `folder`, both or none; see `load`."""
        units = {} if self.moments is None else self.moments.units
        config = {
            "format": FORMATS[-1],
            "space": self.space.to_json(),
            "network": asdict(self.network.config),
            "target": self.target,
            "label_mean": self.label_mean,
            "label_sd": self.label_sd,
            "hop_moments": None if self.moments is None else self.moments.hops.tolist(),
            "unit_target_moments": [[*key, *value] for key, value in sorted(units.items())],
            "provenance": self.provenance,
        }
        _read_description(config)
        write_predictor(Path(folder), self.network, config)


def run_network(network: StackedNetwork, space: SequenceSpace, codes: Codes) -> Results:
    """Evaluate P networks on codes [N, width]: predictions [P, N] (standardised) and norms [P, hops + 1, N]."""
    network.eval()
    stack, hops = len(network.output.bias), network.config.hops
    predicted, norms = np.empty((stack, len(codes))), np.empty((stack, hops + 1, len(codes)))
    with plain_torch():
        for start in range(0, len(codes), CHUNK):
            part = slice(start, start + CHUNK)
            out, levels = network(path_graphs_from_codes(space, codes[part]))
            predicted[:, part], norms[:, :, part] = out.numpy(), levels.numpy()
    return predicted, norms


@plain_torch(gradients=True)
def load(folder: Path | str) -> Predictor:
    """Read a predictor that `Predictor.save` wrote; raises `ValueError` for anything missing, unknown or damaged."""
    with read_predictor(Path(folder), FORMATS, CONFIG_KEYS) as saved:
        space, shape, *described = _read_description(saved.config)
    tensors = saved.tensors(smallest_size(shape))
    network = StackedNetwork(space, shape, seeds=[0])
    fill(network, tensors, saved.path)
    return Predictor(space, network.eval(), *described)


def _read_description(config: dict[str, Any]) -> tuple[SequenceSpace, NetworkConfig, *tuple[Any, ...]]:
    """Return the space, the shape of the network, and what else a predictor is made of, in order."""
    space, shape = SequenceSpace.from_json(config["space"]), read_network_config(config)
    moments = _read_moments(config, space, shape.hops)
    return space, shape, *read_labels(config), moments, entries(config["provenance"])


def read_labels(config: dict[str, Any]) -> tuple[str, float, float]:
    """Return the target of a saved predictor, and the mean and standard deviation of its labels."""
    return equation(config["target"]), finite(config["label_mean"]), finite(config["label_sd"], above=0)


def read_network_config(config: dict[str, Any]) -> NetworkConfig:
    """Return the shape of a saved predictor's network."""
    found, defaults = entries(config["network"]), asdict(NetworkConfig())
    if set(found) != set(defaults):
        raise ValueError(f"network has {sorted(found)}, expected {sorted(defaults)}")
    made = NetworkConfig(**found)
    for name, value in asdict(made).items():
        if type(found[name]) is not type(value):  # 2.0 and "true" are for people
            raise ValueError(f"network: {name} is {shown(found[name])}; expected {shown(value)}")
    return made


def smallest_size(shape: NetworkConfig) -> int:
    """Return how many bytes the weights of a network take at least: four layers of the head, and one for each hop."""
    return 4 * (shape.hops + 3) * shape.width**2


def _read_moments(config: dict[str, Any], space: SequenceSpace, hops: int) -> Moments | None:
    rows = [(_read_form(space, group, depth), finite(mean), not_negative(sd))
            for group, depth, mean, sd in config["unit_target_moments"]]  # fmt: skip
    units = {form: (mean, sd) for form, mean, sd in rows}
    if list(units) != sorted(units) or len(units) < len(rows):
        raise ValueError("unit_target_moments are not in order")
    if config["hop_moments"] is None:
        return None
    levels = np.array([[not_negative(mean), not_negative(sd)] for mean, sd in config["hop_moments"]])
    if len(levels) != hops + 1:
        raise ValueError(f"hop_moments has {len(levels)} rows, expected {hops + 1}")
    return Moments(levels, units)


def _read_form(space: SequenceSpace, group: object, depth: object) -> tuple[int, int]:
    """Return the number of a scoring group and a number of layers that it may have."""
    if not 0 <= whole(group) < len(space.scoring_groups):
        raise ValueError(f"unit_target_moments of group {group}, the space has {len(space.scoring_groups)}")
    lengths = space.scoring_groups[whole(group)].lengths
    if whole(depth) not in lengths:
        raise ValueError(f"unit_target_moments of {depth} layers, group {group} has {lengths[0]} to {lengths[-1]}")
    return whole(group), whole(depth)

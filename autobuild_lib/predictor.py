"""The predictor: FE-MLP, message passing at every hop, and the head (paper, Section 3.2)."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from autobuild_lib.graphs import PathGraphs, path_graphs_from_codes
from autobuild_lib.layers import FeatureMLP, PathGATv2, PathGraphConv, StackedBatchNorm, StackedLinear, pool
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.storage import load_weights, replace_bytes, replace_text, weights_bytes

CONVOLUTIONS = {"gatv2": PathGATv2, "graphconv": PathGraphConv}
ACTIVATIONS: dict[str, nn.Module] = {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(), "gelu": nn.GELU()}
POOLINGS = ("mean", "sum", "max")
FORMAT = "autobuild-predictor-1"
CONFIG, WEIGHTS = "config.json", "weights.safetensors"
CONFIG_KEYS = {
    "format", "space", "network", "target", "label_mean", "label_sd", "hop_moments", "unit_target_moments",
    "provenance", "weights_sha256",
}  # fmt: skip
CHUNK = 1024  # architectures evaluated at once: small enough for the processor's cache


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of a predictor's network; the defaults are the paper's."""

    convolution: str = "gatv2"
    pooling: str = "mean"
    width: int = 32
    hops: int = 4
    activation: str = "relu"
    residual: bool = True

    def __post_init__(self) -> None:
        choices = {"convolution": CONVOLUTIONS, "pooling": POOLINGS, "activation": ACTIVATIONS}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r}; choose from {', '.join(allowed)}")
        if self.width < 1 or self.hops < 1:
            raise ValueError(f"width and hops must be at least 1, given width={self.width}, hops={self.hops}")


class StackedNetwork(nn.Module):
    """P networks of one shape side by side, one per seed in `seeds`."""

    def __init__(self, space: SequenceSpace, config: NetworkConfig, seeds: Sequence[int]) -> None:
        super().__init__()
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.config, width = config, config.width
        self.features = FeatureMLP(space.categories, generators)
        fan_ins = [len(space.categories)] + [width] * (config.hops - 1)
        self.convolutions = nn.ModuleList(CONVOLUTIONS[config.convolution](n, width, generators) for n in fan_ins)
        self.norms = nn.ModuleList(StackedBatchNorm(width, len(seeds)) for _ in fan_ins)
        self.head = nn.ModuleList(StackedLinear(width, width, generators) for _ in range(4))
        self.output = StackedLinear(width, 1, generators)

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

    def predict_from(self, embedding: Tensor) -> Tensor:
        """Apply the head to the graph embeddings of the last hop: [P, graphs, width] -> [P, graphs]."""
        activation = ACTIVATIONS[self.config.activation]
        first, second, third, fourth = self.head
        x = second(first(embedding)).relu()
        x = activation(fourth(third(x)))
        return self.output(x).squeeze(2)  # type: ignore[no-any-return]


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
    """A trained network with everything needed to use it: space, target, label moments, and how it was made."""

    space: SequenceSpace
    network: StackedNetwork  # a stack of one
    target: str
    label_mean: float
    label_sd: float
    moments: Moments | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def predict(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.float64]:
        """Predict the target in label units: architectures [N] -> [N]."""
        return self._run(architectures)[0] * self.label_sd + self.label_mean

    def norms(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.float64]:
        """Return the L1 norms of the graph embeddings at every hop: architectures [N] -> [hops + 1, N]."""
        return self._run(architectures)[1]

    def predict_and_norms(
        self, architectures: Sequence[Architecture]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return `predict` and `norms` from one pass."""
        predicted, norms = self._run(architectures)
        return predicted * self.label_sd + self.label_mean, norms

    def _run(self, architectures: Sequence[Architecture]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        predicted, norms = run_network(self.network, self.space, self.space.to_codes(architectures))
        return predicted[0], norms[0]

    def save(self, folder: Path | str) -> None:
        """Write weights.safetensors and config.json, which holds its sha256, into `folder`; each atomically."""
        target, weights = Path(folder), weights_bytes(self.network)
        target.mkdir(parents=True, exist_ok=True)
        units = {} if self.moments is None else self.moments.units
        config = {
            "format": FORMAT,
            "space": self.space.to_json(),
            "network": asdict(self.network.config),
            "target": self.target,
            "label_mean": self.label_mean,
            "label_sd": self.label_sd,
            "hop_moments": None if self.moments is None else self.moments.hops.tolist(),
            "unit_target_moments": [[*key, *value] for key, value in sorted(units.items())],
            "provenance": self.provenance,
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
        }
        with tempfile.TemporaryDirectory(dir=target, prefix=".partial") as partial:  # both are ready before one moves
            replace_bytes(Path(partial) / WEIGHTS, weights)
            replace_text(Path(partial) / CONFIG, json.dumps(config, indent=1) + "\n")
            for name in (WEIGHTS, CONFIG):
                os.replace(Path(partial) / name, target / name)


def run_network(
    network: StackedNetwork, space: SequenceSpace, codes: Codes
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Evaluate P networks on codes [N, width]: predictions [P, N] (standardised) and norms [P, hops + 1, N]."""
    network.eval()
    stack, hops = len(network.output.bias), network.config.hops
    predicted, norms = np.empty((stack, len(codes))), np.empty((stack, hops + 1, len(codes)))
    with torch.inference_mode():
        for start in range(0, len(codes), CHUNK):
            part = slice(start, start + CHUNK)
            out, levels = network(path_graphs_from_codes(space, codes[part]))
            predicted[:, part], norms[:, :, part] = out.numpy(), levels.numpy()
    return predicted, norms


def load(folder: Path | str) -> Predictor:
    """Read a predictor that `Predictor.save` wrote; raises `ValueError` for anything missing, unknown or damaged."""
    path = Path(folder) / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if config["format"] != FORMAT:
            raise ValueError(f"format {config['format']!r}, this version reads {FORMAT!r}")
        space = SequenceSpace.from_json(config["space"])
        if set(config["network"]) != (wanted := set(asdict(NetworkConfig()))):
            raise ValueError(f"network has {sorted(config['network'])}, expected {sorted(wanted)}")
        network = StackedNetwork(space, NetworkConfig(**config["network"]), seeds=[0])
        if unknown := sorted(set(config) - CONFIG_KEYS):
            raise ValueError(f"unknown entries {', '.join(unknown)}")
        mean, sd = _finite(config["label_mean"]), _finite(config["label_sd"])
        moments = _read_moments(config, network.config.hops)
        target, provenance, sha256 = str(config["target"]), dict(config["provenance"]), str(config["weights_sha256"])
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(
            f"{path}: no such file; a saved predictor is a folder with {CONFIG} and {WEIGHTS}"
        ) from None
    except KeyError as error:
        raise ValueError(f"{path}: not the configuration of a predictor (there is no {error})") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not the configuration of a predictor ({error})") from None
    load_weights(network, path.with_name(WEIGHTS), sha256)
    return Predictor(space, network.eval(), target, mean, sd, moments, provenance)


def _read_moments(config: dict[str, Any], hops: int) -> Moments | None:
    units = {(int(g), int(d)): (_finite(m), _finite(s)) for g, d, m, s in config["unit_target_moments"]}
    if config["hop_moments"] is None:
        return None
    levels = np.array([[_finite(mean), _finite(sd)] for mean, sd in config["hop_moments"]])
    if len(levels) != hops + 1:
        raise ValueError(f"hop_moments has {len(levels)} rows, expected {hops + 1}")
    return Moments(levels, units)


def _finite(value: Any) -> float:
    if not np.isfinite(number := float(value)):
        raise ValueError(f"{value} is not a finite number")
    return number

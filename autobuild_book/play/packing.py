"""Networks of a predictor or a surrogate as the page computes with them: few numbers, in one order, as text.

Maps that follow each other without an activation between them are multiplied, and normalisation by running statistics
is part of what stands before it. That is done in double precision, and rounded once.
"""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autobuild_lib.engine.kernels import EPSILON
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.engine.passing import SLOPES, GATv2
from autobuild_lib.predictor import Network

Numbers = npt.NDArray[np.float64]


def as_text(values: npt.ArrayLike, kind: str = "<f4") -> str:
    """Return numbers as base64, little-endian."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def description(network: Network) -> dict[str, Any]:
    """Return the shape of a network, JSON; a `ValueError` for one that the page cannot compute."""
    encoder, config = network.encoder, network.config
    if not isinstance(encoder, LayerEncoder):
        raise ValueError("the page builds networks of layers; this predictor reads op-level graphs")
    if config.pooling not in ("mean", "sum") or config.activation not in SLOPES or not config.residual:
        shape = f"pooling {config.pooling}, activation {config.activation}, residual {config.residual}"
        raise ValueError(f"{shape}; the page computes mean or sum, {' or '.join(SLOPES)}, and with a residual")
    return {
        "attends": config.convolution == "gatv2",
        "mean": config.pooling == "mean",
        "width": config.width,
        "hops": config.hops,
        "slope": SLOPES[config.activation],
        "categories": [[category.name, category.size] for category in encoder.space.categories],
    }


def numbers(network: Network, place: int = 0) -> Numbers:
    """Return all numbers of one of the networks side by side, in the order in which the page reads them, [numbers]."""
    parts = [*_scores(network, place), *_hops(network, place), *_head(network, place)]
    return np.concatenate([part.ravel() for part in parts])


def _scores(network: Network, place: int) -> Iterator[Numbers]:
    """Magnitudes of hop 0: of every category its values'."""
    for category in network.features.categories:
        yield np.abs(_double(network.features.value_scores(category)[place]))


def _hops(network: Network, place: int) -> Iterator[Numbers]:
    hops: Any = zip(network.convolutions, network.norms, strict=True)
    for convolution, norm in hops:
        maps, *others = (_double(part[place]) for part in convolution.parts())  # [in, 2 C], then [1, ...]
        mean, variance = _double(norm.mean[place]), _double(norm.variance[place])
        scale = _double(norm.weight[place]) / np.sqrt(variance + EPSILON)
        shift = _double(norm.bias[place]) - mean * scale
        if isinstance(convolution, GATv2):
            both, attention, bias = others
            of_sources, of_target = np.split(both, 2, axis=1)
            yield from (maps, of_sources + of_target, attention, scale, (of_sources + bias) * scale + shift)
        else:
            yield from (maps * np.tile(scale, 2), others[0] * scale + shift)


def _head(network: Network, place: int) -> Iterator[Numbers]:
    layers: Any = network.head
    maps = [(_double(layer.weight[place]), _double(layer.bias[place])) for layer in layers]
    for (first, of_first), (second, of_second) in (maps[:2], maps[2:]):
        yield from (first @ second, of_first @ second + of_second)
    yield from (_double(network.output.weight[place]), _double(network.output.bias[place]))


def _double(tensor: Tensor) -> Numbers:
    return tensor.detach().to(torch.float64).numpy()

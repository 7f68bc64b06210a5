"""The effect of a module: what a predictor says when the module stands in the same random host networks.

A change in one unit moves few embeddings: nodes before the unit keep theirs, a node inside depends only on the layers
up to it, and a node behind depends on the last few. Each node is therefore a grid with one axis per choice that can
reach it (the others have size 1), and message passing broadcasts: shared parts are computed once.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from autobuild_lib.graphs import path_graphs_from_codes
from autobuild_lib.predictor import ACTIVATIONS, Network, Predictor
from autobuild_lib.progress import Bar
from autobuild_lib.spaces import Codes, ScoringGroup, SequenceSpace
from autobuild_lib.torch_settings import plain_torch

LARGEST_GRID = 10_000  # contents computed at once: small enough for the processor's cache


@dataclass(frozen=True)
class Form:
    """Contents of a scoring group with the same depths: the product of the choices on its axes, in that order.

    sizes: choices per axis; the axes are, unit by unit, the unit's features and then its layers.
    nodes: per layer, its hop-0 codes as a grid [*sizes or 1, categories].
    """

    depths: tuple[int, ...]
    sizes: tuple[int, ...]
    nodes: tuple[Tensor, ...]

    def parts(self) -> "Iterator[Form]":
        """Cut along the first axis into forms of at most `LARGEST_GRID` contents, where that is possible."""
        step = max(1, LARGEST_GRID * self.sizes[0] // math.prod(self.sizes))
        for start in range(0, self.sizes[0], step):
            cut = [n[start : start + step] if len(n) > 1 else n for n in self.nodes]
            yield Form(self.depths, (min(step, self.sizes[0] - start), *self.sizes[1:]), tuple(cut))


def forms(space: SequenceSpace, group: ScoringGroup, head: bytes) -> list[Form]:
    """Return the forms of a scoring group for architectures whose global features are `head`."""
    depths = itertools.product(*(codec.depths for codec in group.codecs))
    return [_form(space, group, of_units, head) for of_units in depths]


def _form(space: SequenceSpace, group: ScoringGroup, depths: tuple[int, ...], head: bytes) -> Form:
    sizes: list[int] = []
    places = []  # per layer: unit, index, and the axes of the unit's features and of the layer itself
    for codec, depth in zip(group.codecs, depths, strict=True):
        features = list(range(len(sizes), len(sizes) + len(codec.allowed_features)))
        sizes += map(len, codec.allowed_features)
        places += [(codec.number, index, [*features, len(sizes) + index]) for index in range(depth)]
        sizes += [len(codec.layer_names)] * depth
    nodes = []
    for unit, index, axes in places:
        shape = [size if axis in axes else 1 for axis, size in enumerate(sizes)]
        nodes.append(_node_codes(space, unit, index, head).reshape(*shape, -1))
    return Form(depths, tuple(sizes), tuple(nodes))


def _node_codes(space: SequenceSpace, unit: int, index: int, head: bytes) -> Tensor:
    """Hop-0 codes of one layer for every choice of the unit's features and of that layer, [choices, categories]."""
    codes = space.alone(unit).isolated(space.codecs[unit].ends(index + 1), head)
    graphs = path_graphs_from_codes(space, codes)
    return graphs.codes[graphs.starts + graphs.lengths - 1]


@dataclass(frozen=True)
class Surroundings:
    """What one host contributes to the prediction, whatever the content of one scoring group.

    before: embedding of the last node before the group at each hop, or None where the group comes first.
    after: hop-0 embeddings [channels] of the nodes behind the group that a change in it can reach.
    fixed: last-hop embeddings [nodes, width] of all other nodes of the host.
    """

    before: tuple[Tensor, ...] | None
    after: tuple[Tensor, ...]
    fixed: Tensor


def surroundings(network: Network, space: SequenceSpace, group: ScoringGroup, hosts: Codes) -> list[Surroundings]:
    """Run the hosts once, [hosts, code_width], and cut each open where the scoring group stands."""
    graphs = path_graphs_from_codes(space, hosts)
    hops = [h[0] for h in network.node_embeddings(graphs)]
    cuts = []
    for start, length in zip(graphs.starts.tolist(), graphs.lengths.tolist(), strict=True):
        unit = graphs.codes[start : start + length, 0]
        first, behind = start + int((unit < group.units[0]).sum()), start + int((unit <= group.units[-1]).sum())
        reached = min(behind + network.config.hops, start + length)
        before = None if first == start else tuple(h[first - 1] for h in hops)
        fixed = torch.cat([hops[-1][start:first], hops[-1][reached : start + length]])
        cuts.append(Surroundings(before, tuple(hops[0][node] for node in range(behind, reached)), fixed))
    return cuts


def predict_contents(network: Network, form: Form, host: Surroundings) -> Tensor:
    """Predict (standardised) one host with every content of a form in place, [contents]."""
    activation = ACTIVATIONS[network.config.activation]
    point = [1] * (1 + len(form.sizes))  # a stack of one predictor, then the axes
    nodes = [network.features(codes.flatten(0, -2)).reshape(1, *codes.shape[:-1], -1) for codes in form.nodes]
    nodes += [h.reshape(*point, -1) for h in host.after]
    for hop, (convolution, norm) in enumerate(zip(network.convolutions, network.norms, strict=True)):
        projected = [_project(convolution, h) for h in nodes]
        before = None if host.before is None else _project(convolution, host.before[hop].reshape(*point, -1))
        new = [
            activation(norm(convolution.combine(node, previous)))  # type: ignore[operator]
            for node, previous in zip(projected, [before, *projected], strict=False)
        ]
        keep = network.config.residual and hop >= 1
        nodes = [n + h for n, h in zip(new, nodes, strict=True)] if keep else new
    return network.predict_from(_pooled(nodes, form, host, network.config.pooling)).squeeze(0)


def _project(convolution: nn.Module, h: Tensor) -> tuple[Tensor, Tensor]:
    left, right = convolution.project(h.flatten(1, -2))  # type: ignore[operator]
    return left.reshape(*h.shape[:-1], -1), right.reshape(*h.shape[:-1], -1)


def _pooled(nodes: Sequence[Tensor], form: Form, host: Surroundings, how: str) -> Tensor:
    """Pool the nodes of a host with every content in place, [1, contents, width]."""
    if how == "max":
        total = host.fixed.amax(0) if len(host.fixed) else torch.tensor(-torch.inf)
        for h in nodes:
            total = torch.maximum(total, h)
    else:
        total = host.fixed.sum(0)
        for h in nodes:  # small grids first: axes are added from the first layer on
            total = total + h
    if how == "mean":
        total = total / (len(host.fixed) + len(nodes))
    return total.expand(1, *form.sizes, -1).flatten(1, -2)


def host_effects(
    predictor: Predictor, group: ScoringGroup, form: Form, hosts: Codes, bar: Bar
) -> npt.NDArray[np.float64]:
    """Change of each host's prediction by each content, in label units: [hosts, contents of the form].

    `bar` moves on by the number of contents.
    """
    network = predictor.network
    with plain_torch():
        around = surroundings(network, predictor.space, group, hosts)
        parts = list(form.parts())
        rows = np.empty((len(hosts), math.prod(form.sizes)))
        for row, host in zip(rows, around, strict=True):
            row[:] = np.concatenate([predict_contents(network, part, host).numpy() for part in parts])
            bar.update(len(row) / len(hosts))
        before, _ = network.run(hosts)
    return np.asarray((rows - before[0][:, None]) * predictor.label_sd)

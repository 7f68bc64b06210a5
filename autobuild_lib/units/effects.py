"""The effect of a module: what a predictor says when the module stands in the same random host networks.

A change in one unit moves few embeddings: nodes that it does not reach keep theirs, and one inside depends only on the
layers up to it. Each node is therefore a grid with one axis per choice that can reach it (the others have size 1), and
a row of a grid reads rows of others by broadcasting: shared parts are computed once.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autobuild_lib.engine.passing import Messages
from autobuild_lib.graphs.layers import ends_of
from autobuild_lib.predictor import Network, Predictor
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


def forms(space: SequenceSpace, group: ScoringGroup, head: bytes) -> Iterator[Form]:
    """Yield the forms of a scoring group for architectures whose global features are `head`."""
    for depths in itertools.product(*(codec.depths for codec in group.codecs)):
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
            codes = space.alone(unit).isolated(space.codecs[unit].ends(index + 1), head)  # all that they can be
            nodes.append(torch.from_numpy(space.nodes(codes)[index :: index + 1]).reshape(*shape, -1))  # hop-0 codes
        yield Form(depths, tuple(sizes), tuple(nodes))


@dataclass(frozen=True)
class Host:
    """A network around a scoring group: hop-0 codes of its other nodes, as grids of one, and what every node reads."""

    before: list[Tensor]
    behind: list[Tensor]
    sources: list[list[int]]


def open_host(space: SequenceSpace, group: ScoringGroup, form: Form, host: Codes) -> Host:
    """Cut a host [1, code_width] open where the scoring group stands, which has the depths of a form."""
    codes, (degrees, steps) = torch.from_numpy(space.nodes(host)), space.predecessors(host)
    targets = np.repeat(np.arange(len(degrees)), degrees)
    sources = [(targets - steps)[targets == node].tolist() for node in range(len(degrees))]
    grids = [node.reshape(*[1] * len(form.sizes), -1) for node in codes]
    first = int((codes[:, 0] < group.units[0]).sum())
    return Host(grids[:first], grids[first + len(form.nodes) :], sources)


def predict_contents(network: Network, form: Form, host: Host) -> Tensor:
    """Predict (standardised) one host with every content of a form in place, [contents]."""
    nodes = [*host.before, *form.nodes, *host.behind]
    shapes: list[tuple[int, ...]] = [tuple(codes.shape[:-1]) for codes in nodes]
    messages = []
    for _ in range(network.config.hops):
        edges, shapes = _next_hop(shapes, host.sources)
        messages.append(edges)
    *_, last = network.rows(torch.cat([codes.flatten(0, -2) for codes in nodes]), messages)
    rows = torch.split(last[0], [math.prod(shape) for shape in shapes])
    grids = [h.reshape(*shape, -1) for h, shape in zip(rows, shapes, strict=True)]
    return network.predict_from(_pooled(grids, form.sizes, network.config.pooling)).squeeze(0)


def _next_hop(
    shapes: Sequence[tuple[int, ...]], sources: Sequence[Sequence[int]]
) -> tuple[Messages, list[tuple[int, ...]]]:
    """What the rows of grids read of those of the hop before, with `shapes`, and the shapes of the new grids."""
    sizes = list(map(math.prod, shapes))
    ends = itertools.accumulate(sizes)
    before = [np.arange(end - size, end).reshape(shape) for end, size, shape in zip(ends, sizes, shapes, strict=True)]
    of_sources = [[shapes[u] for u in read] for read in sources]
    new = [np.broadcast_shapes(shape, *read) if read else shape for shape, read in zip(shapes, of_sources, strict=True)]
    entries = [(node, *read) for node, read in enumerate(sources)]
    read_by = zip(entries, new, strict=True)
    rows = [np.stack([np.broadcast_to(before[u], shape).ravel() for u in read], 1) for read, shape in read_by]
    degrees = np.repeat(list(map(len, entries)), list(map(len, rows)))
    read_rows = torch.from_numpy(np.concatenate([block.ravel() for block in rows]))
    often, each = torch.ones(len(read_rows)), torch.ones(len(degrees))
    return Messages(ends_of(torch.from_numpy(degrees)), read_rows, often, each), new


def _pooled(grids: Sequence[Tensor], sizes: tuple[int, ...], how: str) -> Tensor:
    """Pool the nodes of a host with every content in place, [1, contents, width]."""
    total, *others = sorted(grids, key=torch.numel)  # small grids first: few numbers are added
    for h in others:
        total = torch.maximum(total, h) if how == "max" else total + h
    if how == "mean":
        total = total / len(grids)
    return total.expand(1, *sizes, -1).flatten(1, -2)


def host_effects(
    predictor: Predictor, group: ScoringGroup, form: Form, hosts: Codes, content: Codes, bar: Bar
) -> npt.NDArray[np.float64]:
    """Change of each host's prediction by each content, in label units: [hosts, contents of the form].

    `content` [width] is any of the form. `bar` moves on by the number of contents.
    """
    network, space = predictor.network, predictor.space
    parts, rows = list(form.parts()), np.empty((len(hosts), math.prod(form.sizes)))
    with plain_torch():
        for row, code in zip(rows, group.put(hosts, content), strict=True):
            host = open_host(space, group, form, code[None])
            row[:] = np.concatenate([predict_contents(network, part, host).numpy() for part in parts])
            bar.update(len(row) / len(hosts))
        before, _ = network.run(hosts)
    return np.asarray((rows - before[0][:, None]) * predictor.label_sd)

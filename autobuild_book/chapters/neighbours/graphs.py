"""Batches of architectures as graphs that neural networks read: features of nodes, and which nodes each reads from.

Nodes are the layers of an architecture between an input and an output. Where operations stand on the edges of a cell,
as in NAS-Bench-201, this is its line graph. A node's features are its choices, one-hot, side by side: those of the
layer, and those that it shares with its unit or with the whole network. In a space whose units stand in a row, the unit
is a choice like these, as its place says the sizes of its layers; in a cell, the edges say all about places.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from autobuild_lib.data.table import DataError, Table
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.sequence import Codes

INPUT, OUTPUT = -2, -1  # the last two features of a node: whether it is one of the ends
UNIT, INDEX = 0, 1  # the first two categories of a node of the space
NOTHING = "none"  # by convention, the operation whose output is zero
CHUNK = 2048  # architectures that are predicted at once


@dataclass(frozen=True)
class Vocabulary:
    """The choices that nodes of a space make.

    columns: categories of a node. sizes: values of each. names: category and value of each feature but the ends.
    """

    columns: tuple[int, ...]
    sizes: tuple[int, ...]
    names: tuple[tuple[str, str], ...]

    @property
    def nothing(self) -> tuple[int, ...]:
        """Features of operations whose output is zero."""
        return tuple(place for place, (_, value) in enumerate(self.names) if value == NOTHING)

    @property
    def width(self) -> int:
        """Number of features of a node, the two for ends among them."""
        return sum(self.sizes) + 2


@functools.lru_cache(maxsize=16)
def vocabulary(space: SequenceSpace) -> Vocabulary:
    """Return the choices of a space; one whose layers have none is a `DataError`."""
    left_out = {UNIT, INDEX} if space.links else {INDEX}
    chosen = [(n, c) for n, c in enumerate(space.categories) if n not in left_out and c.size > 1]
    if all(n == UNIT for n, _ in chosen):
        raise DataError(f"space {space.name!r}: its layers are all the same; a graph network needs a choice of them")
    names = [(c.name, str(value)) for _, c in chosen for value in [*c.values, *[""] * (c.size - len(c.values))]]
    return Vocabulary(tuple(n for n, _ in chosen), tuple(c.size for _, c in chosen), tuple(names))


@dataclass(frozen=True)
class Graphs:
    """Graphs of as many nodes each as the largest of the space has; what a smaller one lacks is 0 everywhere.

    features [N, nodes, width]: 0 or 1; the last two say which node is the input, and which the output.
    reads [N, nodes, nodes]: 1 where the node of the row reads from the node of the column.
    there [N, nodes]: 1 for nodes, 0 for padding.
    """

    features: Tensor
    reads: Tensor
    there: Tensor

    def __len__(self) -> int:
        return len(self.there)

    def take(self, rows: Tensor) -> "Graphs":
        """Return some graphs, in that order."""
        return Graphs(self.features[rows], self.reads[rows], self.there[rows])

    def permuted(self, order: Tensor) -> "Graphs":
        """Return the same graphs with their nodes in another order, [nodes]."""
        return Graphs(self.features[:, order], self.reads[:, order][:, :, order], self.there[:, order])

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the nodes of each graph: values [N, nodes, width] -> [N, width]."""
        return (values * self.there[..., None]).sum(1) / self.there.sum(1, keepdim=True)

    def output(self, values: Tensor) -> Tensor:
        """Values of the output of each graph: [N, nodes, width] -> [N, width]."""
        return (values * self.features[..., OUTPUT, None]).sum(1)


def joined(first: Graphs, second: Graphs) -> Graphs:
    """Return graphs of a space one after the other."""
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return Graphs(*(torch.cat(pair) for pair in pairs))


def graphs_of(space: SequenceSpace, architectures: Sequence[Architecture]) -> Graphs:
    """Encode architectures of a space as graphs; others are a `SpaceError`."""
    return graphs_of_codes(space, space.to_codes(architectures))


def graphs_of_codes(space: SequenceSpace, codes: Codes) -> Graphs:
    """Encode the codes of architectures, [N, code_width], as graphs: the input first, then layers, then the output."""
    words, layers = vocabulary(space), space.depths(codes).sum(1)
    row = np.repeat(np.arange(len(codes)), layers)
    place = np.arange(len(row)) - np.repeat(layers.cumsum() - layers, layers) + 1
    size = len(space.slots) + 2
    features = torch.zeros(len(codes), size, words.width)
    chosen = torch.from_numpy(space.nodes(codes)[:, list(words.columns)])
    parts = [functional.one_hot(values, many) for values, many in zip(chosen.T, words.sizes, strict=True)]
    features[row, place, :INPUT] = torch.hstack(parts).float()
    features[:, 0, INPUT] = 1
    features[np.arange(len(codes)), layers + 1, OUTPUT] = 1
    reads = torch.zeros(len(codes), size, size)
    reads[_edges(space, codes, row, place, layers)] = 1
    there = torch.arange(size) < torch.from_numpy(layers + 2)[:, None]
    return Graphs(features, reads, there.float())


def _edges(
    space: SequenceSpace, codes: Codes, row: npt.NDArray[np.int64], place: npt.NDArray[np.int64],
    layers: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], ...]:  # fmt: skip
    """Graph, reader and what it reads of each edge; those from the input and to the output are the last."""
    degrees, steps = space.predecessors(codes)
    reader = np.repeat(np.arange(len(row)), degrees)
    read = reader - steps
    first, last = degrees == 0, np.bincount(read, minlength=len(row)) == 0
    graphs = np.concatenate([row[reader], row[first], row[last]])
    readers = np.concatenate([place[reader], place[first], (layers + 1)[row[last]]])
    sources = np.concatenate([place[read], np.zeros(first.sum(), dtype=np.int64), place[last]])
    return graphs, readers, sources


def chunks(space: SequenceSpace, architectures: Sequence[Architecture]) -> Iterator[Graphs]:
    """Encode architectures part by part, so that few graphs are in memory at once."""
    codes = space.to_codes(architectures)
    for start in range(0, len(codes), CHUNK):
        yield graphs_of_codes(space, codes[start : start + CHUNK])


def checked(table: Table) -> Table:
    """Return a table whose networks are graphs; another is a `DataError`."""
    space = getattr(table, "space", None)
    if not isinstance(space, SequenceSpace):
        raise DataError(f"{table.source}: its rows have no search space; allowed are tables of one, for their graphs")
    vocabulary(space)
    return table

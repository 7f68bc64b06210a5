"""Equal neighbourhoods of many IR graphs, found once, so that a network computes each of them once.

After m rounds of message passing a node's embedding depends only on its m-hop neighbourhood: the node, its
predecessors, theirs, and so on. Networks of one search space share most of theirs. Colour refinement (Weisfeiler and
Leman, 1968) groups nodes level by level: at hop 0 by their features, at hop m by their own class at hop m - 1 and the
multiset of their predecessors' classes there. What is computed per class and weighted by the number of its nodes equals
what is computed per node.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autobuild_lib.engine import kernels
from autobuild_lib.engine.passing import Messages, Pooling
from autobuild_lib.graphs.ir import IRGraph
from autobuild_lib.graphs.layers import ends_of, entries_of

Integers = npt.NDArray[np.int64]
_MULTIPLIERS = np.random.default_rng(0).integers(1, 2**64 - 1, size=64, dtype=np.uint64)  # of a hash


@dataclass(frozen=True)
class Level:
    """Classes of one hop, described by the `before` classes of the hop before, in compressed sparse rows.

    starts [classes + 1]: where the entries of each class start, and the end of all. sources, times [entries]: the
    node's own class, ascending from class to class, then `times` predecessors of class `sources`.
    """

    starts: Tensor
    sources: Tensor
    times: Tensor
    before: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def only(self, present: Tensor) -> "tuple[Level, Tensor]":
        """Return the level with some of its classes, and which classes of the hop before these need."""
        arrays = [tensor.numpy() for tensor in (self.starts, self.sources, self.times, present)]
        starts, sources, times, needed = map(torch.from_numpy, kernels.some_rows(*arrays, self.before))
        return Level(starts, sources, times, len(needed)), needed


@dataclass(frozen=True)
class Neighbourhoods:
    """IR graphs as counts of their neighbourhoods.

    operations [classes], shapes [classes, SHAPES], attributes [classes, ATTRIBUTES]: the classes of hop 0.
    levels: the classes of hops 1, 2, ...
    lengths [graphs]: number of different classes of the last hop in each graph; members, counts [entries]: which, and
        how many of its nodes are of each.
    """

    operations: Tensor
    shapes: Tensor
    attributes: Tensor
    levels: tuple[Level, ...]
    lengths: Tensor
    members: Tensor
    counts: Tensor

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def classes(self) -> list[int]:
        """Number of classes at every hop."""
        return [len(self.operations), *map(len, self.levels)]

    def take(self, graphs: Tensor) -> "Neighbourhoods":
        """Return the given graphs, in that order."""
        entries = entries_of(self.lengths, graphs)
        return replace(self, lengths=self.lengths[graphs], members=self.members[entries], counts=self.counts[entries])

    def split(self, size: int) -> "Iterator[Neighbourhoods]":
        """Cut into consecutive batches of `size` graphs (the last may be smaller), each with its own classes only."""
        batches = torch.split(self.lengths, size)
        cuts = [int(lengths.sum()) for lengths in batches]
        parts = zip(batches, torch.split(self.members, cuts), torch.split(self.counts, cuts), strict=True)
        for lengths, members, counts in parts:
            yield replace(self, lengths=lengths, members=members, counts=counts).compact()

    def compact(self) -> "Neighbourhoods":
        """Return the same graphs without classes that none of them has."""
        occurs = torch.zeros(self.classes[-1], dtype=torch.bool)
        occurs[self.members] = True
        present, members = occurs.nonzero().flatten(), (occurs.cumsum(0) - 1).index_select(0, self.members)
        levels: list[Level] = []
        for level in reversed(self.levels):
            kept, present = level.only(present)
            levels.insert(0, kept)
        first = {name: getattr(self, name).index_select(0, present) for name in ("operations", "shapes", "attributes")}
        return replace(self, **first, levels=tuple(levels), members=members)

    def structure(self) -> tuple[list[Messages], list[Pooling]]:
        """Return what classes read at hops 1, 2, ..., and which classes the graphs have at hops 0, 1, 2, ..."""
        counts = torch.zeros(self.classes[-1]).index_add_(0, self.members, self.counts)
        messages: list[Messages] = []
        poolings = [Pooling.of(self.lengths, self.members, self.counts)]
        for level in reversed(self.levels):
            messages.insert(0, Messages(level.starts, level.sources, level.times, counts))
            poolings.insert(0, poolings[0].before(itself := messages[0].itself))
            counts = torch.zeros(level.before).index_add_(0, itself, counts)
        return messages, poolings


# -------------------------------------------------------------------- finding the classes


def neighbourhoods(graphs: Sequence[IRGraph], hops: int) -> Neighbourhoods:
    """Group the nodes of all graphs by their neighbourhoods of 0, 1, ..., `hops` hops."""
    sizes = np.array([len(graph) for graph in graphs])
    starts = np.cumsum(sizes) - sizes
    operations = np.concatenate([graph.operations for graph in graphs])
    shapes = np.concatenate([graph.shapes for graph in graphs])
    attributes = np.concatenate([graph.attributes for graph in graphs])
    source, target = np.concatenate([graph.edges + s for graph, s in zip(graphs, starts, strict=True)], axis=1)
    first, classes = _distinct([operations, *shapes.view(np.int32).T, *attributes.view(np.int32).T])
    levels = []
    for _ in range(hops):
        level, classes = _refined(classes, source, target)
        levels.append(level)
    number = classes.max() + 1
    entries, counts = np.unique(np.repeat(np.arange(len(graphs)), sizes) * number + classes, return_counts=True)
    return Neighbourhoods(
        torch.from_numpy(operations[first]), torch.from_numpy(shapes[first]), torch.from_numpy(attributes[first]),
        tuple(levels), torch.from_numpy(np.bincount(entries // number)), torch.from_numpy(entries % number),
        torch.from_numpy(counts.astype(np.float32)),
    )  # fmt: skip


def _refined(classes: Integers, source: Integers, target: Integers) -> tuple[Level, Integers]:
    """The classes of the next hop: nodes with equal own class and equal multisets of predecessors' classes."""
    before = int(classes.max()) + 1
    pairs, times = np.unique(target * before + classes[source], return_counts=True)
    read = pairs % before  # class of the predecessors, node by node
    degrees = np.bincount(pairs // before, minlength=len(classes))
    starts = np.cumsum(degrees) - degrees
    new, firsts = np.empty_like(classes), [np.empty(0, dtype=np.int64)]
    for degree in np.unique(degrees):  # rows of equal length are compared at once
        nodes = np.flatnonzero(degrees == degree)
        places = [starts[nodes] + k for k in range(degree)]
        first, part = _distinct([classes[nodes], *(read[p] for p in places), *(times[p] for p in places)])
        new[nodes] = part + sum(map(len, firsts))
        firsts.append(nodes[first])
    representatives = np.concatenate(firsts)
    order = np.argsort(classes[representatives], kind="stable")
    first = representatives[order]
    kept = entries_of(torch.from_numpy(degrees), torch.from_numpy(first)).numpy()
    itself = np.cumsum(degrees[first]) - degrees[first]  # where a class's own entry goes
    sources = torch.from_numpy(np.insert(read[kept], itself, classes[first]))
    often = torch.from_numpy(np.insert(times[kept], itself, 1)).float()
    return Level(ends_of(torch.from_numpy(degrees[first] + 1)), sources, often, before), np.argsort(order)[new]


def _distinct(columns: Sequence[npt.NDArray[np.integer]]) -> tuple[Integers, Integers]:
    """First place of each distinct row of integers, and the number of every row among those."""
    hashed = np.zeros(len(columns[0]), dtype=np.uint64)
    for place, column in enumerate(columns):
        hashed += column.astype(np.uint64) * _MULTIPLIERS[place % len(_MULTIPLIERS)]
    _, first, numbers = np.unique(hashed, return_index=True, return_inverse=True)
    if all((column[first][numbers] == column).all() for column in columns):
        return first, numbers
    _, first, numbers = np.unique(np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True)
    return first, numbers.reshape(-1)

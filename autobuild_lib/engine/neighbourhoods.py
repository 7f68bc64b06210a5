"""Equal neighbourhoods of many IR graphs, found once, so that a network computes each of them once.

After m rounds of message passing a node's embedding depends only on its m-hop neighbourhood: the node, its
predecessors, theirs, and so on. Networks of one search space share most of theirs. Colour refinement (Weisfeiler and
Leman, 1968) groups nodes level by level: at hop 0 by their features, at hop m by their own class at hop m - 1 and the
multiset of their predecessors' classes there. What is computed per class and weighted by the number of its nodes equals
what is computed per node.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autobuild_lib.engine.sparse import Bags, Sparse, ends_of, order_of
from autobuild_lib.graphs.ir import IRGraph
from autobuild_lib.graphs.path import entries_of

Integers = npt.NDArray[np.int64]
_MULTIPLIERS = np.random.default_rng(0).integers(1, 2**64 - 1, size=64, dtype=np.uint64)  # of a hash


@dataclass(frozen=True)
class Level:
    """Classes of one hop, described by the `before` classes of the hop before.

    itself [classes]: the node's class at the hop before, ascending.
    source, target, times [pairs]: `times` predecessors of a node of class `target` were of class `source`; sorted by
        target.
    """

    itself: Tensor
    source: Tensor
    target: Tensor
    times: Tensor
    before: int

    def __len__(self) -> int:
        return len(self.itself)

    @functools.cached_property
    def of_itself(self) -> Sparse:
        """From the hop before to these classes: a class's own."""
        ends = torch.arange(len(self) + 1)
        places = ends[:-1]
        return Sparse(Bags(self.itself, ends), Bags(places, ends_of(self.itself, self.before)), places, places)

    @functools.cached_property
    def starts(self) -> Tensor:
        """Where the entries of each class start, its own before those of its pairs, and the end: [classes + 1]."""
        return ends_of(self.target, len(self)) + torch.arange(len(self) + 1)

    @functools.cached_property
    def _entries(self) -> Tensor:
        """Which of the classes, followed by the pairs, each entry is."""
        entries = torch.empty(len(self) + len(self.target), dtype=torch.int64)
        pairs = torch.arange(len(self.target))
        entries.index_copy_(0, self.starts[:-1], torch.arange(len(self)))
        return entries.index_copy_(0, self.target + pairs + 1, pairs + len(self))

    def merged(self, of_classes: Tensor, of_pairs: Tensor) -> Tensor:
        """Put a value of every class and one of every pair in the order of the entries: -> [classes + pairs]."""
        return torch.cat([of_classes, of_pairs]).index_select(0, self._entries)

    @functools.cached_property
    def reader(self) -> Tensor:
        """The class that each entry belongs to."""
        return self.merged(torch.arange(len(self)), self.target)

    @functools.cached_property
    def weights(self) -> Tensor:
        """How many nodes each entry stands for."""
        return self.merged(torch.ones(len(self)), self.times)


@dataclass(frozen=True)
class Composition:
    """Which nodes the graphs of a batch have at one hop.

    pool: from classes to graphs, the sum over nodes. counts [classes]: nodes of each class in all graphs.
    """

    pool: Sparse
    counts: Tensor


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

    @property
    def sizes(self) -> Tensor:
        """Number of nodes of each graph, [graphs]."""
        return torch.zeros(len(self)).index_add_(0, torch.repeat_interleave(self.lengths), self.counts)

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
        present, members = _renumbered(self.members, self.classes[-1])
        levels: list[Level] = []
        for level in reversed(self.levels):
            kept, present = _restricted(level, present)
            levels.insert(0, kept)
        return Neighbourhoods(
            self.operations.index_select(0, present),
            self.shapes.index_select(0, present),
            self.attributes.index_select(0, present),
            tuple(levels),
            self.lengths,
            members,
            self.counts,
        )

    def compositions(self) -> list[Composition]:
        """Return which nodes the graphs have, for every hop."""
        graphs = torch.repeat_interleave(self.lengths)
        order = order_of(self.members, self.classes[-1])
        rows = Bags(self.members, ends_of(graphs, len(self)), self.counts)
        starts = ends_of(self.members, self.classes[-1])
        columns = Bags(graphs.index_select(0, order), starts, self.counts.index_select(0, order))
        counts = torch.zeros(self.classes[-1]).index_add_(0, self.members, self.counts)
        hops = [Composition(Sparse(rows, columns, graphs, order), counts)]
        for level in reversed(self.levels):  # classes are numbered so that their own class ascends: one order for all
            rows = replace(rows, index=level.itself.index_select(0, rows.index))
            columns = replace(columns, starts=columns.starts.index_select(0, level.of_itself.columns.starts))
            counts = torch.zeros(level.before).index_add_(0, level.itself, counts)
            hops.insert(0, Composition(Sparse(rows, columns, graphs, order), counts))
        return hops


def _renumbered(classes: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Which of `number` classes occur, in order, and the given ones by their place among those."""
    occurs = torch.zeros(number, dtype=torch.bool)
    occurs[classes] = True
    return occurs.nonzero().flatten(), (occurs.cumsum(0) - 1).index_select(0, classes)


def _restricted(level: Level, present: Tensor) -> tuple[Level, Tensor]:
    """A level with only the `present` classes, and the classes of the hop before that these need."""
    place = torch.full((len(level),), -1)
    place[present] = torch.arange(len(present))
    targets = place.index_select(0, level.target)
    kept = (targets >= 0).nonzero().flatten()
    itself, source = level.itself.index_select(0, present), level.source.index_select(0, kept)
    needed, numbers = _renumbered(torch.cat([itself, source]), level.before)
    itself, source = numbers[: len(itself)], numbers[len(itself) :]
    times = level.times.index_select(0, kept)
    return Level(itself, source, targets.index_select(0, kept), times, len(needed)), needed


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
        torch.from_numpy(operations[first]),
        torch.from_numpy(shapes[first]),
        torch.from_numpy(attributes[first]),
        tuple(levels),
        torch.from_numpy(np.bincount(entries // number)),
        torch.from_numpy(entries % number),
        torch.from_numpy(counts.astype(np.float32)),
    )


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
    level = Level(
        itself=torch.from_numpy(classes[first]),
        source=torch.from_numpy(read[kept]),
        target=torch.from_numpy(np.repeat(np.arange(len(first)), degrees[first])),
        times=torch.from_numpy(times[kept]).float(),
        before=before,
    )
    return level, np.argsort(order)[new]


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

"""The Weisfeiler-Lehman kernel between networks (Shervashidze et al., JMLR 2011; NAS-BOWL, Ru et al., ICLR 2021).

A node's label is its operation; in each iteration it takes in the labels of those that it reads from, and of those that
read from it. The kernel of
two networks is the inner product of how often labels occur in them, over all iterations,
divided by the norms. Operations with output zero are no nodes.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from autobuild_book.chapters.neighbours.graphs import INPUT, Graphs, Vocabulary
from autobuild_book.chapters.neighbours.wiring import Wiring

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint64]
ITERATIONS = 3  # at most
STEP, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mixed(numbers: Labels) -> Labels:
    """Turn numbers of 64 bits into others that look random (SplitMix64, Steele et al., OOPSLA 2014)."""
    z = numbers + STEP
    z = (z ^ (z >> np.uint64(30))) * FIRST
    z = (z ^ (z >> np.uint64(27))) * SECOND
    return z ^ (z >> np.uint64(31))


def refined(labels: Labels, reads: npt.NDArray[np.bool_]) -> Labels:
    """Return the labels of the next iteration: each of a node's label, and of those before and behind it in any order.

    Sums of mixed numbers stand for multisets: that two have the same sum is as unlikely as that of random numbers.

    Args:
        labels: [N, nodes]. reads: [N, nodes, nodes], whether the node of the row reads from that of the column.
    """
    spread = mixed(labels)
    before = np.where(reads, spread[:, None, :], np.uint64(0)).sum(-1, dtype=np.uint64)
    behind = np.where(reads, spread[:, :, None], np.uint64(0)).sum(-2, dtype=np.uint64)
    return mixed(mixed(mixed(labels ^ FIRST) + before) + behind)


@dataclass(frozen=True)
class Occurrences:
    """Labels of networks after each iteration, [iterations + 1, N, nodes], and which nodes there are, [N, nodes]."""

    labels: Labels
    there: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, labels: Labels, reads: npt.NDArray[np.bool_], there: npt.NDArray[np.bool_]) -> "Occurrences":
        """Refine labels [N, nodes]; what nodes that are not there send is not read."""
        reads, rounds = reads & there[:, None, :] & there[:, :, None], [labels]
        for _ in range(ITERATIONS):
            rounds.append(refined(rounds[-1], reads))
        return cls(np.stack(rounds), there)

    def counts(self, iteration: int, columns: Labels) -> sparse.csr_array:
        """Return how often each of some labels, in ascending order, occurs in each network, [N, columns]."""
        labels, (rows, nodes) = self.labels[iteration], np.nonzero(self.there)
        there = labels[rows, nodes]
        places = np.searchsorted(columns, there).clip(max=len(columns) - 1)
        seen = columns[places] == there
        shape = len(labels), len(columns)
        ones = np.ones(seen.sum())
        return sparse.csr_array((ones, (rows[seen], places[seen])), shape=shape)

    def squares(self) -> Array:
        """Return the squared norm of the counts of each iteration, [iterations + 1, N]."""
        pairs = self.there[:, :, None] & self.there[:, None, :]
        return np.array([((rows[:, :, None] == rows[:, None, :]) & pairs).sum((1, 2)) for rows in self.labels], float)


def of_graphs(graphs: Graphs, words: Vocabulary) -> Occurrences:
    """Return the labels of networks of a search space: a label is all that its node has chosen."""
    features = graphs.features.numpy().astype(np.uint64)
    names = mixed(np.arange(features.shape[-1], dtype=np.uint64))
    nothing = graphs.features[..., :INPUT][..., list(words.nothing)].sum(-1)
    return Occurrences.of(features @ names, graphs.reads.numpy() > 0, (graphs.there - nothing).numpy() > 0)


def of_wirings(wirings: Sequence[Wiring]) -> Occurrences:
    """Return the labels of networks of any form."""
    size = max((len(wiring.edges) + 2 for wiring in wirings), default=2)
    labels, reads = np.zeros((len(wirings), size), dtype=np.uint64), np.zeros((len(wirings), size, size), dtype=bool)
    lengths = np.array([len(wiring.edges) + 2 for wiring in wirings])
    for row, wiring in enumerate(wirings):
        labels[row, : lengths[row]] = [named(label) for label in wiring.labels()]
        for reader, read in wiring.readers():
            reads[row, reader, read] = True
    return Occurrences.of(labels, reads, np.arange(size) < lengths[:, None])


@functools.cache
def named(label: str) -> int:
    """Return the number of 64 bits that stands for a text."""
    return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class Kernel:
    """The kernel between any networks and some of which it knows all labels, for 0, 1, ... iterations.

    Each network is seen at one or more levels, of which the kernel is the mean: those of the hierarchical kernel are
    the terms that a grammar has folded. columns: labels by level and iteration.
    """

    landmarks: tuple[Occurrences, ...]
    columns: tuple[tuple[Labels, ...], ...]

    @classmethod
    def of(cls, levels: Sequence[Occurrences]) -> "Kernel":
        """Keep the networks that others are compared with, [levels]."""
        return cls(tuple(levels), tuple(tuple(np.unique(rows[o.there]) for rows in o.labels) for o in levels))

    def to(self, levels: Sequence[Occurrences]) -> Array:
        """Return the kernel of networks with the landmarks, [iterations + 1, N, landmarks]."""
        pairs = zip(levels, self.landmarks, self.columns, strict=True)
        parts = [_normalised(others, marks, columns) for others, marks, columns in pairs]
        return np.asarray(np.mean(parts, axis=0))


def _normalised(others: Occurrences, marks: Occurrences, columns: Sequence[Labels]) -> Array:
    products = [(others.counts(n, c) @ marks.counts(n, c).T).toarray() for n, c in enumerate(columns)]
    norms = np.sqrt(others.squares().cumsum(0))[:, :, None] * np.sqrt(marks.squares().cumsum(0))[:, None, :]
    return np.asarray(np.cumsum(products, axis=0) / norms)

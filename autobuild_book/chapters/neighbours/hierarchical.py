"""Hierarchical representations: motifs made of motifs, level by level, and their evolution (Liu et al., ICLR 2018).

Hierarchical Representations for Efficient Architecture Search. A motif is a small graph whose edges are motifs of the
level below; those of the first level are operations. Here vertices add up what enters them, as in NAS-Bench-201, where
the paper joins channels.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autobuild_book.chapters.neighbours.wiring import Wiring, wired

Motif = tuple[int, ...]  # per pair of vertices, in the order of `pairs`: 0 for no edge, else a motif of the level below
Genotype = tuple[tuple[Motif, ...], ...]  # by level from the second, motif by motif; the last level has one


def pairs(vertices: int) -> list[tuple[int, int]]:
    """Return (predecessor, successor) of vertices in their order: (0, 1), (0, 2), (1, 2), ..."""
    return [(begin, end) for end in range(vertices) for begin in range(end)]


@dataclass(frozen=True)
class Hierarchy:
    """How many motifs there are, and how large they are.

    operations: motifs of the first level; `identity` is the one that changes nothing.
    levels: number of motifs, and of their vertices, from the second level on.
    """

    operations: tuple[str, ...]
    identity: str
    levels: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        sizes_allowed = all(motifs >= 1 and vertices >= 2 for motifs, vertices in self.levels)
        if not self.levels or self.levels[-1][0] != 1 or not sizes_allowed:
            raise ValueError(f"hierarchy of levels {self.levels}; allowed are pairs of 1 or more motifs and 2 or more "
                             "vertices, and at last a single motif")  # fmt: skip
        if self.identity not in self.operations:
            raise ValueError(f"identity {self.identity!r}; allowed are {', '.join(self.operations)}")

    def choices(self, level: int) -> int:
        """Return how many motifs the edges of a level are chosen from, numbered from 0 for the second level."""
        return self.levels[level - 1][0] if level else len(self.operations)

    def trivial(self) -> Genotype:
        """Return the genotype whose motifs are chains of identities."""
        genotype = []
        for level, (motifs, vertices) in enumerate(self.levels):
            same = 1 if level else 1 + self.operations.index(self.identity)
            genotype.append((tuple(same if end == begin + 1 else 0 for begin, end in pairs(vertices)),) * motifs)
        return tuple(genotype)

    def mutated(self, genotype: Genotype, rng: np.random.Generator) -> Genotype:
        """Draw a level, one of its motifs, a successor, a predecessor, and what is between them.

        So an edge is added, removed or altered; it may also stay.
        """
        level = int(rng.integers(len(self.levels)))
        motifs, vertices = self.levels[level]
        motif, successor = int(rng.integers(motifs)), int(rng.integers(1, vertices))
        place = pairs(vertices).index((int(rng.integers(successor)), successor))
        edges = list(genotype[level][motif])
        edges[place] = int(rng.integers(self.choices(level) + 1))
        changed = (*genotype[level][:motif], tuple(edges), *genotype[level][motif + 1 :])
        return (*genotype[:level], changed, *genotype[level + 1 :])

    def drawn(self, rng: np.random.Generator, mutations: int = 1000) -> Genotype:
        """Mutate the trivial genotype many times, as the paper's first population."""
        genotype = self.trivial()
        for _ in range(mutations):
            genotype = self.mutated(genotype, rng)
        return genotype

    def assembled(self, genotype: Genotype) -> Wiring:
        """Flatten a genotype: every edge becomes the motif that it stands for, down to operations."""
        return wired(self._edges(genotype, len(self.levels) - 1, 0, "input", "output", ()), "input", "output")

    def _edges(
        self, genotype: Genotype, level: int, motif: int, begin: Hashable, end: Hashable, path: tuple[int, ...]
    ) -> Iterator[tuple[Hashable, Hashable, str]]:
        if level < 0:
            yield begin, end, self.operations[motif]
            return
        vertices = self.levels[level][1]
        ends: dict[int, Hashable] = {0: begin, vertices - 1: end}
        for place, pair in enumerate(pairs(vertices)):
            first, last = (ends.get(vertex, (*path, vertex)) for vertex in pair)
            if chosen := genotype[level][motif][place]:
                yield from self._edges(genotype, level - 1, chosen - 1, first, last, (*path, -1, place))


def check_genotype(hierarchy: Hierarchy, genotype: Sequence[Sequence[Sequence[int]]]) -> Genotype:
    """Return a genotype as tuples; one of another shape, or with motifs that are not there, is a `ValueError`."""
    shapes = [(len(level), len(motif)) for level in genotype for motif in level]
    needed = [(motifs, len(pairs(vertices))) for motifs, vertices in hierarchy.levels for _ in range(motifs)]
    if shapes != needed:
        raise ValueError(f"genotype of motifs and edges {shapes}; allowed are {needed}")
    for number, level in enumerate(genotype):
        most = hierarchy.choices(number)
        if wrong := [edge for motif in level for edge in motif if not 0 <= edge <= most]:
            raise ValueError(f"level {number + 2}: motif {wrong[0]} of the level below; allowed are 0 to {most}")
    return tuple(tuple(tuple(motif) for motif in level) for level in genotype)

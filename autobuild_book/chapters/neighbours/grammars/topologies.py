"""Topologies: terminals that join their arguments, which stand on the edges of a graph with an input and an output."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Edges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Topology:
    """A graph of vertices 0 (input) to the highest number (output); argument number n stands on edge number n.

    edges: of a number of arguments, which must be in `arities`; text says which.
    """

    edges: Callable[[int], Edges]
    allows: Callable[[int], bool]
    text: str


def of_edges(edges: Edges) -> Topology:
    """Return the topology of a fixed list of edges."""
    return Topology(lambda _: edges, lambda number: number == len(edges), str(len(edges)))


def _chain(vertices: int) -> list[tuple[int, int]]:
    return [(vertex, vertex + 1) for vertex in range(vertices - 1)]


def _residual(number: int) -> Edges:
    """A chain of all arguments but the last but one, which leads from its begin to its end."""
    *chain, last = _chain(number)
    return (*chain, (0, number - 1), last)


CELL: Edges = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # of NAS-Bench-201
DIAMOND: dict[int, Edges] = {
    4: ((0, 1), (0, 2), (1, 3), (2, 3)),
    6: ((0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5)),
}  # by number of arguments
TOPOLOGIES: Mapping[str, Topology] = {
    "Sequential": Topology(lambda number: tuple(_chain(number + 1)), lambda number: number >= 1, "1 or more"),
    "Residual": Topology(_residual, lambda number: number >= 3, "3 or more"),
    "Diamond": Topology(DIAMOND.__getitem__, DIAMOND.__contains__, "4 or 6"),
    "Cell": of_edges(CELL),
}

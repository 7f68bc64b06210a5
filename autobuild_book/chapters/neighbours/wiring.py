"""Networks as operations on the edges of a graph of vertices, where what enters a vertex is added up.

Terms of grammars and hierarchies of motifs are networks of this form, and so are cells of NAS-Bench-201.
"""

import graphlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx  # type: ignore[import-untyped]

from autobuild_book.chapters.neighbours.nas_bench_201 import NOTHING, UNITS

VERTICES = 4  # of a cell of NAS-Bench-201
INPUT, OUTPUT = "input", "output"
CONVOLUTION, POOLING = "Conv", "AveragePool"
OPERATIONS_OF_IR: Mapping[str, Mapping[str, Any]] = {
    "skip_connect": {"operation": "Identity"},
    "nor_conv_1x1": {"operation": CONVOLUTION, "kernel": (1, 1)},
    "nor_conv_3x3": {"operation": CONVOLUTION, "kernel": (3, 3)},
    "avg_pool_3x3": {"operation": POOLING, "kernel": (3, 3)},
    "down": {"operation": CONVOLUTION, "kernel": (3, 3)},
}  # attributes of nodes, see `ab.graphs`


@dataclass(frozen=True)
class Wiring:
    """Edges (begin, end, operation) in order; each is on a way from vertex 0, the input, to the last one, the output.

    An edge leads to a higher vertex. Without edges, nothing reaches the output.
    """

    edges: tuple[tuple[int, int, str], ...]

    @property
    def output(self) -> int:
        """The last vertex."""
        return max((end for _, end, _ in self.edges), default=1)

    def readers(self) -> list[tuple[int, int]]:
        """Return pairs (operation, one that it reads from) of nodes: 0 is the input, then edges, then the output."""
        last, pairs = len(self.edges) + 1, []
        for node, (begin, end, _) in enumerate(self.edges, start=1):
            pairs += [(node, 0)] if begin == 0 else []
            pairs += [(node, other) for other, edge in enumerate(self.edges, start=1) if edge[1] == begin]
            pairs += [(last, node)] if end == self.output else []
        return pairs

    def labels(self) -> list[str]:
        """Return the operation of each node, see `readers`."""
        return [INPUT, *(operation for _, _, operation in self.edges), OUTPUT]

    def cell(self) -> tuple[str, ...] | None:
        """Return the operations of the same cell of NAS-Bench-201, in the order of `UNITS`; none for larger ones."""
        if self.output >= VERTICES or len({edge[:2] for edge in self.edges}) < len(self.edges):
            return None
        place = {self.output: VERTICES - 1}
        there = {(place.get(begin, begin), place.get(end, end)): name for begin, end, name in self.edges}
        return tuple(there.get(pair, NOTHING) for pair in UNITS)

    def to_networkx(self, operations: Mapping[str, Mapping[str, Any]] = OPERATIONS_OF_IR) -> nx.DiGraph:
        """Return a graph that `ab.data.ir_table` takes: a node per operation, and `Add` where several enter a vertex.

        operations: by name, the attributes of nodes; a name that is not there is a `ValueError`.
        """
        if missing := sorted({name for _, _, name in self.edges} - set(operations)):
            raise ValueError(f"operations {', '.join(missing)} have no node; allowed are {', '.join(operations)}")
        graph = nx.DiGraph()
        graph.add_node(INPUT, operation="Input")
        graph.add_node(OUTPUT, operation="Output")
        graph.add_nodes_from((n, operations[name]) for n, (_, _, name) in enumerate(self.edges))
        for vertex in range(1, self.output + 1):
            entering = [n for n, (_, end, _) in enumerate(self.edges) if end == vertex]
            sender: Hashable = entering[0] if len(entering) == 1 else f"sum {vertex}"
            if len(entering) > 1:
                graph.add_node(sender, operation="Add")
                graph.add_edges_from((n, sender) for n in entering)
            reading = [n for n, (begin, _, _) in enumerate(self.edges) if begin == vertex]
            graph.add_edges_from((sender, n) for n in (reading if vertex < self.output else [OUTPUT]) if entering)
        graph.add_edges_from((INPUT, n) for n, (begin, _, _) in enumerate(self.edges) if begin == 0)
        return graph


def wired(edges: Iterable[tuple[Hashable, Hashable, str]], first: Hashable, last: Hashable) -> Wiring:
    """Number the vertices of a network, given its edges, input and output; what has no part in the output is left out.

    Edges whose operation sends nothing have none.
    """
    there = [edge for edge in edges if edge[2] != NOTHING]
    entered, leading = _reached(first, [(b, e) for b, e, _ in there]), _reached(last, [(e, b) for b, e, _ in there])
    alive = [edge for edge in there if edge[0] in entered and edge[1] in leading]
    before: dict[Hashable, list[Hashable]] = {}
    for begin, end, _ in alive:
        before.setdefault(end, []).append(begin)
    number = {vertex: place for place, vertex in enumerate(graphlib.TopologicalSorter(before).static_order())}
    return Wiring(tuple(sorted((number[begin], number[end], name) for begin, end, name in alive)))


def _reached(start: Hashable, edges: list[tuple[Hashable, Hashable]]) -> set[Hashable]:
    reached, waiting = {start}, [start]
    while waiting:
        vertex = waiting.pop()
        new = {end for begin, end in edges if begin == vertex} - reached
        reached |= new
        waiting += new
    return reached

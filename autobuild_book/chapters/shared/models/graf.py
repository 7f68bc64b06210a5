"""Graph features of networks (GRAF): how often operations occur, and on which paths (Kadlecova et al., ICML 2024).

A network is a directed acyclic graph of operations between an input and an output; both ends are no operations. For a
set S of operations, the *restricted graph* keeps the input, the output, the nodes whose operation is in S, and the
edges between them. The features are

- `count[o]`: number of nodes of operation o;
- `shortest[S]`: number of edges of the shortest path from the input to the output of the restricted graph, or
  `NO_PATH` when no path is left;
- `longest[S]`: the largest number of operations, the ends not counted, on a path from the input to the output of the
  restricted graph, or `NO_PATH` when no path is left;
- `input[S]`: number of edges from the input to nodes of S, and `output[S]`: from nodes of S to the output;
- `average_in[S]`: mean over all nodes, both ends among them, of the number of edges that come in from nodes of S, and
  `average_out[S]`: of the number of edges that go out to nodes of S.

S is every non-empty set of operations where there are at most `MOST_KINDS`; otherwise every single operation, and all
operations but one. An edge that occurs more than once counts as often as it occurs.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.graphs import OPERATIONS, IRGraph
from autobuild_lib.graphs.ir import PLACES, check_operations

MOST_KINDS = 6
NO_PATH = -1
INPUT, OUTPUT = PLACES["Input"], PLACES["Output"]
OF_SETS = ("shortest", "longest", "input", "output", "average_in", "average_out")
CHUNK = 256  # graphs at once: small enough for the processor's cache
FAR = 2**30

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OperationSets:
    """The sets of operations that features look at.

    names: such as "a", "a+b" or "not a". members: [sets, operations], whether a set holds an operation.
    """

    names: tuple[str, ...]
    members: npt.NDArray[np.bool_]


def operation_sets(operations: Sequence[str]) -> OperationSets:
    """Return all non-empty sets, smallest first; of more than `MOST_KINDS` operations, singles and complements."""
    number = len(operations)
    if number <= MOST_KINDS:
        chosen = [c for size in range(1, number + 1) for c in itertools.combinations(range(number), size)]
        members = np.zeros((len(chosen), number), dtype=np.bool_)
        for row, places in zip(members, chosen, strict=True):
            row[list(places)] = True
        return OperationSets(tuple("+".join(operations[place] for place in places) for places in chosen), members)
    single = np.eye(number, dtype=np.bool_)
    return OperationSets((*operations, *(f"not {name}" for name in operations)), np.concatenate([single, ~single]))


def operations_of(graphs: Sequence[IRGraph]) -> list[str]:
    """Return the operations that occur in some graph, the ends left out, in the order of `OPERATIONS`."""
    numbers = np.unique(np.concatenate([graph.operations for graph in graphs]))
    return [OPERATIONS[place] for place in numbers if place not in (INPUT, OUTPUT)]


def graph_features(graphs: Sequence[IRGraph], operations: Sequence[str] | None = None) -> pd.DataFrame:
    """Compute the features of op-level graphs (such as `IRTable.graphs`): one row each, in order.

    In a graph without `Input` nodes, an input is added that all nodes without predecessors read; in one without
    `Output` nodes, an output that reads all nodes without successors. With several inputs or outputs, paths lead from
    any to any, and edges of all count.

    Args:
        graphs: one or more.
        operations: what to look at (default: what occurs in these graphs); give those of the training graphs to get the
            same columns for others. A node of another operation is in no set.

    Raises:
        ValueError: for no graphs, or operations that are repeated, ends, or not in the vocabulary.
    """
    if not graphs:
        raise ValueError("graph_features needs at least one graph")
    kinds = operations_of(graphs) if operations is None else list(operations)
    check_operations(kinds)
    if len(set(kinds)) < len(kinds) or {"Input", "Output"} & set(kinds):
        raise ValueError(f"operations {', '.join(kinds)}: each must stand there once, Input and Output not at all")
    sets = operation_sets(kinds)
    rows = [features_of(_join(part, kinds), sets) for part in _parts(graphs)]
    return pd.DataFrame(np.concatenate(rows), columns=names_of(kinds, sets))


def names_of(kinds: Sequence[str], sets: OperationSets) -> list[str]:
    """Return the names of the features, in the order in which `features_of` computes them."""
    return [f"count[{kind}]" for kind in kinds] + [f"{what}[{name}]" for what in OF_SETS for name in sets.names]


def _parts(graphs: Sequence[IRGraph]) -> Iterator[Sequence[IRGraph]]:
    return (graphs[start : start + CHUNK] for start in range(0, len(graphs), CHUNK))


@dataclass(frozen=True, eq=False)
class Graphs:
    """Graphs laid end to end.

    kinds: [nodes], place among the operations looked at, and their number for all other nodes. operations: [nodes].
    edges: [2, edges]. places: [nodes], above those of all predecessors. starts, lengths: [graphs].
    """

    kinds: Ints
    operations: Ints
    edges: Ints
    places: Ints
    starts: Ints
    lengths: Ints


def _join(graphs: Sequence[IRGraph], kinds: Sequence[str]) -> Graphs:
    parts = [_with_ends(graph) for graph in graphs]
    lengths = np.array([len(operations) for operations, _ in parts])
    starts = np.cumsum(lengths) - lengths
    operations = np.concatenate([part for part, _ in parts])
    number_of = np.full(len(OPERATIONS), len(kinds))
    number_of[[PLACES[kind] for kind in kinds]] = np.arange(len(kinds))
    edges = np.concatenate([part + start for (_, part), start in zip(parts, starts, strict=True)], axis=1)
    places = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    return Graphs(number_of[operations], operations, edges, places, starts, lengths)


def _with_ends(graph: IRGraph) -> tuple[Ints, Ints]:
    """Return operations and edges of a graph with an input and an output, added where it has none."""
    operations, edges = graph.operations, graph.edges
    if INPUT not in operations:
        first = np.setdiff1d(np.arange(len(operations)), edges[1]) + 1
        operations = np.concatenate([[INPUT], operations])
        edges = np.concatenate([[np.zeros_like(first), first], edges + 1], axis=1)
    if OUTPUT not in operations:
        last = np.setdiff1d(np.arange(len(operations)), edges[0])
        edges = np.concatenate([edges, [last, np.full_like(last, len(operations))]], axis=1)
        operations = np.concatenate([operations, [OUTPUT]])
    return operations, edges


def features_of(graphs: Graphs, sets: OperationSets) -> Floats:
    """One row of features per graph: counts, then `OF_SETS`, each for all sets."""
    number, (source, target) = sets.members.shape[1], graphs.edges
    graph_of = np.repeat(np.arange(len(graphs.lengths)), graphs.lengths)

    def tally(nodes: Ints) -> Floats:
        """Count nodes by graph and operation: [graphs, operations]."""
        cells = graph_of[nodes] * (number + 1) + graphs.kinds[nodes]
        counts = np.bincount(cells, minlength=len(graphs.lengths) * (number + 1))
        return counts.reshape(-1, number + 1)[:, :number].astype(np.float64)

    nodes = graphs.lengths[:, None]
    degrees = [
        tally(target[graphs.operations[source] == INPUT]),
        tally(source[graphs.operations[target] == OUTPUT]),
        tally(source) / nodes,
        tally(target) / nodes,
    ]
    members = sets.members.T.astype(np.float64)
    shortest, longest = _paths(graphs, sets.members)
    counts = tally(np.arange(len(graphs.kinds)))
    return np.concatenate([counts, shortest, longest, *(degree @ members for degree in degrees)], axis=1)


def _paths(graphs: Graphs, members: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Shortest path and largest number of operations for each set, both [graphs, sets].

    Dynamic programming over positions, which are in topological order: all graphs and all sets take a step together.
    """
    is_input, is_output = graphs.operations == INPUT, graphs.operations == OUTPUT
    other = np.zeros((1, len(members)), dtype=np.bool_)
    kept = np.concatenate([members.T, other])[graphs.kinds] | (is_input | is_output)[:, None]  # [nodes, sets]
    weight = (~is_input & ~is_output).astype(np.int32)
    near = np.where(is_input[:, None], 0, FAR).astype(np.int32).repeat(len(members), axis=1)
    far = np.where(is_input[:, None], 0, -FAR).astype(np.int32).repeat(len(members), axis=1)
    for source, first, target in _steps(graphs):
        passes = kept[target]
        shorter = np.minimum.reduceat(near[source], first, axis=0) + 1
        longer = np.maximum.reduceat(far[source], first, axis=0) + weight[target, None]
        near[target] = np.where(passes, np.minimum(shorter, near[target]), FAR)
        far[target] = np.where(passes, np.maximum(longer, far[target]), -FAR)
    ends = np.flatnonzero(is_output)
    first = np.searchsorted(ends, graphs.starts)
    shortest = np.minimum.reduceat(near[ends], first, axis=0).astype(np.int64)
    longest = np.maximum.reduceat(far[ends], first, axis=0).astype(np.int64)
    return np.where(shortest >= FAR, NO_PATH, shortest), np.where(longest < 0, NO_PATH, longest)


def _steps(graphs: Graphs) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Per position: sources of the edges that end there, where each target's edges begin among them, and targets."""
    source, target = graphs.edges
    order = np.lexsort((target, graphs.places[target]))
    source, target = source[order], target[order]
    cuts = np.flatnonzero(np.diff(graphs.places[target])) + 1
    for own_source, own_target in zip(np.split(source, cuts), np.split(target, cuts), strict=True):
        first = np.flatnonzero(np.diff(own_target, prepend=-1))
        if len(first):
            yield own_source, first, own_target[first]

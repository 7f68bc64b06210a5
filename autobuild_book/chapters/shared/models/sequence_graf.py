"""Graph features (GRAF) of sequence architectures: the definitions of `graf`, for all at once.

An operation is the value of one feature of a layer (such as `e6`), and, where few are possible, the combination of all
its features (such as `e6_k7`); each is a vocabulary of its own, and so is a feature of the unit or the whole network,
which all layers in it share. The features are those of the graph of all layers (`network`) and of the layers of each
unit (`unit 0`, ...), each between an input and an output. A unit is a path, and so is a network unless its space has
links. On a path, some features coincide and are kept once:

- `count[o]`: number of layers with operation o;
- `path[S]`: number of layers when the operations of all are in S (`longest`; `shortest` is one more), or `NO_PATH`;
- `input[S]`: 1 when the first layer's operation is in S; `output[S]`: the same for the last layer;
- `average[S]`: layers with operations in S by the number of layers and both ends (`average_in` and `average_out`).
"""

import functools
import graphlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.graf import (
    FAR,
    INPUT,
    NO_PATH,
    OUTPUT,
    Graphs,
    OperationSets,
    features_of,
    names_of,
    operation_sets,
)
from autobuild_lib.spaces import Architecture, Category, SequenceSpace
from autobuild_lib.spaces.features import MOST_VALUES, written
from autobuild_lib.spaces.sequence import Codes

MOST_COMBINATIONS = 12  # of the features of a layer; with more, each feature is looked at alone
CHUNK = 2048  # architectures at once: small enough for the processor's cache
UNIT, INDEX = 0, 1  # the first two categories of a node
LAYER = -1  # among operations whose ends count: neither

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Operations that a layer is one of.

    columns: categories of a node that make it up. sizes: number of values of each. sets: as in `graf`.
    """

    operations: tuple[str, ...]
    columns: tuple[int, ...]
    sizes: tuple[int, ...]
    sets: OperationSets

    def names(self, scope: str) -> list[str]:
        """Names of the features in one scope, in the order in which `_of_vocabulary` computes them."""
        counts = [f"{scope} count[{operation}]" for operation in self.operations]
        kinds = ("path", "input", "output", "average")
        return counts + [f"{scope} {kind}[{name}]" for kind in kinds for name in self.sets.names]


@functools.lru_cache(maxsize=16)
def vocabularies(space: SequenceSpace) -> tuple[Vocabulary, ...]:
    """Return the vocabularies of a space: one per feature with a choice, and one of combinations where they are few."""
    shared = {name for name, _ in space.global_features}
    varied = [(n, c) for n, c in enumerate(space.categories) if n not in (UNIT, INDEX) and c.size > 1]
    groups = [(choice,) for choice in varied]
    of_layers = tuple((n, c) for n, c in varied if c.name not in shared)
    if len(of_layers) > 1 and math.prod(category.size for _, category in of_layers) <= MOST_COMBINATIONS:
        groups.append(of_layers)  # type: ignore[arg-type]
    return tuple(_vocabulary(group) for group in groups)


def _vocabulary(group: Sequence[tuple[int, Category]]) -> Vocabulary:
    values = [_value_names(category) for _, category in group]
    operations = tuple("_".join(texts) for texts in itertools.product(*values))
    columns, sizes = tuple(n for n, _ in group), tuple(category.size for _, category in group)
    return Vocabulary(operations, columns, sizes, operation_sets(operations))


def _value_names(category: Category) -> list[str]:
    texts = [written(category.name, value) for value in category.values]
    return [*texts, f"no {category.name}"] if category.may_be_absent else texts


def feature_names(space: SequenceSpace) -> list[str]:
    """Return the names of the features of a space, such as "unit 0 count[e6]"."""
    words = vocabularies(space)
    scopes = ["network", *(f"unit {number}" for number in range(len(space.units)))]
    names = [[name for vocabulary in words for name in vocabulary.names(scope)] for scope in scopes]
    if space.links:
        names[0] = [f"network {name}" for words in words for name in names_of(words.operations, words.sets)]
    return list(itertools.chain(*names))


def sequence_features(space: SequenceSpace, architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Compute the features of architectures of a space: one row each, in order; others are a `SpaceError`."""
    return pd.DataFrame(features_of_codes(space, space.to_codes(architectures)), columns=feature_names(space))


def features_of_codes(space: SequenceSpace, codes: Codes) -> Floats:
    """Compute the features of architectures given by their codes [N, code_width], [N, features]."""
    values = np.empty((len(codes), len(feature_names(space))), dtype=np.float32)
    for start in range(0, len(codes), CHUNK):
        values[start : start + CHUNK] = _features(space, codes[start : start + CHUNK])
    return values


def _features(space: SequenceSpace, codes: Codes) -> Floats:
    nodes = space.nodes(codes)
    scopes = _of_paths(space, nodes, space.depths(codes).sum(1))
    if not space.links:
        return scopes.reshape(len(codes), -1)
    graphs = _graphs(space, codes, nodes)
    return np.hstack([_of_networks(space, graphs, nodes), scopes[:, 1:].reshape(len(codes), -1)], dtype=np.float32)


def _of_networks(space: SequenceSpace, graphs: Graphs, nodes: Integers) -> npt.NDArray[np.float64]:
    """Features of whole networks that are no paths, [N, features]; nodes are those of all but the ends."""
    parts = [np.empty((len(graphs.lengths), 0))]
    for vocabulary in vocabularies(space):
        kinds = np.full(len(graphs.kinds), len(vocabulary.operations))
        kinds[graphs.kinds == 0] = _kinds(vocabulary, nodes)
        parts.append(features_of(replace(graphs, kinds=kinds), vocabulary.sets))
    return np.hstack(parts)


def _graphs(space: SequenceSpace, codes: Codes, nodes: Integers) -> Graphs:
    """Lay networks end to end, each between an input and an output: layers are of kind 0, the ends of kind 1."""
    (degrees, steps), lengths = space.predecessors(codes), space.depths(codes).sum(1) + 2
    starts = lengths.cumsum() - lengths
    ends = np.concatenate([starts, starts + lengths - 1])
    layers = np.setdiff1d(np.arange(lengths.sum()), ends)
    graph = np.repeat(np.arange(len(codes)), lengths - 2)
    targets = np.repeat(np.arange(len(layers)), degrees)
    sources = targets - steps
    first, last = np.flatnonzero(degrees == 0), np.setdiff1d(np.arange(len(layers)), sources)
    inputs, outputs = starts[graph[first]], (starts + lengths - 1)[graph[last]]
    edges = np.hstack([layers[[sources, targets]], [inputs, layers[first]], [layers[last], outputs]])
    kinds, operations, places = np.zeros((3, lengths.sum()), dtype=np.int64)
    kinds[ends], operations[starts], operations[starts + lengths - 1] = 1, INPUT, OUTPUT
    operations[layers], places[starts + lengths - 1] = LAYER, FAR
    places[layers] = 1 + _levels(space)[space.structures(codes)[graph], nodes[:, UNIT]] * MOST_VALUES + nodes[:, INDEX]
    return Graphs(kinds, operations, edges, places, starts, lengths)


def _levels(space: SequenceSpace) -> Integers:
    """For each of the links, how many units stand before each unit on the longest way to it, [links, units]."""
    levels = np.zeros((len(space.links), len(space.units)), dtype=np.int64)
    for level, (_, lists) in zip(levels, space.links, strict=True):
        for unit in graphlib.TopologicalSorter(dict(enumerate(lists))).static_order():
            level[unit] = max((level[source] + 1 for source in lists[unit]), default=0)
    return levels


def _kinds(vocabulary: Vocabulary, nodes: Integers) -> Integers:
    return np.ravel_multi_index(tuple(nodes[:, column] for column in vocabulary.columns), vocabulary.sizes)


def _of_paths(space: SequenceSpace, nodes: Integers, lengths: Integers) -> Floats:
    """Features of networks and of their units as paths, [N, 1 + units, features]; networks have `lengths` layers."""
    units = len(space.units)
    cell = np.repeat(np.arange(len(lengths)), lengths) * units + nodes[:, UNIT]  # architecture and unit of each node
    first = nodes[:, INDEX] == 0
    last = np.append(first[1:], True)
    parts = [np.empty((len(lengths), 1 + units, 0), np.float32)]  # a space may have no choice
    for vocabulary in vocabularies(space):
        kinds, number = _kinds(vocabulary, nodes), len(vocabulary.operations)
        counts = np.bincount(cell * number + kinds, minlength=len(lengths) * units * number)
        ends = [kinds[first].reshape(-1, units), kinds[last].reshape(-1, units)]
        parts += _of_vocabulary(vocabulary, counts.reshape(-1, units, number).astype(np.float32), *ends)
    return np.concatenate(parts, axis=2)


def _of_vocabulary(
    vocabulary: Vocabulary, counts: Floats, entry: npt.NDArray[np.int64], leave: npt.NDArray[np.int64]
) -> list[Floats]:
    """All scopes, [N, 1 + units, .] each: counts [N, units, operations], first and last operation [N, units]."""
    member = vocabulary.sets.members.T.astype(np.float32)  # [operations, sets]
    counts = np.concatenate([counts.sum(1, keepdims=True), counts], axis=1)
    entry, leave = np.concatenate([entry[:, :1], entry], axis=1), np.concatenate([leave[:, -1:], leave], axis=1)
    inside, layers = counts @ member, counts.sum(2, keepdims=True)
    path = np.where(inside == layers, layers, np.float32(NO_PATH))
    return [counts, path, member[entry], member[leave], inside / (layers + 2)]

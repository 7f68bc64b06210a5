"""Graph features (GRAF) of sequence architectures, which are paths: the definitions of `graf`, for all at once.

An operation is the value of one feature of a layer (such as `e6`), and, where few are possible, the combination of all
its features (such as `e6_k7`); each is a vocabulary of its own, and so is a feature of the unit or the whole network,
which all layers in it share. The features are those of the path of all layers (`network`) and of the layers of each
unit (`unit 0`, ...), each between an input and an output. On a path, some coincide and are kept once:

- `count[o]`: number of layers with operation o;
- `path[S]`: number of layers when the operations of all are in S (`longest`; `shortest` is one more), or `NO_PATH`;
- `input[S]`: 1 when the first layer's operation is in S; `output[S]`: the same for the last layer;
- `average[S]`: layers with operations in S by the number of layers and both ends (`average_in` and `average_out`).
"""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.peers.models.graf import NO_PATH, OperationSets, operation_sets
from autobuild_lib.graphs import path_graphs_from_codes
from autobuild_lib.spaces import Architecture, Category, SequenceSpace
from autobuild_lib.spaces.features import written
from autobuild_lib.spaces.sequence import Codes

MOST_COMBINATIONS = 12  # of the features of a layer; with more, each feature is looked at alone
CHUNK = 2048  # architectures at once: small enough for the processor's cache
UNIT, INDEX = 0, 1  # the first two categories of a node

Floats = npt.NDArray[np.float32]


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
    scopes = ["network", *(f"unit {number}" for number in range(len(space.units)))]
    return [name for scope in scopes for vocabulary in vocabularies(space) for name in vocabulary.names(scope)]


def sequence_features(space: SequenceSpace, architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Compute the features of architectures of a space: one row each, in order; others are a `SpaceError`."""
    return pd.DataFrame(features_of_codes(space, space.to_codes(architectures)), columns=feature_names(space))


def features_of_codes(space: SequenceSpace, codes: Codes) -> Floats:
    """Compute the features of architectures given by their codes [N, code_width], [N, features]."""
    values = np.empty((len(codes), len(feature_names(space))), dtype=np.float32)
    for start in range(0, len(codes), CHUNK):
        _fill(space, codes[start : start + CHUNK], values[start : start + CHUNK])
    return values


def _fill(space: SequenceSpace, codes: Codes, out: Floats) -> None:
    graphs = path_graphs_from_codes(space, codes)
    nodes, lengths = graphs.codes.numpy(), graphs.lengths.numpy()
    units = len(space.units)
    cell = np.repeat(np.arange(len(codes)), lengths) * units + nodes[:, UNIT]  # architecture and unit of each node
    first = nodes[:, INDEX] == 0
    last = np.append(first[1:], True)
    scopes, start = out.reshape(len(codes), 1 + units, -1), 0
    for vocabulary in vocabularies(space):
        kinds = np.ravel_multi_index(tuple(nodes[:, column] for column in vocabulary.columns), vocabulary.sizes)
        number = len(vocabulary.operations)
        counts = np.bincount(cell * number + kinds, minlength=len(codes) * units * number)
        ends = [kinds[first].reshape(-1, units), kinds[last].reshape(-1, units)]
        made = _of_vocabulary(vocabulary, counts.reshape(-1, units, number).astype(np.float32), *ends)
        for part in made:
            scopes[:, :, start : start + part.shape[2]] = part
            start += part.shape[2]


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

"""NAS-Bench-Graph names networks that compute the same by one of them: which one, for any of its space.

A skip connection passes on what it reads. So one that others read from, or that stands alone, only moves to the front,
where it reads the input and all that read the input read from it; so does one at the end that hands on nothing but the
input. A skip connection stays where its output joins those of its siblings. The benchmark trained what is left.
"""

import functools
import itertools
from collections.abc import Sequence

import numpy as np

from autobuild_lib.spaces import Codes, SequenceSpace

SKIP = "skip"
INPUT = -1
Parents = tuple[int, ...]  # of every unit, the one that it reads from, or the input


def trained_codes(space: SequenceSpace, codes: Codes) -> Codes:
    """Return the codes [N, code_width] of the networks that were trained for these; the space is a benchmark's own."""
    canonical = space.canonical_codes(codes)
    rows, back = np.unique(canonical, axis=0, return_inverse=True)
    return np.array([np.frombuffer(_trained(space, row.tobytes()), np.uint8) for row in rows])[back.ravel()]


@functools.cache
def _trained(space: SequenceSpace, code: bytes) -> bytes:
    (architecture,) = space.from_codes(np.frombuffer(code, np.uint8)[None])
    operations = [unit["layers"][0] for unit in architecture.units()]
    if SKIP not in operations:
        return code
    parents = tuple(row[0] if row else INPUT for row in architecture.links)
    for unit in range(len(parents)):
        if operations[unit] == SKIP and not _joins(unit, parents, operations):
            parents, operations = _to_front(unit, parents, operations)
    name, order = _trees(space)[parents]
    moved = space.architecture([[operations[unit]] for unit in order], links=name)
    return space.canonical(moved).code


def _joins(unit: int, parents: Parents, operations: Sequence[str]) -> bool:
    """Say whether the output of a skip connection is one of several, and not the input itself."""
    siblings = [other for other, parent in enumerate(parents) if parent == parents[unit] and other != unit]
    if unit in parents or not siblings:
        return False
    above = unit
    while above != INPUT and operations[above] == SKIP:
        above = parents[above]
    return above != INPUT


def _to_front(unit: int, parents: Parents, operations: Sequence[str]) -> tuple[Parents, list[str]]:
    """Let those that read from a unit read what it reads, and put it between the input and all that read the input."""
    kept = [other for other in range(len(parents)) if other != unit]
    sources = [parents[unit] if parents[other] == unit else parents[other] for other in kept]
    numbers = {INPUT: 0, **{other: place for place, other in enumerate(kept, 1)}}
    return (INPUT, *(numbers[source] for source in sources)), [SKIP, *(operations[other] for other in kept)]


@functools.cache
def _trees(space: SequenceSpace) -> dict[Parents, tuple[str, Parents]]:
    """Return for each tree the name of the space's own that is isomorphic to it, and which unit stands where there."""
    trees: dict[Parents, tuple[str, Parents]] = {}
    for name, lists in space.links:
        parents = tuple(row[0] if row else INPUT for row in lists)
        for order in itertools.permutations(range(len(parents))):  # unit order[place] of a tree stands in place
            tree = [INPUT] * len(parents)
            for unit, parent in zip(order, parents, strict=True):
                tree[unit] = INPUT if parent == INPUT else order[parent]
            trees.setdefault(tuple(tree), (name, order))
    return trees

"""What mutations of a search make of architectures."""

from collections.abc import Sequence

import numpy as np

import autobuild_lib as ab
from autobuild_book.layer_mutation import LayerMutation
from autobuild_lib.search import Mutation


def among(
    space: ab.SequenceSpace, candidates: Sequence[Sequence[str]], most: Sequence[int], probability: Sequence[float]
) -> LayerMutation:
    """Mutations with some layers of each unit, by name, and at most so many of them."""
    units = zip(space.codecs, candidates, strict=True)
    layers = tuple(np.array([codec.encode_layer(name) for name in names], dtype=np.uint8) for codec, names in units)
    depths = tuple(range(codec.depths[0], depth + 1) for codec, depth in zip(space.codecs, most, strict=True))
    return LayerMutation(space, layers, depths, np.array(probability))


def pairs(mutation: Mutation, size: int, seed: int = 0) -> list[tuple[ab.Architecture, ab.Architecture]]:
    """Architectures of the mutation's own, and what it makes of them."""
    rng = np.random.default_rng(seed)
    before = mutation.sample(rng, size)
    copy = before.copy()
    after = mutation.mutate(rng, before)
    np.testing.assert_array_equal(before, copy)  # the given ones stay as they are
    return list(zip(mutation.space.from_codes(before), mutation.space.from_codes(after), strict=True))


def move(before: list[str], after: list[str]) -> str:
    """Name the single change that leads from one list of layers to another; anything else is an error."""
    if len(before) == len(after):
        return {0: "none", 1: "swap"}[sum(a != b for a, b in zip(before, after, strict=True))]
    short, long = sorted([before, after], key=len)
    assert any(long[:i] + long[i + 1 :] == short for i in range(len(long))) and len(long) == len(short) + 1
    return "add" if len(after) > len(before) else "remove"

"""Parameters and multiply-adds of a network, counted from its blueprint without building it."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from autobuild_lib.networks.blueprint import (
    EXPANSION,
    KERNEL,
    Block,
    Blueprint,
    Convolution,
    assemble,
    family_of,
    layer_values,
    resolutions,
    unit_block,
)
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.sequence import Codes

Counts = npt.NDArray[np.int64]
_PARAMETERS, _MACS = 0, 1


@overload
def count_parameters(architectures: Architecture) -> int: ...
@overload
def count_parameters(architectures: Sequence[Architecture]) -> Counts: ...
def count_parameters(architectures: Architecture | Sequence[Architecture]) -> int | Counts:
    """Return the number of parameters of an architecture's network, or of each network of a list, int64 [N].

    A list may mix families. Raises `SpaceError` for an architecture of a space without networks.
    """
    return _count(architectures, count_parameters_from_codes)


@overload
def count_macs(architectures: Architecture) -> int: ...
@overload
def count_macs(architectures: Sequence[Architecture]) -> Counts: ...
def count_macs(architectures: Architecture | Sequence[Architecture]) -> int | Counts:
    """Return the multiply-adds for one image, of an architecture's network, or of each network of a list, int64 [N].

    Counted are convolutions and the classifier, as usual: no normalisation, activation, pooling, product, sum or bias.
    A list may mix families. Raises `SpaceError` for an architecture of a space without networks.
    """
    return _count(architectures, count_macs_from_codes)


def count_parameters_from_codes(space: SequenceSpace, codes: Codes) -> Counts:
    """Return the number of parameters of each network, [N], for the codes of architectures, [N, space.code_width]."""
    return _look_up(space, codes, _PARAMETERS)


def count_macs_from_codes(space: SequenceSpace, codes: Codes) -> Counts:
    """Return the multiply-adds of each network, [N], for the codes of architectures, [N, space.code_width]."""
    return _look_up(space, codes, _MACS)


def _count(
    given: Architecture | Sequence[Architecture], count: Callable[[SequenceSpace, Codes], Counts]
) -> int | Counts:
    if isinstance(given, Architecture):
        return int(count(given.space, given.space.to_codes([given]))[0])
    rows: dict[SequenceSpace, list[int]] = {}
    for row, architecture in enumerate(given):
        rows.setdefault(architecture.space, []).append(row)
    counts = np.empty(len(given), dtype=np.int64)
    for space, places in rows.items():
        counts[places] = count(space, space.to_codes([given[row] for row in places]))
    return counts


def _look_up(space: SequenceSpace, codes: Codes, what: int) -> Counts:
    shared, layers = (table[what] for table in _tables(space))
    places, resolution = _places(space), codes[:, 0]
    codecs = [space.codecs[unit] for unit, _ in places]
    index = np.array([index for _, index in places])
    present = index < codes[:, [codec.start for codec in codecs]]  # [N, places]
    firsts = np.array([codec.first_layer for codec in codecs]) + len(space.layer_features) * index
    found = layers[resolution[:, None], np.arange(len(places)), codes[:, firsts + EXPANSION], codes[:, firsts + KERNEL]]
    return np.asarray(shared[resolution] + (found * present).sum(1))


def _places(space: SequenceSpace) -> list[tuple[int, int]]:
    """Return the unit and the index of every layer that an architecture may have."""
    return [(unit, index) for unit, codec in enumerate(space.codecs) for index in range(codec.depths[-1])]


@functools.cache
def _tables(space: SequenceSpace) -> tuple[Counts, Counts]:
    """Count what all networks of a resolution share, [2, resolutions], and layers, [2, resolutions, places, e, k]."""
    family, sides, places = family_of(space), resolutions(space), _places(space)
    expansions, kernels = layer_values(space, EXPANSION), layer_values(space, KERNEL)
    shared = np.zeros((2, len(sides)), dtype=np.int64)
    layers = np.zeros((2, len(sides), len(places), len(expansions), len(kernels)), dtype=np.int64)
    for number, resolution in enumerate(sides):
        plan = assemble(family, resolution, ())
        stem, side = _convolutions([plan.stem], resolution)
        first, side = _block(plan.first, side)
        for place, (unit, index) in enumerate(places):
            for i, j in np.ndindex(layers.shape[3:]):
                block = unit_block(family, unit, index, expansions[i], kernels[j])
                layers[:, number, place, i, j], after = _block(block, side)
            side = after
        shared[:, number] = stem + first + _head(plan, side)
    return shared, layers


# -------------------------------------------------------------------- one layer: [parameters, multiply-adds]


def _convolutions(plans: Iterable[Convolution], side: int) -> tuple[Counts, int]:
    """Count convolutions in a row for an image of the given side; also return the side of the last output."""
    counts = np.zeros(2, dtype=np.int64)
    for plan in plans:
        side = plan.side(side)
        weights = plan.kernel**2 * plan.inputs // plan.groups * plan.outputs
        counts += [weights + plan.outputs * (plan.bias + 2 * plan.normalised), weights * side**2]
    return counts, side


def _block(plan: Block, side: int) -> tuple[Counts, int]:
    counts, after = _convolutions(plan.convolutions, side)
    squeeze, _ = _convolutions(plan.squeeze or (), 1)
    return counts + squeeze, after


def _head(plan: Blueprint, side: int) -> Counts:
    inputs, classes = plan.classifier
    expand, _ = _convolutions([plan.expand], side)
    mix, _ = _convolutions([plan.mix] if plan.mix else [], 1)
    classifier: Counts = np.array([(inputs + 1) * classes, inputs * classes], dtype=np.int64)
    return expand + mix + classifier

"""Parameters and multiply-adds of a network, counted from its blueprint without building it."""

import functools
from collections.abc import Iterable, Sequence
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
from autobuild_lib.spaces import Architecture, Codes, SequenceSpace

Counts = npt.NDArray[np.int64]
PARAMETERS, MACS = 0, 1


@overload
def count_parameters(architectures: Architecture) -> int: ...
@overload
def count_parameters(architectures: Sequence[Architecture]) -> Counts: ...
def count_parameters(architectures: Architecture | Sequence[Architecture]) -> int | Counts:
    """Return the parameters of an architecture's network, or of each of a list, int64 [N], which may mix families.

    Raises `SpaceError` for an architecture of a space without networks.
    """
    return _count(architectures, PARAMETERS)


@overload
def count_macs(architectures: Architecture) -> int: ...
@overload
def count_macs(architectures: Sequence[Architecture]) -> Counts: ...
def count_macs(architectures: Architecture | Sequence[Architecture]) -> int | Counts:
    """Return the multiply-adds for one image, as `count_parameters` does, of convolutions and the classifier only."""
    return _count(architectures, MACS)


def _count(networks: Architecture | Sequence[Architecture], what: int) -> int | Counts:
    if isinstance(networks, Architecture):
        return int(_look_up(networks.space, networks.space.to_codes([networks]), what)[0])
    by_space: dict[SequenceSpace, list[int]] = {}
    for row, architecture in enumerate(networks):
        by_space.setdefault(architecture.space, []).append(row)
    counts = np.empty(len(networks), dtype=np.int64)
    for space, rows in by_space.items():
        counts[rows] = _look_up(space, space.to_codes([networks[row] for row in rows]), what)
    return counts


def _look_up(space: SequenceSpace, codes: Codes, what: int) -> Counts:
    shared, layers = (table[what] for table in _tables(space))
    chosen, resolution = space.layers(codes), codes[:, 0]  # the only global feature
    slots = np.arange(len(space.slots))
    counts = layers[resolution[:, None], slots, chosen[:, :, EXPANSION], chosen[:, :, KERNEL]]
    return np.asarray(shared[resolution] + (counts * space.present(codes)).sum(1))


@functools.cache
def _tables(space: SequenceSpace) -> tuple[Counts, Counts]:
    """Count what all networks of a resolution share, [2, resolutions], and layers, [2, resolutions, slots, e, k]."""
    family, sides, slots = family_of(space), resolutions(space), space.slots.tolist()
    expansions, kernels = layer_values(space, EXPANSION), layer_values(space, KERNEL)
    shared = np.zeros((2, len(sides)), dtype=np.int64)
    layers = np.zeros((2, len(sides), len(slots), len(expansions), len(kernels)), dtype=np.int64)
    for number, resolution in enumerate(sides):
        plan = assemble(family, resolution, ())
        stem, side = _convolutions([plan.stem], resolution)
        first, side = _block(plan.first, side)
        for slot, (unit, index) in enumerate(slots):
            for i, j in np.ndindex(layers.shape[3:]):
                block = unit_block(family, unit, index, expansions[i], kernels[j])
                layers[:, number, slot, i, j], after = _block(block, side)
            side = after
        shared[:, number] = stem + first + _head(plan, side)
    return shared, layers


# -------------------------------------------------------------------- one layer: [parameters, multiply-adds]


def _convolutions(plans: Iterable[Convolution], side: int) -> tuple[Counts, int]:
    """Count convolutions in a row for an image of a side; also return the side of the last output."""
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

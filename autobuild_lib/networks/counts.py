"""Parameters and multiply-adds of a network, counted from its blueprint without building it."""

import functools
from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from autobuild_lib.networks.blueprint import Block, Blueprint, Convolution, assemble, choices, family_of, unit_block
from autobuild_lib.spaces import Architecture, Codes, SequenceSpace

Counts = npt.NDArray[np.int64]
PARAMETERS, MACS = 0, 1


@overload
def count_parameters(architectures: Architecture) -> int: ...
@overload
def count_parameters(architectures: Sequence[Architecture]) -> Counts: ...
def count_parameters(architectures: Architecture | Sequence[Architecture]) -> int | Counts:
    """Return the parameters of a network, or of each of a list, int64 [N]; `SpaceError` for a space without any."""
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
    _, expansions, kernels = np.moveaxis(space.layers(codes), 2, 0)
    resolution = codes[:, 0]  # the only global feature
    counts = layers[resolution[:, None], np.arange(len(space.slots)), expansions, kernels]
    return np.asarray(shared[resolution] + (counts * space.present(codes)).sum(1))


@functools.cache
def _tables(space: SequenceSpace) -> tuple[Counts, Counts]:
    """Count what all networks of a resolution share, [2, resolutions], and layers, [2, resolutions, slots, e, k]."""
    family, slots = family_of(space), space.slots.tolist()
    resolutions, expansions, kernels = choices(space)
    shared = np.zeros((2, len(resolutions)), dtype=np.int64)
    layers = np.zeros((2, len(resolutions), len(slots), len(expansions), len(kernels)), dtype=np.int64)
    for number, resolution in enumerate(resolutions):
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


def _convolutions(plans: Iterable[Convolution], side: int) -> tuple[Counts, int]:
    """Return parameters and multiply-adds, [2], of convolutions in a row for an image, and the side of the output."""
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
    return expand + mix + np.array([(inputs + 1) * classes, inputs * classes], dtype=np.int64)

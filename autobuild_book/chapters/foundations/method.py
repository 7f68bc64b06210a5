"""The page on the method: what a node sees, and which part of an architecture to change to watch it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autobuild_lib.spaces import Architecture


@dataclass(frozen=True)
class Change:
    """An architecture with other layers in one unit, as many as before.

    unit: which one, from 0. last: number of the last node that differs, from 0.
    """

    changed: Architecture
    unit: int
    last: int


def change_with_layers_behind(architecture: Architecture, donors: Sequence[Architecture]) -> Change | None:
    """Return the first change of an architecture that has layers behind it, with layers of `donors`.

    The whole content of a unit is changed where there is a unit behind it, and else its first layers. There is none
    where no layer with another behind it has a choice.
    """
    depths, units = architecture.depths, architecture.units()
    for unit, depth in enumerate(depths):
        alike = [donor for donor in donors if donor.depths[unit] == depth]
        for count in range(depth, 0, -1):
            last = sum(depths[:unit]) + count - 1
            others = (donor.units()[unit] for donor in alike) if last < sum(depths) - 1 else ()
            for other in others:
                if units[unit]["layers"][count - 1] != other["layers"][count - 1]:
                    features = other if count == depth else units[unit]
                    content = features | {"layers": other["layers"][:count] + units[unit]["layers"][count:]}
                    return Change(replace_unit(architecture, unit, content), unit, last)
    return None


def edges(architecture: Architecture) -> list[tuple[int, int]]:
    """Return the pairs of layers, numbered unit after unit, of which the second reads the first."""
    degrees, steps = architecture.space.predecessors(architecture.space.to_codes([architecture]))
    targets = [node for node, degree in enumerate(degrees) for _ in range(degree)]
    return [(target - step, target) for target, step in zip(targets, steps.tolist(), strict=True)]


def hops_to(architecture: Architecture, root: int) -> dict[int, int]:
    """Return the layers whose messages reach a layer, each with the number of hops after which they do."""
    hops, reached = {root: 0}, [root]
    for layer in reached:
        for source in (source for source, target in edges(architecture) if target == layer and source not in hops):
            hops[source] = hops[layer] + 1
            reached.append(source)
    return hops


def replace_unit(architecture: Architecture, unit: int, content: dict[str, Any]) -> Architecture:
    """Return an architecture with another content of one unit."""
    units = architecture.units()
    units[unit] = content
    return architecture.space.architecture(units, **architecture.global_features)

"""The choices of architectures as columns: the plainest features there are."""

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.features import Choices, values_of, written
from autobuild_lib.units.ridge import ABSENT, choices_of_codes


def one_hot(space: SequenceSpace, architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Return a column of 0 and 1 per choice: the value of a feature at a place, or that the layer there is absent.

    Columns depend on the space alone; places without a choice have none. Architectures of other spaces are a
    `SpaceError`.
    """
    chosen, columns = choices_of_codes(space, space.to_codes(architectures)), choice_columns(space)
    places, values = np.array([place for _, place, _ in columns]), np.array([value for *_, value in columns])
    return pd.DataFrame((chosen[:, places] == values).astype(np.float32), columns=[name for name, *_ in columns])


@functools.lru_cache(maxsize=16)
def choice_columns(space: SequenceSpace) -> list[tuple[str, int, int]]:
    """Return name, place in a code and number (or `ABSENT`) of each choice."""
    found = []
    for place, (name, texts, absent) in enumerate(_places(space)):
        numbers = [*space.allowed[place], *([ABSENT] if absent else [])]
        if len(numbers) > 1:
            found += [(f"{name} {texts[number] if number >= 0 else absent}", place, number) for number in numbers]
    return found


def _places(space: SequenceSpace) -> list[tuple[str, list[str], str]]:
    """Per byte of a code: what it belongs to, how its numbers are written, and how that its layer is absent (or "")."""
    found = [("network", _texts(name, choices), "") for name, choices in space.global_features]
    for number, (unit, codec) in enumerate(zip(space.units, space.codecs, strict=True)):
        found.append((f"unit {number}", [f"{depth} layers" for depth in range(unit.max_layers + 1)], ""))
        found += [(f"unit {number}", _texts(name, choices), "") for name, choices in codec.unit_values]
        for layer in range(unit.max_layers):
            for name, choices in space.layer_features:
                absent = f"no {name}" if layer >= unit.min_layers else ""
                found.append((f"unit {number} layer {layer}", _texts(name, choices), absent))
    return found


def _texts(name: str, choices: Choices) -> list[str]:
    return [written(name, value) for value in values_of(choices)]

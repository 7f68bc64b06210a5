"""The choices of architectures as columns: the plainest features there are."""

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.ridge import ABSENT, choices_of_codes
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.codec import Column
from autobuild_lib.spaces.features import LAYERS, written


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
    choices = []
    for place, column in enumerate(space.columns):
        may_lack = column.unit is not None and (column.layer or 0) >= space.units[column.unit].min_layers
        numbers = [*column.allowed, *([ABSENT] if may_lack else [])]
        if len(numbers) > 1:
            choices += [(f"{_owner(column)} {_text(column, number)}", place, number) for number in numbers]
    return choices


def _owner(column: Column) -> str:
    if column.unit is None:
        return "network"
    return f"unit {column.unit}" + (f" layer {column.layer}" if column.layer is not None else "")


def _text(column: Column, number: int) -> str:
    if number == ABSENT:
        return f"no {column.feature}"
    value = column.values[number]
    return f"{value} layers" if column.feature == LAYERS else written(column.feature, value)

"""Samples that lean towards the edge of a space: deep or shallow networks, large or small values."""

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.sequence import Codes


def sample_extreme_codes(space: SequenceSpace, rng: np.random.Generator, size: int) -> Codes:
    """Draw codes [size, width] tilted towards an edge of the space: deep or shallow, large or small values.

    Each architecture draws one tilt per kind of choice (depth, expansion, kernel, ...) and one per kind and unit.
    """
    kinds, units = _kinds(space)
    common = rng.normal(size=(size, kinds.max() + 1))[:, kinds]
    special = rng.normal(size=(size, units.max() + 1, kinds.max() + 1))[:, units, kinds]
    uniform, exponent = rng.random((size, space.code_width)), np.exp(1.2 * common + 0.8 * special)
    return space.choose(np.minimum(uniform**exponent, np.nextafter(1, 0)))


def _kinds(space: SequenceSpace) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Number of the feature, and of the unit, that each byte of a code belongs to."""
    numbers: dict[str, int] = {}
    kinds = [numbers.setdefault(column.feature, len(numbers)) for column in space.columns]
    return np.array(kinds), np.array([column.unit or 0 for column in space.columns])

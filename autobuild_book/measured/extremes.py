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
    own = rng.normal(size=(size, units.max() + 1, kinds.max() + 1))[:, units, kinds]
    return space.sample_codes(rng, size, exponent=np.exp(1.2 * common + 0.8 * own))


def _kinds(space: SequenceSpace) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    kinds, units = list(range(len(space.global_features))), [0] * len(space.global_features)
    for unit, codec in enumerate(space.codecs):
        width = len(space.layer_features)
        first, features = len(space.global_features), codec.first_layer - codec.start  # depth and unit features
        own = [first + i for i in range(features)]
        own += [first + 100 + i % width for i in range(codec.end - codec.first_layer)]
        kinds, units = kinds + own, units + [unit] * len(own)
    return np.unique(kinds, return_inverse=True)[1], np.array(units)

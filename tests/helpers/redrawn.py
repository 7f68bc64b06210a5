"""The plainest mutation that there is, to search with where no module of the library is meant."""

from dataclasses import dataclass

import numpy as np

import autobuild_lib as ab
from autobuild_lib.spaces import Codes


@dataclass(frozen=True)
class Redrawn:
    """Some unit of each architecture is drawn anew from the whole space; nothing is enumerated."""

    space: ab.SequenceSpace

    def sample(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw `size` architectures."""
        return self.space.sample_codes(rng, size)

    def mutate(self, rng: np.random.Generator, codes: Codes) -> Codes:
        """Return a changed copy of each architecture."""
        changed, drawn = codes.copy(), self.sample(rng, len(codes))
        units = rng.integers(len(self.space.codecs), size=len(codes))
        for unit, codec in enumerate(self.space.codecs):
            changed[units == unit, codec.place] = drawn[units == unit, codec.place]
        return changed

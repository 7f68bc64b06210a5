"""Drawing architectures, the same way from a whole space and from a reduced one."""

from abc import ABC, abstractmethod
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces.architecture import Architecture


class Samples(ABC):
    """What architectures can be drawn from; how likely each is, a subclass says."""

    @abstractmethod
    def sample_codes(self, rng: np.random.Generator, size: int) -> npt.NDArray[np.uint8]:
        """Draw codes [size, code_width]."""

    @abstractmethod
    def from_codes(self, codes: npt.NDArray[np.uint8]) -> list[Architecture]:
        """Turn codes [N, code_width] into architectures."""

    @overload
    def sample(self, rng: np.random.Generator) -> Architecture: ...
    @overload
    def sample(self, rng: np.random.Generator, size: int) -> list[Architecture]: ...
    @overload
    def sample(self, size: int, rng: np.random.Generator | int | None = None) -> list[Architecture]: ...
    def sample(self, *given: Any, **named: Any) -> Architecture | list[Architecture]:
        """Draw independently, as `sample_codes` does: `sample(3)` draws three, `sample(3, rng)` the same for a seed.

        A generator may stand first: `sample(rng, 3)`, and `sample(rng)` for one that is not in a list. `rng` is a
        generator, a seed, or left out for draws that differ every time.
        """
        order = _rng_first if given and isinstance(given[0], np.random.Generator) else _size_first
        size, rng = order(*given, **named)
        if size is not None and not (isinstance(size, int | np.integer) and size >= 0):
            raise ValueError(f"size={size!r}; the number of architectures is a whole number from 0")
        drawn = self.from_codes(self.sample_codes(np.random.default_rng(rng), 1 if size is None else int(size)))
        return drawn[0] if size is None else drawn


def _rng_first(rng: np.random.Generator, size: Any = None) -> tuple[Any, Any]:
    return size, rng


def _size_first(size: Any = None, rng: Any = None) -> tuple[Any, Any]:
    return size, rng

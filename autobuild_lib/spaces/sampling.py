"""Drawing architectures, the same way from a whole space and from a reduced one."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar, overload

import numpy as np

from autobuild_lib.spaces.codec import Codes

Drawn = TypeVar("Drawn")


class Samples(ABC, Generic[Drawn]):
    """What architectures can be drawn from; how likely each is, a subclass says."""

    @abstractmethod
    def sample_codes(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw codes [size, code_width]."""

    @abstractmethod
    def from_codes(self, codes: Codes) -> list[Drawn]:
        """Turn codes [N, code_width] into architectures."""

    @overload
    def sample(self, rng: np.random.Generator) -> Drawn: ...
    @overload
    def sample(self, rng: np.random.Generator, size: int) -> list[Drawn]: ...
    @overload
    def sample(self, size: int, rng: np.random.Generator | int | None = None) -> list[Drawn]: ...
    def sample(self, *arguments: Any, **named: Any) -> Drawn | list[Drawn]:
        """Draw independently, as `sample_codes` does: `sample(3)` draws three, `sample(3, rng)` the same for a seed.

        A generator may stand first: `sample(rng, 3)`, and `sample(rng)` for one that is not in a list. `rng` is a
        generator, a seed, or left out for draws that differ every time.
        """
        order = _rng_first if arguments and isinstance(arguments[0], np.random.Generator) else _size_first
        size, rng = order(*arguments, **named)
        if size is not None and not (isinstance(size, int | np.integer) and size >= 0):
            raise ValueError(f"size={size!r}; the number of architectures is a whole number from 0")
        drawn = self.from_codes(self.sample_codes(np.random.default_rng(rng), 1 if size is None else int(size)))
        return drawn[0] if size is None else drawn


def _rng_first(rng: np.random.Generator, size: Any = None) -> tuple[Any, Any]:
    return size, rng


def _size_first(size: Any = None, rng: Any = None) -> tuple[Any, Any]:
    return size, rng

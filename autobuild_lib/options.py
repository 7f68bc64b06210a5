"""Options: their kinds, what is allowed, what they mean; values are read as NumPy, pandas and YAML give them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from autobuild_lib.values import boolean, integer, real, refuse, shown

MOST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Option:
    """What an option may be: one of `choices`, true or false, a whole number, or a finite number, within bounds.

    `minimum` and `maximum` are allowed themselves, `above` is not. `text` says what the option means.
    """

    kind: type
    text: str
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()

    def read(self, name: str, value: object) -> Any:
        """Return a value as the option's kind; `ValueError` for one that is not allowed."""
        if self.choices:
            if not isinstance(value, str) or str(value) not in self.choices:
                raise ValueError(f"{name}={shown(value)}; choose from {', '.join(self.choices)}")
            return str(value)
        if self.kind is bool:
            return boolean(value, name, text=True)
        if self.kind is int:
            bounds = (None if bound is None else int(bound) for bound in (self.minimum, self.maximum))
            return integer(value, name, *bounds, text=True)
        number = real(value, name, text=True)
        if not math.isfinite(number) or not self._is_within(number):
            refuse(value, name, f"finite numbers{self._bounds()}")
        return number

    def _is_within(self, number: float) -> bool:
        low = self.minimum is None or number >= self.minimum
        return low and (self.above is None or number > self.above) and (self.maximum is None or number <= self.maximum)

    def _bounds(self) -> str:
        words = (("from", self.minimum), ("above", self.above), ("up to", self.maximum))
        return "".join(f" {word} {bound:g}" for word, bound in words if bound is not None)


def choice(choices: Iterable[str], text: str) -> Option:
    """Return an option that is one of some texts."""
    return Option(str, text, choices=tuple(choices))


def read_fields(configuration: object, options: Mapping[str, Option]) -> None:
    """Read every field of a frozen dataclass that stands in the table of options, in place."""
    for name, option in options.items():
        object.__setattr__(configuration, name, option.read(name, getattr(configuration, name)))


def read_seed(seed: object) -> int:
    """Return a seed: a whole number from 0, in any form of a number."""
    return integer(seed, "seed", 0, MOST_SEED)

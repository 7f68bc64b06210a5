"""Architectures: one choice for every unit of a space, plus the global choices."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autobuild_lib.spaces.features import Value, values_of, written

if TYPE_CHECKING:
    from autobuild_lib.spaces.sequence import SequenceSpace


@dataclass(frozen=True, slots=True)
class Architecture:
    """An immutable, hashable architecture; `str()` gives a short text that `space.parse` reads back.

    `code` holds one byte per choice: the global features, then every unit (see `UnitCodec`).
    """

    space: "SequenceSpace"
    code: bytes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Architecture):
            return NotImplemented
        return self.code == other.code and (self.space is other.space or self.space == other.space)

    def __hash__(self) -> int:
        return hash(self.code)

    @property
    def depths(self) -> tuple[int, ...]:
        """Number of layers of each unit."""
        return tuple(self.code[codec.start] for codec in self.space.codecs)

    @property
    def global_features(self) -> dict[str, Value]:
        """The global choices by name."""
        return {n: values_of(c)[i] for (n, c), i in zip(self.space.global_features, self.code, strict=False)}

    def units(self) -> list[dict[str, Any]]:
        """Return, per unit, its features and `layers` (full names): what `space.architecture` takes."""
        code = self.code
        return [{**c.decode_features(code), "layers": c.decode_layers(code, full=True)} for c in self.space.codecs]

    def to_lists(self) -> list[list[str]]:
        """Return the authors' nested lists of layer names; a unit's own features are not in them."""
        return [codec.decode_layers(self.code, full=True) for codec in self.space.codecs]

    def __str__(self) -> str:
        parts = [written(name, value) for name, value in self.global_features.items()]
        return "|".join(parts + [codec.text(self.code) for codec in self.space.codecs])

    def __repr__(self) -> str:
        return f"<{self.space.name} {self}>"

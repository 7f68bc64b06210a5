"""Sequence spaces: any search space whose architectures are units of layers; and the architectures in them."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, overload

import numpy as np

from autobuild_lib.spaces.codec import Codes
from autobuild_lib.spaces.features import SpaceError, Value, checked, position, read, values_of, written
from autobuild_lib.spaces.layout import Layout
from autobuild_lib.values import Array

__all__ = ["Architecture", "Codes", "Samples", "SequenceSpace"]


class Samples(ABC):
    """What architectures can be drawn from; how likely each is, a subclass says."""

    @abstractmethod
    def sample_codes(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw codes [size, code_width]."""

    @abstractmethod
    def from_codes(self, codes: Codes) -> "list[Architecture]":
        """Turn codes [N, code_width] into architectures."""

    @overload
    def sample(self, rng: np.random.Generator) -> "Architecture": ...
    @overload
    def sample(self, rng: np.random.Generator, size: int) -> "list[Architecture]": ...
    @overload
    def sample(self, size: int, rng: np.random.Generator | int | None = None) -> "list[Architecture]": ...
    def sample(self, *arguments: Any, **named: Any) -> "Architecture | list[Architecture]":
        """Draw independently: `sample(3)` three that differ every time, `sample(3, rng)` the same for a seed.

        A generator may stand first: `sample(rng, 3)`, and `sample(rng)` for one that is not in a list.
        """
        if arguments and isinstance(arguments[0], np.random.Generator):
            return self._draw(*arguments[1:], rng=arguments[0], **named)  # type: ignore[misc]  # twice is refused
        return self._draw(*arguments, **named)

    def _draw(self, size: Any = None, rng: Any = None) -> "Architecture | list[Architecture]":
        if size is not None and not (isinstance(size, int | np.integer) and size >= 0):
            raise ValueError(f"size={size!r}; the number of architectures is a whole number from 0")
        drawn = self.from_codes(self.sample_codes(np.random.default_rng(rng), 1 if size is None else int(size)))
        return drawn[0] if size is None else drawn


@dataclass(frozen=True, slots=True)
class Architecture:
    """An immutable, hashable architecture; `str()` gives a short text that `space.parse` reads back."""

    space: "SequenceSpace"
    code: bytes  # one byte per choice (see `Layout`)

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
        return self.space.decode_globals(self.code)

    @property
    def links(self) -> tuple[tuple[int, ...], ...]:
        """Per unit, the units that it reads from."""
        if self.space.links:
            return self.space.links[int(self.space.structures(self.space.to_codes([self]))[0])][1]
        return tuple((unit - 1,) if unit else () for unit in range(len(self.space.units)))

    def units(self) -> list[dict[str, Any]]:
        """Return, per unit, its features and `layers` (full names): what `space.architecture` takes."""
        pairs = [(codec, self.code[codec.place]) for codec in self.space.codecs]
        return [{**codec.features(content), "layers": codec.names(content)} for codec, content in pairs]

    def to_lists(self) -> list[list[str]]:
        """Return the authors' nested lists of layer names; a unit's own features are not in them."""
        return [codec.names(self.code[codec.place]) for codec in self.space.codecs]

    def __str__(self) -> str:
        parts = [written(name, value) for name, value in self.global_features.items()]
        return "|".join(parts + [codec.text(self.code[codec.place]) for codec in self.space.codecs])

    def __repr__(self) -> str:
        return f"<{self.space.name} {self}>"


class SequenceSpace(Layout, Samples):
    """All architectures made of `units`, each a path of layers with `layer_features`.

    Each unit reads from the one before, or from those that `links` lists for it (`[]`: the input; what no unit reads
    feeds the output): `links=[[], [], [0, 1]]`, or several such lists by name, of which an architecture chooses one.
    A list of values is categorical, a `Continuous` is numeric; `global_features` are chosen once per architecture.
    `embedding_widths` sets the width of a feature's embedding (default: min(number of values, 3)).
    Raises `SpaceError` for a description that contradicts itself.
    """

    def architecture(self, units: Sequence[Any], **global_features: Value) -> Architecture:
        """Build an architecture from one list of layers (dicts or names) per unit.

        A unit with features is a dict such as `{"width": 32, "layers": [...]}`. A global feature with a single
        value may be left out. Raises `SpaceError` for anything that is not in the space.
        """
        if len(units) != len(self.units):
            raise SpaceError(f"{self.name}: given {len(units)} units, the space has {len(self.units)}")
        contents = [codec.encode(unit) for unit, codec in zip(units, self.codecs, strict=True)]
        return Architecture(self, self.encode_globals(global_features) + b"".join(contents))

    def from_lists(self, stages: Sequence[Sequence[str]], **global_features: Value) -> Architecture:
        """Build an architecture from the authors' nested lists, e.g. `[["mbconv3_e6_k7", ...], ...]`."""
        return self.architecture(stages, **global_features)

    def encode_globals(self, chosen: Mapping[str, Value]) -> bytes:
        """Return the code of the global features; one with a single value may be left out."""
        names = [name for name, _ in self.global_choices]
        if unknown := set(chosen) - set(names):
            raise SpaceError(f"{self.name}: unknown global features {sorted(unknown)}; it has {names}")
        code = []
        for name, values in ((name, values_of(choices)) for name, choices in self.global_choices):
            if name not in chosen and len(values) > 1:
                raise SpaceError(f"{self.name}: global feature {name!r} is missing; choose from {list(values)}")
            code.append(position(f"{self.name}: {name}", chosen.get(name, values[0]), values))
        return bytes(code)

    def decode_globals(self, code: bytes) -> dict[str, Value]:
        """Return the global features in a code, or in the beginning of one."""
        return {n: values_of(c)[number] for (n, c), number in zip(self.global_choices, code, strict=False)}

    def parse(self, text: str) -> Architecture:
        """Read an architecture from its text form."""
        checked(f"{self.name}: an architecture", text, str, "its text form, as str(architecture) gives it")
        parts, heads = text.strip().split("|"), len(self.global_choices)
        if len(parts) != heads + len(self.units):
            names = [*dict(self.global_choices), *(f"unit {number}" for number in range(len(self.units)))]
            raise SpaceError(f"{self.name}: {text[:80]!r} has {len(parts)} parts, expected {'|'.join(names)}")
        chosen = {name: read(name, c, part) for (name, c), part in zip(self.global_choices, parts, strict=False)}
        contents = [codec.parse(part) for codec, part in zip(self.codecs, parts[heads:], strict=True)]
        return Architecture(self, self.encode_globals(chosen) + b"".join(contents))

    def adopt(self, architecture: Architecture) -> Architecture:
        """Return the same choices as an architecture of this space, or raise `SpaceError`."""
        if not isinstance(architecture, Architecture):
            raise SpaceError(f"{self.name}: given {architecture!r:.60}, allowed are architectures; "
                             "space.parse(text) makes one from its text form")  # fmt: skip
        if architecture.space == self:
            return Architecture(self, architecture.code)
        if architecture.space.name != self.name:
            raise SpaceError(f"architecture of space {architecture.space.name!r} given to space {self.name!r}")
        adopted = self.architecture(architecture.units(), **architecture.global_features)
        if adopted.links != architecture.links:
            raise SpaceError(f"{self.name}: the units of {architecture} have other links, {list(architecture.links)}")
        return adopted

    def canonical_codes(self, codes: Codes) -> Codes:
        """Return the codes [N, code_width] of `canonical` architectures."""
        if not self.links:
            return codes
        return import_module("autobuild_lib.spaces.isomorphism").canonical_codes(self, codes)  # type: ignore[no-any-return]

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the architecture that stands for all isomorphic ones: equal units and links in any order."""
        return self.from_codes(self.canonical_codes(self.to_codes([architecture])))[0]

    def __contains__(self, architecture: object) -> bool:
        try:
            return isinstance(architecture, Architecture) and bool(self.adopt(architecture))
        except SpaceError:
            return False

    def __iter__(self) -> Iterator[Architecture]:
        """Every architecture, one at a time; mind `size`."""
        units = [self.alone(number) for number in range(len(self.units))]
        for unit in units:
            unit.count_contents()
        bodies = [[row.tobytes() for row in unit.contents()] for unit in units]
        for head in itertools.product(*(range(len(values_of(c))) for _, c in self.global_choices)):
            for body in itertools.product(*bodies):
                yield Architecture(self, bytes(head) + b"".join(body))

    def sample_codes(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw codes [size, code_width]: depths uniform, then every feature uniform."""
        return self.choose(rng.random((size, self.code_width)))

    def choose(self, drawn: Array) -> Codes:
        """Turn numbers from 0 to below 1, [N, code_width], into codes; each picks from what its byte may hold."""
        codes = np.empty(drawn.shape, dtype=np.uint8)
        for place, column in enumerate(self.columns):
            codes[:, place] = np.take(column.allowed, (drawn[:, place] * len(column.allowed)).astype(np.intp))
        codes[self.absent(codes)] = 0
        return codes

    def from_codes(self, codes: Codes) -> list[Architecture]:
        """Turn codes [N, code_width] made by this space into architectures."""
        data, width = np.ascontiguousarray(codes, dtype=np.uint8).tobytes(), self.code_width
        return [Architecture(self, data[i : i + width]) for i in range(0, len(data), width)]

    def to_codes(self, architectures: Sequence[Architecture]) -> Codes:
        """Return the codes [N, code_width]; an architecture of another space is adopted or refused."""
        if isinstance(architectures, Architecture):
            raise SpaceError(f"{self.name}: one architecture was given; give a list of them, [architecture]")
        adopted = [a if isinstance(a, Architecture) and a.space is self else self.adopt(a) for a in architectures]
        rows = b"".join([architecture.code for architecture in adopted])
        return np.frombuffer(rows, dtype=np.uint8).reshape(len(architectures), self.code_width)

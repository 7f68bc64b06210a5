"""Sequence spaces: any search space whose architectures are paths of layers, described by data alone."""

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces.architecture import Architecture
from autobuild_lib.spaces.codec import MOST_CONTENTS, UnitCodec
from autobuild_lib.spaces.description import entries, features_from_json, features_to_json
from autobuild_lib.spaces.features import (
    MOST_VALUES,
    MOST_WIDTH,
    Category,
    Choices,
    Continuous,
    Features,
    FrozenFeatures,
    SpaceError,
    Value,
    checked,
    freeze,
    position,
    read,
    values_of,
    whole_number,
)
from autobuild_lib.spaces.sampling import Samples

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, init=False)
class Unit:
    """A consecutive run of layers whose length is searched.

    `features` are chosen once per unit and seen by all its layers; `layer_features` allows fewer values than the
    space does; `score_with_previous` makes the unit the tail of the one before when modules are scored.
    """

    min_layers: int
    max_layers: int
    features: FrozenFeatures
    layer_features: FrozenFeatures
    score_with_previous: bool

    def __init__(
        self,
        min_layers: int,
        max_layers: int,
        features: Features | None = None,
        layer_features: Features | None = None,
        score_with_previous: bool = False,
    ) -> None:
        object.__setattr__(self, "min_layers", whole_number("min_layers", min_layers, MOST_VALUES))
        object.__setattr__(self, "max_layers", whole_number("max_layers", max_layers, MOST_VALUES))
        if min_layers > max_layers:
            raise SpaceError(f"min_layers is {min_layers}; allowed is at most max_layers, which is {max_layers}")
        object.__setattr__(self, "features", freeze(features or {}))
        object.__setattr__(self, "layer_features", freeze(layer_features or {}))
        tail = checked("score_with_previous", score_with_previous, bool, "true or false")
        object.__setattr__(self, "score_with_previous", tail)


@dataclass(frozen=True, init=False)
class SequenceSpace(Samples):
    """All architectures made of `units` in a row, each a path of layers with `layer_features`.

    A list of values is categorical, a `Continuous` is numeric; `global_features` are chosen once per architecture.
    `embedding_widths` sets the width of a feature's embedding (default: min(number of values, 3)).
    Raises `SpaceError` for a description that contradicts itself.
    """

    name: str
    units: tuple[Unit, ...]
    layer_features: FrozenFeatures
    global_features: FrozenFeatures
    embedding_widths: tuple[tuple[str, int], ...]

    def __init__(
        self,
        name: str,
        units: Sequence[Unit],
        layer_features: Features,
        global_features: Features | None = None,
        embedding_widths: Mapping[str, int] | None = None,
    ) -> None:
        object.__setattr__(self, "name", checked("name of a space", name, str, "a text"))
        object.__setattr__(self, "units", tuple(units))
        object.__setattr__(self, "layer_features", freeze(layer_features))
        object.__setattr__(self, "global_features", freeze(global_features or {}))
        given = (embedding_widths or {}).items()
        widths = {name: whole_number(f"embedding width of {name!r}", width, MOST_WIDTH) for name, width in given}
        object.__setattr__(self, "embedding_widths", tuple(sorted(widths.items())))
        self._check()

    def _check(self) -> None:
        if not self.units or not self.layer_features:
            raise SpaceError(f"space {self.name!r} needs at least one unit and one layer feature")
        if self.units[0].score_with_previous:
            raise SpaceError(f"space {self.name!r}: the first unit has no previous unit to be scored with")
        names = [category.name for category in self.categories]
        if len(set(names)) < len(names):
            raise SpaceError(
                f"space {self.name!r}: layer, unit and global features need different names, given {names}"
            )
        if unknown := set(dict(self.embedding_widths)) - set(names):
            raise SpaceError(f"space {self.name!r}: embedding widths for unknown features {sorted(unknown)}")
        for category in self.categories:
            if len(category.values) > MOST_VALUES:
                found = f"{len(category.values)} values; allowed are at most {MOST_VALUES}"
                raise SpaceError(f"space {self.name!r}: feature {category.name!r} has {found}")
        for number, (unit, codec) in enumerate(zip(self.units, self.codecs, strict=True)):
            where = f"space {self.name!r}, unit {number}"
            if unknown := set(dict(unit.layer_features)) - set(dict(self.layer_features)):
                raise SpaceError(f"{where}: it restricts unknown layer features {sorted(unknown)}")
            try:
                _ = codec.layer_names
            except SpaceError as error:
                raise SpaceError(f"{where}: {error}") from None

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        return hash((self.name, self.units, self.layer_features, self.global_features, self.embedding_widths))

    def __getstate__(self) -> dict[str, Any]:
        """Leave cached facts out of pickles: the hash of a text differs between processes."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    # ---------------------------------------------------------------- derived facts

    @functools.cached_property
    def unit_features(self) -> FrozenFeatures:
        """Every unit feature with the values it takes in any unit."""
        merged: dict[str, Choices] = {}
        for name, choices in itertools.chain.from_iterable(unit.features for unit in self.units):
            known = merged.get(name, choices)
            if not isinstance(known, Continuous) and not isinstance(choices, Continuous):
                merged[name] = tuple(dict.fromkeys([*known, *choices]))
            elif known != choices:
                raise SpaceError(f"space {self.name!r}: continuous unit feature {name!r} differs between units")
            else:
                merged[name] = choices
        return tuple(merged.items())

    @functools.cached_property
    def categories(self) -> tuple[Category, ...]:
        """The node features in order: unit, index in the unit, then layer, unit and global features."""
        depth = max(unit.max_layers for unit in self.units)
        return (
            self._category("unit", tuple(range(len(self.units)))),
            self._category("index", tuple(range(depth))),
            *(self._category(name, choices) for name, choices in self.layer_features),
            *(self._category(n, c, any(n not in dict(u.features) for u in self.units)) for n, c in self.unit_features),
            *(self._category(name, choices) for name, choices in self.global_features),
        )

    def _category(self, name: str, choices: Choices, may_be_absent: bool = False) -> Category:
        values = values_of(choices)
        scaled = choices.scaled() if isinstance(choices, Continuous) else None
        width = dict(self.embedding_widths).get(name, min(len(values), 3) if scaled is None else 3)
        return Category(name, values, width, scaled, may_be_absent)

    @functools.cached_property
    def codecs(self) -> tuple[UnitCodec, ...]:
        """Per unit, how its content is stored in the code of an architecture."""
        codecs: list[UnitCodec] = []
        for unit in self.units:
            start = codecs[-1].end if codecs else len(self.global_features)
            depths = range(unit.min_layers, unit.max_layers + 1)
            every = tuple((name, dict(self.unit_features)[name]) for name, _ in unit.features)
            codecs.append(UnitCodec(start, depths, unit.features, unit.layer_features, every, self.layer_features))
        return tuple(codecs)

    @property
    def code_width(self) -> int:
        """Number of bytes in the code of an architecture."""
        return self.codecs[-1].end

    @property
    def size(self) -> int:
        """Exact number of architectures."""
        return math.prod(len(values_of(c)) for _, c in self.global_features) * math.prod(c.size for c in self.codecs)

    def count_contents(self, units: Sequence[int]) -> int:
        """Return how many contents some units have together; more than `MOST_CONTENTS` are a `SpaceError`.

        To be called before they are enumerated. The limit lies far above the units of all bundled spaces, of which the
        largest has 66,339 contents, and still fits into the memory of a small machine: a content takes about 100 bytes
        to enumerate, and its effect scores in 16 hosts about 400 more, which makes 2.5 GB at the limit.
        """
        count = math.prod(self.codecs[unit].size for unit in units)
        if count > MOST_CONTENTS:
            numbers = ", ".join(map(str, units))
            name = f"unit {numbers} has" if len(units) == 1 else f"units {numbers}, which are scored together, have"
            size = f"{count:,}" if count < 1e30 else f"about 10^{math.log10(count):.0f}"
            most = f"at most {MOST_CONTENTS:,} are enumerated; split the unit into several shorter ones"
            raise SpaceError(f"space {self.name!r}: {name} {size} contents; {most}")
        return count

    @property
    def scoring_groups(self) -> tuple[tuple[int, ...], ...]:
        """Unit indices that are scored together: a unit and the tail units that follow it."""
        groups: list[tuple[int, ...]] = []
        for index, unit in enumerate(self.units):
            groups = [*groups[:-1], (*groups[-1], index)] if unit.score_with_previous else [*groups, (index,)]
        return tuple(groups)

    # ---------------------------------------------------------------- as data

    def to_json(self) -> dict[str, Any]:
        """Return a description that JSON can hold; `from_json` reads it back."""
        units = [
            {
                "min_layers": unit.min_layers,
                "max_layers": unit.max_layers,
                "features": features_to_json(unit.features),
                "layer_features": features_to_json(unit.layer_features),
                "score_with_previous": unit.score_with_previous,
            }
            for unit in self.units
        ]
        return {
            "name": self.name,
            "units": units,
            "layer_features": features_to_json(self.layer_features),
            "global_features": features_to_json(self.global_features),
            "embedding_widths": dict(self.embedding_widths),
        }

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> Self:
        """Build a space from `to_json`'s description; anything missing or unknown in it is an error."""
        needed = ("name", "units", "layer_features", "global_features")
        given = entries("not the description of a search space", description, needed, ["embedding_widths"])
        units = checked("units", given["units"], list, "a list of units")
        given["units"] = [_unit_from_json(f"unit {number}", unit) for number, unit in enumerate(units)]
        checked("embedding_widths", given.get("embedding_widths", {}), dict, "an object with a width for each feature")
        return cls(**given | {name: features_from_json(name, given[name]) for name in needed[2:]})

    # ---------------------------------------------------------------- one architecture

    def architecture(self, units: Sequence[Any], **global_features: Value) -> Architecture:
        """Build an architecture from one list of layers (dicts or names) per unit.

        A unit with features is a dict such as `{"width": 32, "layers": [...]}`. A global feature with a single
        value may be left out. Raises `SpaceError` for anything that is not in the space.
        """
        if len(units) != len(self.units):
            raise SpaceError(f"{self.name}: given {len(units)} units, the space has {len(self.units)}")
        contents = [
            c.encode(f"{self.name}, unit {i}", u) for i, (u, c) in enumerate(zip(units, self.codecs, strict=True))
        ]
        return Architecture(self, self.encode_globals(global_features) + b"".join(contents))

    def from_lists(self, stages: Sequence[Sequence[str]], **global_features: Value) -> Architecture:
        """Build an architecture from the authors' nested lists, e.g. `[["mbconv3_e6_k7", ...], ...]`."""
        return self.architecture(stages, **global_features)

    def encode_globals(self, given: Mapping[str, Value]) -> bytes:
        """Return the code of the global features; one with a single value may be left out."""
        names = [name for name, _ in self.global_features]
        if unknown := set(given) - set(names):
            raise SpaceError(f"{self.name}: unknown global features {sorted(unknown)}; it has {names}")
        code = []
        for name, choices in self.global_features:
            values = values_of(choices)
            if name not in given and len(values) > 1:
                raise SpaceError(f"{self.name}: global feature {name!r} is missing; choose from {list(values)}")
            code.append(position(f"{self.name}: {name}", given.get(name, values[0]), values))
        return bytes(code)

    def parse(self, text: str) -> Architecture:
        """Read an architecture from its text form."""
        checked(f"{self.name}: an architecture", text, str, "its text form, as str(architecture) gives it")
        parts, n = text.strip().split("|"), len(self.global_features)
        if len(parts) != n + len(self.units):
            wanted = "|".join(
                [name for name, _ in self.global_features] + [f"unit {i}" for i in range(len(self.units))]
            )
            raise SpaceError(f"{self.name}: {text[:80]!r} has {len(parts)} parts, expected {wanted}")
        chosen = {name: read(name, c, part) for (name, c), part in zip(self.global_features, parts[:n], strict=True)}
        units = enumerate(zip(self.codecs, parts[n:], strict=True))
        contents = [codec.parse(f"{self.name}, unit {i}", part) for i, (codec, part) in units]
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
        return self.architecture(architecture.units(), **architecture.global_features)

    def __contains__(self, architecture: object) -> bool:
        if not isinstance(architecture, Architecture):
            return False
        try:
            self.adopt(architecture)
        except SpaceError:
            return False
        return True

    # ---------------------------------------------------------------- many architectures

    def __iter__(self) -> Iterator[Architecture]:
        """Every architecture, one at a time; mind `size`."""
        heads = itertools.product(*(range(len(values_of(c))) for _, c in self.global_features))
        for unit in range(len(self.units)):
            self.count_contents([unit])
        bodies = [[row.tobytes() for row in codec.contents()] for codec in self.codecs]
        for head in heads:
            for body in itertools.product(*bodies):
                yield Architecture(self, bytes(head) + b"".join(body))

    def sample_codes(self, rng: np.random.Generator, size: int, exponent: npt.ArrayLike = 1.0) -> Codes:
        """Draw codes [size, code_width]: depths uniform, then every feature uniform.

        An `exponent` (any shape that broadcasts to the codes') below 1 favours the last value of a feature and deep
        units, above 1 the first value and shallow units; 1 is uniform.
        """
        drawn = np.minimum(rng.random((size, self.code_width)) ** np.asarray(exponent), np.nextafter(1, 0))
        codes = np.empty((size, self.code_width), dtype=np.uint8)
        for column, numbers in enumerate(self.allowed):
            codes[:, column] = np.array(numbers, np.uint8)[(drawn[:, column] * len(numbers)).astype(np.intp)]
        codes[self.absent(codes)] = 0
        return codes

    @functools.cached_property
    def allowed(self) -> tuple[tuple[int, ...], ...]:
        """Numbers allowed at each place of a code."""
        heads = [tuple(range(len(values_of(choices)))) for _, choices in self.global_features]
        return (*heads, *itertools.chain.from_iterable(codec.allowed for codec in self.codecs))

    def absent(self, codes: Codes) -> npt.NDArray[np.bool_]:
        """Mark the bytes that belong to absent layers: codes [N, code_width] -> [N, code_width]."""
        absent = np.zeros(codes.shape, dtype=np.bool_)
        for codec in self.codecs:
            place = np.arange(codec.end - codec.first_layer) // len(self.layer_features)
            absent[:, codec.first_layer : codec.end] = place >= codes[:, [codec.start]]
        return absent

    def from_codes(self, codes: Codes) -> list[Architecture]:
        """Turn codes [N, code_width] made by this space into architectures."""
        data, width = np.ascontiguousarray(codes, dtype=np.uint8).tobytes(), self.code_width
        return [Architecture(self, data[i : i + width]) for i in range(0, len(data), width)]

    def to_codes(self, architectures: Sequence[Architecture]) -> Codes:
        """Return the codes [N, code_width]; an architecture of another space is adopted or refused."""
        if isinstance(architectures, Architecture):
            raise SpaceError(f"{self.name}: one architecture was given; give a list of them, [architecture]")
        own = [a if isinstance(a, Architecture) and a.space is self else self.adopt(a) for a in architectures]
        rows = b"".join([a.code for a in own])
        return np.frombuffer(rows, dtype=np.uint8).reshape(len(architectures), self.code_width)


def _unit_from_json(where: str, description: object) -> Unit:
    needed = ("min_layers", "max_layers", "features", "layer_features")
    given = entries(where, description, needed, ["score_with_previous"])
    features = {name: features_from_json(f"{where}: {name}", given[name]) for name in needed[2:]}
    try:
        return Unit(**given | features)
    except SpaceError as error:
        raise SpaceError(f"{where}: {error}") from None

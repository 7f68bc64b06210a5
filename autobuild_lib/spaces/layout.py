"""Layouts: a search space as data, what each byte in the code of an architecture holds, and the nodes of its graph."""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces.codec import Codes, Column, UnitCodec
from autobuild_lib.spaces.features import (
    MOST_VALUES,
    Category,
    Choices,
    Continuous,
    Features,
    FrozenFeatures,
    SpaceError,
    Unit,
    checked,
    features_from_json,
    features_to_json,
    freeze,
    read_object,
    values_of,
)
from autobuild_lib.spaces.groups import ScoringGroup
from autobuild_lib.values import integer, naming

MOST_WIDTH = 1024  # of an embedding: far beyond use, and small enough to hold
LINKS = "links"  # as what an architecture chooses among
Integers = npt.NDArray[np.int64]
Lists = Sequence[Sequence[int]]  # for every unit, the units that it reads from
FrozenLists = tuple[tuple[int, ...], ...]
FrozenLinks = tuple[tuple[str, FrozenLists], ...]  # by name; "" where there is no choice; none: units in a row


def _links() -> Any:
    return import_module("autobuild_lib.spaces.links")  # units in a row need none


@dataclass(frozen=True, init=False)
class Layout:
    """A space and its `codes` [N, code_width]: a byte per choice, `global_choices`, then units (see `UnitCodec`)."""

    name: str
    units: tuple[Unit, ...]
    layer_features: FrozenFeatures
    global_features: FrozenFeatures
    embedding_widths: tuple[tuple[str, int], ...]
    links: FrozenLinks

    def __init__(
        self, name: str, units: Sequence[Unit], layer_features: Features,
        global_features: Features | None = None, embedding_widths: Mapping[str, int] | None = None,
        links: Lists | Mapping[str, Lists] | None = None,
    ) -> None:  # fmt: skip
        self.__dict__.update(name=checked("name of a space", name, str, "a text"), units=tuple(units))
        self.__dict__.update(layer_features=freeze(layer_features), global_features=freeze(global_features or {}))
        pairs = (embedding_widths or {}).items()
        with naming(f"space {name!r}", SpaceError):
            widths = {name: integer(width, f"embedding width of {name!r}", 1, MOST_WIDTH) for name, width in pairs}
            self.__dict__.update(embedding_widths=tuple(sorted(widths.items())))
            self.__dict__.update(links=() if links is None else _links().freeze_links(links, self.units))
        self._check()

    def _check(self) -> None:
        where = f"space {self.name!r}"
        if not self.units or not self.layer_features:
            raise SpaceError(f"{where} needs at least one unit and one layer feature")
        if self.units[0].score_with_previous:
            raise SpaceError(f"{where}: the first unit has no previous unit to be scored with")
        names = [category.name for category in self.categories]
        choice = [name for name, _ in self.global_choices[len(self.global_features) :]]
        if len({*names, *choice}) < len(names + choice):
            raise SpaceError(f"{where}: layer, unit and global features need different names, given {names + choice}")
        if unknown := set(dict(self.embedding_widths)) - set(names):
            raise SpaceError(f"{where}: embedding widths for unknown features {sorted(unknown)}")
        for category in self.categories:
            if (size := len(category.values)) > MOST_VALUES:
                raise SpaceError(f"{where}: feature {category.name!r} has {size} values, allowed are {MOST_VALUES}")
        for number, (unit, codec) in enumerate(zip(self.units, self.codecs, strict=True)):
            if unknown := set(dict(unit.layer_features)) - set(dict(self.layer_features)):
                raise SpaceError(f"{where}, unit {number}: it restricts unknown layer features {sorted(unknown)}")
            with naming(f"{where}, unit {number}", SpaceError):
                _ = codec.layer_names

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        return hash(tuple(self.__getstate__().values()))

    def __getstate__(self) -> dict[str, Any]:
        """Leave cached facts out of pickles: the hash of a text differs between processes."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def to_json(self) -> dict[str, Any]:
        """Return a description that JSON can hold; `from_json` reads it back."""
        features = {name: features_to_json(getattr(self, name)) for name in ("layer_features", "global_features")}
        units, widths = [unit.to_json() for unit in self.units], dict(self.embedding_widths)
        lists = {name: [list(row) for row in rows] for name, rows in self.links}
        links = {LINKS: lists.get("", lists)} if lists else {}
        return {"name": self.name, "units": units, **features, "embedding_widths": widths, **links}

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> Self:
        """Build a space from `to_json`'s description; anything missing or unknown in it is an error."""
        needed = ("name", "units", "layer_features", "global_features")
        record = read_object("not the description of a search space", description, needed, ["embedding_widths", LINKS])
        units = checked("units", record["units"], list, "a list of units")
        record["units"] = [Unit.from_json(f"unit {number}", unit) for number, unit in enumerate(units)]
        checked("embedding_widths", record.get("embedding_widths", {}), dict, "an object with a width for each feature")
        return cls(**record | {name: features_from_json(name, record[name]) for name in needed[2:]})

    @functools.cached_property
    def global_choices(self) -> FrozenFeatures:
        """What is chosen once per architecture: the global features, and the name of its links where they have any."""
        names = tuple(name for name, _ in self.links if name)
        return (*self.global_features, (LINKS, names)) if names else self.global_features

    @functools.cached_property
    def unit_features(self) -> FrozenFeatures:
        """Every unit feature with the values it takes in any unit."""
        merged: dict[str, Choices] = {}
        for name, choices in itertools.chain.from_iterable(unit.features for unit in self.units):
            before = merged.setdefault(name, choices)
            if not isinstance(before, Continuous) and not isinstance(choices, Continuous):
                merged[name] = tuple(dict.fromkeys([*before, *choices]))
            elif before != choices:
                raise SpaceError(f"space {self.name!r}: continuous unit feature {name!r} differs between units")
        return tuple(merged.items())

    @functools.cached_property
    def categories(self) -> tuple[Category, ...]:
        """The node features in order: unit, index in the unit, then layer, unit and global features."""
        units, indices = range(len(self.units)), range(max(unit.max_layers for unit in self.units))
        first = (("unit", tuple(units)), ("index", tuple(indices)), *self.layer_features)
        return tuple(itertools.starmap(self._category, (*first, *self.unit_features, *self.global_features)))

    def _category(self, name: str, choices: Choices) -> Category:
        values = values_of(choices)
        may_be_absent = name in dict(self.unit_features) and any(name not in dict(unit.features) for unit in self.units)
        scaled = choices.scaled() if isinstance(choices, Continuous) else None
        width = dict(self.embedding_widths).get(name, min(len(values), 3) if scaled is None else 3)
        return Category(name, values, width, scaled, may_be_absent)

    @functools.cached_property
    def codecs(self) -> tuple[UnitCodec, ...]:
        """Per unit, how its content is stored in the code of an architecture."""
        codecs: list[UnitCodec] = []
        start = len(self.global_choices)
        for number, unit in enumerate(self.units):
            every = tuple((name, dict(self.unit_features)[name]) for name, _ in unit.features)
            codecs.append(UnitCodec(f"{self.name}, unit {number}", number, start, unit, every, self.layer_features))
            start += codecs[-1].width
        return tuple(codecs)

    @functools.cached_property
    def scoring_groups(self) -> tuple[ScoringGroup, ...]:
        """The units, those together that are scored together: a unit and the tail units that follow it."""
        groups: list[tuple[UnitCodec, ...]] = []
        for codec in self.codecs:
            groups = [*groups[:-1], (*groups[-1], codec)] if codec.unit.score_with_previous else [*groups, (codec,)]
        return tuple(ScoringGroup(self.name, codecs, self.code_width) for codecs in groups)

    def alone(self, unit: int) -> ScoringGroup:
        """Return a group of one unit."""
        return ScoringGroup(self.name, (self.codecs[unit],), self.code_width)

    @property
    def code_width(self) -> int:
        """Number of bytes in the code of an architecture."""
        return self.codecs[-1].start + self.codecs[-1].width

    @property
    def size(self) -> int:
        """Exact number of architectures."""
        return math.prod(len(values_of(c)) for _, c in self.global_choices) * math.prod(c.size for c in self.codecs)

    @functools.cached_property
    def columns(self) -> tuple[Column, ...]:
        """What each byte of a code holds."""
        heads = [(name, values_of(choices)) for name, choices in self.global_choices]
        first = [Column(None, None, name, values, tuple(range(len(values)))) for name, values in heads]
        return (*first, *itertools.chain.from_iterable(codec.columns for codec in self.codecs))

    @functools.cached_property
    def slots(self) -> Integers:
        """Unit and index of every layer that an architecture may have, [slots, 2]."""
        return np.array([(unit, index) for unit, u in enumerate(self.units) for index in range(u.max_layers)])

    def depths(self, codes: Codes) -> Integers:
        """Return the number of layers of each unit, [N, units]."""
        return codes[:, [codec.start for codec in self.codecs]].astype(np.int64)

    def absent(self, codes: Codes) -> npt.NDArray[np.bool_]:
        """Mark the bytes that belong to absent layers: codes [N, code_width] -> [N, code_width]."""
        layers = np.array([-1 if column.layer is None else column.layer for column in self.columns])
        return np.asarray(layers >= self.depths(codes)[:, [column.unit or 0 for column in self.columns]])

    def present(self, codes: Codes) -> npt.NDArray[np.bool_]:
        """Mark the layers that are there, [N, slots]."""
        unit, index = self.slots.T
        return np.asarray(index < self.depths(codes)[:, unit])

    def layers(self, codes: Codes) -> Codes:
        """Return the numbers of each layer's features, [N, slots, layer features]."""
        return np.concatenate([codec.split(codes[:, codec.place])[2] for codec in self.codecs], axis=1)

    def unit_choices(self, codes: Codes) -> Integers:
        """Return the numbers of the units' own features, [N, units, unit features]; behind the last is "absent"."""
        names = [name for name, _ in self.unit_features]
        absent = np.array([len(values_of(choices)) for _, choices in self.unit_features], dtype=np.int64)
        chosen = np.tile(absent, (len(codes), len(self.units), 1))
        for place, column in enumerate(self.columns):
            if column.unit is not None and column.feature in names:
                chosen[:, column.unit, names.index(column.feature)] = codes[:, place]
        return chosen

    def nodes(self, codes: Codes) -> Integers:
        """Return the codes of all layers, architecture after architecture: [nodes, categories], see `categories`."""
        present = self.present(codes)
        row, slot = np.nonzero(present)
        of_unit = self.unit_choices(codes)[row, self.slots[slot, 0]]
        heads = codes[row, : len(self.global_features)]
        return np.hstack([self.slots[slot], self.layers(codes)[present], of_unit, heads]).astype(np.int64)

    def structures(self, codes: Codes) -> Integers:
        """Return which of the links each architecture has, [N]; 0 where there is nothing to choose."""
        return np.asarray(codes[:, len(self.global_features) : len(self.global_choices)].sum(1, dtype=np.int64))

    def predecessors(self, codes: Codes) -> tuple[Integers, Integers]:
        """Return the number of predecessors of each of `nodes(codes)`, [nodes], and how far back each is, [edges].

        A layer follows the one before in its unit; a unit's first layer, the last of every unit that it reads from.
        """
        depths = self.depths(codes)
        if self.links:
            return _links().predecessors(depths, self.links, self.structures(codes))  # type: ignore[no-any-return]
        lengths = depths.sum(1)
        degrees = np.ones(lengths.sum(), dtype=np.int64)
        degrees[lengths.cumsum() - lengths] = 0
        return degrees, np.ones(degrees.sum(), dtype=np.int64)

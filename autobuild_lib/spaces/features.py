"""What a search space is described with: features, their values as text and as JSON, and units."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, TypeVar

import numpy as np

from autobuild_lib.values import finite, integer, naming, shown

Value = str | int | float
LAYERS = "layers"  # of a unit: a list of them, or their number
RESERVED = ("unit", "index", LAYERS)
SEPARATORS = "|,;"
MOST_VALUES = 255  # a position fits into a byte, with one left for "absent"
CONTINUOUS = ("values", "low", "high", "grid", "offset", "scale")  # entries of a numeric feature in JSON
LARGEST = 1e300
Kind = TypeVar("Kind")


class SpaceError(ValueError):
    """An architecture, or the description of a search space, that is not valid; the text says what is allowed."""


def checked(where: str, value: object, kind: type[Kind], allowed: str) -> Kind:
    """Return a value of a kind; any other is an error that names it."""
    if not isinstance(value, kind):
        raise SpaceError(f"{where} is {value!r:.60}; allowed is {allowed}")
    return value


def _real_number(name: str, value: object) -> float:
    with contextlib.suppress(ValueError):
        if abs(number := finite(value, name)) < LARGEST:
            return number
    raise SpaceError(f"{name} of a continuous feature: {shown(value)} is not a finite number below {LARGEST:g}")


@dataclass(frozen=True, init=False)
class Continuous:
    """A numeric feature: a finite grid of numbers, scaled as (value - offset) / scale before its linear layer.

    Give `values`, or `low`, `high` and the number of `grid` points. By default the grid is scaled onto [0, 1].
    """

    values: tuple[float, ...]
    offset: float
    scale: float

    def __init__(
        self, low: float | None = None, high: float | None = None, *, grid: int | None = None,
        values: Sequence[float] = (), offset: float | None = None, scale: float | None = None,
    ) -> None:  # fmt: skip
        points: Sequence[object] = _plain("values", values)
        if not points:
            if low is None or high is None or grid is None:
                raise SpaceError("a continuous feature needs values=[...], or low, high and grid=<number of points>")
            with naming("", SpaceError):
                size = integer(grid, "grid of a continuous feature", 1, MOST_VALUES)
            points = list(np.linspace(_real_number("low", low), _real_number("high", high), size))
        numbers = tuple(_real_number("values", point) for point in points)
        if len(set(numbers)) < len(numbers):
            raise SpaceError(f"values of a continuous feature must be distinct, given {shorten(numbers)}")
        spread = (max(numbers) - min(numbers)) or 1.0
        start = min(numbers) if offset is None else _real_number("offset", offset)
        step = spread if scale is None else _real_number("scale", scale)
        self.__dict__.update(values=numbers, offset=start, scale=step)
        if self.scale == 0:
            raise SpaceError("scale of a continuous feature must not be 0")

    def scaled(self) -> tuple[float, ...]:
        """Return the values as the predictor sees them."""
        return tuple((value - self.offset) / self.scale for value in self.values)


Choices = tuple[Value, ...] | Continuous
FrozenFeatures = tuple[tuple[str, Choices], ...]
Features = Mapping[str, Sequence[Value] | Continuous]


@dataclass(frozen=True)
class Category:
    """One feature of a graph node: its values in order, and the width of its embedding."""

    name: str
    values: tuple[Value, ...]
    width: int
    scaled: tuple[float, ...] | None = None  # for a continuous feature: the numbers its linear layer sees
    may_be_absent: bool = False  # "absent" is coded len(values) and contributes 0 to hop 0

    @property
    def size(self) -> int:
        """Number of codes, the one for "absent" included."""
        return len(self.values) + self.may_be_absent


def freeze(features: Features) -> FrozenFeatures:
    """Check features and make them hashable."""
    frozen = tuple((name, c if isinstance(c, Continuous) else _plain(name, c)) for name, c in features.items())
    for name, choices in frozen:
        _check_feature(name, values_of(choices))
    return frozen


def _plain(name: str, values: object) -> tuple[Value, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise SpaceError(f"feature {name!r} needs a list of values or a Continuous, given {values!r:.60}")
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)


def _check_feature(name: str, values: tuple[Value, ...]) -> None:
    if name in RESERVED or not name.isidentifier():
        raise SpaceError(f"feature name {shown(name)}: must be an identifier other than {', '.join(RESERVED)}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            raise SpaceError(f"feature {name!r}: value {shown(value)} must be a number or a text")
        if not isinstance(value, str) and not abs(value) < LARGEST:
            raise SpaceError(f"feature {name!r} holds a number that is not finite, or beyond {LARGEST:g}")
        if any(c in SEPARATORS or c.isspace() for c in str(value)):
            raise SpaceError(f"feature {name!r}: value {shown(value)} must not hold spaces or any of {SEPARATORS}")
    if not 1 <= len(values) <= MOST_VALUES or len({written(name, value) for value in values}) < len(values):
        raise SpaceError(f"feature {name!r} needs 1 to {MOST_VALUES} distinct values, given {shorten(values)}")


def values_of(choices: Choices) -> tuple[Value, ...]:
    """Return the values a feature can take, in order."""
    return choices.values if isinstance(choices, Continuous) else choices


def written(name: str, value: Value) -> str:
    """Return a value as it stands in the text form: texts bare, numbers behind their feature's name."""
    return value if isinstance(value, str) else f"{name}{value:.12g}"


def read(name: str, choices: Choices, text: str) -> Value:
    """Return the value that `text` stands for."""
    by_text = {written(name, value): value for value in values_of(choices)}
    if (bare := text.strip()) not in by_text:
        raise SpaceError(f"{name}: {text[:40]!r} is not allowed; write one of {shorten(by_text)}")
    return by_text[bare]


def position(where: str, value: Value, values: Sequence[Value]) -> int:
    """Return the position of `value` in `values`, or raise an error that lists them."""
    if isinstance(value, bool) or value not in values:
        raise SpaceError(f"{where}: value {shown(value)} is not allowed; choose from {shorten(values)}")
    return values.index(value)


def shorten(values: Iterable[object], most: int = 12) -> str:
    """Write at most the first few values, and how many there are in all."""
    texts = [str(value) for value in values]
    return ", ".join(texts[:most]) + (f", ... ({len(texts)} in all)" if len(texts) > most else "")


def read_object(where: str, record: object, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Return a JSON object as a dict; one that lacks an entry, or has an unknown one, is a `SpaceError`."""
    names = [*needed, *optional]
    if not isinstance(record, Mapping):
        raise SpaceError(f"{where}: given {record!r:.60}; allowed is an object with {', '.join(names)}")
    if unknown := [name for name in record if name not in names]:
        raise SpaceError(f"{where}: there is an unknown entry {unknown[0]!r:.60}; allowed are {', '.join(names)}")
    if missing := [name for name in needed if name not in record]:
        raise SpaceError(f"{where}: there is no {missing[0]!r}; needed are {', '.join(needed)}")
    return dict(record)


def features_to_json(features: FrozenFeatures) -> dict[str, Any]:
    """Return features as JSON can hold them."""
    return {n: asdict(c) if isinstance(c, Continuous) else list(c) for n, c in features}


def features_from_json(where: str, record: object) -> dict[str, Any]:
    """Return features that `features_to_json` wrote; an object stands for a `Continuous`."""
    features = dict(checked(where, record, dict, "an object with the values of each feature"))
    for name, choices in features.items():
        if isinstance(choices, dict):
            options = read_object(f"{where}: {name}", choices, (), CONTINUOUS)
            with naming(f"{where}: {name}", SpaceError):
                features[name] = Continuous(**options)
    return features


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
        self, min_layers: int, max_layers: int, features: Features | None = None,
        layer_features: Features | None = None, score_with_previous: bool = False,
    ) -> None:  # fmt: skip
        with naming("", SpaceError):
            for name, length in (("min_layers", min_layers), ("max_layers", max_layers)):
                self.__dict__[name] = integer(length, name, 1, MOST_VALUES)
        if min_layers > max_layers:
            raise SpaceError(f"min_layers is {min_layers}; allowed is at most max_layers, which is {max_layers}")
        self.__dict__.update(features=freeze(features or {}), layer_features=freeze(layer_features or {}))
        tail = checked("score_with_previous", score_with_previous, bool, "true or false")
        self.__dict__.update(score_with_previous=tail)

    def to_json(self) -> dict[str, Any]:
        """Return a description that JSON can hold."""
        return vars(self) | {n: features_to_json(getattr(self, n)) for n in ("features", "layer_features")}

    @classmethod
    def from_json(cls, where: str, description: object) -> Self:
        """Read what `to_json` wrote; anything missing or unknown is a `SpaceError`."""
        needed = ("min_layers", "max_layers", "features", "layer_features")
        record = read_object(where, description, needed, ["score_with_previous"])
        features = {name: features_from_json(f"{where}: {name}", record[name]) for name in needed[2:]}
        with naming(where, SpaceError):
            return cls(**record | features)

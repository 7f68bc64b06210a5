"""How the content of one unit is stored: its depth, its features and its layers as a run of bytes."""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces.features import (
    LAYERS,
    FrozenFeatures,
    SpaceError,
    Unit,
    Value,
    position,
    read,
    shorten,
    values_of,
    written,
)
from autobuild_lib.values import shown

Codes = npt.NDArray[np.uint8]
Numbers = tuple[int, ...]  # positions of values
MOST_LAYER_CHOICES = 100_000


def as_keys(codes: Codes) -> npt.NDArray[np.bytes_]:
    """Rows as byte strings, which sort and compare at once: [N, width] -> [N]."""
    return np.ascontiguousarray(codes).view(f"S{codes.shape[1]}").ravel()


@dataclass(frozen=True)
class Column:
    """One byte in the code of an architecture: which choice it holds."""

    unit: int | None  # None for a global feature
    layer: int | None  # index in the unit; None for the unit's own choices
    feature: str  # or "layers" for the number of layers of the unit
    values: tuple[Value, ...]  # what its numbers stand for
    allowed: Numbers


@dataclass(frozen=True)
class UnitCodec:
    """The bytes of one unit: depth, unit features, then `max_layers` layers, absent ones zero.

    A feature is stored as its position among all values of that name in the space (`unit_values`, `layer_values`).
    `content` is what one architecture holds, `contents` [N, width] are those of many.
    """

    where: str  # space and unit, as errors name them
    number: int
    start: int  # place of the depth in the code of an architecture
    unit: Unit
    unit_values: FrozenFeatures  # as any unit allows them, same names as `unit.features`
    layer_values: FrozenFeatures

    @property
    def depths(self) -> range:
        """Allowed numbers of layers."""
        return range(self.unit.min_layers, self.unit.max_layers + 1)

    @property
    def _first(self) -> int:
        """Place of the first layer in a content."""
        return 1 + len(self.unit_values)

    @property
    def width(self) -> int:
        """Number of bytes."""
        return self._first + len(self.layer_values) * self.unit.max_layers

    @property
    def place(self) -> slice:
        """Where the content stands in the code of an architecture."""
        return slice(self.start, self.start + self.width)

    @functools.cached_property
    def columns(self) -> tuple[Column, ...]:
        """What each byte holds."""
        depth = Column(self.number, None, LAYERS, tuple(range(self.depths.stop)), tuple(self.depths))
        features = _columns(self.number, self.unit.features, self.unit_values)
        layer = _columns(self.number, self.unit.layer_features, self.layer_values)
        layers = [replace(column, layer=index) for index in range(self.unit.max_layers) for column in layer]
        return (depth, *features, *layers)

    @property
    def allowed_features(self) -> tuple[Numbers, ...]:
        """Numbers allowed for each of the unit's own features."""
        return tuple(column.allowed for column in self.columns[1 : self._first])

    @functools.cached_property
    def layer_names(self) -> dict[Numbers, tuple[str, str]]:
        """Every allowed layer with its short name (features with a choice) and its full name."""
        first = self.columns[self._first : self._first + len(self.layer_values)]
        return _layer_names(tuple(column.allowed for column in first), self.layer_values)

    @functools.cached_property
    def _layers_by_name(self) -> dict[str, Numbers]:
        return {text: layer for layer, names in self.layer_names.items() for text in names}

    @property
    def size(self) -> int:
        """Number of contents."""
        layers: int = sum(pow(len(self.layer_names), depth) for depth in self.depths)
        return layers * math.prod(map(len, self.allowed_features))

    @property
    def choices(self) -> tuple[Codes, Codes]:
        """Every choice of the unit's features [choices, features], and of a layer [choices, layer features]."""
        features = np.array(list(itertools.product(*self.allowed_features)), dtype=np.uint8)
        return features, np.array(list(self.layer_names), dtype=np.uint8)

    def contents(self) -> Codes:
        """Return every content, [size, width]: by depth, and later choices vary fastest."""
        features, layers = self.choices
        parts = []
        for depth in self.depths:
            left = np.arange(len(features) * len(layers) ** depth)
            chosen = np.empty((len(left), depth, layers.shape[1]), dtype=np.uint8)
            for place in reversed(range(depth)):
                left, choice = np.divmod(left, len(layers))
                chosen[:, place] = layers[choice]
            parts.append(self.join(np.full(len(left), depth), features[left], chosen))
        return np.concatenate(parts)

    def ends(self, depth: int) -> Codes:
        """Return contents of `depth` layers, one for every choice of the unit's features and of the last layer."""
        features, layers = self.choices
        chosen = np.tile(layers[0], (len(features) * len(layers), depth, 1))
        chosen[:, -1] = np.tile(layers, (len(features), 1))
        return self.join(np.full(len(chosen), depth), np.repeat(features, len(layers), axis=0), chosen)

    def split(self, contents: Codes) -> tuple[npt.NDArray[np.intp], Codes, Codes]:
        """Return depths [N], the unit's features [N, features], and layers [N, max_layers, layer features]."""
        layers = contents[:, self._first :].reshape(len(contents), self.unit.max_layers, len(self.layer_values))
        return contents[:, 0].astype(np.intp), contents[:, 1 : self._first], layers

    def join(self, depths: npt.NDArray[np.intp], features: Codes, layers: Codes) -> Codes:
        """Return contents of what `split` gives; of the layers, the first `depths` are taken."""
        contents = np.zeros((len(depths), self.width), dtype=np.uint8)
        contents[:, 0], contents[:, 1 : self._first] = depths, features
        _, most, width = layers.shape
        end, present = self._first + most * width, np.arange(most) < depths[:, None]
        contents[:, self._first : end] = (layers * present[:, :, None]).reshape(len(depths), end - self._first)
        return contents

    def encode(self, content: Any) -> bytes:
        """Turn a list of layers, or a dict with the unit's features and its `layers`, into bytes."""
        features = dict(content) if isinstance(content, Mapping) else {LAYERS: content}
        layers, names = features.pop(LAYERS, ()), list(dict(self.unit_values))
        if set(features) != set(names):
            raise SpaceError(f"{self.where}: given features {sorted(features)}, needs {names}")
        if isinstance(layers, str) or not isinstance(layers, Sequence):
            raise SpaceError(f"{self.where}: given {layers!r:.60}, needs a list of {shorten(self.depths)} layers")
        if len(layers) not in self.depths:
            raise SpaceError(f"{self.where}: given {len(layers)} layers, allowed are {shorten(self.depths)} layers")
        code = [len(layers)]
        for (name, allowed), (_, every) in zip(self.unit.features, self.unit_values, strict=True):
            position(f"{self.where}: {name}", features[name], values_of(allowed))
            code.append(values_of(every).index(features[name]))
        for layer in layers:
            code += self.encode_layer(layer)
        return bytes(code).ljust(self.width, b"\0")

    def encode_layer(self, layer: Any) -> Numbers:
        """Turn a layer (a dict, or one of its names) into the numbers of its features."""
        numbers: Numbers = ()
        if isinstance(layer, Mapping):
            if set(layer) != set(names := dict(self.layer_values)):
                raise SpaceError(f"{self.where}: layer {shown(dict(layer))} needs exactly the features {list(names)}")
            numbers = tuple(position(f"{self.where}: {n}", layer[n], values_of(c)) for n, c in self.layer_values)
        elif isinstance(layer, str):
            numbers = self._layers_by_name.get(layer.strip(), ())
        if numbers not in self.layer_names:
            allowed = shorten(full for _, full in self.layer_names.values())
            raise SpaceError(f"{self.where}: layer {shown(layer)} is not allowed; choose from {allowed}")
        return numbers

    def parse(self, text: str) -> bytes:
        """Turn the text form of a content into bytes."""
        *texts, layers = text.split(";")
        if len(texts) != len(self.unit_values):
            raise SpaceError(f"{self.where}: {text[:80]!r} needs features {list(dict(self.unit_values))} before layers")
        features = {n: read(n, c, t) for (n, c), t in zip(self.unit.features, texts, strict=True)}
        return self.encode({**features, LAYERS: layers.split(",")})

    def layers(self, content: bytes) -> list[Numbers]:
        """Return the numbers of each layer's features."""
        width = len(self.layer_values)
        return [tuple(content[i : i + width]) for i in range(self._first, self._first + width * content[0], width)]

    def names(self, content: bytes, full: bool = True) -> list[str]:
        """Return the name of each layer."""
        return [self.layer_names[layer][full] for layer in self.layers(content)]

    def features(self, content: bytes) -> dict[str, Value]:
        """Return the unit's own features."""
        chosen = content[1 : self._first]
        return {name: values_of(c)[number] for (name, c), number in zip(self.unit_values, chosen, strict=True)}

    def text(self, content: bytes) -> str:
        """Return the text form of a content."""
        features = [written(name, value) for name, value in self.features(content).items()]
        return ";".join([*features, ",".join(self.names(content, full=False))])


@functools.lru_cache(maxsize=64)  # units often allow the same layers
def _layer_names(allowed: tuple[Numbers, ...], layer_values: FrozenFeatures) -> dict[Numbers, tuple[str, str]]:
    if math.prod(map(len, allowed)) > MOST_LAYER_CHOICES:
        raise SpaceError(f"a layer may have at most {MOST_LAYER_CHOICES:,} combinations of its features")
    names, several = {}, [len(values_of(c)) > 1 for _, c in layer_values]
    for layer in itertools.product(*allowed):
        texts = [written(n, values_of(c)[i]) for (n, c), i in zip(layer_values, layer, strict=True)]
        full = "_".join(texts)
        names[layer] = ("_".join(itertools.compress(texts, several)) or full, full)
    if len({text for pair in names.values() for text in pair}) < sum(len(set(pair)) for pair in names.values()):
        raise SpaceError("two layers would be written alike; rename some values")
    return names


def _columns(unit: int, some: FrozenFeatures, every: FrozenFeatures) -> list[Column]:
    """Columns of the features in `every`, of which the unit allows `some`."""
    chosen = [(name, values_of(c), values_of(dict(some).get(name, c))) for name, c in every]
    allowed = [tuple(position(name, value, values) for value in some_of) for name, values, some_of in chosen]
    return [Column(unit, None, name, values, a) for (name, values, _), a in zip(chosen, allowed, strict=True)]

"""How the content of one unit is stored: its depth, its features and its layers as a run of bytes."""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces.features import (
    Choices,
    FrozenFeatures,
    SpaceError,
    Value,
    position,
    read,
    shorten,
    values_of,
    written,
)
from autobuild_lib.values import shown

MOST_LAYER_CHOICES = 100_000

MOST_CONTENTS = 5_000_000  # of units that are enumerated together, see `SequenceSpace.count_contents`


@dataclass(frozen=True)
class UnitCodec:
    """The bytes of one unit: depth, unit features, then `max_layers` layers, absent ones zero.

    A feature is stored as its position among all values of that name in the space (`unit_values`, `layer_values`).
    """

    start: int  # place of the depth in the code of an architecture
    depths: range
    features: FrozenFeatures  # as this unit allows them
    layers: FrozenFeatures
    unit_values: tuple[tuple[str, Choices], ...]  # as any unit allows them, same names as `features`
    layer_values: FrozenFeatures

    @property
    def first_layer(self) -> int:
        """Place of the first layer's first feature."""
        return self.start + 1 + len(self.features)

    @property
    def end(self) -> int:
        """Place behind the last layer."""
        return self.first_layer + len(self.layer_values) * self.depths[-1]

    @functools.cached_property
    def allowed(self) -> tuple[tuple[int, ...], ...]:
        """Stored numbers allowed at each place from `start` to `end`."""
        return (tuple(self.depths), *self._allowed_features, *(self._allowed_layer * self.depths[-1]))

    @functools.cached_property
    def _allowed_features(self) -> tuple[tuple[int, ...], ...]:
        return _allowed(self.features, self.unit_values)

    @functools.cached_property
    def _allowed_layer(self) -> tuple[tuple[int, ...], ...]:
        return _allowed(self.layers, self.layer_values)

    @functools.cached_property
    def layer_names(self) -> dict[tuple[int, ...], tuple[str, str]]:
        """Every allowed layer with its short name (features with a choice) and its full name."""
        return _layer_names(self._allowed_layer, self.layer_values)

    @functools.cached_property
    def _layer_codes(self) -> dict[str, tuple[int, ...]]:
        return {text: code for code, pair in self.layer_names.items() for text in pair}

    @property
    def size(self) -> int:
        """Number of contents."""
        layers: int = sum(pow(len(self.layer_names), depth) for depth in self.depths)
        return layers * math.prod(map(len, self._allowed_features))

    def contents(self) -> npt.NDArray[np.uint8]:
        """Return the code of every content, [size, end - start]: by depth, and later choices vary fastest."""
        features = np.array(list(itertools.product(*self._allowed_features)), dtype=np.uint8)  # [combinations, F]
        layers = np.array(list(self.layer_names), dtype=np.uint8)  # [choices, layer features]
        found = []
        for depth in self.depths:
            left = np.arange(len(features) * len(layers) ** depth)
            codes = np.zeros((len(left), self.end - self.start), dtype=np.uint8)
            for place in reversed(range(depth)):
                left, choice = np.divmod(left, len(layers))
                first = self.first_layer - self.start + place * layers.shape[1]
                codes[:, first : first + layers.shape[1]] = layers[choice]
            codes[:, 0] = depth
            codes[:, 1 : 1 + len(self.features)] = features[left]
            found.append(codes)
        return np.concatenate(found)

    # ---------------------------------------------------------------- writing

    def encode(self, where: str, content: Any) -> bytes:
        """Turn a list of layers, or a dict with the unit's features and its `layers`, into bytes."""
        given = dict(content) if isinstance(content, Mapping) else {"layers": content}
        layers = given.pop("layers", ())
        if set(given) != {name for name, _ in self.features}:
            raise SpaceError(f"{where}: given features {sorted(given)}, needs {[name for name, _ in self.features]}")
        if isinstance(layers, str) or not isinstance(layers, Sequence):
            raise SpaceError(f"{where}: given {layers!r:.60}, needs a list of {shorten(self.depths)} layers")
        if len(layers) not in self.depths:
            raise SpaceError(f"{where}: given {len(layers)} layers, allowed are {shorten(self.depths)} layers")
        code = [len(layers)]
        for (name, own), (_, every) in zip(self.features, self.unit_values, strict=True):
            position(f"{where}: {name}", given[name], values_of(own))
            code.append(values_of(every).index(given[name]))
        for layer in layers:
            code += self._encode_layer(where, layer)
        return bytes(code) + bytes(len(self.layer_values) * (self.depths[-1] - len(layers)))

    def _encode_layer(self, where: str, layer: Any) -> tuple[int, ...]:
        names = [name for name, _ in self.layer_values]
        code: tuple[int, ...] = ()
        if isinstance(layer, Mapping):
            if set(layer) != set(names):
                raise SpaceError(f"{where}: layer {shown(dict(layer))} needs exactly the features {names}")
            code = tuple(position(f"{where}: {n}", layer[n], values_of(c)) for n, c in self.layer_values)
        elif isinstance(layer, str):
            code = self._layer_codes.get(layer.strip(), ())
        if code not in self.layer_names:
            allowed = shorten(full for _, full in self.layer_names.values())
            raise SpaceError(f"{where}: layer {shown(layer)} is not allowed; choose from {allowed}")
        return code

    def parse(self, where: str, text: str) -> bytes:
        """Turn the text form of a content into bytes."""
        *texts, layers = text.split(";")
        if len(texts) != len(self.features):
            raise SpaceError(f"{where}: {text[:80]!r} needs features {[n for n, _ in self.features]} before its layers")
        features = {n: read(n, c, t) for (n, c), t in zip(self.features, texts, strict=True)}
        return self.encode(where, {**features, "layers": layers.split(",")})

    # ---------------------------------------------------------------- reading

    def decode_layers(self, code: bytes, full: bool) -> list[str]:
        """Return the layer names of this unit in the code of an architecture."""
        n, first = len(self.layer_values), self.first_layer
        starts = range(first, first + n * code[self.start], n)
        return [self.layer_names[tuple(code[i : i + n])][full] for i in starts]

    def decode_features(self, code: bytes) -> dict[str, Value]:
        """Return the features of this unit in the code of an architecture."""
        chosen = code[self.start + 1 : self.first_layer]
        return {name: values_of(c)[i] for (name, c), i in zip(self.unit_values, chosen, strict=True)}

    def text(self, code: bytes) -> str:
        """Return the text form of this unit in the code of an architecture."""
        features = [written(name, value) for name, value in self.decode_features(code).items()]
        return ";".join([*features, ",".join(self.decode_layers(code, full=False))])


@functools.lru_cache(maxsize=64)  # units often allow the same layers
def _layer_names(
    allowed: tuple[tuple[int, ...], ...], layer_values: FrozenFeatures
) -> dict[tuple[int, ...], tuple[str, str]]:
    if math.prod(map(len, allowed)) > MOST_LAYER_CHOICES:
        raise SpaceError(f"a layer may have at most {MOST_LAYER_CHOICES:,} combinations of its features")
    names, several = {}, [len(values_of(c)) > 1 for _, c in layer_values]
    for code in itertools.product(*allowed):
        texts = [written(n, values_of(c)[i]) for (n, c), i in zip(layer_values, code, strict=True)]
        full = "_".join(texts)
        names[code] = ("_".join(itertools.compress(texts, several)) or full, full)
    if len({text for pair in names.values() for text in pair}) < sum(len(set(pair)) for pair in names.values()):
        raise SpaceError("two layers would be written alike; rename some values")
    return names


def _allowed(own: FrozenFeatures, every: FrozenFeatures) -> tuple[tuple[int, ...], ...]:
    chosen = dict(own)
    pairs = [(name, values_of(chosen.get(name, c)), values_of(c)) for name, c in every]
    return tuple(tuple(position(name, value, values) for value in some) for name, some, values in pairs)

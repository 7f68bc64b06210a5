"""Mutations of single layers, which search by stages is compared with (paper, Section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from autobuild_lib.search.mutations import checked_probability, choose_stages
from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.values import Array

Places = npt.NDArray[np.intp]
ADD, REMOVE, SWAP, FEATURE = range(4)  # moves


@dataclass(frozen=True, eq=False)
class LayerMutation:
    """Each stage (unit) mutates with its `probability`, at least one does: one layer is added, removed or swapped.

    Moves that are possible are equally likely; a change of one of the unit's own features is one of them where it has
    any. Global features, and links, stay as drawn.

    layers: per unit the candidates, [candidates, layer features], as they stand in a code. depths: per unit the
    allowed numbers of layers. probability: [units].
    """

    space: SequenceSpace
    layers: tuple[Codes, ...]
    depths: tuple[range, ...]
    probability: Array

    @classmethod
    def full(cls, space: SequenceSpace, probability: float = 0.5) -> Self:
        """All layers and depths of the space."""
        layers = tuple(codec.choices[1] for codec in space.codecs)
        depths = tuple(codec.depths for codec in space.codecs)
        return cls(space, layers, depths, checked_probability(probability, len(layers)))

    def sample(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw `size` architectures: depths uniform, then every layer and feature uniform."""
        codes = self.space.sample_codes(rng, size)  # for global and unit features
        for codec, candidates, allowed in zip(self.space.codecs, self.layers, self.depths, strict=True):
            _, features, layers = codec.split(codes[:, codec.place])
            depths = rng.choice(np.array(allowed), size)
            layers = candidates[rng.integers(len(candidates), size=layers.shape[:2])]
            codes[:, codec.place] = codec.join(depths, features, layers)
        return codes

    def mutate(self, rng: np.random.Generator, codes: Codes) -> Codes:
        """Return a changed copy of each architecture [N, code_width]."""
        codes = codes.copy()
        can_change = np.array([any(self._moves(unit, self.depths[unit][:1])[0]) for unit in range(len(self.layers))])
        chosen = choose_stages(rng, len(codes), np.where(can_change, self.probability, 0.0))
        for unit, codec in enumerate(self.space.codecs):
            rows = np.flatnonzero(chosen[:, unit])
            codes[rows, codec.place] = self._change(rng, unit, codes[rows, codec.place])
        return codes

    def _moves(self, unit: int, depth: Sequence[int] | npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Which moves are possible at each depth [N]: [N, moves]."""
        now, allowed = np.asarray(depth), self.depths[unit]
        several = np.full(len(now), len(self.layers[unit]) > 1)
        free = np.full(len(now), any(len(numbers) > 1 for numbers in self.space.codecs[unit].allowed_features))
        return np.column_stack([now < allowed[-1], now > allowed[0], several, free])

    def _change(self, rng: np.random.Generator, unit: int, contents: Codes) -> Codes:
        """Make one move in each content [N, bytes of the unit]."""
        codec = self.space.codecs[unit]
        depth, features, layers = codec.split(contents)
        possible = self._moves(unit, depth)
        move = np.where(possible, rng.random(possible.shape), -1.0).argmax(axis=1)
        layers = _change_layers(rng, self.layers[unit], layers, depth, move)
        features = _change_features(rng, codec.allowed_features, features, np.flatnonzero(move == FEATURE))
        return codec.join(depth + (move == ADD) - (move == REMOVE), features, layers)


def _change_layers(rng: np.random.Generator, candidates: Codes, layers: Codes, depth: Places, move: Places) -> Codes:
    """Add, remove or swap a layer at a random place: [N, max_layers, layer features] -> the same shape."""
    rows, slots = np.arange(len(layers)), np.arange(layers.shape[1])
    place, swapped = rng.integers(depth + (move == ADD)), move == SWAP
    shift = np.zeros((len(layers), len(slots)), dtype=np.intp)
    shift -= (move == ADD)[:, None] & (slots > place[:, None])
    shift += (move == REMOVE)[:, None] & (slots >= place[:, None])
    padded = np.pad(layers, ((0, 0), (0, 1), (0, 0)))
    now = (padded[rows, place][:, None] == candidates).all(axis=2).argmax(axis=1)
    drawn = (now + swapped + rng.integers(len(candidates) - swapped)) % len(candidates)  # a swap draws another one
    changed: Codes = padded[rows[:, None], slots + shift]
    written = np.flatnonzero((move == ADD) | swapped)
    changed[written, place[written]] = candidates[drawn[written]]
    return changed


def _change_features(
    rng: np.random.Generator, allowed: Sequence[Sequence[int]], features: Codes, rows: Places
) -> Codes:
    """Give one of the unit's features another value in some rows: [N, features] -> the same shape."""
    changed, free = features.copy(), [place for place, numbers in enumerate(allowed) if len(numbers) > 1]
    which = rng.choice(free, len(rows)) if free else rows
    for place in free:
        here, values = rows[which == place], np.array(allowed[place], dtype=np.uint8)
        now = (changed[here, place][:, None] == values).argmax(axis=1)
        changed[here, place] = values[(now + 1 + rng.integers(len(values) - 1, size=len(here))) % len(values)]
    return changed

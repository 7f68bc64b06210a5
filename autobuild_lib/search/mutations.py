"""Mutations: how a search draws its first architectures, and new ones from those that it has (paper, Section 4)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.units.reduced import ReducedSpace
from autobuild_lib.values import Array


class Mutation(Protocol):
    """Draws architectures and changes them, as codes [N, code_width] of `space`."""

    @property
    def space(self) -> SequenceSpace:
        """The space that the codes belong to."""

    def sample(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw `size` architectures."""

    def mutate(self, rng: np.random.Generator, codes: Codes) -> Codes:
        """Return a changed copy of each architecture."""


def choose_stages(rng: np.random.Generator, size: int, probability: Array) -> npt.NDArray[np.bool_]:
    """Mark stages [size, stages], each with its own probability [stages], given that every row marks at least one."""
    chosen = rng.random((size, len(probability))) < probability
    while probability.any() and len(empty := np.flatnonzero(~chosen.any(axis=1))):
        chosen[empty] = rng.random((len(empty), len(probability))) < probability
    return chosen


def checked_probability(probability: npt.ArrayLike, stages: int) -> Array:
    """Return the probability of each stage, [stages], given one for all or each; `ValueError` for an impossible one."""
    numbers = np.broadcast_to(np.asarray(probability, dtype=np.float64), stages)
    if not ((numbers > 0) & (numbers <= 1)).all():
        raise ValueError(f"mutation probability {probability!r}: must be above 0 and at most 1")
    return numbers


@dataclass(frozen=True, eq=False)
class StageMutation:
    """Each stage (scoring group) mutates with `probability`, at least one does: another of its contents is drawn.

    All contents of a stage in `reduced` are equally likely; for the full space give `ReducedSpace.full(space)`.
    """

    reduced: ReducedSpace
    probability: float = 0.5

    @property
    def space(self) -> SequenceSpace:
        """The space that the codes belong to."""
        return self.reduced.space

    def sample(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw `size` architectures of the reduced space, uniformly."""
        return self.reduced.sample_codes(rng, size)

    def mutate(self, rng: np.random.Generator, codes: Codes) -> Codes:
        """Return a changed copy of each architecture [N, code_width] of the reduced space."""
        sizes = np.array([len(group) for group in self.reduced.groups])
        probability = checked_probability(self.probability, len(sizes))
        chosen = choose_stages(rng, len(codes), np.where(sizes > 1, probability, 0.0))
        places = self.reduced.positions(codes)
        others = (places + 1 + rng.integers(np.maximum(sizes - 1, 1), size=places.shape)) % sizes
        return self.reduced.at(np.where(chosen, others, places))

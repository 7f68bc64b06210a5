"""What labs 2 to 4 are about: rows of the bundled table, their frontier, and the surrogate that labels networks."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.labs.answers import MOST, filled_in, listed
from autobuild_book.labs.verdicts import AnswerError, require
from autobuild_lib import data, surrogate
from autobuild_lib.data import Table
from autobuild_lib.search import costs, front
from autobuild_lib.spaces import Architecture, SpaceError, ofa_mbv3
from autobuild_lib.units.reduced import ReducedSpace
from autobuild_lib.values import shown

Array = npt.NDArray[np.float64]
LATENCY = "latency_gpu"
REGIONS = ("fast", "balanced", "accurate")
ROWS = 2400  # of the bundled table that a lab has


@dataclass(frozen=True, eq=False)
class Frontier:
    """The networks of a lab's table that no other one of it dominates, fastest first, labelled without noise.

    labels: a row per network, columns acc, latency_gpu, ...; points: [n, 2] costs (latency, negative accuracy).
    table: labels of the whole table.
    """

    architectures: tuple[Architecture, ...]
    labels: pd.DataFrame
    points: Array
    table: pd.DataFrame

    def region(self, name: str) -> Array:
        """Return the points of the fast, balanced or accurate third of the frontier, by rising latency."""
        return np.array_split(self.points, len(REGIONS))[REGIONS.index(name)]

    def region_of(self, place: int) -> str:
        """Name the region that the network at a place of the frontier (from 0) belongs to."""
        sizes = np.cumsum([len(self.region(name)) for name in REGIONS])
        return REGIONS[int(np.searchsorted(sizes, place, side="right"))]


def label(architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Label networks of OFA-MobileNetV3 by the bundled surrogate without noise: acc, latency_gpu, ..."""
    return surrogate.ofa_mbv3().predict(architectures)


def costs_of(architectures: Sequence[Architecture]) -> Array:
    """Return the costs (latency on the GPU, negative accuracy) of networks, [N, 2]."""
    return costs(label(architectures), "acc", LATENCY)


@functools.cache
def table(seed: int) -> Table:
    """Return `ROWS` rows of the bundled table of OFA-MobileNetV3, drawn by a seed, in their order."""
    bundled = data.load("ofa_mbv3")
    return bundled.take(np.sort(np.random.default_rng(seed).permutation(len(bundled))[:ROWS]))


@functools.cache
def frontier(seed: int) -> Frontier:
    """Return the frontier of the table of a seed: accuracy against GPU latency."""
    networks = table(seed).architectures
    labels = label(networks)
    points = costs(labels, "acc", LATENCY)
    chosen = np.flatnonzero(front(points))
    chosen = chosen[np.argsort(points[chosen, 0])]
    on_it = tuple(networks[place] for place in chosen)
    return Frontier(on_it, labels.iloc[chosen].reset_index(drop=True), points[chosen], labels)


def read_networks(answer: Any) -> list[Architecture]:
    """Read networks of OFA-MobileNetV3: a reduced space, or a sequence of architectures or of their texts."""
    space = ofa_mbv3()
    answer = [filled_in(answer)] if isinstance(answer, Architecture | str) else filled_in(answer)
    if isinstance(answer, ReducedSpace):
        require(
            answer.size <= MOST,
            f"{answer!r} has {answer.size:,} networks; at most {MOST:,} are labelled here.",
            "count",
        )
    try:
        networks = [space.parse(each) if isinstance(each, str) else each
                    for each in listed(answer, "Give a network, or several in a list.")]  # fmt: skip
    except SpaceError as error:
        raise AnswerError(f"This is no network of the family: {error}", "form") from None
    for each in networks:
        of_the_family = isinstance(each, Architecture) and each in space
        require(of_the_family, f"{shown(each)} is no network of {space.name} at resolution 224.", "form")
    require(networks, "There is no network in your answer.", "count")
    return networks

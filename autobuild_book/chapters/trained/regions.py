"""Claim C4 on trained networks: do the three best modules per unit, for an equation, improve a region of the front?

The equations are `p * log10(acc) - log10(latency)`, in the order of `power(acc, p) / latency`. The exponents are
computed from the front of the training rows alone: "fast" is the smallest p that anybody would want, below which the
fastest network of this front is the best; "accurate" the largest, above which the most accurate one is; "middle" their
geometric mean. All three differ by at least a factor of `STEP`, and stay within `LIMITS`.

Every network of a reduced space is looked up. Networks that compute the same count once.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.frontiers import front_places, mark_regions
from autobuild_book.chapters.shared.models.registry import RIDGE, find_model
from autobuild_book.chapters.shared.splits import subset
from autobuild_book.chapters.trained.recipes import PRESETS
from autobuild_book.chapters.trained.structures import K, Predicts, Structure, score_all
from autobuild_book.chapters.trained.truth import GRAPHS, OBJECTIVES, Rows, Truth, load_truth
from autobuild_book.dominance import dominates
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.data.table import Table
from autobuild_lib.search import costs
from autobuild_lib.spaces import Architecture
from autobuild_lib.spaces.layout import LINKS
from autobuild_lib.targets import Target
from autobuild_lib.units.reduced import GroupContents, ReducedSpace

Array = npt.NDArray[np.float64]
REGIONS = ("fast", "middle", "accurate")
THREE = 3  # structures that are kept in the first of the two alternatives to one
STEP, LIMITS = 3.0, (0.1, 1000.0)
DRAWS = 200  # random spaces
SIZES, SEEDS = (300, 1000), range(5)
KNOWN = "true effects"  # in place of a model
RECIPES = (*PRESETS, RIDGE.name, KNOWN)
KEY = ["source", "size", "seed", "recipe", "score", "region"]
SHARES = ["share", "three", "nine", "predicted"]
COLUMNS = [*KEY, "exponent", "structure", "networks", *SHARES, "random", "percentile"]


def exponents(labels: pd.DataFrame) -> dict[str, float]:
    """Choose the exponent of every region from the labels of training rows."""
    points = costs(labels, *OBJECTIVES)
    line = points[front_places(points)]
    latency, acc = np.log10(line[:, 0]), np.log10(-line[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        from_fastest = (latency[1:] - latency[0]) / (acc[1:] - acc[0])
        to_most_accurate = (latency[-1] - latency[:-1]) / (acc[-1] - acc[:-1])
    low, high = np.clip([from_fastest.min(initial=np.inf), to_most_accurate.max(initial=-np.inf)], *LIMITS)
    middle = np.sqrt(low * high)
    values = (min(low, middle / STEP), middle, max(high, middle * STEP))
    return {region: float(f"{value:.3g}") for region, value in zip(REGIONS, values, strict=True)}


def equation(exponent: float) -> str:
    """Return the target of an exponent."""
    return f"{exponent:g} * log10(acc) - log10(latency)"


@functools.cache
def random_rows(truth: Truth, draws: int = DRAWS) -> list[Rows]:
    """Draw reduced spaces, of a random structure and random modules, and return the rows of the networks of each."""
    space, rng = truth.table.space, np.random.default_rng(draws)
    every = [ReducedSpace.full(space, **{LINKS: name}) for name, _ in space.links]
    drawn = []
    for _ in range(draws):
        full = every[rng.integers(len(every))]
        groups = (GroupContents(group.codes[rng.permutation(len(group))[:K]], np.zeros(K)) for group in full.groups)
        drawn.append(truth.distinct(ReducedSpace(space, full.head, tuple(groups)).codes()))
    return drawn


@dataclass(frozen=True, eq=False)
class Field:
    """Training rows, what aims at regions of their front, and which networks improve it.

    improves: by region, which rows of the whole table dominate a point of the front that is in the region, [rows].
    """

    truth: Truth
    train: Table
    exponents: Mapping[str, float]
    improves: Mapping[str, npt.NDArray[np.bool_]]

    @classmethod
    def draw(cls, truth: Truth, size: int, seed: int) -> "Field":
        """Draw training rows, and find the regions of their front."""
        train = subset(truth.table, size, seed)
        points, chosen = costs(train.labels, *OBJECTIVES), exponents(train.labels)
        places = front_places(points)
        equations = {region: equation(exponent) for region, exponent in chosen.items()}
        marks = mark_regions(equations, train.labels.iloc[places])
        line, better = points[places], truth.points
        improves = {region: np.any(dominates(better, line[mark]), axis=1) for region, mark in marks.items()}
        return cls(truth, train, chosen, improves)

    def share(self, region: str, *spaces: ReducedSpace) -> tuple[float, int]:
        """Return which share of the distinct networks of reduced spaces improves a region, and how many there are."""
        rows = self.truth.distinct(np.concatenate([space.codes() for space in spaces]))
        return float(self.improves[region][rows].mean()) if len(rows) else float("nan"), len(rows)


@dataclass(frozen=True, eq=False)
class TrueEffects:
    """No model at all: the labels themselves. What the best modules would be worth if their effects were known."""

    truth: Truth
    target: str

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Return the target of networks, [N]; of those that nobody trained, the lowest of all."""
        values = Target(self.target).evaluate(self.truth.table.labels)
        rows = self.truth.rows(self.truth.table.space.to_codes(architectures))
        return np.where(rows >= 0, values[rows], values.min())


@dataclass(frozen=True)
class RegionsPart:
    """One model on one training subset: a reduced space for each score and region."""

    source: str
    size: int
    seed: int
    recipe: str

    @property
    def key(self) -> str:
        """A name for everything that the rows depend on but code."""
        return key_of("regions", self.source, load_truth(self.source).table.sha256, self.size, self.seed, self.recipe)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 2 + (0.005 * self.size if self.recipe not in (RIDGE.name, KNOWN) else 0)

    def measure(self) -> pd.DataFrame:
        """Return a row per score and region, see `COLUMNS`.

        share: of the networks of the best structure's space that dominate a point of the region; three, nine: the
        same for the spaces of the three best structures together, and of all; predicted: for the structure whose space
        has the highest mean prediction; random: in the mean over random spaces; percentile: of the share among them.
        """
        field, rows = Field.draw(load_truth(self.source), self.size, self.seed), []
        for region, model in zip(REGIONS, self._models(field), strict=True):
            by_chance = np.sort([field.improves[region][drawn].mean() for drawn in random_rows(field.truth)])
            for score, structures in score_all(model, field.train.space).items():
                rows.append((score, region, field.exponents[region], *_row(field, region, structures, by_chance)))
        frame = pd.DataFrame(rows, columns=COLUMNS[4:])
        return frame.assign(source=self.source, size=self.size, seed=self.seed, recipe=self.recipe)[COLUMNS]

    def _models(self, field: Field) -> Sequence[Predicts]:
        targets = [equation(exponent) for exponent in field.exponents.values()]
        if self.recipe == KNOWN:
            return [TrueEffects(field.truth, target) for target in targets]
        return find_model(self.recipe).fit_many(field.train, targets, self.seed)


def _row(field: Field, region: str, structures: Sequence[Structure], by_chance: Array) -> tuple[object, ...]:
    spaces = [structure.top() for structure in structures]
    share, networks = field.share(region, spaces[0])
    likeliest = max(structures, key=lambda structure: structure.mean_prediction)
    others = (spaces[:THREE], spaces, [likeliest.top()])
    worse, not_better = (by_chance < share).mean(), (by_chance <= share).mean()
    shares = (share, *(field.share(region, *some)[0] for some in others))
    return structures[0].name, networks, *shares, by_chance.mean(), 50 * (worse + not_better)


def plan(
    sizes: Sequence[int] = SIZES, seeds: Sequence[int] = SEEDS, recipes: Sequence[str] = RECIPES
) -> list[RegionsPart]:
    """Return a part per data set, training size, seed and model."""
    return [
        RegionsPart(source, size, seed, recipe)
        for source in GRAPHS
        for size in sizes
        for seed in seeds
        for recipe in recipes
    ]


SECTION = Section(
    "trained", "regions", "what the best modules for a region of the front are worth", plan, SIZES, tuple(SEEDS)
)

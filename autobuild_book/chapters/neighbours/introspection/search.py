"""Does AutoBuild's reduced space improve the front of error and introspectability, evaluations equal?

The original searches with NSGA-II. So does the first rival, among all networks of the pool; the other is random search.
AutoBuild learns from random networks. Its last `BUILT` evaluations are new networks of the product of the three best
modules per unit, for one equation, the sum of the ranks of accuracy and introspectability; or the best of three such
products, for this equation and for each objective alone; and random ones where there are too few. All are looked up.

The hypervolume is that up to the pool's medians of both objectives, as a share of that of the pool's front. Labels are
of one training, and chosen by: differences say how well a method finds the table's front, not how good networks are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.neighbours.introspection.pool import ERROR, INTROSPECTABILITY, SPACE, pool
from autobuild_book.chapters.shared.models.registry import TUNED
from autobuild_book.chapters.shared.nsga2 import nsga2
from autobuild_book.dominance import hypervolume_curve
from autobuild_book.intervals import mean_with_interval
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.data.table import Table
from autobuild_lib.search import costs
from autobuild_lib.spaces import Architecture
from autobuild_lib.torch_settings import one_thread
from autobuild_lib.units.corpus import score_units

Array = npt.NDArray[np.float64]
K, BUILT, ROUNDS = 3, 27, 4
BUDGETS, SEEDS = (54,), tuple(range(10))
ACCURATE = f"ranks(0 - {ERROR})"
EQUATIONS = (f"{ACCURATE} + ranks({INTROSPECTABILITY})", ACCURATE, f"ranks({INTROSPECTABILITY})")
NSGA2, RANDOM, ONE, THREE = "NSGA-II", "random", "AutoBuild, one equation", "AutoBuild, three equations"
METHODS = (NSGA2, RANDOM, ONE, THREE)
COLUMNS = ["method", "budget", "seed", "hypervolume"]


@dataclass(frozen=True)
class FrontPart:
    """All methods with one seed and one number of evaluations."""

    budget: int
    seed: int

    @property
    def key(self) -> str:
        """Changes with the pool."""
        return key_of("introspection", pool().sha256, self.budget, self.seed, K, BUILT, ROUNDS)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 4

    def measure(self) -> pd.DataFrame:
        """Return the share of the front's hypervolume that every method has."""
        with one_thread():
            labels = {NSGA2: evolve(self.budget, self.seed), **learn(self.budget, self.seed)}
        drawn = np.random.default_rng([self.seed, self.budget]).permutation(len(pool()))[: self.budget]
        labels[RANDOM] = pool().labels.iloc[drawn]
        rows = [(method, self.budget, self.seed, share(labels[method])) for method in METHODS]
        return pd.DataFrame(rows, columns=COLUMNS)


def look_up(architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Return the labels of networks, a row each."""
    places = {architecture: place for place, architecture in enumerate(pool().architectures)}
    return pool().labels.iloc[[places[each] for each in architectures]].reset_index(drop=True)


def share(labels: pd.DataFrame) -> float:
    """Return the hypervolume of evaluated networks, as a share of that of the whole pool."""
    every = costs(pool().labels, INTROSPECTABILITY, ERROR)
    reference = np.median(every, axis=0)
    evaluated = costs(labels[[ERROR, INTROSPECTABILITY]], INTROSPECTABILITY, ERROR)
    return float(hypervolume_curve(evaluated, reference)[-1] / hypervolume_curve(every, reference)[-1])


def evolve(budget: int, seed: int) -> pd.DataFrame:
    """Return what NSGA-II evaluates: a start, and `ROUNDS` generations, about as large."""
    size = budget // (ROUNDS + 1)
    start = budget - ROUNDS * size
    return nsga2(SPACE, look_up, maximise=INTROSPECTABILITY, minimise=ERROR, seed=seed, start=start, rounds=ROUNDS,
                 mutations=size, progress=False)  # fmt: skip


def learn(budget: int, seed: int) -> dict[str, pd.DataFrame]:
    """Return what AutoBuild evaluates: what it learns from, and what it builds, nothing twice."""
    order = np.random.default_rng([seed, budget]).permutation(len(pool()))
    learnt: Table = pool().take(np.sort(order[: budget - BUILT]))
    others = [pool().architectures[place] for place in order[budget - BUILT :]]  # where products have too few
    wishes = []
    for predictor in TUNED.fit_many(learnt, EQUATIONS, seed):
        reduced = score_units(predictor, progress=False).top(K)
        wishes.append(reduced.best(len(reduced)))
    by_turns = [architecture for turn in zip(*wishes, strict=True) for architecture in turn]
    return {method: pd.concat([learnt.labels, look_up(_first([*wished, *others], learnt.architectures))])
            for method, wished in ((ONE, wishes[0]), (THREE, by_turns))}  # fmt: skip


def _first(wished: Sequence[Architecture], learnt: Sequence[Architecture]) -> list[Architecture]:
    """Return the first `BUILT` networks that are wished, each once and without those that were learnt from."""
    seen = set(learnt)
    return [each for each in dict.fromkeys(wished) if each not in seen][:BUILT]


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[FrontPart]:
    """Return a part per seed and number of evaluations."""
    if wrong := [size for size in sizes if not 2 * BUILT <= size <= len(pool())]:
        raise ValueError(f"{wrong[0]} evaluations; allowed are {2 * BUILT} to {len(pool())}")
    return [FrontPart(size, seed) for seed in seeds for size in sizes]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean share of the front's hypervolume by method, and what it is ahead of NSGA-II, seed by seed.

    low, high, ahead_low, ahead_high: ends of the 95 % intervals over seeds.
    """
    lines = []
    for budget, group in rows.groupby("budget"):
        by_seed = group.pivot_table(index="seed", columns="method", values="hypervolume", sort=False)
        for method in METHODS:
            ahead = (by_seed[method] - by_seed[NSGA2]).to_numpy()
            intervals = *mean_with_interval(by_seed[method].to_numpy()), *mean_with_interval(ahead)
            lines.append((budget, method, len(by_seed), *intervals))
    return pd.DataFrame(lines, columns=["budget", "method", "seeds", "hypervolume", "low", "high", "ahead",
                                        "ahead_low", "ahead_high"])  # fmt: skip


SECTION = Section("neighbours", "introspection", "the front of error and introspectability, with and without AutoBuild",
                  plan, BUDGETS, SEEDS)  # fmt: skip

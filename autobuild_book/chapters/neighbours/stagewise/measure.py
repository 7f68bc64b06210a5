"""The measurement of stage-wise search: the best network of 100 evaluations, beside random and AutoBuild.

Everybody has the same number of evaluations. AutoBuild learns from all but `BUILT`, drawn at random, and spends these
on what it builds. On Accel-NASBench, which trained few networks of its space, all three choose among those (see
`sources.Trained`). Labels of the families are those of surrogates: evidence about the search, not about ImageNet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.neighbours.stagewise.growth import Record, grow
from autobuild_book.chapters.neighbours.stagewise.sources import SOURCES, Source, as_table, load_source, reference_of
from autobuild_book.chapters.shared.models.registry import TUNED
from autobuild_book.intervals import mean_with_interval
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.spaces import Codes
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread

Array = npt.NDArray[np.float64]
STAGEWISE, RANDOM, AUTOBUILD = "stage-wise", "random", "AutoBuild"
METHODS = (STAGEWISE, RANDOM, AUTOBUILD)
BUDGETS, SEEDS = (100,), tuple(range(10))
BUILT = 25  # evaluations that AutoBuild keeps for what it builds
COLUMNS = ["source", "target", "method", "budget", "seed", "value", "sds"]


@dataclass(frozen=True)
class StagePart:
    """All methods on one source with one seed and one number of evaluations."""

    source: str
    budget: int
    seed: int

    @property
    def key(self) -> str:
        """Changes with the labels and with what is asked for."""
        return key_of("stages", self.source, load_source(self.source).sha256, self.budget, self.seed, BUILT)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 2 + self.budget / 60

    def measure(self) -> pd.DataFrame:
        """Return the best value that every method evaluated, and how many standard deviations above the mean it is.

        Mean and deviation are those of random networks, or of all rows of a table.
        """
        source = load_source(self.source)
        with one_thread():
            best = {method: run(source, self.budget, self.seed) for method, run in RUNS.items()}
        rows = []
        for target in source.targets:
            mean, deviation = reference_of(self.source, target)
            for method, values in best.items():
                sds = (values[target] - mean) / deviation
                rows.append((self.source, target, method, self.budget, self.seed, values[target], sds))
        return pd.DataFrame(rows, columns=COLUMNS)


def stagewise(source: Source, budget: int, seed: int) -> dict[str, float]:
    """Return the best value of each target that stage-wise search evaluates."""
    best = {}
    for target in source.targets:
        record = Record(_values(source, target), budget)
        grow(source.space, record, np.random.default_rng([seed, budget]), source.snap())
        best[target] = max(record.seen.values())
    return best


def random(source: Source, budget: int, seed: int) -> dict[str, float]:
    """Return the best value of each target among random networks."""
    codes = source.draw(np.random.default_rng([seed, budget]), budget)
    return {target: float(_values(source, target)(codes).max()) for target in source.targets}


def autobuild(source: Source, budget: int, seed: int) -> dict[str, float]:
    """Return the best value of each target among the networks that AutoBuild learns from and builds."""
    learnt = source.draw(np.random.default_rng([seed, budget]), budget - BUILT)
    best = {}
    predictors = TUNED.fit_many(as_table(source, learnt), source.targets, seed)
    for target, predictor in zip(source.targets, predictors, strict=True):
        built = source.built(predictor, learnt, BUILT)
        best[target] = float(_values(source, target)(np.concatenate([learnt, built])).max())
    return best


RUNS: dict[str, Callable[[Source, int, int], dict[str, float]]] = {
    STAGEWISE: stagewise, RANDOM: random, AUTOBUILD: autobuild,
}  # fmt: skip


def _values(source: Source, target: str) -> Callable[[Codes], Array]:
    def values(codes: Codes) -> Array:
        return Target(target).evaluate(source.labels(codes))

    return values


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[StagePart]:
    """Return a part per seed, number of evaluations and source."""
    if few := [size for size in sizes if size <= 2 * BUILT]:
        raise ValueError(f"{few[0]} evaluations; AutoBuild needs more than {2 * BUILT}")
    return [StagePart(source, size, seed) for seed in seeds for size in sizes for source in SOURCES]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds by source, target, evaluations and method, and what stage-wise search is ahead, seed by seed.

    sds: standard deviations of random networks above their mean, with low and high, the 95 % interval; ahead: of
    stage-wise search over the method, with its interval.
    """
    lines = []
    for names, group in rows.groupby(["source", "target", "budget"], sort=False):
        by_seed = group.pivot_table(index="seed", columns="method", values="sds", sort=False)
        for method in METHODS:
            ahead = (by_seed[STAGEWISE] - by_seed[method]).to_numpy()
            lines.append((*names, method, len(by_seed), *mean_with_interval(by_seed[method].to_numpy()),
                          *mean_with_interval(ahead)))  # fmt: skip
    return pd.DataFrame(lines, columns=["source", "target", "budget", "method", "seeds", "sds", "low", "high",
                                        "ahead", "ahead_low", "ahead_high"])  # fmt: skip


SECTION = Section("neighbours", "stages", "stage-wise search beside AutoBuild, evaluations equal", plan, BUDGETS, SEEDS)

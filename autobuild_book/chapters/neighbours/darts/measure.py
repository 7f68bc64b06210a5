"""The measurement of EM-DARTS: what it, random search and AutoBuild find at equal training cost.

Cost is counted in images times operations that are run forwards and backwards. Random search and AutoBuild train whole
networks, `SHORT` epochs each, and judge by the images for labels, until they have spent what the supernet has;
AutoBuild trains random networks for `LEARNT` of that, and what it builds for the rest. What each ends with is trained
again from scratch, `LONG` epochs with `RETRAINED` other seeds, and judged on the images for comparisons at the end.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autobuild_book.chapters.neighbours.darts import networks, supernet
from autobuild_book.chapters.neighbours.darts.networks import SPACE
from autobuild_book.chapters.shared.models.registry import TUNED
from autobuild_book.intervals import mean_with_interval
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.data.table import make_table
from autobuild_lib.spaces import Architecture
from autobuild_lib.torch_settings import one_thread
from autobuild_lib.units.corpus import score_units

SHORT, LONG, RETRAINED = 6, 25, 2
LEARNT, K = 0.75, 3  # share of the cost that AutoBuild learns from; modules of a unit that it keeps
DARTS, RANDOM, AUTOBUILD = "EM-DARTS", "random", "AutoBuild"
METHODS = (DARTS, RANDOM, AUTOBUILD)
SEEDS = tuple(range(3))
COLUMNS = ["method", "seed", "architecture", "layers", "trained", "passes", "accuracy"]
Labels = dict[Architecture, float]


@dataclass(frozen=True)
class DartsPart:
    """One method with one seed."""

    method: str
    seed: int

    @property
    def key(self) -> str:
        """Changes with what is trained, and for how long."""
        return key_of("darts", self.method, self.seed, SHORT, LONG, RETRAINED, LEARNT, K, supernet.EPOCHS)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 12

    def measure(self) -> pd.DataFrame:
        """Return one row: the network, how many were trained, the cost, and accuracy at the end."""
        with one_thread():
            if self.method == DARTS:
                searched = supernet.search(self.seed)
                best, trained, passes = searched.architecture, 1, searched.passes
            else:
                labels = {RANDOM: random, AUTOBUILD: autobuild}[self.method](supernet.passes_of_search(), self.seed)
                best, trained, passes = max(labels, key=lambda each: labels[each]), len(labels), cost(labels)
            seeds = [1_000 * (self.seed + 1) + again for again in range(RETRAINED)]
            accuracy = np.mean([networks.accuracy(networks.train(best, LONG, seed), "final") for seed in seeds])
        row = (self.method, self.seed, str(best), sum(best.depths), trained, passes, float(accuracy))
        return pd.DataFrame([row], columns=COLUMNS)


def cost(architectures: Iterable[Architecture]) -> int:
    """Return images times operations of short trainings."""
    return SHORT * len(networks.series("train")[1]) * sum(sum(each.depths) for each in architectures)


def label_until(budget: int, candidates: Iterator[Architecture], labels: Labels, seed: int) -> Labels:
    """Return labels of candidates beside those that are there, each once, as long as the cost stays in the budget."""
    labels = dict(labels)
    for architecture in candidates:
        if architecture not in labels:
            if cost([*labels, architecture]) > budget:
                break
            labels[architecture] = networks.accuracy(networks.train(architecture, SHORT, seed), "labels")
    return labels


def _drawn(seed: int) -> Iterator[Architecture]:
    rng = np.random.default_rng(seed)
    return (SPACE.sample(rng) for _ in itertools.count())


def random(budget: int, seed: int) -> Labels:
    """Return the labels of random networks."""
    return label_until(budget, _drawn(seed), {}, seed)


def autobuild(budget: int, seed: int) -> Labels:
    """Return the labels of random networks, and of the best of the `K` best modules of every unit."""
    learnt = label_until(round(LEARNT * budget), _drawn(seed), {}, seed)
    table = make_table(SPACE, list(learnt), {"acc": list(learnt.values())}, source="trained", kind="measured here")
    (predictor,) = TUNED.fit_many(table, ["acc"], seed)
    built = score_units(predictor, progress=False).top(K)
    return label_until(budget, iter(built.best(len(built))), learnt, seed)


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[DartsPart]:
    """Return a part per seed and method."""
    return [DartsPart(method, seed) for seed in seeds for method in METHODS]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy at the end by method, what EM-DARTS is ahead seed by seed, layers, and cost.

    low, high, ahead_low, ahead_high: ends of the 95 % intervals over seeds.
    """
    by_seed = rows.pivot_table(index="seed", columns="method", values="accuracy", sort=False)
    means = rows.groupby("method")[["layers", "trained", "passes"]].mean()
    lines = []
    for method in METHODS:
        ahead = (by_seed[DARTS] - by_seed[method]).to_numpy()
        intervals = *mean_with_interval(by_seed[method].to_numpy()), *mean_with_interval(ahead)
        lines.append((method, len(by_seed), *intervals, *means.loc[method]))
    return pd.DataFrame(lines, columns=["method", "seeds", "accuracy", "low", "high", "ahead", "ahead_low",
                                        "ahead_high", "layers", "trained", "passes"])  # fmt: skip


SECTION = Section("neighbours", "darts", "EM-DARTS beside random search and AutoBuild at equal training cost", plan,
                  seeds=SEEDS)  # fmt: skip

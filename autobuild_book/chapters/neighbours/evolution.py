"""Searches for the most accurate cell of NAS-Bench-201, each evaluation a look-up: how good is the best of so many?

All have the same evaluations and no network counts twice. AutoBuild learns from half of them, drawn at random, and
spends the others on the networks that it likes best; the searches start with ten random networks. A rank is that of
the network with the highest accuracy so far among all 9,445 of the table.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.neighbours.bayesian import bayesian_search
from autobuild_book.chapters.neighbours.cells import NONE, TrainedCells, trained_cells
from autobuild_book.chapters.neighbours.grammars.counting import Counts
from autobuild_book.chapters.neighbours.grammars.derivations import Derivation, term_of
from autobuild_book.chapters.neighbours.grammars.grammar import load_grammar
from autobuild_book.chapters.neighbours.grammars.moves import crossed, mutated
from autobuild_book.chapters.neighbours.hierarchical import Genotype, Hierarchy
from autobuild_book.chapters.neighbours.nas_bench_201 import OPERATIONS, UNITS
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.chapters.shared.models.registry import TUNED
from autobuild_book.chapters.shared.splits import drawn_rows
from autobuild_book.chapters.shared.tournaments import Tournaments
from autobuild_book.intervals import mean_with_interval
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.torch_settings import one_thread
from autobuild_lib.units.corpus import score_units

Network = TypeVar("Network")
Rows = npt.NDArray[np.int64]
BUDGETS, SEEDS = (50, 100, 200), tuple(range(20))
START, RIVALS = 10, 3  # networks that a search draws at first, and that compete in a tournament
SHARE = 0.05  # of the population that competes, in hierarchical evolution as in its paper
MUTATIONS = 200  # of the trivial genotype, for each network of the first population: it has 18 edges
RANDOM, REGULARISED, HIERARCHICAL = "random", "regularised evolution", "hierarchical evolution"
GRAMMAR, BAYESIAN = "grammar evolution", "Gaussian process, hierarchical WL kernel"
EFFECT, PREDICTED = "effect score", "top predicted"  # what AutoBuild likes
AUTOBUILD = {"AutoBuild": "acc", "AutoBuild on ranks": "ranks(acc)"}  # what it learns
COLUMNS = ["method", "seed", "budget", "rank", "acc"]
MOTIFS = Hierarchy(
    tuple(name for number, name in enumerate(OPERATIONS) if number != NONE), "skip_connect", ((4, 3), (1, 4))
)  # four motifs of three vertices, and one of four that is made of them


def random_search(cells: TrainedCells, rng: np.random.Generator, budget: int) -> Rows:
    """Return rows of the table, drawn."""
    return rng.permutation(len(cells.table))[:budget]


def regularised(cells: TrainedCells, rng: np.random.Generator, budget: int) -> Rows:
    """Change one operation of the best of a tournament; the oldest cell makes room."""
    places = len(UNITS)

    def change(rng: np.random.Generator, parent: Rows) -> Rows:
        child, place = parent.copy(), rng.integers(places)
        child[place] = (child[place] + rng.integers(1, len(OPERATIONS))) % len(OPERATIONS)
        return child

    def draw(rng: np.random.Generator) -> Rows:
        return rng.integers(len(OPERATIONS), size=places)

    return _tournaments(cells, draw, change, lambda cell: int(cells.rows(cell[None])[0]))(rng, budget)


def hierarchical(cells: TrainedCells, rng: np.random.Generator, budget: int) -> Rows:
    """Change one edge of one motif of the best of a tournament; all stay. Networks that are no cells are drawn anew."""

    def row(genotype: Genotype) -> int | None:
        cell = MOTIFS.assembled(genotype).cell()
        return None if cell is None else cells.row(cell)

    def draw(rng: np.random.Generator) -> Genotype:
        return MOTIFS.drawn(rng, MUTATIONS)

    def change(rng: np.random.Generator, parent: Genotype) -> Genotype:
        return MOTIFS.mutated(parent, rng)

    return _tournaments(cells, draw, change, row, share=SHARE, aging=False)(rng, budget)


def grammar_evolution(cells: TrainedCells, rng: np.random.Generator, budget: int) -> Rows:
    """Derive a part anew, or swap parts of two winners of tournaments, as often; the oldest derivation makes room."""
    counts = Counts(load_grammar("cells"))

    def change(rng: np.random.Generator, first: Derivation, second: Derivation) -> Derivation:
        return mutated(counts, first, rng) if rng.random() < 0.5 else crossed(counts, first, second, rng)[0]

    return _tournaments(cells, counts.sample, change, row_of_derivation(cells, counts), parents=2)(rng, budget)


def bayesian(cells: TrainedCells, rng: np.random.Generator, budget: int) -> Rows:
    """Evaluate those of the highest expected improvement, see `bayesian_search`."""
    counts = Counts(load_grammar("cells"))
    row = row_of_derivation(cells, counts)
    searched = bayesian_search(counts, row, lambda d: float(cells.accuracies[row(d)]), rng, budget, START)
    return np.array([row(derivation) for derivation in searched])


def row_of_derivation(cells: TrainedCells, counts: Counts) -> Callable[[Derivation], int]:
    """Return what gives the row of a derivation of the grammar "cells"."""

    @functools.lru_cache(maxsize=50_000)
    def row(derivation: Derivation) -> int:
        return cells.row([part.name for part in term_of(counts.grammar, derivation).arguments])

    return row


def _tournaments(
    cells: TrainedCells, draw: Callable[[np.random.Generator], Network], change: Callable[..., Network],
    row: Callable[[Network], int | None], share: float = 0.0, parents: int = 1, aging: bool = True,
) -> Callable[[np.random.Generator, int], Rows]:  # fmt: skip
    def value(network: Network) -> float:
        return float(cells.accuracies[row(network)])

    search = Tournaments(draw, change, row, value, START, RIVALS, share, parents, aging)
    return lambda rng, budget: np.array([row(network) for network in search.run(rng, budget)])


SEARCHES: dict[str, Callable[[TrainedCells, np.random.Generator, int], Rows]] = {
    RANDOM: random_search,
    REGULARISED: regularised,
    HIERARCHICAL: hierarchical,
    GRAMMAR: grammar_evolution,
    BAYESIAN: bayesian,
}


def proposals(cells: TrainedCells, budget: int, seed: int, target: str) -> dict[str, Rows]:
    """Return what AutoBuild evaluates: half of the budget at random, then those of the highest summed effect score.

    Beside it, those with the best predictions of the whole network. Where the target are ranks, a few networks that
    failed are not all that its squared error sees.
    """
    learnt = drawn_rows(len(cells.table), budget // 2, seed)
    with one_thread():
        (predictor,) = TUNED.fit_many(cells.table.take(learnt), [target], seed)
        modules = score_units(predictor, "effect", progress=False).everything()
        liked = {EFFECT: modules.scores(cells.table.architectures),
                 PREDICTED: predictor.predict(cells.table.architectures)}  # fmt: skip
    chosen = {}
    for method, scores in liked.items():
        order = np.argsort(-scores, kind="stable")
        chosen[method] = np.concatenate([learnt, order[~np.isin(order, learnt)]])[:budget]
    return chosen


@dataclass(frozen=True)
class EvolutionPart:
    """A search, or AutoBuild, with one seed."""

    method: str
    seed: int

    @property
    def key(self) -> str:
        """A name for everything that the rows depend on but code."""
        return key_of("evolution", trained_cells().table.sha256, self.method, self.seed, BUDGETS, START, RIVALS, SHARE)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 6.0 if self.method in AUTOBUILD else {BAYESIAN: 4.0, HIERARCHICAL: 2.0}.get(self.method, 0.5)

    def measure(self) -> pd.DataFrame:
        """Return the best of each budget, see `COLUMNS`."""
        cells = trained_cells()
        if self.method in AUTOBUILD:
            made = {budget: proposals(cells, budget, self.seed, AUTOBUILD[self.method]) for budget in BUDGETS}
            names = made[BUDGETS[0]]
            rows = [(f"{self.method}, {name}", budget, made[budget][name]) for name in names for budget in BUDGETS]
        else:
            rng = np.random.default_rng([self.seed, BUDGETS[-1]])
            evaluated = look_up("search", self.method, SEARCHES)(cells, rng, BUDGETS[-1])
            rows = [(self.method, budget, evaluated[:budget]) for budget in BUDGETS]
        best = [(name, self.seed, budget, some[cells.ranks[some].argmin()]) for name, budget, some in rows]
        final = [(name, seed, budget, cells.ranks[row], cells.accuracies[row]) for name, seed, budget, row in best]
        return pd.DataFrame(final, columns=COLUMNS)


def plan(sizes: Sequence[int] = (), seeds: Sequence[int] = SEEDS) -> list[EvolutionPart]:
    """Return a part per seed and method."""
    return [EvolutionPart(method, seed) for seed in seeds for method in (*SEARCHES, *AUTOBUILD)]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean best accuracy with its 95 % interval, and geometric mean rank with the interval of its logarithm.

    A row per method and budget.
    """
    means = []
    for (method, budget), group in rows.groupby(["method", "budget"], sort=False):
        ranks = np.exp(mean_with_interval(np.log(group["rank"].to_numpy())))
        means.append((method, budget, len(group), *ranks, *mean_with_interval(group["acc"].to_numpy())))
    names = ["method", "budget", "seeds", "rank", "rank_low", "rank_high", "acc", "acc_low", "acc_high"]
    return pd.DataFrame(means, columns=names)


SECTION = Section("neighbours", "evolution", "searches on NAS-Bench-201 at equal evaluations", plan, (), SEEDS)

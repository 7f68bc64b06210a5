"""What a practitioner asks: with so many evaluations in all, how good is the best network that each method ends with?

Whoever learns from labels trains on all but `BUILT` of its evaluations, drawn at random, and spends these last ones on
the networks that it likes best among those that were trained: by the summed scores of their modules, or by what is
predicted for the whole network. Every method sees validation accuracy only, and ends with the network of the highest
that it has evaluated. Its rank, among all, is by validation accuracy, and once more by test accuracy.

Accel-NASBench trained few networks of a large space. There everybody chooses among these, and evolution cannot run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.registry import EMBEDDED, ENSEMBLE, FOREST_GRAF, RIDGE, find_model
from autobuild_book.chapters.shared.splits import subset
from autobuild_book.chapters.trained.moves import StructureMutation, regularised_evolution
from autobuild_book.chapters.trained.recipes import AUTOBUILD
from autobuild_book.chapters.trained.structures import Predicts, members, score_all, scores_of
from autobuild_book.chapters.trained.truth import GRAPHS, Rows, Truth, load_truth
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.spaces import Codes
from autobuild_lib.units.corpus import score_units

Array = npt.NDArray[np.float64]
ACCEL = "accel-nasbench"
SOURCES = (*GRAPHS, ACCEL)
BUDGETS, SEEDS = (100, 300, 1000), range(20)
MIDDLE, FEWER = 300, 5  # the budget of the aim, with all seeds; seeds of the other budgets
BUILT = 25  # evaluations that are kept for the networks that a method likes best
LABEL, TEST = "acc", "test_acc"
NO_MODEL = "none"
RECIPES = (NO_MODEL, *AUTOBUILD, ENSEMBLE.name, RIDGE.name, FOREST_GRAF.name, EMBEDDED.name)
RANDOM, EVOLUTION, PREDICTED = "random", "regularised evolution", "top predicted"
OURS = {"norm": "built by norm score", "effect": "built by effect score"}
COLUMNS = ["source", "budget", "seed", "recipe", "method", "rank", "test_rank", "built_rank", "built_test_rank"]


@dataclass(frozen=True)
class BestPart:
    """All methods that rest on one model, or on none, with one budget and one seed."""

    source: str
    budget: int
    seed: int
    recipe: str

    @property
    def key(self) -> str:
        """A name for everything that the rows depend on but code."""
        facts = (self.source, load_truth(self.source).table.sha256, self.budget, self.seed, self.recipe, BUILT)
        return key_of("best", *facts)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        usual = 2 + self.budget / 500
        return {NO_MODEL: 0.5, RIDGE.name: 0.5, FOREST_GRAF.name: 1.5, ENSEMBLE.name: 4 * usual}.get(self.recipe, usual)

    def measure(self) -> pd.DataFrame:
        """Return a row per method, see `COLUMNS`.

        rank, test_rank: of the best of all evaluated networks; built_rank, built_test_rank: of the best of the last
        `BUILT`. Test ranks are missing where there is no test accuracy.
        """
        truth = load_truth(self.source)
        chosen = without_model(truth, self.budget, self.seed) if self.recipe == NO_MODEL else self._with_model(truth)
        rows = [(method, *_ranks(truth, evaluated), *_ranks(truth, built))
                for method, (evaluated, built) in chosen.items()]  # fmt: skip
        frame = pd.DataFrame(rows, columns=COLUMNS[4:])
        frame = frame.assign(source=self.source, budget=self.budget, seed=self.seed, recipe=self.recipe)
        return frame[COLUMNS]

    def _with_model(self, truth: Truth) -> dict[str, tuple[Rows, Rows]]:
        train = subset(truth.table, self.budget - BUILT, self.seed)
        learnt = truth.rows(truth.table.space.to_codes(train.architectures))
        (model,) = find_model(self.recipe).fit_many(train, [LABEL], self.seed)
        left = np.setdiff1d(np.arange(len(truth.table)), learnt)
        chosen = {}
        for method, scores in wishes(truth, model).items():
            built = left[np.argsort(-scores[left], kind="stable")[:BUILT]]
            chosen[method] = np.concatenate([learnt, built]), built
        return chosen


def wishes(truth: Truth, model: Predicts) -> dict[str, Array]:
    """Return by method how much it likes every row of the table, [rows]; module scores are those of AutoBuild alone."""
    architectures = truth.table.architectures
    liked = {PREDICTED: model.predict(architectures)}
    if not members(model):
        return liked
    if truth.table.space.links:
        scored = score_all(model, truth.table.space).items()
        return liked | {OURS[score]: scores_of(structures, architectures) for score, structures in scored}
    for score, method in OURS.items():
        modules = score_units(members(model), score, progress=False).everything()
        liked[method] = modules.scores(architectures)
    return liked


def without_model(truth: Truth, budget: int, seed: int) -> dict[str, tuple[Rows, Rows]]:
    """Return the rows that random search and evolution evaluate, and the last `BUILT` of them."""
    evaluated = {RANDOM: np.random.default_rng([seed, budget]).permutation(len(truth.table))[:budget]}
    if truth.table.space.links:
        labels = truth.table.labels[LABEL].to_numpy()

        def values(codes: Codes) -> Array:
            rows = truth.rows(codes)
            return np.where(rows >= 0, labels[rows], np.nan)

        rng = np.random.default_rng([seed, budget])
        codes = regularised_evolution(StructureMutation.full(truth.table.space), values, rng, budget)
        evaluated[EVOLUTION] = truth.rows(codes)
    return {method: (rows, rows[-BUILT:]) for method, rows in evaluated.items()}


def _ranks(truth: Truth, rows: Rows) -> tuple[float, float]:
    """Return the rank of the best of some rows, by the label and by test accuracy."""
    ranks, trained = truth.ranks(LABEL), rows[rows >= 0]
    best = trained[np.argmin(ranks[trained])]
    test = truth.ranks(TEST)[best] if TEST in truth.table.labels else np.nan
    return float(ranks[best]), float(test)


def plan(
    sizes: Sequence[int] = BUDGETS, seeds: Sequence[int] = SEEDS, recipes: Sequence[str] = RECIPES
) -> list[BestPart]:
    """Return a part per seed, budget, data set and model; budgets other than `MIDDLE` have the first `FEWER` seeds."""
    return [
        BestPart(source, budget, seed, recipe)
        for seed in seeds
        for budget in sizes
        if budget == MIDDLE or seed < FEWER
        for source in SOURCES
        for recipe in recipes
    ]


SECTION = Section("trained", "best", "the best network of 100, 300 and 1,000 evaluations", plan, BUDGETS, tuple(SEEDS))

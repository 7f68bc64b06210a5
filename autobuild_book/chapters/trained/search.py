"""Claim C5 on trained networks: does evolution in a reduced space beat the full space, when labels are counted?

All searches maximise accuracy and minimise latency, and have `BUDGET` evaluations in all, each looked up in the table.
Whatever learns from labels pays for them: half of its budget is random training rows, and half the search. The reduced
space of *Unit-Reduce* is the union over the equations of three regions: of each its three best structures and the three
best modules per unit of the first of these. Random search and the training rows draw from the networks that were
trained; all others from the space, where several architectures may compute the same.

The hypervolume is measured in accuracy and the logarithm of latency, up to the median accuracy and the highest latency
of the table, as a share of that of the true front.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.registry import find_model
from autobuild_book.chapters.shared.nsga2 import nsga2
from autobuild_book.chapters.shared.splits import subset
from autobuild_book.chapters.trained.moves import StructureMutation
from autobuild_book.chapters.trained.recipes import PRESETS
from autobuild_book.chapters.trained.regions import equation, exponents
from autobuild_book.chapters.trained.structures import Predicts, score_all
from autobuild_book.chapters.trained.truth import GRAPHS, OBJECTIVES, Rows, Truth, load_truth
from autobuild_book.dominance import hypervolume_curve
from autobuild_book.layer_mutation import LayerMutation
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.search import costs, evolve
from autobuild_lib.spaces import Architecture
from autobuild_lib.units.reduced import ReducedSpace

Array = npt.NDArray[np.float64]
BUDGET, LEARNING = 300, 150  # evaluations in all, and of these training rows where a method learns
STEP = 50  # evaluations between two points of a curve
ROUNDS = 4  # after the start, each as large as the start
STRUCTURES = 3  # of each equation
SEEDS = range(20)
NO_MODEL = "none"
RECIPES = (NO_MODEL, *PRESETS)
OURS = {"norm": "Unit-Reduce (norm)", "effect": "Unit-Reduce (effect)"}
BASELINES = ("Stage-Full", "Layer-Full")  # the paper's; experts left no insight into these spaces
RANDOM, OUTSIDE, PREDICTED = "random", "NSGA-II", "top predicted"
COLUMNS = ["source", "seed", "recipe", "method", "evaluations", "hypervolume"]


@dataclass(frozen=True)
class SearchPart:
    """All searches of one seed that rest on one model, or on none."""

    source: str
    seed: int
    recipe: str

    @property
    def key(self) -> str:
        """A name for everything that the rows depend on but code."""
        facts = (self.source, load_truth(self.source).table.sha256, self.seed, self.recipe, BUDGET, LEARNING)
        return key_of("search", *facts)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 1.5 if self.recipe == NO_MODEL else 4

    def measure(self) -> pd.DataFrame:
        """Return the hypervolume every `STEP` evaluations, see `COLUMNS`."""
        truth = load_truth(self.source)
        searches = without_model(truth, self.seed) if self.recipe == NO_MODEL else self._with_model(truth)
        curves = [curve(truth, labels).assign(method=method) for method, labels in searches.items()]
        frame = pd.concat(curves, ignore_index=True)
        return frame.assign(source=self.source, seed=self.seed, recipe=self.recipe)[COLUMNS]

    def _with_model(self, truth: Truth) -> dict[str, pd.DataFrame]:
        rows = subset(truth.table, LEARNING, self.seed)
        learnt = rows.labels.sample(frac=1, random_state=self.seed)  # in a random order
        targets = [equation(exponent) for exponent in exponents(rows.labels).values()]
        models = find_model(self.recipe).fit_many(rows, targets, self.seed)
        searches = {PREDICTED: truth.table.labels.iloc[top_predicted(truth, models, rows.architectures)]}
        spaces: dict[str, list[ReducedSpace]] = {}
        for model in models:
            for score, structures in score_all(model, truth.table.space).items():
                best = structures[0].top()
                heads = [structure.modules.head for structure in structures[:STRUCTURES]]
                spaces.setdefault(score, []).extend(ReducedSpace(best.space, head, best.groups) for head in heads)
        for score, some in spaces.items():
            searches[OURS[score]] = _evolve(truth, StructureMutation.of(some), self.seed, BUDGET - LEARNING)
        return {method: pd.concat([learnt, labels]) for method, labels in searches.items()}


def without_model(truth: Truth, seed: int) -> dict[str, pd.DataFrame]:
    """Return what each method that learns from nothing evaluates, in order: labels, a row per evaluation."""
    space, start = truth.table.space, BUDGET // (ROUNDS + 1)
    options: dict[str, Any] = {"maximise": OBJECTIVES[0], "minimise": OBJECTIVES[1], "seed": seed, "progress": False}
    drawn = np.random.default_rng([seed, BUDGET]).permutation(len(truth.table))[:BUDGET]
    return {
        BASELINES[0]: _evolve(truth, StructureMutation.full(space), seed, BUDGET),
        BASELINES[1]: _evolve(truth, LayerMutation.full(space), seed, BUDGET),
        OUTSIDE: nsga2(space, truth.evaluate, start=start, rounds=ROUNDS, mutations=start, **options),
        RANDOM: truth.table.labels.iloc[drawn],
    }


def _evolve(truth: Truth, mutation: StructureMutation | LayerMutation, seed: int, budget: int) -> pd.DataFrame:
    size = budget // (ROUNDS + 1)
    options: dict[str, Any] = {"start": size, "rounds": ROUNDS, "mutations": size, "seed": seed, "progress": False}
    return evolve(mutation, truth.evaluate, maximise=OBJECTIVES[0], minimise=OBJECTIVES[1], **options)


def top_predicted(truth: Truth, models: Sequence[Predicts], known: Sequence[Architecture]) -> Rows:
    """Return the rows that models of several equations predict to be best, by turns, without those that are known."""
    architectures = truth.table.architectures
    seen = set(known)
    orders = [iter(np.argsort(-model.predict(architectures), kind="stable")) for model in models]
    chosen: list[int] = []
    while len(chosen) < BUDGET - LEARNING:
        place = next(place for place in orders[len(chosen) % len(orders)] if architectures[place] not in seen)
        seen.add(architectures[place])
        chosen.append(int(place))
    return np.array(chosen)


def curve(truth: Truth, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the hypervolume every `STEP` evaluations, given their labels; a search that stopped keeps its last."""
    volumes = hypervolumes(truth, labels) / hypervolumes(truth, truth.table.labels.iloc[truth.front])[-1]
    evaluations = np.arange(STEP, BUDGET + 1, STEP)
    return pd.DataFrame({"evaluations": evaluations, "hypervolume": volumes[np.minimum(evaluations, len(volumes)) - 1]})


def hypervolumes(truth: Truth, labels: pd.DataFrame) -> Array:
    """Return the hypervolume after each evaluation, [N]."""
    goals = OBJECTIVES[0], f"log10({OBJECTIVES[1]})"
    every = costs(truth.table.labels, *goals)
    reference = every[:, 0].max(), np.median(every[:, 1])
    return hypervolume_curve(costs(labels[list(OBJECTIVES)], *goals), reference)


def plan(sizes: Sequence[int] = (), seeds: Sequence[int] = SEEDS, recipes: Sequence[str] = RECIPES) -> list[SearchPart]:
    """Return a part per seed, data set and model."""
    return [SearchPart(source, seed, recipe) for seed in seeds for source in GRAPHS for recipe in recipes]


SECTION = Section("trained", "search", "searches for the front, their training rows counted", plan, (), tuple(SEEDS))

"""Experiment 4, second half: searches in the reduced space and elsewhere, all with the same budget (claim C5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.regions.clusters import Reduction
from autobuild_book.chapters.regions.insights import expert_mutation
from autobuild_book.chapters.shared.frontiers import Frontier, Judge
from autobuild_book.chapters.shared.nsga2 import nsga2
from autobuild_book.dominance import hypervolume_curve
from autobuild_book.layer_mutation import LayerMutation
from autobuild_book.parallel import in_processes
from autobuild_lib import surrogate
from autobuild_lib.search import StageMutation, costs, evolve, front
from autobuild_lib.spaces import Architecture
from autobuild_lib.units.reduced import ReducedSpace

BUDGET = (50, 4, 50)  # the paper's: random architectures, rounds, mutations in each
STEP = 10  # evaluations between two points of a curve
FRACTIONS = (1, 1 / 2, 1 / 5)  # of the budget, at which methods are compared
OURS = {"norm": "Unit-Reduce (norm)", "effect": "Unit-Reduce (effect)"}
BASELINES = ("Stage-Full", "Layer-Full", "Layer-Insight")  # the paper's
OUTSIDE = "NSGA-II"
METHODS = (*OURS.values(), *BASELINES, OUTSIDE)
PANEL = ["family", "device"]
CURVES = [*PANEL, "method", "seed", "evaluations", "hypervolume"]
FRONTS = [*PANEL, "method", "seed", "architecture", "acc", "latency"]


@dataclass(frozen=True, eq=False)
class SearchJob:
    """One method on one panel with all its seeds; the spaces of the method are taken in turn.

    Only the methods by stages draw from these spaces, the others from the whole search space.
    """

    family: str
    device: str
    latency: str
    frontier: Frontier
    method: str
    spaces: Sequence[ReducedSpace]
    seeds: Sequence[int]
    budget: tuple[int, int, int]
    judge: Judge | None = None  # instead of the bundled surrogate

    def run(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the tables of `search_panels` for this job."""
        curves, fronts = [], []
        for number, seed in enumerate(self.seeds):
            evaluated = self._search(self.spaces[number % len(self.spaces)], seed)
            points = costs(evaluated, "acc", self.latency)
            curves.append(self._named(self._curve(points), seed))
            best = evaluated.loc[front(points), ["architecture", "acc", self.latency]]
            best = best.assign(architecture=best["architecture"].map(str)).rename(columns={self.latency: "latency"})
            fronts.append(self._named(best.sort_values("latency"), seed))
        return pd.concat(curves), pd.concat(fronts)

    def _named(self, frame: pd.DataFrame, seed: int) -> pd.DataFrame:
        return frame.assign(family=self.family, device=self.device, method=self.method, seed=seed)

    def _search(self, reduced: ReducedSpace, seed: int) -> pd.DataFrame:
        start, rounds, mutations = self.budget
        evaluate, space = self._evaluate, reduced.space
        options: dict[str, Any] = {"maximise": "acc", "minimise": self.latency, "seed": seed, "progress": False}
        options |= {"start": start, "rounds": rounds, "mutations": mutations}
        if self.method == OUTSIDE:
            return nsga2(space, evaluate, **options)
        if self.method.startswith("Layer"):
            full = self.method == "Layer-Full"
            layers = LayerMutation.full(space) if full else expert_mutation(space, self.device)
            return evolve(layers, evaluate, **options)
        return evolve(StageMutation(reduced), evaluate, **options)

    def _evaluate(self, architectures: list[Architecture], /) -> pd.DataFrame:
        if self.judge is None:
            return surrogate.load_bundled(self.family).predict(architectures)
        return self.judge(architectures[0].space.to_codes(architectures))

    def _curve(self, points: npt.NDArray[np.float64]) -> pd.DataFrame:
        """Hypervolume every `STEP` evaluations and at the fractions; a search that stopped early keeps its last."""
        start, rounds, mutations = self.budget
        total = start + rounds * mutations
        volumes = hypervolume_curve(points, self.frontier.reference, self.frontier.scale)
        evaluations = np.array(sorted({*range(STEP, total, STEP), *(round(f * total) for f in FRACTIONS)}))
        at = np.minimum(evaluations, len(volumes)) - 1
        return pd.DataFrame({"evaluations": evaluations, "hypervolume": volumes[at]})


def search_panels(
    reductions: Sequence[Reduction],
    frontiers: Mapping[tuple[str, str], Frontier],
    seeds: Sequence[int],
    budget: tuple[int, int, int] = BUDGET,
    progress: bool = True,
    judges: Mapping[str, Judge] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run every method with every seed on every panel that has a frontier, and return two tables.

    The first has columns family, device, method, seed, evaluations, hypervolume (noise-free, see `Frontier`). The
    second has family, device, method, seed, architecture, acc, latency: the front that each search ended with. Where
    there are reductions by several training seeds, the searches take them in turn. `judges`, by family, label instead
    of the surrogates, for one search after the other.
    """
    jobs = []
    for (family, device), frontier in frontiers.items():
        of_panel = [each for each in reductions if (each.panel.family, each.panel.device) == (family, device)]
        spaces = {method: [reduction.union(score) for reduction in of_panel] for score, method in OURS.items()}
        spaces["Stage-Full"] = [_whole_space(of_panel[0])]  # large: not for those that do not need it
        common = (family, device, of_panel[0].panel.latency, frontier, "", spaces[OURS["norm"]], seeds, budget)
        job = SearchJob(*common, None if judges is None else judges[family])
        jobs += [replace(job, method=method, spaces=spaces.get(method, job.spaces)) for method in METHODS]
    if not jobs:
        return pd.DataFrame(columns=CURVES), pd.DataFrame(columns=FRONTS)
    workers = None if judges is None else 1
    parts = in_processes(SearchJob.run, [(job,) for job in jobs], "searching", workers=workers, progress=progress)
    curves, fronts = (pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True))
    return curves[CURVES], fronts[FRONTS]


def _whole_space(reduction: Reduction) -> ReducedSpace:
    """Return the unreduced space, with the global features that were scored."""
    reduced = next(iter(reduction.spaces.values()))
    return ReducedSpace.full(reduced.space, **reduced.global_features)

"""Experiment 4, second half: does a search in the reduced space find more with the same budget (claim C5)?"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import mannwhitneyu, quantile_test

from autobuild_book.chapters.regions.clusters import BUDGETS, Reduction, groups
from autobuild_book.chapters.regions.insights import expert_mutation
from autobuild_book.chapters.regions.nsga2 import nsga2
from autobuild_book.chapters.shared.frontiers import Frontier
from autobuild_book.chapters.shared.verdicts import estimate
from autobuild_lib import surrogate
from autobuild_lib.processes import in_processes
from autobuild_lib.search import LayerMutation, StageMutation, costs, evolve, front, hypervolume_curve
from autobuild_lib.search.pareto import best_within
from autobuild_lib.statistics import holm
from autobuild_lib.units.reduced import ReducedSpace

BUDGET = (50, 4, 50)  # the paper's: random architectures, rounds, mutations in each
STEP = 10  # evaluations between two points of a curve
FRACTIONS = (1, 1 / 2, 1 / 5)  # of the budget, at which methods are compared
OURS = {"norm": "Unit-Reduce (norm)", "effect": "Unit-Reduce (effect)"}
BASELINES = ("Stage-Full", "Layer-Full", "Layer-Insight")  # the paper's
OUTSIDE = "NSGA-II"
METHODS = (*OURS.values(), *BASELINES, OUTSIDE)
SIGNIFICANT = 0.05
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

    def run(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the tables of `search_panels` for this job."""
        curves, fronts = [], []
        for number, seed in enumerate(self.seeds):
            found = self._search(self.spaces[number % len(self.spaces)], seed)
            points = costs(found, "acc", self.latency)
            curves.append(self._named(self._curve(points), seed))
            best = found.loc[front(points), ["architecture", "acc", self.latency]]
            best = best.assign(architecture=best["architecture"].map(str)).rename(columns={self.latency: "latency"})
            fronts.append(self._named(best.sort_values("latency"), seed))
        return pd.concat(curves), pd.concat(fronts)

    def _named(self, frame: pd.DataFrame, seed: int) -> pd.DataFrame:
        return frame.assign(family=self.family, device=self.device, method=self.method, seed=seed)

    def _search(self, reduced: ReducedSpace, seed: int) -> pd.DataFrame:
        start, rounds, mutations = self.budget
        evaluate, space = surrogate.load_bundled(self.family).predict, reduced.space
        options: dict[str, Any] = {"maximise": "acc", "minimise": self.latency, "seed": seed, "progress": False}
        options |= {"start": start, "rounds": rounds, "mutations": mutations}
        if self.method == OUTSIDE:
            return nsga2(space, evaluate, **options)
        if self.method.startswith("Layer"):
            full = self.method == "Layer-Full"
            layers = LayerMutation.full(space) if full else expert_mutation(space, self.device)
            return evolve(layers, evaluate, **options)
        return evolve(StageMutation(reduced), evaluate, **options)

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
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run every method with every seed on every panel that has a frontier, and return two tables.

    The first has columns family, device, method, seed, evaluations, hypervolume (noise-free, see `Frontier`). The
    second has family, device, method, seed, architecture, acc, latency: the front that each search ended with. Where
    there are reductions by several training seeds, the searches take them in turn.
    """
    jobs = []
    for (family, device), frontier in frontiers.items():
        own = [one for one in reductions if (one.panel.family, one.panel.device) == (family, device)]
        spaces = {method: [one.union(score) for one in own] for score, method in OURS.items()}
        spaces["Stage-Full"] = [_whole_space(own[0])]  # large: not for those that do not need it
        job = SearchJob(family, device, own[0].panel.latency, frontier, "", spaces[OURS["norm"]], seeds, budget)
        jobs += [replace(job, method=method, spaces=spaces.get(method, job.spaces)) for method in METHODS]
    if not jobs:
        return pd.DataFrame(columns=CURVES), pd.DataFrame(columns=FRONTS)
    parts = in_processes(SearchJob.run, [(job,) for job in jobs], "searching", progress=progress)
    curves, fronts = (pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True))
    return curves[CURVES], fronts[FRONTS]


def _whole_space(reduction: Reduction) -> ReducedSpace:
    """Return the unreduced space, with the global features that were scored."""
    one = next(iter(reduction.spaces.values()))
    return ReducedSpace.full(one.space, **one.global_features)


# -------------------------------------------------------------------- medians, tests, verdict


def medians(curves: pd.DataFrame) -> pd.DataFrame:
    """Median hypervolume over seeds with its 95 % interval (order statistics; NaN for fewer than six seeds).

    Columns: family, device, method, evaluations, median, low, high, searches.
    """
    rows = []
    for key, group in curves.groupby([*PANEL, "method", "evaluations"], sort=False):
        values = group["hypervolume"].to_numpy()
        low, high = np.asarray(quantile_test(values, p=0.5).confidence_interval(0.95))
        rows.append((*key, float(np.median(values)), low, high, len(values)))
    return pd.DataFrame(rows, columns=[*PANEL, "method", "evaluations", "median", "low", "high", "searches"])


def gains_at_budgets(fronts: pd.DataFrame, frontiers: Mapping[tuple[str, str], Frontier]) -> pd.DataFrame:
    """Return what a search gains over the training table within a latency budget, in points of accuracy.

    A row per family, device and quantile (of the training frontier's latencies), a column per method: medians over
    seeds, NaN where half of the searches or more found nothing fast enough.
    """
    rows = []
    for key, group in groups(fronts, [*PANEL, "method"]):
        known = frontiers[key[:2]].points
        each = [costs(one, "acc", "latency") for _, one in group.groupby("seed")]
        for quantile in BUDGETS:
            budget = float(np.quantile(known[:, 0], quantile))
            found = np.median(np.nan_to_num([best_within(points, budget) for points in each], nan=-np.inf))
            gain = 100 * (found - best_within(known, budget)) if np.isfinite(found) else np.nan
            rows.append((*key[:2], quantile, budget, key[2], gain))
    keys = [*PANEL, "quantile", "budget"]
    long = pd.DataFrame(rows, columns=[*keys, "method", "gain"])
    wide = long.pivot_table(index=keys, columns="method", values="gain", sort=False, dropna=False).dropna(how="all")
    return wide[[method for method in METHODS if method in wide]].reset_index()


def compare(curves: pd.DataFrame) -> pd.DataFrame:
    """Test our two methods against the others at the fractions of the budget (one-sided Mann-Whitney tests).

    Columns: evaluations, method, rival, family, device, searches, difference (of medians), better, worse: p-values
    that the method is, corrected by Holm over all panels and over the rivals of a kind: the paper's baselines, the
    outside reference, our other score.
    """
    final = int(curves["evaluations"].max()) if len(curves) else 0
    wide = curves.pivot(index=[*PANEL, "evaluations", "seed"], columns="method", values="hypervolume")
    parts = []
    for fraction, method in itertools.product(FRACTIONS, OURS.values()):
        others = tuple(other for other in OURS.values() if other != method)
        for rivals in (BASELINES, (OUTSIDE,), others):
            parts.append(_tests(wide, round(fraction * final), method, rivals))
    return pd.concat(parts, ignore_index=True)


def _tests(wide: pd.DataFrame, evaluations: int, method: str, rivals: Sequence[str]) -> pd.DataFrame:
    """Tests that are corrected together."""
    rows = []
    for rival, (names, group) in itertools.product(rivals, list(wide.groupby(level=PANEL, sort=False))):
        own, other = (group.xs(evaluations, level="evaluations")[name].to_numpy() for name in (method, rival))
        better, worse = (mannwhitneyu(own, other, alternative=side).pvalue for side in ("greater", "less"))
        difference = float(np.median(own) - np.median(other))
        rows.append((evaluations, method, rival, *names, len(own), difference, better, worse))
    columns = ["evaluations", "method", "rival", *PANEL, "searches", "difference", "better", "worse"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(better=holm(frame["better"].to_list()), worse=holm(frame["worse"].to_list()))


def where_it_pays(tests: pd.DataFrame) -> pd.DataFrame:
    """Count, per budget, method and rival, the panels where the method is significantly better, worse, or neither."""
    better, worse = tests["better"] < SIGNIFICANT, tests["worse"] < SIGNIFICANT
    outcome = tests.assign(better=better, neither=~better & ~worse, worse=worse)
    keys = ["evaluations", "method", "rival"]
    return outcome.groupby(keys, sort=False)[["better", "neither", "worse"]].sum().reset_index()


def verdict(tests: pd.DataFrame, score: str = "norm") -> tuple[pd.DataFrame, str]:
    """Judge claim C5 on one score: a table with a check per baseline of the paper, and the verdict.

    A baseline is beaten when the final hypervolume is better in five sixths of the panels (corrected p < 0.05).
    "supported" when all three are, "partly" when at least half, else "not supported"; "undecided" without panels, or
    with so few seeds that no test could reach p < 0.05.
    """
    own = tests[(tests["method"] == OURS[score]) & (tests["evaluations"] == tests["evaluations"].max())]
    own = own[own["rival"].isin(BASELINES)]
    rows = []
    for rival, panels in own.groupby("rival", sort=False):
        won = int((panels["better"] < SIGNIFICANT).sum())
        rows.append((f"beats {rival}", f"{won} of {len(panels)} panels", won >= np.ceil(5 / 6 * len(panels))))
    checks = pd.DataFrame(rows, columns=["check", "value", "holds"])
    if own.empty or len(own) / math.comb(2 * int(own["searches"].min()), int(own["searches"].min())) >= SIGNIFICANT:
        return checks, "undecided"
    share = checks["holds"].mean()
    return checks, "supported" if share == 1 else "partly" if share >= 0.5 else "not supported"


def search_estimates(tests: pd.DataFrame, score: str = "norm") -> list[dict[str, Any]]:
    """Describe claim C5 panel by panel: median final hypervolume minus that of each baseline (see `compare`)."""
    own = tests[(tests["method"] == OURS[score]) & tests["rival"].isin(BASELINES)]
    own = own[own["evaluations"] == own["evaluations"].max()]
    return [
        estimate(f"final hypervolume minus that of {rival}", panels["difference"].to_numpy(float), "panels")
        for rival, panels in own.groupby("rival", sort=False)
    ]

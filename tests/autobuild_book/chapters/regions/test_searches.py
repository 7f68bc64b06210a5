"""Experiment 4, search: equal budgets, reproducible runs inside their spaces, tests and verdicts by hand."""

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from autobuild_book.chapters.regions import clusters, search_gains, search_runs
from autobuild_book.chapters.regions.clusters import Reduction
from autobuild_book.chapters.regions.verdicts import judge_searches
from autobuild_book.chapters.shared import frontiers, panels
from autobuild_book.chapters.shared.rivals import median_curves
from autobuild_book.dominance import best_within
from autobuild_book.intervals import holm
from autobuild_book.parallel import in_processes
from autobuild_lib import surrogate
from autobuild_lib.units.reduced import GroupContents, ReducedSpace

SMALL = (8, 2, 6)  # random architectures, rounds, mutations
TOTAL = 20


@pytest.fixture(scope="module")
def reductions() -> list[Reduction]:
    """Two training seeds of a panel whose "scores" chose some contents at random."""
    (panel, *_) = clusters.region_panels("ofa_pn", panels.REGIONS)
    full = ReducedSpace.full(panel.split.train.space)

    def some(rng: np.random.Generator) -> ReducedSpace:
        chosen = (rng.permutation(len(group))[:4] for group in full.groups)
        groups = (GroupContents(g.codes[own], np.zeros(4)) for g, own in zip(full.groups, chosen, strict=True))
        return ReducedSpace(full.space, full.head, tuple(groups))

    drawn = [np.random.default_rng(seed) for seed in (0, 1)]
    which = list(itertools.product(clusters.SCORES, panels.REGIONS))
    return [Reduction(panel, seed, {key: some(rng) for key in which}, {}) for seed, rng in enumerate(drawn)]


@pytest.fixture(scope="module")
def known(reductions: list[Reduction]) -> clusters.Frontiers:
    own = [reductions[0].panel]
    return frontiers.training_frontiers(own, frontiers.training_labels(own, frontiers.surrogate_judges(own)))


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run jobs here, without processes."""
    monkeypatch.setattr(search_runs, "in_processes", lambda work, jobs, what, **_: [work(*job) for job in jobs])


@pytest.fixture(scope="module")
def run(reductions: list[Reduction], known: clusters.Frontiers) -> tuple[pd.DataFrame, pd.DataFrame]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_runs, "in_processes", lambda work, jobs, what, **_: [work(*job) for job in jobs])
        return search_runs.search_panels(reductions, known, [3, 4], SMALL)


class TestSearches:
    def test_every_method_has_the_same_budget_and_seeds(self, run: tuple[pd.DataFrame, pd.DataFrame]) -> None:
        curves = run[0]
        assert set(curves.method) == set(search_runs.METHODS) and set(curves.seed) == {3, 4}
        per_run = curves.groupby(["family", "device", "method", "seed"]).evaluations.apply(list)
        assert len(per_run) == 12 and all(each == [4, 10, 20] for each in per_run)  # a fifth, a half or STEP, all
        assert curves.hypervolume.between(0, 1.2).all()

    def test_hypervolume_never_falls(self, run: tuple[pd.DataFrame, pd.DataFrame]) -> None:
        assert run[0].groupby(["method", "seed"]).hypervolume.apply(lambda v: v.is_monotonic_increasing).all()

    def test_the_last_hypervolume_is_that_of_the_final_front(
        self, run: tuple[pd.DataFrame, pd.DataFrame], known: clusters.Frontiers
    ) -> None:
        curves, fronts = run
        for (method, seed), own in fronts.groupby(["method", "seed"]):
            points = np.column_stack([own.latency, -own.acc])
            last = curves[(curves.method == method) & (curves.seed == seed)].hypervolume.iloc[-1]
            assert known["ofa_pn", "gpu"].hypervolume(points) == pytest.approx(last)
            assert own.latency.is_monotonic_increasing and own.acc.is_monotonic_increasing

    def test_labels_carry_no_noise(self, run: tuple[pd.DataFrame, pd.DataFrame]) -> None:
        judge = surrogate.ofa_pn()
        own = run[1].head(20)
        labels = judge.predict([judge.space.parse(text) for text in own.architecture])
        np.testing.assert_allclose(own[["acc", "latency"]], labels[["acc", "latency_gpu"]], rtol=1e-6)

    @pytest.mark.parametrize("score", search_runs.OURS)
    def test_reduced_searches_stay_in_the_union_of_their_training_seed(
        self, run: tuple[pd.DataFrame, pd.DataFrame], reductions: list[Reduction], score: str
    ) -> None:
        fronts = run[1][run[1].method == search_runs.OURS[score]]
        for seed, reduction in zip((3, 4), reductions, strict=True):  # the spaces are taken in turn
            union, space = reduction.union(score), reduction.panel.split.train.space
            assert union.size <= 12**5
            assert all(space.parse(text) in union for text in fronts[fronts.seed == seed].architecture)

    def test_runs_repeat_exactly_and_seeds_matter(
        self, run: tuple[pd.DataFrame, pd.DataFrame], reductions: list[Reduction], known: clusters.Frontiers
    ) -> None:
        again = search_runs.search_panels(reductions, known, [3, 4], SMALL)
        for first, second in zip(run, again, strict=True):
            pd.testing.assert_frame_equal(first, second)
        other = search_runs.search_panels(reductions, known, [5], SMALL)[0]
        assert not set(other.hypervolume) & set(run[0].hypervolume)

    def test_a_search_that_runs_dry_keeps_its_last_hypervolume(
        self, reductions: list[Reduction], known: clusters.Frontiers
    ) -> None:
        tiny = ReducedSpace.full(reductions[0].panel.split.train.space)
        tiny = ReducedSpace(tiny.space, tiny.head, tuple(GroupContents(g.codes[:1], np.zeros(1)) for g in tiny.groups))
        frontier = known["ofa_pn", "gpu"]
        method = search_runs.OURS["norm"]
        job = search_runs.SearchJob("ofa_pn", "gpu", "latency_gpu", frontier, method, [tiny], [0], SMALL)
        curve, _ = job.run()
        assert curve.evaluations.tolist() == [4, 10, 20] and curve.hypervolume.nunique() == 1

    def test_panels_without_a_frontier_are_left_out(self, reductions: list[Reduction]) -> None:
        curves, fronts = search_runs.search_panels(reductions, {}, [0], SMALL)
        assert curves.empty and fronts.empty
        tests = search_gains.rival_tests(curves)
        assert tests.empty and median_curves(curves).empty and search_gains.where_it_pays(tests).empty
        assert search_gains.search_gains(fronts, {}).empty
        assert judge_searches(tests).word == "undecided"


# -------------------------------------------------------------------- constructed curves

PANELS = list(itertools.product(("f", "g"), ("gpu", "cpu", "npu")))
Level = Callable[[str, int, int], float]  # of method, panel, evaluations


def curves(level: Level, seeds: int = 12) -> pd.DataFrame:
    """Hypervolumes that vary by up to 0.01 between seeds."""
    rng = np.random.default_rng(0)
    rows = [
        (*names, method, seed, evaluations, level(method, number, evaluations) + 0.01 * rng.random())
        for number, names in enumerate(PANELS)
        for method in search_runs.METHODS
        for seed in range(seeds)
        for evaluations in (50, 125, 250)
    ]
    return pd.DataFrame(rows, columns=search_runs.CURVES)


def ahead(wins: dict[str, int]) -> Level:
    """Our first method beats each rival in the first `wins` panels, and loses in the others."""
    return lambda method, panel, _: 0.0 if method not in wins else -0.1 if panel < wins[method] else 0.1


@pytest.mark.parametrize(
    ("wins", "text"),
    [((6, 6, 6), "supported"), ((5, 5, 5), "supported"), ((6, 6, 4), "partly"), ((6, 4, 4), "not supported"),
     ((4, 4, 4), "not supported")],
)  # fmt: skip
def test_all_three_baselines_in_five_of_six_panels(wins: tuple[int, ...], text: str) -> None:
    won = dict(zip(search_runs.BASELINES, wins, strict=True))
    verdict = judge_searches(search_gains.rival_tests(curves(ahead(won))))
    checks, found = verdict.checks, verdict.word
    assert found == text
    assert checks.value.tolist() == [f"{n} of 6 panels" for n in wins]
    assert checks.holds.tolist() == [n > 4 for n in wins]


def test_only_the_final_budget_and_the_paper_s_baselines_count() -> None:
    def level(method: str, _: int, evaluations: int) -> float:
        if method == search_runs.OUTSIDE:
            return 0.5
        return 0.0 if method in search_runs.OURS.values() else -0.1 if evaluations == 250 else 0.1

    tests = search_gains.rival_tests(curves(level))
    assert judge_searches(tests).word == "supported" == judge_searches(tests, "effect").word
    pays = search_gains.where_it_pays(tests).set_index(["evaluations", "method", "rival"])
    ours = search_runs.OURS["norm"]
    assert pays.loc[(250, ours, "Layer-Full")].tolist() == [6, 0, 0]
    assert pays.loc[(125, ours, "Layer-Full")].tolist() == [0, 0, 6]
    assert pays.loc[(250, ours, "NSGA-II")].tolist() == [0, 0, 6]
    assert pays.loc[(50, ours, search_runs.OURS["effect"])].tolist() == [0, 6, 0]


def test_each_score_is_judged_by_itself() -> None:
    ours = search_runs.OURS
    level = {ours["norm"]: -0.1, ours["effect"]: 0.1}
    tests = search_gains.rival_tests(curves(lambda method, *_: level.get(method, 0.0)))
    assert judge_searches(tests).word == "not supported"
    assert judge_searches(tests, "effect").word == "supported"


@pytest.mark.parametrize(("seeds", "text"), [(5, "undecided"), (6, "supported")])
def test_too_few_seeds_decide_nothing(seeds: int, text: str) -> None:
    """Without ties, the least p is 1 / C(2n, n): 1/252 for five seeds, times 18 tests above 0.05."""
    won = dict.fromkeys(search_runs.BASELINES, 6)
    assert judge_searches(search_gains.rival_tests(curves(ahead(won), seeds))).word == text


def test_p_values_are_corrected_over_panels_and_rivals_of_a_kind() -> None:
    frame = curves(lambda method, panel, _: 0.001 * panel * (method == "Stage-Full"))
    tests = search_gains.rival_tests(frame)
    ours = search_runs.OURS["effect"]

    def values(method: str, names: tuple[str, str]) -> Any:
        own = frame[(frame.family == names[0]) & (frame.device == names[1]) & (frame.evaluations == 125)]
        return own[own.method == method].hypervolume

    for rivals in (search_runs.BASELINES, (search_runs.OUTSIDE,)):
        pairs = list(itertools.product(rivals, PANELS))
        raw = [mannwhitneyu(values(ours, names), values(rival, names), alternative="less").pvalue
               for rival, names in pairs]  # fmt: skip
        for (rival, names), wanted in zip(pairs, holm(raw), strict=True):
            chosen = (tests.method == ours) & (tests.rival == rival) & (tests.evaluations == 125)
            row = tests[chosen & (tests.family == names[0]) & (tests.device == names[1])].iloc[0]
            assert row["worse"] == pytest.approx(wanted) and row["searches"] == 12
            assert row["difference"] == pytest.approx(values(ours, names).median() - values(rival, names).median())


def test_gains_at_budgets_by_hand(known: clusters.Frontiers) -> None:
    frontier = known["ofa_pn", "gpu"].points
    budget = float(np.quantile(frontier[:, 0], 0.5))
    training = best_within(frontier, budget)

    def front(seed: int, latency: float, more: float) -> pd.DataFrame:
        row = {"family": "ofa_pn", "device": "gpu", "method": "NSGA-II", "seed": seed, "latency": latency}
        return pd.DataFrame([{**row, "acc": training + more}])

    fronts = pd.concat([front(0, budget, 0.01), front(1, budget + 1e-9, 0.9), front(2, budget - 1, 0.03)])
    gains = search_gains.search_gains(fronts, known).set_index("quantile")["NSGA-II"]
    assert gains[0.5] == pytest.approx(1.0), "percentage points of the median seed; a slower network does not count"
    assert 0.25 not in gains.index or math.isnan(gains[0.25])


# -------------------------------------------------------------------- processes


def test_results_come_in_the_order_of_the_arguments() -> None:
    assert in_processes(operator.sub, [(5, 3), (9, 1), (0, 4)], "work", progress=False) == [2, 8, -4]


def test_a_failure_is_reported() -> None:
    with pytest.raises(ZeroDivisionError):
        in_processes(operator.truediv, [(1, 2), (1, 0)], "work", progress=False)

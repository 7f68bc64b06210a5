"""The verdict on claim C4 and means over seeds, by hand."""

import math

import pandas as pd
import pytest

from autobuild_book.chapters.regions.verdicts import cluster_means, judge_regions, ways_to_count
from tests.helpers.toy_regions import judged


@pytest.mark.parametrize(
    ("passing", "text"), [(6, "supported"), (5, "supported"), (4, "partly"), (3, "partly"), (2, "not supported")]
)
def test_five_of_six_panels(passing: int, text: str) -> None:
    verdict = judge_regions(judged(lambda panel, _: float(panel < passing)))
    checks, found = verdict.checks, verdict.word
    assert found == text and checks.holds.sum() == passing and checks.value[0] == "3 of 3 regions"


@pytest.mark.parametrize(("regions", "improved", "holds"), [(3, 2, True), (3, 1, False), (2, 2, True), (2, 1, False)])
def test_two_of_three_regions(regions: int, improved: int, holds: bool) -> None:
    frame = judged(lambda _, region: 0.5 if region < improved else 0.499, regions=regions)  # half is enough
    checks = judge_regions(frame).checks
    assert checks.holds.tolist() == [holds] * 6 and checks.value[0] == f"{improved} of {regions} regions"


def test_seeds_are_averaged_before_the_share_is_compared() -> None:
    high, low = (judged(lambda *_, value=value: value, seed=seed) for seed, value in enumerate((1.0, 0.1)))
    assert judge_regions(pd.concat([high, low])).word == "supported"
    assert judge_regions(pd.concat([high, low, low.assign(seed=2)])).word == "not supported"


def test_only_the_score_that_is_asked_for_counts() -> None:
    both = pd.concat([judged(lambda *_: 0.0), judged(lambda *_: 1.0, "effect")])
    assert judge_regions(both).word == "not supported"
    assert judge_regions(both, "effect").word == "supported"
    ways = ways_to_count(both).set_index(["score", "counted"])
    assert ways.loc[("norm", "region, frontier chosen on noisy labels")].to_list() == ["6 of 6", "supported"]
    assert ways.loc[("effect", "any point, frontier without noise")].to_list() == ["0 of 6", "not supported"]


def test_without_panels_it_is_undecided() -> None:
    nothing = judged(lambda *_: 1.0).iloc[:0]
    assert judge_regions(nothing).word == "undecided"
    assert ways_to_count(nothing).empty and cluster_means(nothing).empty


def test_one_panel_can_pass() -> None:
    assert judge_regions(judged(lambda *_: 1.0, panels=1)).word == "supported"


def test_summary_by_hand() -> None:
    two = pd.concat([judged(lambda *_: 0.59), judged(lambda *_: 0.61, seed=1)])
    summary = cluster_means(two)
    half = 12.706205 * 0.01  # t(0.975, 1) times sd / sqrt(2) of (0.59, 0.61)
    assert summary.loc[0, ["share", "low", "high"]].to_list() == pytest.approx([0.6, 0.6 - half, 0.6 + half])
    assert len(summary) == 18 and set(summary.seeds) == {2} and summary.gained.to_list() == pytest.approx([0.01] * 18)
    assert math.isnan(cluster_means(two[two.seed == 0]).low[0])
    far_apart = cluster_means(pd.concat([judged(lambda *_: 0.5), judged(lambda *_: 0.7, seed=1)]))
    assert far_apart.loc[0, ["low", "high"]].to_list() == [0, 1]  # no share lies outside

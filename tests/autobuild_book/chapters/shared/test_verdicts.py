"""Verdicts and numbers with intervals, by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.modules import verdict as modules
from autobuild_book.chapters.modules.agreement import CELL, UNIT
from autobuild_book.chapters.regions.search_runs import BASELINES, OURS
from autobuild_book.chapters.regions.verdicts import cluster_estimates, search_estimates
from autobuild_book.chapters.shared.verdicts import Verdict, check_line, estimate, estimate_line


def judged(held: int, number: int, needed: float = 1, partly: float = 1 / 2, decidable: bool = True) -> str:
    checks = pd.DataFrame({"value": "", "holds": [True] * held + [False] * (number - held)})
    verdict = Verdict("Claim C9", checks, needed, partly, decidable)
    assert verdict.held == f"{held} of {number}" and str(verdict) == f"Claim C9: {verdict.word}"
    return verdict.word


@pytest.mark.parametrize(
    ("needed", "partly", "number", "words"),
    [
        (1, 1 / 2, 3, "not supported, not supported, partly, supported"),
        (1, 1 / 2, 2, "not supported, partly, supported"),
        (5 / 6, 1 / 2, 6, "not supported, not supported, not supported, partly, partly, supported, supported"),
        (5 / 6, 1 / 2, 1, "not supported, supported"),
        (2 / 3, 1 / 3, 3, "not supported, partly, supported, supported"),
        (2 / 3, 1 / 3, 4, "not supported, not supported, partly, supported, supported"),
        (1 / 2, 1 / 2, 2, "not supported, supported, supported"),
    ],
)
def test_so_many_checks_must_hold(needed: float, partly: float, number: int, words: str) -> None:
    assert [judged(held, number, needed, partly) for held in range(number + 1)] == words.split(", ")


def test_a_share_of_any_number_of_checks_is_the_least_count_that_reaches_it() -> None:
    for number in range(1, 100):
        for share in (1 / 3, 1 / 2, 2 / 3, 5 / 6, 1):
            least = -(-round(6 * share) * number // 6)
            assert judged(least, number, share) == "supported" != judged(least - 1, number, share)
        assert judged(1, number, 1 / number, 1 / number) == "supported"
        assert judged(0, number, 1 / number, 1 / number) == "not supported"


def test_nothing_is_decided_without_checks_or_enough_data() -> None:
    assert judged(3, 3, decidable=False) == judged(0, 3, decidable=False) == judged(0, 0) == "undecided"


def test_a_check_as_a_line() -> None:
    row = {"family": "f", "device": "gpu", "value": "2 of 3 regions", "holds": True}
    assert check_line(row) == "f gpu: 2 of 3 regions (holds)"
    assert check_line({"check": "a", "value": "", "holds": False}) == "a:  (fails)"


def test_a_mean_with_its_interval() -> None:
    row = estimate("it", [0.0, 1.0], "tasks")
    half = 12.7062047 * math.sqrt(0.5) / math.sqrt(2)  # Student's t with one degree of freedom
    assert (row["estimate"], row["value"], row["over"]) == ("it", 0.5, "2 tasks")
    assert [row["low"], row["high"]] == pytest.approx([0.5 - half, 0.5 + half])
    assert estimate_line(row) == "it, mean over 2 tasks: 0.500 [-5.853, 6.853]"
    assert estimate_line({**row, "low": None}) == "it, mean over 2 tasks: 0.500"
    nothing = estimate("it", [], "tasks")
    assert math.isnan(nothing["value"]) and math.isnan(nothing["low"]) and nothing["over"] == "0 tasks"
    assert estimate_line({**nothing, "value": None}) == "it: unknown"


def test_cells_and_correlations_are_summed_up_task_by_task() -> None:
    key = {"family": ["f", "f", "g", "g"], "target": ["a"] * 4, "score": ["norm", "norm", "norm", "effect"]}
    p = {"gain_p": [0.001, 0.9, 0.001, 0.9], "loss_p": [0.001, 0.001, 0.001, 0.9]}
    effects = pd.DataFrame({**key, **p, "constant": False})
    rows = [("f", UNIT, 0.2), ("f", UNIT, 0.4), ("f", CELL, 0.9), ("g", UNIT, 0.9), ("g", UNIT, math.nan)]
    correlations = pd.DataFrame(rows, columns=["family", "scope", "srcc"]).assign(target="a", score="norm")
    cells, medians = modules.module_estimates(effects, correlations)
    assert (cells["value"], cells["over"]) == (0.75, "2 tasks")
    assert (medians["value"], medians["over"]) == (pytest.approx((0.3 + 0.45) / 2), "2 tasks"), "constant scores are 0"
    empty = modules.module_estimates(effects[:0], correlations[:0])
    assert [math.isnan(row["value"]) for row in empty] == [True, True]


def test_clusters_are_summed_up_panel_by_panel() -> None:
    judged = pd.DataFrame({"family": ["f", "f", "g", "g"], "device": "gpu", "share": [0.0, 0.5, 0.75, 0.0]})
    judged = judged.assign(score=["norm", "norm", "norm", "ridge"])
    (found,) = cluster_estimates(judged)
    assert (found["value"], found["over"]) == (0.5, "2 panels")


def test_searches_are_compared_with_the_papers_baselines_at_the_end() -> None:
    rivals = [*BASELINES, "NSGA-II"]
    rows = [(250, OURS["norm"], rival, difference) for rival in rivals for difference in (0.1, 0.3)]
    rows.append((50, OURS["norm"], rivals[0], 9.0))
    tests = pd.DataFrame(rows, columns=["evaluations", "method", "rival", "difference"])
    found = search_estimates(tests)
    assert [row["estimate"].split()[-1] for row in found] == list(BASELINES)
    assert np.allclose([row["value"] for row in found], 0.2) and {row["over"] for row in found} == {"2 panels"}
    assert search_estimates(tests[:0]) == []

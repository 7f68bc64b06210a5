"""Numbers with intervals for the page of verdicts, by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.modules import verdict as modules
from autobuild_book.chapters.modules.agreement import CELL, UNIT
from autobuild_book.chapters.regions.searches import BASELINES, OURS, search_estimates
from autobuild_book.chapters.regions.verdict import cluster_estimates
from autobuild_book.chapters.shared import estimates


def test_a_mean_with_its_interval() -> None:
    found = estimates.estimate("it", [0.0, 1.0], "tasks")
    half = 12.7062047 * math.sqrt(0.5) / math.sqrt(2)  # Student's t with one degree of freedom
    assert (found["estimate"], found["value"], found["over"]) == ("it", 0.5, "2 tasks")
    assert [found["low"], found["high"]] == pytest.approx([0.5 - half, 0.5 + half])
    nothing = estimates.estimate("it", [], "tasks")
    assert math.isnan(nothing["value"]) and math.isnan(nothing["low"]) and nothing["over"] == "0 tasks"


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

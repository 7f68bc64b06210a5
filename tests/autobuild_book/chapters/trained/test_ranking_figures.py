"""Figures of the section on ranking: what is drawn where."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.trained import ranking_figures


def test_a_panel_per_table_and_a_line_per_model() -> None:
    cases = [
        (s, m, n, 0.5, 0.4, 0.6) for s in ("nas-bench-graph:cora", "accel-nasbench") for m in "xy" for n in (50, 100)
    ]
    summary = pd.DataFrame(cases, columns=["source", "model", "size", "mean", "low", "high"])
    figure = ranking_figures.learning_curves(summary, ["x", "y"], pd.Series({"nas-bench-graph:cora": 0.7}))
    first, second = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["cora", "Accel-NASBench"]
    assert len(first.containers) == len(second.containers) == 2 and len(first.lines) - len(second.lines) == 1


def test_leads_stand_in_the_row_of_their_table() -> None:
    cases = [("nas-bench-graph:cora", 100, "forest", 0.1, 0.05, 0.15), ("mean", 100, "forest", -0.2, -0.3, -0.1)]
    figure = ranking_figures.leads(pd.DataFrame(cases, columns=["source", "size", "other", "mean", "low", "high"]))
    points = figure.axes[0].containers[0].lines[0]
    np.testing.assert_allclose(points.get_xydata(), [[0.1, 0], [-0.2, 1]])


def test_levels_are_in_order() -> None:
    cases = [("nas-bench-graph:cora", "accuracy", level, n / 10) for n, level in enumerate(["hop 0", "hop 1", "head"])]
    figure = ranking_figures.hops_and_head(pd.DataFrame(cases, columns=["source", "kind", "level", "mean"]))
    line = figure.axes[0].lines[0]
    assert list(line.get_xdata()) == ["hop 0", "hop 1", "head"] and list(line.get_ydata()) == [0, 0.1, 0.2]

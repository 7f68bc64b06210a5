"""Figures: what is in them, and what they do with numbers that are missing."""

import math

import numpy as np
import pandas as pd

from autobuild_book.chapters.board import figures
from autobuild_book.figures import costs

TASKS = pd.MultiIndex.from_tuples([("nas-bench-graph:cora", "acc"), ("help-ofa", "latency_v100_32")])


def test_models_by_tasks() -> None:
    table = pd.DataFrame([[0.9, 0.1, 0.5], [0.8, -0.2, 0.5]], index=TASKS, columns=["a", "b", "c"])
    axes = figures.models_by_tasks(table).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["cora", "v100_32"]
    assert [text.get_text() for text in axes.texts] == [".90", ".80", ".10", "-.20", ".50", ".50"]
    assert {text.get_text(): text.get_color() for text in axes.texts}["-.20"] == "white"


def test_cells_of_a_phone_are_colours_without_numbers() -> None:
    redraw = figures.models_by_tasks(pd.DataFrame([[0.9, 0.1], [0.8, -0.2]], index=TASKS, columns=["a", "b"])).redraw
    assert redraw is not None
    axes = redraw().axes[0]
    assert not axes.texts and axes.images[0].get_array().tolist() == [[0.9, 0.8], [0.1, -0.2]]


def test_average_ranks_and_the_critical_difference() -> None:
    ranks = pd.DataFrame({"model": ["a", "b"], "rank": [1.2, 1.8], "low": [1.0, math.nan], "high": [1.4, math.nan]})
    (axes,) = figures.average_ranks(ranks, 0.5).axes
    (band,) = axes.patches
    assert np.allclose(band.get_extents().transformed(axes.transData.inverted()).intervalx, [1.2, 1.7])
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the best on top"
    assert not figures.average_ranks(ranks, math.nan).axes[0].patches


def test_cost_and_quality() -> None:
    frame = pd.DataFrame({"model": list("abcdefgh"), "total": np.arange(1.0, 9.0), "srcc": 0.5})
    lines = costs.cost_and_quality(frame).axes[0].lines
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == 8

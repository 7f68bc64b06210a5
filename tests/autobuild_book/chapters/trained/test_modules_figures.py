"""Figures of module scores beside real effects show what they are given."""

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.trained import modules_figures as figures


@pytest.fixture
def means() -> pd.DataFrame:
    """Two scores of three modules of two units."""
    keys = pd.MultiIndex.from_product([[0, 1], ["norm", "effect"], ["e1;mb", "e4;mb", "e6;mb,mb"]])
    frame = keys.to_frame(index=False, name=["unit", "score", "module"])
    value = np.arange(12.0)
    return frame.assign(value=value, real=value - 1, real_low=value - 2, real_high=value)


def test_a_panel_per_unit(means: pd.DataFrame) -> None:
    worst = means[means["module"] == "e4;mb"].query("score == 'norm'")
    figure = figures.scores_against_effects(means, worst)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["unit 0", "unit 1"]
    assert [text.get_text() for text in panels[1].texts] == ["e4 ×1"]
    assert [len(container.lines[0].get_xdata()) for container in panels[0].containers] == [3, 3]


def test_few_networks_are_named() -> None:
    rows = pd.DataFrame({"module": ["e1;mb", "e6;mb,mb,mb"], "networks": [90, 5], "mean": [1.0, -2.0],
                         "adjusted": [0.5, 1.0]})  # fmt: skip
    ends = {f"{name}{end}": rows[column] + shift for name, column in (("", "mean"), ("adjusted_", "adjusted"))
            for end, shift in (("low", -1), ("high", 1))}  # fmt: skip
    (axes,) = figures.marginal_and_adjusted(rows.assign(**ends), few=20).axes
    assert [text.get_text() for text in axes.texts] == ["e6 ×3: 5"]


def test_every_group_has_a_row() -> None:
    kinds = [("ridge", "ridge"), ("tuned", "norm"), ("paper", "norm"), ("paper", "effect")]
    rows = pd.DataFrame([(group, *kind, 0.5) for kind in kinds for group in ("unit 0", "unit 1")],
                        columns=["group", "model", "score", "srcc"])  # fmt: skip
    rows = rows.assign(low=[0.4, np.nan] * 4, high=[0.6, np.nan] * 4)
    (axes,) = figures.agreement_by_group(rows, "SRCC").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["unit 0", "unit 1"]
    labels = ["norm score, paper preset", "norm score, tuned preset", "effect score, paper preset", "additive ridge"]
    assert [container.get_label() for container in axes.containers] == labels
    hollow = [container.lines[0].get_markerfacecolor() == "white" for container in axes.containers]
    assert hollow == [False, True, False, False]


@pytest.mark.parametrize(
    ("module", "text"), [("e6;k3;mb,mb", "e6 k3 ×2"), ("gat", "gat"), ("e6_k3,e3_k5", "e6_k3,e3_k5")]
)
def test_short_names(module: str, text: str) -> None:
    assert figures.short(module) == text

"""Figures of experiment 6."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.diffusion import figures
from autobuild_book.figures.style import WIDTH, Picture


def ranks() -> pd.DataFrame:
    rows = [(f"model {n}", 0.5, 0.3, 0.7, 0.2, -0.1, 0.4) for n in range(8)]
    columns = ["model", "srcc", "srcc_low", "srcc_high", "partial", "partial_low", "partial_high"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.loc[7, columns[4:]] = np.nan
    return frame


def effects() -> pd.DataFrame:
    rows = [
        (score, stage, feature, value, 0.1, 0.0 if score == "built by norm score" else np.nan, 0.2)
        for score in ("built by norm score", "built by additive ridge")
        for stage in ("D1", "M")
        for feature, values in {"width": [16, 32], "attention": ["no", "yes"]}.items()
        for value in values
    ]
    return pd.DataFrame(rows, columns=["score", "stage", "feature", "value", "effect", "low", "high"])


def table() -> pd.DataFrame:
    macs = np.array([2e6, 4e6, 9e6])
    return pd.DataFrame({"macs": macs, "mean": [2.2, 2.0, 2.1], "low": 1.9, "high": 2.3, "front": [True, True, False]})


def comparison() -> pd.DataFrame:
    columns = ["setting", "group", "macs", "mean", "mean_low", "mean_high", "difference", "low", "high", "front"]
    unknown = np.nan
    rows = [
        ("a", "best", 5e6, 2.0, 1.9, 2.1, 0.0, 0.0, 0.0, True),
        ("a", "x", 4e6, 1.9, 1.8, 2.0, -0.1, -0.2, 0.0, True),
        ("b", "x", 3e6, 2.1, unknown, unknown, 0.1, unknown, unknown, False),
        ("b", "best", 3e6, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, False),
    ]
    return pd.DataFrame(rows, columns=columns)


def digits() -> tuple[dict[str, np.ndarray], np.ndarray]:
    images, masks = np.zeros((4, 8, 8), np.uint8), np.zeros((4, 8, 8), np.bool_)
    masks[:, 2:5, 3:7] = True
    return {"masked": images, "real": images}, masks


FIGURES: dict[str, Callable[[], Picture]] = {
    "unet_ranks": lambda: figures.unet_ranks(ranks()),
    "stage_scores": lambda: figures.stage_scores(effects()),
    "distance_against_macs": lambda: figures.distance_against_macs(table(), comparison()),
    "built_against_best": lambda: figures.built_against_best(comparison(), "best"),
    "inpainted_digits": lambda: figures.inpainted_digits(*digits()),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_as_wide_as_the_text_and_repeat_exactly(name: str) -> None:
    first, second = FIGURES[name](), FIGURES[name]()
    assert first._repr_png_() == second._repr_png_() and first.get_figwidth() == WIDTH


def test_a_row_for_every_model_and_a_panel_for_what_is_known() -> None:
    assert len(FIGURES["unet_ranks"]().axes) == 2
    dashed = [line for line in figures.unet_ranks(ranks(), 0.8).axes[0].lines if line.get_linestyle() == "--"]
    assert [np.asarray(line.get_xdata()).tolist() for line in dashed] == [[0.8, 0.8]]
    (axes,) = figures.unet_ranks(ranks().assign(partial=np.nan)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == list(ranks()["model"])


def test_a_panel_for_every_feature_and_score() -> None:
    figure = FIGURES["stage_scores"]()
    assert [axes.get_title() for axes in figure.axes] == ["norm score", "additive ridge", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == ["width", "attention"]
    assert [label.get_text() for label in figure.axes[-1].get_xticklabels()] == ["D1", "M"]


def test_the_reference_is_the_line_not_a_row() -> None:
    upper, lower = FIGURES["built_against_best"]().axes
    assert [[label.get_text() for label in axes.get_yticklabels()] for axes in (upper, lower)] == [
        ["x, 4.0 M"],
        ["x, 3.0 M"],
    ]


def test_without_measurements_the_right_side_says_so() -> None:
    figure = figures.distance_against_macs(table(), comparison()[:0])
    assert [axes.get_title() for axes in figure.axes] == ["labels", "not measured yet"]
    steps = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert np.asarray(steps[0].get_xdata()).tolist() == [2, 4], "only what nothing dominates"


def test_hidden_pixels_are_in_colour_in_the_masked_row_only() -> None:
    images = [np.asarray(axes.images[0].get_array()) for axes in FIGURES["inpainted_digits"]().axes]
    masks = digits()[1]
    assert len(images) == 8
    assert (images[0][masks[0]] == [0xDE, 0x8F, 0x05]).all() and not images[0][~masks[0]].any()
    assert not images[4].any()

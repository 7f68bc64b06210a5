"""Figures of experiment 3: they show what their tables hold, for any space, in the book's style."""

import itertools
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

from autobuild_book.chapters.modules import figures as module_figures
from autobuild_book.figures.style import WIDTH

NAMES = ("accuracy", "fast")


def chains() -> pd.DataFrame:
    rows = [
        ("accuracy", 2, "best", 3, "e6_k7,e4_k3", 0.78, 0.25),
        ("accuracy", 2, "worst", 0, "e3_k3,e3_k3", 0.71, 0.0),
        ("accuracy", 3, "best", 4, "e6_k7,e6_k5|e3_k3", 0.79, 0.5),
        ("accuracy", 3, "worst", 0, "e3_k3,e3_k3,e3_k5", -0.0004, 0.0),
        ("fast", 2, "best", 1, "e3_k3,e3_k3", 0.01, 1.0),
        ("fast", 2, "worst", 4, "e6_k7,e6_k7", 0.001, 0.0),
    ]
    return pd.DataFrame(rows, columns=["name", "depth", "end", "unit", "module", "value", "share"])


def cells(value: str) -> pd.DataFrame:
    rows = [
        ("ofa_mbv3", "gpu", score, name, unit, depth, 0.1 * unit + 0.2 * (depth - 2))
        for score, name, unit, depth in itertools.product(("norm", "effect"), NAMES, range(3), (2, 3))
        if (unit, depth) != (2, 2)
    ]
    return pd.DataFrame(rows, columns=["family", "device", "score", "name", "unit", "depth", value])


def overlap() -> pd.DataFrame:
    rows = [
        ("ofa_pn", "cpu", score, *pair, 0.1 + 0.1 * number + 0.5 * (score == "effect"))
        for score in ("norm", "effect")
        for number, pair in enumerate(itertools.combinations(("accuracy", "fast", "balanced"), 2))
    ]
    return pd.DataFrame(rows, columns=["family", "device", "score", "first", "second", "overlap"])


def effects() -> pd.DataFrame:
    rows = [
        (name, score, unit, 2, 2.0, 1.0, 0.8, 1.2, 3.0, 2.6, 3.4)
        for name, score, unit in itertools.product((*NAMES, "third"), ("norm", "effect"), range(3))
    ]
    ends = ["gain", "gain_low", "gain_high", "loss", "loss_low", "loss_high"]
    return pd.DataFrame(rows, columns=["name", "score", "unit", "depth", "scale", *ends])


def summary(facet: str, facets: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        (family, label, one, score, 0.5, -0.2, 0.9)
        for family, label, one, score in itertools.product(
            ("ofa_mbv3", "ofa_pn"), ("accuracy", "fast, GPU"), facets, ("norm", "effect", "ridge")
        )
    ]
    return pd.DataFrame(rows, columns=["family", "label", facet, "score", "median", "low", "high"])


def figures() -> dict[str, Any]:
    scopes, measures = ("unit", "unit, depths alike", "unit and depth"), ("best 1 %", "Spearman", "Kendall")
    return {
        "module_chains": lambda: module_figures.module_chains(chains()),
        "share_maps": lambda: module_figures.share_maps(cells("share")),
        "correlation_maps": lambda: module_figures.correlation_maps(cells("srcc")),
        "overlap_maps": lambda: module_figures.overlap_maps(overlap()),
        "intervention_effects": lambda: module_figures.intervention_effects(effects()),
        "agreement_by_task": lambda: module_figures.agreement_by_task(summary("scope", scopes)),
        "agreement_of_seeds": lambda: module_figures.agreement_of_seeds(summary("measure", measures)),
    }


@pytest.mark.parametrize("name", figures())
class TestEveryFigure:
    def test_it_shows_itself_and_repeats_exactly(self, name: str) -> None:
        before = dict(mpl.rcParams)
        first, second = (figures()[name]()._repr_png_() for _ in range(2))
        assert first == second and first.startswith(b"\x89PNG") and dict(mpl.rcParams) == before

    def test_it_has_the_width_of_the_text(self, name: str) -> None:
        assert figures()[name]().get_figwidth() == WIDTH


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_chains_show_every_layer_with_unit_score_and_share() -> None:
    figure = module_figures.module_chains(chains())
    first, second = figure.axes
    layers = [text for text in texts(first) if "\n" in text]
    assert sorted(layers)[-3:] == ["e6\nk5", "e6\nk7", "e6\nk7"] and len(layers) == 2 + 2 + 3 + 3
    assert {"unit 3 · 0.78 · 25%", "unit 0 · −0.0004 · 0%", "accuracy: best", "worst"} <= set(texts(first))
    assert "fast: best" in texts(second) and len(second.patches) == 4


def test_best_chains_stand_left_of_worst_ones_and_expansions_have_their_own_shade() -> None:
    axes = module_figures.module_chains(chains()).axes[1]
    assert [patch.get_x() for patch in axes.patches] == [0, 1, 3.5, 4.5]
    assert axes.patches[0].get_facecolor() == axes.patches[1].get_facecolor() != axes.patches[2].get_facecolor()


def test_chains_of_any_space_are_drawn() -> None:
    module = "width32;identity_ratio0.25,mb3_k3_ratio0.5|mb6_k5_ratio1.0"
    frame = chains().iloc[:2].assign(module=module, depth=3)
    axes = module_figures.module_chains(frame).axes[0]
    assert "identity\nratio0.25" in texts(axes) and len(axes.patches) == 6
    assert "unit 3 width32 · 0.78 · 25%" in texts(axes)


def test_maps_hold_the_numbers_of_their_cells() -> None:
    figure = module_figures.share_maps(cells("share"))
    assert [part.get_suptitle() for part in figure.subfigs] == [
        "MobileNetV3, GPU: norm score (paper)", "MobileNetV3, GPU: effect score (ours)",
    ]  # fmt: skip
    assert len(figure.axes) == 4 and texts(figure.axes[0]) == ["0", "20", "10", "30", "40"]
    assert texts(module_figures.correlation_maps(cells("srcc")).axes[3]) == ["0.0", "0.2", "0.1", "0.3", "0.4"]


def test_a_correlation_just_below_zero_is_not_minus_zero() -> None:
    frame = cells("srcc").assign(srcc=-0.01)
    assert set(texts(module_figures.correlation_maps(frame).axes[0])) == {"0.0"}


def test_overlaps_have_the_norm_score_above_the_diagonal() -> None:
    figure = module_figures.overlap_maps(overlap())
    by_place = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert by_place == {(1, 0): "10", (2, 0): "20", (2, 1): "30", (0, 1): "60", (0, 2): "70", (1, 2): "80"}
    assert figure.axes[0].get_title() == "ProxylessNAS, CPU" and not figure.axes[1].axison


def test_worst_modules_are_drawn_as_losses_in_standard_deviations() -> None:
    figure = module_figures.intervention_effects(effects())
    drawn = {bars.get_label(): bars for bars in figure.axes[0].containers}
    assert set(drawn) == {"best by norm", "worst by norm", "best by effect", "worst by effect"}
    for name, middle, low, high in (("best by norm", 0.5, 0.4, 0.6), ("worst by effect", -1.5, -1.7, -1.3)):
        points, _, (bar,) = drawn[name].lines
        assert points.get_xdata() == pytest.approx([middle] * 3)
        assert [tuple(segment[:, 0]) for segment in bar.get_segments()] == [pytest.approx((low, high))] * 3
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["0, 2", "1, 2", "2, 2"]
    assert not figure.axes[3].axison, "three equations leave the fourth panel empty"


def test_dots_have_a_row_per_task_and_a_panel_per_scope() -> None:
    scopes = ("unit and depth", "unit")
    figure = module_figures.agreement_by_task(summary("scope", scopes))
    assert [axes.get_title() for axes in figure.axes[:2]] == ["random modules\nof a unit", "of one unit\nand depth"]
    assert len(figure.axes) == 4 and [t.get_text() for t in figure.axes[2].get_yticklabels()] == [
        "accuracy",
        "fast, GPU",
    ]
    assert [axes.get_ylabel() for axes in figure.axes] == ["MobileNetV3", "", "ProxylessNAS", ""]
    points, _, (bar,) = figure.axes[3].containers[2].lines
    assert points.get_xdata().tolist() == [0.5, 0.5]
    assert bar.get_segments()[0][:, 0] == pytest.approx([-0.2, 0.9])


def test_bars_never_leave_their_panel() -> None:
    low = summary("measure", ("Spearman",)).assign(low=-0.95)
    left, right = module_figures.agreement_of_seeds(low).axes[0].get_xlim()
    assert left < -0.95 and right > 1

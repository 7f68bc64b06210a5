"""Figures: pure functions from tables, in one style, readable and without side effects."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.foundations import data_figures, method_figures
from autobuild_book.figures import comparison, style
from autobuild_book.figures.pictures import WIDTH
from autobuild_book.figures.style import Picture, label_name, picture, styled

LABELS = ("acc", "latency_gpu", "latency_cpu", "latency_npu", "flops_m")


def labels(seed: int) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(60, 5)) + 5, columns=list(LABELS))


def fidelity() -> pd.DataFrame:
    rows = [(f, s, n, 0.3) for f in ("ofa_mbv3", "ofa_pn") for s in ("uniform", "extreme") for n in LABELS[:4]]
    return pd.DataFrame(rows, columns=["family", "sample", "label", "ratio"])


def architecture() -> ab.Architecture:
    return ab.spaces.ofa_mbv3().parse(
        "resolution224|e4_k5,e6_k3|e3_k3,e4_k7,e6_k5|e6_k5,e4_k3|e6_k7,e3_k5,e4_k7,e6_k3|e6_k5,e6_k7,e3_k3"
    )


def forked() -> ab.Architecture:
    units = [ab.Unit(1, 2)] * 3
    return ab.SequenceSpace("fork", units, {"op": ["a", "b"]}, links=[[], [], [0, 1]]).parse("a,a|b|b")


def figures() -> dict[str, Any]:
    two = {"ofa_mbv3": labels(0), "ofa_pn": labels(1)}
    values = torch_free_soft_ranks()
    return {
        "path_modules": lambda: method_figures.path_modules(architecture(), [(0, 1), (3, 3)]),
        "graph_modules": lambda: method_figures.graph_modules(forked(), [0, 0, 1], (0, 2)),
        "soft_ranks": lambda: method_figures.soft_ranks(values),
        "label_distributions": lambda: data_figures.label_distributions(two),
        "accuracy_latency": lambda: data_figures.accuracy_latency(two),
        "noise": lambda: data_figures.noise(labels(0), labels(0) + 0.1),
        "surrogate_fidelity": lambda: data_figures.surrogate_fidelity(fidelity(), {"uniform": 0.4, "extreme": 0.75}),
        "note": lambda: style.note("skipped: no data"),
    }


def torch_free_soft_ranks() -> pd.DataFrame:
    return pd.DataFrame({"value": [0.0, 1.0] * 2, "strength": [0.1, 0.1, 1, 1], "soft_rank": [1, 2, 1.4, 1.6]})


@pytest.mark.parametrize("name", figures())
class TestEveryFigure:
    def test_it_shows_itself_and_repeats_exactly(self, name: str) -> None:
        first, second = (figures()[name]()._repr_png_() for _ in range(2))
        assert first == second and first.startswith(b"\x89PNG")

    def test_it_has_the_width_of_the_text(self, name: str) -> None:
        assert figures()[name]().get_figwidth() == WIDTH

    def test_axes_that_show_data_are_labelled(self, name: str) -> None:
        shown = [axes for axes in figures()[name]().axes if axes.axison]
        assert all(axes.get_xlabel() for axes in shown)
        assert all(axes.get_ylabel() for axes in shown) or name == "surrogate_fidelity"  # its rows are named

    def test_settings_are_as_before(self, name: str) -> None:
        before = dict(mpl.rcParams)
        figures()[name]()
        assert dict(mpl.rcParams) == before


def texts(figure: style.Picture) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_path_modules_draws_every_layer_and_marks_what_a_hop_sees() -> None:
    figure = method_figures.path_modules(architecture(), [(0, 1), (3, 3)])
    assert sum("k" in text for text in texts(figure)) == sum(architecture().depths)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["1-hop module", "3-hop module"]


def test_a_module_may_reach_into_the_units_before() -> None:
    figure = method_figures.path_modules(architecture(), [(1, 4)])
    shaded = [patch for patch in figure.axes[0].patches if patch.get_alpha()]
    assert len(shaded) == 2  # three layers of unit 1 and two of unit 0


@pytest.mark.parametrize(("hops", "shaded"), [((0, 1), 3), ((0, 2), 4), ((1, 2), 4)])
def test_graph_modules_draws_every_layer_and_what_hops_see(hops: tuple[int, int], shaded: int) -> None:
    axes = method_figures.graph_modules(forked(), [0, 0, 1], hops).axes[0]
    drawn = [text.get_text() for text in axes.texts if text.get_text().startswith(("a", "b"))]
    assert drawn == ["a\nhop 2", "a\nhop 1", "b\nhop 1", "b\nhop 0"]
    assert len([patch for patch in axes.patches if patch.get_alpha()]) == shaded


def test_path_modules_draws_any_space(toy: ab.SequenceSpace) -> None:
    assert method_figures.path_modules(toy.sample(np.random.default_rng(0)), [(1, 1)])._repr_png_()


def test_labels_without_a_known_name_are_drawn_too() -> None:
    figure = data_figures.label_distributions({"mine": pd.DataFrame({"score": [1.0, 2.0, 4.0]})})
    assert figure.axes[0].get_xlabel() == "score" and len([axes for axes in figure.axes if axes.axison]) == 1


DOLLARS = ["$x_{1}$", r"$\frac$", "$^", "1 $ or 2 $", r"\$ and \$"]


@pytest.mark.parametrize("name", DOLLARS)
def test_names_with_dollar_signs_are_no_formulas(name: str) -> None:
    table = pd.DataFrame({"price": [name, "other"], name: [1.0, 2.0]})
    drawn = comparison.run_comparison(table, ["price"], [name])
    assert drawn._repr_png_() and style.note(name)._repr_png_()
    axes = drawn.axes[0]
    for text in (axes.get_title(loc="left"), axes.get_yticklabels()[0].get_text()):
        assert text.replace(r"\$", "$").endswith(name.replace(r"\$", "$"))


def test_powers_of_ten_stay_formulas() -> None:
    @styled
    def draw() -> Picture:
        made = picture(2)
        made.add_subplot(xscale="log").plot([1, 1e6], [1, 2])
        return made

    drawn = draw()
    assert drawn._repr_png_()
    assert any("10^{" in label.get_text() for label in drawn.axes[0].get_xticklabels())


def test_units_stand_on_axes() -> None:
    assert label_name("latency_gpu") == "GPU latency (ms)" and label_name("acc") == "accuracy (fraction)"


def test_fidelity_shows_the_ratios_in_the_order_of_their_rows() -> None:
    axes = data_figures.surrogate_fidelity(fidelity(), {"uniform": 0.4, "extreme": 0.75}).axes[0]
    points = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert [list(line.get_xdata()) for line in points] == [[0.3] * 8] * 2
    assert axes.get_yticklabels()[0].get_text() == "MobileNetV3, accuracy"


def test_style_comes_and_goes() -> None:
    before = mpl.rcParams["axes.spines.top"]
    with style.apply():
        assert mpl.rcParams["axes.spines.top"] is False
    assert mpl.rcParams["axes.spines.top"] == before


def test_colours_differ_in_lightness_or_hue_for_every_reader() -> None:
    assert len(set(style.PALETTE)) == len(style.PALETTE) >= 6

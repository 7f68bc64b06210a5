"""Figures of experiment 4: every cluster, frontier and method is drawn where its numbers are."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from autobuild_book.chapters.regions import figures
from autobuild_book.figures import style
from autobuild_book.figures.style import PALETTE, WIDTH

DEVICES, SCORES, REGIONS, METHODS = ("gpu", "cpu"), ("norm", "effect"), ("fast", "balanced", "accurate"), ("A", "B")


def clusters() -> pd.DataFrame:
    rows = [
        (device, region, score, 5 + number + 0.1 * i, 0.7 + 0.01 * number)
        for device, score, (number, region), i in itertools.product(DEVICES, SCORES, enumerate(REGIONS), range(4))
    ]
    return pd.DataFrame(rows, columns=["device", "region", "score", "latency", "acc"])


def frontier() -> pd.DataFrame:
    points = [(4.0, 0.6, ""), (5.0, 0.7, "fast"), (6.0, 0.72, "fast, balanced")]
    panels = itertools.product(("ofa_mbv3", "ofa_pn"), DEVICES, points)
    rows = [(family, device, *point, 0.8) for family, device, point in panels]
    return pd.DataFrame(rows, columns=["family", "device", "latency", "acc", "regions", "hypervolume"])


def one_family() -> pd.DataFrame:
    return frontier().query("family == 'ofa_pn'")


def summary(seeds: int = 1) -> pd.DataFrame:
    rows = [
        ("ofa_mbv3", device, region, score, 0.25 * i)
        for device, (i, region), score in itertools.product(DEVICES, enumerate(REGIONS), SCORES)
    ]
    frame = pd.DataFrame(rows, columns=["family", "device", "region", "score", "share"])
    width = 0.1 if seeds > 1 else np.nan
    return frame.assign(low=frame.share - width, high=frame.share + width)


def medians() -> pd.DataFrame:
    rows = [
        (family, device, method, evaluations, 0.5 + evaluations / 1000 + 0.1 * number)
        for family, device, (number, method), evaluations in itertools.product(
            ("ofa_mbv3", "ofa_pn"), DEVICES, enumerate(METHODS), (10, 50, 250)
        )
    ]
    frame = pd.DataFrame(rows, columns=["family", "device", "method", "evaluations", "median"])
    return frame.assign(low=frame["median"] - 0.05, high=frame["median"] + 0.05)


def fronts() -> pd.DataFrame:
    rows = [
        (family, device, method, latency, 0.7 + latency / 100 + 0.01 * number)
        for family, device, (number, method), latency in itertools.product(
            ("ofa_mbv3", "ofa_pn"), DEVICES, enumerate(METHODS), (7.0, 5.0, 6.0)
        )
    ]
    return pd.DataFrame(rows, columns=["family", "device", "method", "latency", "acc"])


FIGURES: dict[str, Any] = {
    "pareto_clusters": lambda: figures.pareto_clusters(clusters(), one_family()),
    "dominating_shares": lambda: figures.dominating_shares(summary()),
    "search_curves": lambda: figures.search_curves(medians(), frontier()),
    "search_fronts": lambda: figures.search_fronts(fronts(), frontier()),
}


@pytest.mark.parametrize("name", FIGURES)
class TestEveryFigure:
    def test_it_shows_itself_and_repeats_exactly(self, name: str) -> None:
        first, second = (FIGURES[name]()._repr_png_() for _ in range(2))
        assert first == second and first.startswith(b"\x89PNG")

    def test_it_has_the_width_of_the_text_and_a_legend(self, name: str) -> None:
        figure = FIGURES[name]()
        assert figure.get_figwidth() == WIDTH and len(figure.legends) == 1

    def test_nothing_leaves_the_figure(self, name: str) -> None:
        figure = FIGURES[name]()
        figure.draw_without_rendering()
        box, width, height = figure.get_tightbbox(), *figure.get_size_inches()
        assert box.x0 >= -0.02 and box.y0 >= -0.02 and box.x1 <= width + 0.02 and box.y1 <= height + 0.02


def legend(figure: style.Picture) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_clusters_stand_in_the_panel_of_their_device_and_score_in_the_colour_of_their_region() -> None:
    figure = figures.pareto_clusters(clusters().query("not (device == 'cpu' and score == 'norm')"), one_family())
    assert [axes.get_title() for axes in figure.axes[:2]] == ["norm score", "effect score (ours)"]
    drawn = [[len(c.get_offsets()) for c in axes.collections if len(c.get_offsets()) > 3] for axes in figure.axes]
    assert drawn == [[12], [12], [], [12]]
    dots = next(c for c in figure.axes[0].collections if len(c.get_offsets()) == 12)
    assert [to_hex(colour) for colour in dots.get_facecolors()[::4]] == list(PALETTE[:3])
    np.testing.assert_allclose(dots.get_offsets()[0], [5, 0.7])
    assert legend(figure) == [*REGIONS, "training frontier"]


def test_points_of_the_frontier_have_a_ring_for_each_of_their_regions() -> None:
    axes = figures.pareto_clusters(clusters(), one_family()).axes[0]
    rings = [(tuple(c.get_offsets()[0]), to_hex(c.get_edgecolors()[0])) for c in axes.collections
             if len(c.get_offsets()) == 1]  # fmt: skip
    assert rings == [((5.0, 0.7), PALETTE[0]), ((6.0, 0.72), PALETTE[0]), ((6.0, 0.72), PALETTE[1])]
    (steps,) = axes.lines
    assert list(steps.get_xdata()) == [4, 5, 6] and steps.get_drawstyle() == "steps-post"


def test_shares_stand_in_the_row_of_their_panel_and_region() -> None:
    figure = figures.dominating_shares(summary(seeds=2))
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "MobileNetV3, GPU: fast" and len(names) == 6
    for container in axes.containers:
        points = container[0]
        assert list(points.get_xdata()) == [0, 0.25, 0.5] * 2
        assert [round(float(y)) for y in points.get_ydata()] == list(range(6))
        (bars,) = container[2]
        assert [float(x) for x in bars.get_segments()[1][:, 0]] == pytest.approx([0.15, 0.35])
    assert legend(figure) == ["norm score", "effect score (ours)", "one half"]


def test_without_intervals_there_are_no_bars() -> None:
    axes = figures.dominating_shares(summary()).axes[0]
    assert all(np.ptp(segment[:, 0]) == 0 for c in axes.containers for segment in c[2][0].get_segments())


def test_curves_are_medians_in_the_panel_of_their_family_and_device() -> None:
    figure = figures.search_curves(medians(), frontier())
    assert [axes.get_title() for axes in figure.axes] == [
        "MobileNetV3, GPU", "ProxylessNAS, GPU", "MobileNetV3, CPU", "ProxylessNAS, CPU"
    ]  # fmt: skip
    first, second, level = figure.axes[1].lines
    np.testing.assert_allclose(first.get_ydata(), [0.51, 0.55, 0.75])
    np.testing.assert_allclose(second.get_ydata(), [0.61, 0.65, 0.85])
    assert set(level.get_ydata()) == {0.8} and legend(figure) == ["A", "B", "training frontier"]
    assert len(figure.axes[1].collections) == 2, "a band for each method"


def test_fronts_are_staircases_from_fast_to_slow() -> None:
    first, second, known = figures.search_fronts(fronts(), frontier()).axes[0].lines
    assert list(first.get_xdata()) == list(second.get_xdata()) == [5, 6, 7]
    assert {line.get_drawstyle() for line in (first, second, known)} == {"steps-post"}
    assert len({line.get_color() for line in (first, second, known)}) == 3


def test_a_panel_without_data_stays_empty() -> None:
    some = medians().query("not (family == 'ofa_pn' and device == 'cpu')")
    figure = figures.search_curves(some, frontier())
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]

"""Figures of experiment 5: every picture, line, bar and network is drawn where its numbers are."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from autobuild_book.chapters.panoptic import figures
from autobuild_book.chapters.panoptic.figures import VOID_COLOUR
from autobuild_book.chapters.panoptic.task.images import CLASSES, PALETTE as COLOURS, VOID
from autobuild_book.figures.style import PALETTE, WIDTH, Picture

REGIONS = ("light", "middle", "heavy")


def titles(figure: Picture) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.axison]


def inside(figure: Picture) -> bool:
    """Whether the figure has the book's width, can be drawn, nothing leaves it, and its legend covers no label."""
    figure.draw_without_rendering()
    boxes = [axes.xaxis.label.get_window_extent() for axes in figure.axes if axes.axison and axes.get_xlabel()]
    legends = [legend.get_window_extent() for legend in figure.legends]
    box, width, height = figure.get_tightbbox(), *figure.get_size_inches()
    within = box.x0 >= -0.02 and box.y0 >= -0.02 and box.x1 <= width + 0.02 and box.y1 <= height + 0.02
    apart = not any(b.overlaps(own) for b, own in itertools.product(boxes, legends))
    return bool(figure.get_figwidth() == WIDTH and within and apart)


# -------------------------------------------------------------------- pictures


def test_segments_have_the_colours_of_classes_and_dark_borders() -> None:
    classes = np.full((2, 64, 64), 3)
    classes[0, :, 32:] = VOID
    numbers = np.where(np.arange(64) < 32, 0, 1) + np.zeros((2, 64, 1), int)
    images = np.zeros((2, 64, 64, 3), np.uint8)
    segments = {"ground truth": numbers, "built": numbers * 0}
    quality = {"ground truth": 1, "built": 0.5}
    figure = figures.panoptic_panel(images, dict.fromkeys(segments, classes), segments, quality)
    assert len(figure.axes) == 6 and titles(figure) == []  # no axis is shown
    assert [axes.get_title() for axes in figure.axes[:3]] == ["image", "ground truth", "built\nPQ 0.50"]
    truth, built = (np.asarray(axes.images[0].get_array()) for axes in figure.axes[1:3])
    np.testing.assert_allclose(truth[5, 5], COLOURS[3])
    np.testing.assert_allclose(truth[5, 50], VOID_COLOUR)
    assert (truth[:, 31] == 0.15).all() and (built[:, 31] != 0.15).all()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [*CLASSES, "void"] and inside(figure)


# -------------------------------------------------------------------- the table


def test_agreement_has_a_panel_for_each_comparison() -> None:
    pairs = pd.DataFrame({"comparison": ["a", "a", "b"], "first": [0.1, 0.2, 0.3], "second": [0.4, 0.5, 0.6]})
    found = pd.DataFrame({"comparison": ["a"], "networks": [2], "srcc": [0.98765]})
    figure = figures.label_agreement(pairs, found)
    assert titles(figure) == ["a: 2 networks\nSRCC 0.988", "b: 1 networks"]
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[0.1, 0.4], [0.2, 0.5]] and inside(figure)


def ranks(targets: tuple[str, ...] = ("pq", *REGIONS)) -> pd.DataFrame:
    rows = [
        (target, model, level, size, 0.5 + size / 2000 + place / 100)
        for target, (model, levels), size in itertools.product(
            targets, [("paper preset", ("hop 0", "hop 1", "head")), ("ridge", ("head",))], (50, 540)
        )
        for place, level in enumerate(levels)
    ]
    frame = pd.DataFrame(rows, columns=["target", "model", "level", "size", "srcc"])
    return frame.assign(low=frame.srcc - 0.1, high=np.nan)


@pytest.mark.parametrize("targets", [("pq", *REGIONS), ("pan_seg_PQ",), ("pq", "light")])
def test_ranks_have_a_panel_for_each_target(targets: tuple[str, ...]) -> None:
    figure = figures.srcc_by_size(ranks(targets))
    assert titles(figure) == ["panoptic quality (PQ)", *targets[1:]] and inside(figure)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert lines["paper preset, head"].get_ydata().tolist() == [0.545, 0.79]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["paper preset, hop 0", "paper preset, hop 1", "paper preset, head", "ridge"]


def test_importance_has_a_bar_for_each_value_and_a_line_for_each_stage() -> None:
    features = pd.DataFrame({"feature": ["unit", "unit", "e"], "value": ["0", "1", "6"], "share": [0.5, 0.3, 0.2],
                             "low": [0.4, 0.2, np.nan], "high": [0.6, 0.4, np.nan]})  # fmt: skip
    rows = [(score, unit, depth, depth + unit, 0.5) for score, unit, depth in
            itertools.product(("norm", "ridge"), (0, 1), (2, 3))]  # fmt: skip
    figure = figures.stage_importance(
        features, pd.DataFrame(rows, columns=["score", "unit", "depth", "mean", "spread"])
    )
    bars, first, _ = figure.axes
    assert [bar.get_height() for bar in bars.patches] == [0.5, 0.3, 0.2]
    assert [text.get_text() for text in bars.get_xticklabels()] == ["stage 1", "stage 2", "e 6"]
    assert titles(figure) == ["FE-MLP (hop 0)", "norm score", "ridge score"]
    assert [line.get_ydata().tolist() for line in first.lines[:4] if len(line.get_xdata()) == 2][:1] == [[2, 3]]
    assert inside(figure)


# -------------------------------------------------------------------- the front


def front() -> pd.DataFrame:
    return pd.DataFrame({"cost": [5e6, 8e6, 12e6], "quality": [0.5, 0.52, 0.55], "error": [0.004, 0.004, 0.004],
                         "regions": ["light", "light, middle", "heavy"]})  # fmt: skip


def networks() -> pd.DataFrame:
    rows = [(group, region, 6e6 + 1e6 * n, 0.53, 0.004) for group in ("norm score", "search")
            for n, region in enumerate(REGIONS)]  # fmt: skip
    return pd.DataFrame(rows, columns=["group", "region", "cost", "quality", "error"])


def test_built_networks_have_a_panel_for_each_builder() -> None:
    figure = figures.built_front(front(), networks(), ["norm score", "ridge", "search"], "macs", "pq")
    assert titles(figure) == ["norm score", "search"] and inside(figure)
    axes = figure.axes[0]
    squares = [line for line in axes.lines if line.get_marker() == "s"]
    assert [line.get_xydata().tolist() for line in squares] == [[[6, 0.53]], [[7, 0.53]], [[8, 0.53]]]
    assert [to_hex(line.get_color()) for line in squares] == [to_hex(c) for c in PALETTE[:3]]
    dots = [c for c in axes.collections if isinstance(c, PathCollection)]
    rings = [c for c in dots if len(c.get_facecolors()) == 0]
    assert [to_hex(ring.get_edgecolors()[0]) for ring in rings] == [PALETTE[n] for n in (0, 0, 1, 2)]
    assert axes.get_ylabel() == "" and figure.axes[0].get_xlabel() == "multiply-adds (millions)"


def test_a_front_alone_is_one_panel() -> None:
    figure = figures.built_front(
        front().assign(error=np.nan), networks()[:0], ["norm score"], "flops_pan_seg", "pan_seg_PQ"
    )
    assert len(figure.axes) == 1 and figure.axes[0].get_xlabel() == "FLOPs" and inside(figure)
    (stairs,) = [line for line in figure.axes[0].lines if len(np.asarray(line.get_xdata())) == 3]
    assert np.asarray(stairs.get_xdata()).tolist() == [5e6, 8e6, 12e6]


def test_differences_have_a_row_for_each_builder() -> None:
    rows = [(region, group, 0.01 * n, 0.01 * n - 0.002, 0.01 * n + 0.002) for region in REGIONS
            for n, group in enumerate(("norm score", "search"))]  # fmt: skip
    differences = pd.DataFrame(rows, columns=["region", "group", "over", "low", "high"])
    figure = figures.builder_differences(differences)
    assert titles(figure) == list(REGIONS) and inside(figure)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["norm score", "search"]
    marks = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() in ("o", "s")]
    assert marks == [[[0.0, 0]], [[0.01, 1]]]

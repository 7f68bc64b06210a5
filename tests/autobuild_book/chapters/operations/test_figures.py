"""Figures of experiment 2: they show what their tables hold."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.operations import figures as operation_figures
from autobuild_book.figures.style import WIDTH

NAMES = ["Conv", "Add", "HardSwish"]


def importance() -> pd.DataFrame:
    rows = [
        ("paper", "Conv", 0.5, np.nan, np.nan, np.nan, np.nan, np.nan, 0.4),
        ("paper", "Add", 0.2, np.nan, np.nan, np.nan, np.nan, np.nan, 0.4),
        ("tuned", "Conv", 0.7, 0.5, 0.9, 0.1, 0.2, 0.4, 0.4),
        ("tuned", "Add", 0.3, -0.1, 0.7, 0.2, 0.3, 0.5, 0.4),
    ]
    columns = ["preset", "operation", "importance", "low", "high", "null_low", "null_median", "null_high", "initial"]
    return pd.DataFrame(rows, columns=columns)


def attributions(families: tuple[str, ...] = ("both families", "ofa_mbv3", "ofa_pn")) -> pd.DataFrame:
    rows = [
        (family, name, measure, 0.01 * (place + 1), 0.0, 0.02 * (place + 1))
        for family in families
        for measure in ("ablation", "signed", "integrated")
        for place, name in enumerate(NAMES)
    ]
    return pd.DataFrame(rows, columns=["family", "operation", "measure", "value", "low", "high"])


def effects() -> pd.DataFrame:
    return pd.DataFrame({"operation": NAMES[1:], "effect": [0.001, 0.002], "low": [0, 0.001], "high": [0.002, 0.003]})


def agreement() -> pd.DataFrame:
    rows = [
        ("importance between seeds, tuned preset", "Kendall", 0.1, -0.1, 0.3),
        ("importance between seeds, paper preset", "Kendall", np.nan, np.nan, np.nan),
        ("importance, ablation", "Spearman", 0.4, np.nan, np.nan),
    ]
    return pd.DataFrame(rows, columns=["comparison", "measure", "value", "low", "high"])


def ranks() -> tuple[pd.DataFrame, pd.DataFrame]:
    families = ["both families", "ofa_mbv3", "ofa_pn"]
    rows = [
        (family, "acc", "paper", level, 0.8, 0.7, 0.9) for family in families for level in ("hop 0", "hop 1", "head")
    ]
    summary = pd.DataFrame(rows, columns=["family", "target", "preset", "level", "srcc", "low", "high"])
    return summary, pd.DataFrame({"family": families, "target": "acc", "ceiling": 0.95, "gap": np.nan})


def values() -> pd.DataFrame:
    return pd.DataFrame({"family": ["ofa_mbv3"] * 5 + ["ofa_pn"] * 3, "value": np.linspace(0.7, 0.8, 8)})


def figures() -> dict[str, Any]:
    return {
        "family_histograms": lambda: operation_figures.family_histograms(values(), "acc"),
        "srcc_by_family": lambda: operation_figures.srcc_by_family(*ranks()),
        "operation_importance": lambda: operation_figures.operation_importance(importance()),
        "operation_effects": lambda: operation_figures.operation_effects(attributions(), effects(), NAMES, "acc"),
        "ranking_agreement": lambda: operation_figures.ranking_agreement(agreement(), 0.6),
    }


@pytest.mark.parametrize("name", figures())
def test_every_figure_shows_itself_repeats_exactly_and_fits_the_text(name: str) -> None:
    before = dict(mpl.rcParams)
    first, second = (figures()[name]()._repr_png_() for _ in range(2))
    assert first == second and first.startswith(b"\x89PNG") and dict(mpl.rcParams) == before
    assert figures()[name]().get_figwidth() == WIDTH


def rows(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def dots(axes: Any) -> list[list[float]]:
    bars = [container for container in axes.containers if hasattr(container, "lines")]
    return [np.asarray(bar.lines[0].get_xdata(), dtype=float).round(6).tolist() for bar in bars]


def test_histograms_count_every_network() -> None:
    axes = operation_figures.family_histograms(values(), "acc").axes[0]
    assert sum(patch.get_height() for patch in axes.patches) == 8
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["MobileNetV3 (5)", "ProxylessNAS (3)"]


def test_importance_stands_in_order_with_the_null_behind() -> None:
    axes = operation_figures.operation_importance(importance()).axes[0]
    assert rows(axes) == ["Conv", "Add"] and axes.get_ylim()[0] > axes.get_ylim()[1]
    assert dots(axes) == [[0.5, 0.2], [0.7, 0.3]]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    np.testing.assert_allclose(ends, [(0.1, 0.4), (0.2, 0.5)])


def test_effects_are_in_percentage_points_and_families_apart() -> None:
    first, second, third = operation_figures.operation_effects(attributions(), effects(), NAMES, "acc").axes
    assert dots(first) == [[1, 2, 3]] and dots(second) == [[1, 2, 3]] * 2 and dots(third) == [[0.1, 0.2]]
    assert list(third.containers[0].lines[0].get_ydata()) == [1, 2] and second.get_xlabel() == "percentage points"
    alone = operation_figures.operation_effects(attributions(("ofa_pn",)), effects(), NAMES, "latency_cpu").axes
    assert dots(alone[1]) == [[0.01, 0.02, 0.03]] and alone[1].get_xlabel() == "CPU latency (ms)"


def test_agreement_leaves_out_what_has_no_number() -> None:
    above, below = operation_figures.ranking_agreement(agreement(), 0.6).axes
    assert rows(above) == ["importance between\nseeds, tuned preset"] and rows(below) == ["importance, ablation"]
    assert dots(above) == [[0.1]] and dots(below) == [[0.4]]
    assert 0.6 in [line.get_xdata()[0] for line in above.lines]
    assert 0.6 not in [line.get_xdata()[0] for line in below.lines]

"""Figures of experiment 2: labels of both families, importance of operations, what they do, and how rankings agree."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autobuild_book.figures.ranks import srcc_by_hop
from autobuild_book.figures.style import INK, PALETTE, UNITS, Picture, family_name, label_name, picture, styled

MARKERS = {"tuned": "s", "paper": "o"}
MEASURES = {"Kendall": "Kendall's tau", "Spearman": "Spearman correlation"}
ROW = 0.27  # inches


@styled
def family_histograms(values: pd.DataFrame, target: str) -> Picture:
    """Draw a histogram of the target, one colour per family; dashed lines are means. Columns: family, value."""
    figure = picture(2.6)
    axes = figure.add_subplot(xlabel=label_name(target), ylabel="networks")
    edges = np.histogram_bin_edges(values["value"], bins=45).tolist()
    for number, (family, each) in enumerate(values.groupby("family", sort=False)["value"]):
        axes.hist(each, edges, color=PALETTE[number], alpha=0.6, label=f"{family_name(str(family))} ({len(each):,})")
        axes.axvline(float(each.mean()), color=PALETTE[number], linestyle="--")
    axes.legend(loc="upper left")
    return figure


@styled
def srcc_by_family(summary: pd.DataFrame, references: pd.DataFrame) -> Picture:
    """Draw rank correlation by hop with a panel per family: `srcc_by_hop`, with ticks for narrow panels."""
    figure = srcc_by_hop(summary, references)
    for axes in figure.axes:
        axes.tick_params(labelsize=8)
        axes.title.set_fontsize(8.5)
    return figure


@styled
def operation_importance(table: pd.DataFrame) -> Picture:
    """Draw the importance of every operation at hop 0: a row per operation in the order given, a marker per preset.

    Columns: preset, operation, importance, low, high, null_low, null_median, null_high, initial.
    """
    names = list(dict.fromkeys(table["operation"]))
    figure = picture(ROW * len(names) + 1.2)
    axes = _rows(figure.add_subplot(xlabel="importance: magnitude of the score at hop 0", xlim=(0, None)), names)
    null = table.dropna(subset="null_median")
    if len(null):
        places = [names.index(name) for name in null["operation"]]
        width = null["null_high"] - null["null_low"]
        axes.barh(places, width, 0.7, null["null_low"], color="#dddddd", label="shuffled labels, 5 % to 95 %")
    presets = list(dict.fromkeys(table["preset"]))
    for number, preset in enumerate(presets):
        rows = table[table["preset"] == preset]
        shifted = [names.index(name) + 0.22 * (number - (len(presets) - 1) / 2) for name in rows["operation"]]
        _bars(
            axes, rows.assign(value=rows["importance"]), shifted, PALETTE[number], f"{preset} preset", MARKERS[preset]
        )
    axes.set_xlim(0, 1.15 * float(table[["importance", "null_high"]].max().max()))
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled
def operation_effects(
    attributions: pd.DataFrame, effects: pd.DataFrame, operations: Sequence[str], target: str
) -> Picture:
    """Draw what operations do, a row per operation: by ablation, by integrated gradients per family, and in data.

    Args:
        attributions: columns family, operation, measure, value, low, high; the first family stands for all networks.
        effects: columns operation, effect, low, high.
        operations: the order of the rows.
        target: the label that the numbers belong to; fractions are shown in percentage points.
    """
    names, families = list(operations), list(dict.fromkeys(attributions["family"]))
    scale, unit = (100, "percentage points") if UNITS.get(target) == "fraction" else (1, label_name(target))
    figure = picture(ROW * len(names) + 1.5)
    first, second, third = figure.subplots(1, 3, sharey=True)
    parts = (
        (first, "ablation", families[:1], "ablation:\ndifferences"),
        (second, "integrated", families[1:] or families, "integrated\ngradients"),
    )
    for axes, measure, shown, title in parts:
        for number, family in enumerate(shown):
            rows = attributions[(attributions["measure"] == measure) & (attributions["family"] == family)]
            places = [names.index(name) + 0.24 * (number - (len(shown) - 1) / 2) for name in rows["operation"]]
            colour, name = PALETTE[number], family_name(family)
            if measure == "ablation":
                colour, name = INK, "all networks"
            _bars(axes, _scaled(rows, scale), places, colour, name, "os^"[number])
        axes.set_title(title, fontsize=9.5)
    measured = _scaled(effects.rename(columns={"effect": "value"}), scale)
    places = [names.index(name) for name in effects["operation"]]
    _bars(third, measured, places, PALETTE[2], "regression", "D")
    third.set_title("in data: one more\nat equal cost", fontsize=9.5)
    for axes in (first, second, third):
        _rows(axes, names)
        axes.axvline(0, color=INK, linewidth=0.9)
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(axis="x", labelsize=9)
    second.set_xlabel(unit, fontsize=10)
    figure.legend(loc="outside lower center", ncols=4, fontsize=9)
    return figure


@styled
def ranking_agreement(table: pd.DataFrame, limit: float) -> Picture:
    """Draw how far rankings of operations agree: a row per comparison, a panel per measure; the dashed line is `limit`.

    Columns: comparison, measure, value, low, high. The line belongs to Kendall's tau.
    """
    parts = [(name, table[(table["measure"] == name) & table["value"].notna()]) for name in MEASURES]
    sizes = [max(len(rows), 1) for _, rows in parts]
    figure = picture(ROW * 1.25 * sum(sizes) + 1.6)
    for axes, (name, rows) in zip(figure.subplots(2, 1, height_ratios=sizes, sharex=True), parts, strict=True):
        _rows(axes, [_wrapped(text) for text in rows["comparison"]])
        _bars(axes, rows, list(range(len(rows))), PALETTE[0 if name == "Kendall" else 1], name, "o")
        axes.axvline(0, color=INK, linewidth=0.9)
        if name == "Kendall":
            axes.axvline(limit, color=PALETTE[3], linestyle="--", linewidth=1.2)
        axes.set(xlim=(-1.03, 1.03), xlabel=MEASURES[name])
        axes.tick_params(axis="y", labelsize=8.5)
        axes.tick_params(axis="x", labelbottom=True)
    return figure


def _wrapped(text: str) -> str:
    """Break a long text at the comma or space nearest to its middle."""
    if len(text) < 36:
        return text
    middle = min((place for place, letter in enumerate(text) if letter == " "), key=lambda p: abs(p - len(text) / 2))
    return f"{text[:middle]}\n{text[middle + 1 :]}"


def _scaled(frame: pd.DataFrame, scale: float) -> pd.DataFrame:
    return frame.assign(**{name: scale * frame[name] for name in ("value", "low", "high")})


def _rows(axes: Axes, names: Sequence[str]) -> Axes:
    axes.set_yticks(range(len(names)), list(names), fontsize=9.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return axes


def _bars(axes: Axes, rows: pd.DataFrame, places: Sequence[float], colour: str, name: str, marker: str) -> None:
    """Dots with intervals; what has no interval is a dot alone."""
    low, high = rows["low"].fillna(rows["value"]), rows["high"].fillna(rows["value"])
    ends = [np.maximum(rows["value"] - low, 0), np.maximum(high - rows["value"], 0)]
    look: dict[str, Any] = {"fmt": marker, "markersize": 4.5, "capsize": 2, "linewidth": 1.2}
    axes.errorbar(rows["value"], list(places), xerr=ends, color=colour, label=name, **look)

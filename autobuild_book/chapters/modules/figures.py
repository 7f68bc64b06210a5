"""Figures of experiment 3: best and worst modules, where they stand, what they do, and how far scores agree."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.patches import FancyBboxPatch

from autobuild_book.figures.style import INK, PALETTE, Picture, family_name, picture, styled

BLUE, RED = PALETTE[0], PALETTE[3]
SEQUENTIAL = LinearSegmentedColormap.from_list("shares", ["white", BLUE])
DIVERGING = LinearSegmentedColormap.from_list("correlations", [RED, "white", BLUE])
SCORES: dict[str, dict[str, Any]] = {
    "norm": {"color": PALETTE[1], "marker": "o", "label": "norm score (paper)"},
    "effect": {"color": PALETTE[0], "marker": "s", "label": "effect score (ours)"},
    "ridge": {"color": PALETTE[2], "marker": "^", "label": "additive ridge"},
}
FACETS = {
    "unit": "random modules\nof a unit",
    "unit, depths alike": "of a unit, every\ndepth as often",
    "unit and depth": "of one unit\nand depth",
    "Spearman": "Spearman,\nunit",
    "Kendall": "Kendall,\nunit",
    "Spearman, same depth": "Spearman,\nunit and depth",
    "best 1 %": "common part\nof the best 1 %",
}
PAIR_ROW = 0.62  # inches: one row of chains


# -------------------------------------------------------------------- chains


@styled
def module_chains(chains: pd.DataFrame) -> Picture:
    """Draw modules as chains of labelled layers: the best ones left, the worst right, a row per size.

    Columns: name (of the equation, one block each), depth, end ("best" or "worst"), unit, module, value, share.
    """
    names = list(dict.fromkeys(chains["name"]))
    rows = [chains[chains["name"] == name]["depth"].nunique() for name in names]
    figure = picture(sum(PAIR_ROW * n + 0.42 for n in rows), one_width=True)
    grid = figure.subplots(len(names), 1, squeeze=False, height_ratios=[PAIR_ROW * n + 0.42 for n in rows])
    longest = int(chains["depth"].max())
    layers = sorted({layer for module in chains["module"] for layer in _layers(module)}, key=_by_size)
    for name, axes in zip(names, grid[:, 0], strict=True):
        shown = chains[chains["name"] == name]
        depths = sorted(shown["depth"].unique())
        for row in shown.to_dict("records"):
            left = 0 if row["end"] == "best" else longest + 0.5
            _chain(axes, left, depths.index(row["depth"]), row, [layer.split("_")[0] for layer in layers])
        axes.set(xlim=(-0.1, 2 * longest + 0.5), ylim=(len(depths) - 0.35, -0.75))
        axes.text(0, -0.68, f"{name}: best", fontweight="bold", va="bottom", fontsize=10)
        axes.text(longest + 0.5, -0.68, "worst", fontweight="bold", va="bottom", fontsize=10)
        axes.set_axis_off()
    return figure


def _layers(module: str) -> list[str]:
    """The names of a module's layers, without the features of its units."""
    return [layer for unit in module.split("|") for layer in unit.split(";")[-1].split(",")]


def _by_size(text: str) -> tuple[int, str]:
    return len(text), text


def _chain(axes: Axes, left: float, row: int, module: dict[str, Any], first_words: Sequence[str]) -> None:
    layers = _layers(module["module"])
    words = sorted(set(first_words), key=_by_size)
    size = min(9.5, 40 / max(len(word) for layer in layers for word in layer.split("_")))
    features = [text for unit in module["module"].split("|") for text in unit.split(";")[:-1]]
    where = " ".join(["unit", str(module["unit"]), *features])
    about = f"{where} · {module['value']:.3g} · {module['share']:.0%}".replace("-", "−")
    axes.text(left, row - 0.33, about, fontsize=8.5, va="bottom")
    axes.plot([left + 0.4, left + len(layers) - 0.6], [row, row], color=INK, linewidth=1, zorder=1)
    for place, layer in enumerate(layers):
        tint = 0.08 + 0.5 * words.index(layer.split("_")[0]) / max(len(words) - 1, 1)
        look: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": _tint(BLUE, tint)}
        axes.add_patch(FancyBboxPatch((left + place, row - 0.29), 0.8, 0.58, edgecolor=INK, zorder=2, **look))
        text = layer.replace("_", "\n")
        axes.text(left + place + 0.4, row, text, ha="center", va="center", fontsize=size, linespacing=0.95, zorder=3)


def _tint(colour: str, share: float) -> tuple[float, ...]:
    return tuple(1 - share * (1 - channel) for channel in to_rgb(colour))


# -------------------------------------------------------------------- maps of units and depths


@styled
def share_maps(shares: pd.DataFrame) -> Picture:
    """Draw which share of the best 1 % of modules each unit and depth holds, in percent.

    Columns: family, device, score, name (of the equation), unit, depth, share.
    """
    return _cell_maps(shares.assign(shown=100 * shares["share"]), SEQUENTIAL, (0, 100), "{:.0f}")


@styled
def correlation_maps(correlations: pd.DataFrame) -> Picture:
    """Draw a rank correlation per unit and depth.

    Columns: family, device, score, name (of the equation), unit, depth, srcc (NaN: no number).
    """
    return _cell_maps(correlations.assign(shown=correlations["srcc"]), DIVERGING, (-1, 1), "{:.1f}")


def _cell_maps(table: pd.DataFrame, colours: Colormap, ends: tuple[float, float], shape: str) -> Picture:
    """A row of maps per family, device and score, a map per equation; their numbers are in `shown`."""
    rows = list(dict.fromkeys(zip(table["family"], table["device"], table["score"], strict=True)))
    figure = picture(1.75 * len(rows) + 0.1, one_width=True)
    for part, row in zip(figure.subfigures(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        family, device, score = row
        shown = table[(table["family"] == family) & (table["device"] == device) & (table["score"] == score)]
        names = list(dict.fromkeys(shown["name"]))
        part.suptitle(f"{_panel_name(family, device)}: {SCORES[score]['label']}", fontsize=10, x=0.01, ha="left")
        for axes, name in zip(part.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            _map(
                axes,
                shown[shown["name"] == name].pivot_table("shown", "unit", "depth", dropna=False),
                colours,
                ends,
                shape,
            )
            axes.set_title(name, fontsize=9.5)
            axes.set_xlabel("layers", fontsize=9)
            axes.set_ylabel("unit" if name == names[0] else "", fontsize=9)
    return figure


def _map(axes: Axes, table: pd.DataFrame, colours: Colormap, ends: tuple[float, float], shape: str) -> None:
    axes.imshow(table.to_numpy(), cmap=colours, vmin=ends[0], vmax=ends[1], aspect="auto")
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        if not np.isnan(value):
            dark = abs(value) > 0.65 * ends[1]
            text = shape.format(value + 0.0).replace("-0.0", "0.0")
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color="white" if dark else INK)
    axes.set_xticks(range(table.shape[1]), [str(name) for name in table.columns], fontsize=9)
    axes.set_yticks(range(table.shape[0]), [str(name) for name in table.index], fontsize=9)
    axes.grid(visible=False)
    axes.tick_params(length=0)


@styled
def overlap_maps(overlap: pd.DataFrame) -> Picture:
    """Draw which share of the best 1 % of modules two equations have in common, in percent: a map per panel.

    Above the diagonal by norm score, below it by effect score. Columns: family, device, score, first, second, overlap.
    """
    panels = list(dict.fromkeys(zip(overlap["family"], overlap["device"], strict=True)))
    rows = -(-len(panels) // 2)
    figure = picture(2.55 * rows)
    grid = figure.subplots(rows, 2, squeeze=False)
    for axes, (family, device) in zip(grid.flat, panels, strict=False):
        pairs = overlap[(overlap["family"] == family) & (overlap["device"] == device)]
        names = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
        table = pd.DataFrame(np.nan, index=names, columns=names)
        for (score, first, second), part in pairs.groupby(["score", "first", "second"]):
            place = (first, second) if score == "norm" else (second, first)
            table.loc[place] = 100 * part["overlap"].mean()
        _map(axes, table, SEQUENTIAL, (0, 100), "{:.0f}")
        axes.tick_params(axis="x", rotation=30)
        axes.set_title(_panel_name(family, device), fontsize=10)
        axes.set_xlabel("below: effect score", fontsize=9)
        axes.set_ylabel("above: norm score", fontsize=9)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    return figure


def _panel_name(family: str, device: str) -> str:
    return f"{family_name(family)}, {device.upper()}" if device else family_name(family)


# -------------------------------------------------------------------- measured effects


@styled
def intervention_effects(effects: pd.DataFrame) -> Picture:
    """Draw what the best and the worst module of every unit and depth do to a target, against random ones.

    One panel per equation; in standard deviations of the target. Columns: name, score, unit, depth, scale, gain and
    loss with `_low` and `_high`.
    """
    names = list(dict.fromkeys(effects["name"]))
    cells = sorted(set(zip(effects["unit"], effects["depth"], strict=True)))
    rows = -(-len(names) // 2)
    figure = picture((0.21 * len(cells) + 0.45) * rows + 0.6)
    grid = figure.subplots(rows, 2, squeeze=False, sharey=True)
    for axes, name in zip(grid.flat, names, strict=False):
        axes.axvline(0, color=INK, linewidth=1)
        for number, (score, bars) in enumerate(effects[effects["name"] == name].groupby("score", sort=False)):
            places = [
                cells.index(cell) + 0.26 * (number - 0.5) for cell in zip(bars["unit"], bars["depth"], strict=True)
            ]
            for end, column, sign, colour in (("best", "gain", 1, BLUE), ("worst", "loss", -1, RED)):
                middle, low, high = (sign * bars[column + part] / bars["scale"] for part in ("", "_low", "_high"))
                reach = [(middle - np.minimum(low, high)), np.maximum(low, high) - middle]
                look: dict[str, Any] = {
                    "fmt": "o" if score == "norm" else "s",
                    "mfc": colour if score == "norm" else "white",
                }
                look |= {"color": colour, "markersize": 4, "linewidth": 1, "label": f"{end} by {score}"}
                axes.errorbar(middle, places, xerr=reach, **look)
        axes.set_title(name, fontsize=10)
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(axis="x", labelsize=9)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    _name_rows(list(grid[:, 0]), [f"{unit}, {depth}" for unit, depth in cells], "unit, layers")
    for axes in grid[-1]:
        axes.set_xlabel("effect (standard deviations)", fontsize=9.5)
    handles, texts = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=2)
    return figure


def _name_rows(columns: Sequence[Axes], names: Sequence[str], label: str) -> None:
    for axes in columns:
        axes.set_yticks(range(len(names)), names, fontsize=9)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_ylabel(label, fontsize=9.5)


# -------------------------------------------------------------------- rows of dots


@styled
def agreement_by_task(summary: pd.DataFrame) -> Picture:
    """Draw rank correlations of scores with measured effects: a row per task, a panel per scope.

    Dots are medians, bars reach from the lowest to the highest. Columns: family, label, scope, score, median, low,
    high.
    """
    return _dots(summary.rename(columns={"scope": "facet"}), "Spearman correlation")


@styled
def agreement_of_seeds(summary: pd.DataFrame) -> Picture:
    """Draw how far the scores of two training seeds agree: a row per equation, a panel per measure.

    Dots are medians, bars reach from the lowest to the highest. Columns: family, label, measure, score, median, low,
    high.
    """
    return _dots(summary.rename(columns={"measure": "facet"}), "agreement")


def _dots(table: pd.DataFrame, xlabel: str) -> Picture:
    facets = [facet for facet in FACETS if facet in set(table["facet"])]
    scores = [score for score in SCORES if score in set(table["score"])]
    families = list(dict.fromkeys(table["family"]))
    rows = [table[table["family"] == family]["label"].nunique() for family in families]
    figure = picture(0.1 * len(scores) * sum(rows) + 0.1 * len(rows) + 1.2)
    grid = figure.subplots(len(families), len(facets), squeeze=False, sharex="col", height_ratios=rows)
    for line, family in zip(grid, families, strict=True):
        dots = table[table["family"] == family]
        labels = list(dict.fromkeys(dots["label"]))
        for axes, facet in zip(line, facets, strict=True):
            axes.axvline(0, color=INK, linewidth=1)
            part = dots[dots["facet"] == facet]
            for number, score in enumerate(scores):
                shift = 0.8 * ((number + 0.5) / len(scores) - 0.5)
                _row_of_dots(axes, part[part["score"] == score], labels, shift, score)
            _name_rows([axes], labels, family_name(family))
            axes.label_outer()
            axes.set_xlim(min(-0.05, *table["low"]) - 0.03, 1.04)
    for axes, facet in zip(grid[0], facets, strict=True):
        axes.set_title(FACETS[facet], fontsize=9.5)
    for axes in grid[-1]:
        axes.set_xlabel(xlabel, fontsize=9.5)
    handles, texts = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=len(scores) if len(scores) < 3 else 2)
    return figure


def _row_of_dots(axes: Axes, part: pd.DataFrame, labels: Sequence[str], shift: float, score: str) -> None:
    places = [labels.index(label) + shift for label in part["label"]]
    reach = [part["median"] - part["low"], part["high"] - part["median"]]
    axes.errorbar(part["median"], places, xerr=reach, markersize=4, linewidth=1, linestyle="none", **SCORES[score])

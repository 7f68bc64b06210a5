"""Figures of the method chapter."""

import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from autobuild_book.chapters.foundations.method import edges, hops_to
from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled
from autobuild_lib.spaces import Architecture


@styled
def path_modules(architecture: Architecture, modules: Sequence[tuple[int, int]]) -> Picture:
    """Draw an architecture as a path, one row per unit, and mark modules given as (unit, hops).

    A module is what message passing of so many hops sees from the last layer of the unit: that layer (bold outline)
    and as many layers before it.
    """
    units = architecture.to_lists()
    layers = [(row, column) for row, unit in enumerate(units) for column in range(len(unit))]
    figure = picture(0.7 * len(units) + 0.75)
    axes = figure.add_subplot()
    for number, (unit, hops) in enumerate(modules):
        root = layers.index((unit, len(units[unit]) - 1))
        _mark_module(axes, layers[max(root - hops, 0) : root + 1], PALETTE[number], f"{hops}-hop module")
    names = str(architecture).split("|")[-len(units) :]
    for row, column in layers:
        text = names[row].split(";")[-1].split(",")[column].replace("_", "\n")
        axes.text(column, row, text, ha="center", va="center", fontsize=9.5, linespacing=0.95, zorder=4)
        axes.add_patch(_box(column, row, 0.29, 0.29, facecolor="white", edgecolor=INK, linewidth=1, zorder=3))
    for before, after in itertools.pairwise(layers):
        _arrow(axes, before, after)
    _frame(axes, units, len(modules))
    return figure


def _box(column: float, row: float, half_width: float, half_height: float, **look: Any) -> FancyBboxPatch:
    corner = (column - half_width, row - half_height)
    return FancyBboxPatch(corner, 2 * half_width, 2 * half_height, boxstyle="round,pad=0,rounding_size=0.08", **look)


def _mark_module(axes: Axes, nodes: Sequence[tuple[int, int]], colour: str, name: str) -> None:
    for row in {row for row, _ in nodes}:
        columns = [column for r, column in nodes if r == row]
        middle, half = (columns[0] + columns[-1]) / 2, (columns[-1] - columns[0]) / 2 + 0.38
        shown = name if row == nodes[-1][0] else None
        axes.add_patch(_box(middle, row, half, 0.41, facecolor=colour, alpha=0.35, edgecolor="none", label=shown))
    row, column = nodes[-1]
    axes.add_patch(_box(column, row, 0.33, 0.33, facecolor="none", edgecolor=colour, linewidth=2.5, zorder=5))


def _arrow(axes: Axes, before: tuple[int, int], after: tuple[int, int]) -> None:
    look = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0, "linewidth": 1}
    (row, column), (next_row, next_column) = before, after
    if row == next_row:
        axes.annotate("", (next_column - 0.29, row), (column + 0.29, row), arrowprops=look, zorder=2)
        return
    half, left = row + 0.5, next_column - 0.62  # around the end of the row, back to the left, and down
    path = [(column + 0.29, row), (column + 0.62, row), (column + 0.62, half), (left, half), (left, next_row)]
    axes.plot(*zip(*path, strict=True), color=INK, linewidth=1, zorder=2)
    axes.annotate("", (next_column - 0.29, next_row), (left, next_row), arrowprops=look, zorder=2)


def _frame(axes: Axes, units: Sequence[Sequence[str]], columns: int) -> None:
    most = max(map(len, units))
    axes.set(xlim=(-1.55, most - 0.2), ylim=(len(units) - 0.45, -0.55))
    axes.set_axis_off()
    for row in range(len(units)):
        axes.text(-1.5, row, f"unit {row}", ha="left", va="center", color=INK)
    if columns:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=columns)


@styled
def graph_modules(architecture: Architecture, rows: Sequence[float], hops: tuple[int, int]) -> Picture:
    """Draw an architecture as a graph, each unit in its row, and what its last layer sees after few and more hops.

    A layer stands as far to the right as its longest way from the input, and says after how many hops it is seen.
    """
    links, names = edges(architecture), [layer for unit in architecture.to_lists() for layer in unit]
    units = [unit for unit, depth in enumerate(architecture.depths) for _ in range(depth)]
    seen, columns = hops_to(architecture, len(names) - 1), [0] * len(names)
    for _ in names:
        for source, target in links:
            columns[target] = max(columns[target], columns[source] + 1)
    places = [(rows[unit], column) for unit, column in zip(units, columns, strict=True)]
    figure = picture(max(rows) + 1.6, one_width=True)
    axes = figure.add_subplot(xlim=(-0.5, max(columns) + 0.5), ylim=(max(rows) + 0.5, -0.5))
    axes.set_axis_off()
    texts = (f"{hops[0]}-hop module: the content of its unit", f"{hops[1]}-hop module: these, too")
    for number, (text, few) in enumerate(zip(texts, (-1, hops[0]), strict=True)):
        inside = [place for node, place in enumerate(places) if few < seen.get(node, hops[1] + 1) <= hops[number]]
        for first, (row, column) in enumerate(inside):
            look = {"facecolor": PALETTE[number], "alpha": 0.35, "edgecolor": "none", "label": None if first else text}
            axes.add_patch(_box(column, row, 0.42, 0.42, **look))
    for node, (row, column) in enumerate(places):
        last = {"edgecolor": PALETTE[0], "linewidth": 2.5} if node == len(places) - 1 else {"edgecolor": INK}
        axes.add_patch(_box(column, row, 0.31, 0.31, facecolor="white", zorder=3, **last))
        hop = f"\nhop {seen[node]}" if node in seen else ""
        axes.text(column, row, f"{names[node]}{hop}", ha="center", va="center", fontsize=9.5, zorder=4)
    for source, target in links:
        (row, column), (next_row, next_column) = places[source], places[target]
        look = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0, "linewidth": 1}
        axes.annotate("", (next_column - 0.31, next_row), (column + 0.31, row), arrowprops=look, zorder=2)
    for unit, row in enumerate(rows):
        column = columns[units.index(unit)]
        axes.text(column - 0.31, row - 0.4, f"unit {unit}", ha="left", va="bottom", color=INK, fontsize=9.5)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2)
    return figure


@styled
def soft_ranks(frame: pd.DataFrame) -> Picture:
    """Draw soft ranks of some values, one line per regularisation strength.

    Columns: value, strength, soft_rank.
    """
    figure = picture(3.2)
    axes = figure.add_subplot(xlabel="value", ylabel="soft rank")
    for number, (strength, part) in enumerate(frame.groupby("strength")):
        part = part.sort_values("value")
        axes.plot(part["value"], part["soft_rank"], marker="osD^v"[number % 5], label=f"strength {strength:g}")
    axes.legend()
    return figure

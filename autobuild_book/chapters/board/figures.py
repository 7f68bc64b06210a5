"""Figures of the table of tables: models by tasks, and average ranks."""

from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.board.results import task_name
from autobuild_book.figures.pictures import is_narrow
from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled


@styled
def models_by_tasks(table: pd.DataFrame, label: str = "SRCC") -> Picture:
    """Draw a cell per model and task, lighter where the value is higher; with the value where there is room for it.

    Args:
        table: index (table, target), a column per model.
        label: what the values are.
    """
    values = table.to_numpy().T
    figure = picture(0.24 * len(values) + 1.6)
    axes = figure.add_subplot()
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    image = axes.imshow(values, aspect="auto", cmap="cividis", vmin=low, vmax=high)
    for (row, column), value in np.ndenumerate(values) if not is_narrow() else ():
        ink = "white" if value < (low + high) / 2 else "black"
        axes.text(column, row, f"{value:.2f}".replace("0.", "."), ha="center", va="center", fontsize=6.5, color=ink)
    names = list(map(task_name, *map(table.index.get_level_values, (0, 1))))
    turned: Any = {"rotation": 90} if is_narrow() else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names)), names, fontsize=8, **turned)
    axes.set_yticks(range(len(values)), table.columns.tolist(), fontsize=8)
    axes.grid(visible=False)
    place: Any = {"location": "top", "aspect": 30} if is_narrow() else {"shrink": 0.8}
    figure.colorbar(image, ax=axes, label=label, **place)
    return figure


@styled
def average_ranks(ranks: pd.DataFrame, difference: float) -> Picture:
    """Draw average ranks of models over tasks with their intervals, the best on top.

    Args:
        ranks: columns model, rank, low, high, the best first.
        difference: the critical one, drawn as a band beside the best rank; NaN for none.
    """
    figure = picture(0.24 * len(ranks) + 0.9)
    axes = figure.add_subplot(xlabel="average rank over tasks (1 is best)")
    best = float(ranks["rank"].iloc[0])
    if np.isfinite(difference):
        axes.axvspan(best, best + difference, color=PALETTE[-1], alpha=0.25, linewidth=0, label="critical difference")
    value, places = ranks["rank"], np.arange(len(ranks))
    bars = [value - ranks["low"].fillna(value), ranks["high"].fillna(value) - value]
    axes.errorbar(value, places, xerr=bars, fmt="o", color=PALETTE[0], ecolor=INK, markersize=4, elinewidth=1)
    axes.set_yticks(places, list(ranks["model"]), fontsize=8.5)
    axes.set_ylim(len(ranks) - 0.5, -0.5)
    if np.isfinite(difference):
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", fontsize=9)
    return figure

"""Figures of the section on ranking."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.trained.effects import ACCEL
from autobuild_book.chapters.trained.ranking import ONLY
from autobuild_book.figures import curves
from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled


def title(source: str) -> str:
    """Return how a table is called in a figure."""
    return "Accel-NASBench" if source == ACCEL else source.rpartition(":")[2]


@styled
def learning_curves(summary: pd.DataFrame, models: Sequence[str], ceilings: pd.Series) -> Picture:
    """Draw rank correlation against the number of training rows, a panel per table, a line per model.

    Args:
        summary: columns source, model, size, mean, low, high.
        models: which to draw, at most seven.
        ceilings: what another measurement of the same networks reaches, by source; a dashed line where it is known.
    """
    summary = summary[~summary["size"].isin(ONLY)]  # of one table, too close to its neighbour on the axis
    sources = list(dict.fromkeys(summary["source"]))
    rows = -(-len(sources) // 2)
    figure = picture(1.5 * rows + 1.2)
    grid = list(figure.subplots(rows, 2, squeeze=False, sharex=True).flat)
    for source, axes in zip(sources, grid, strict=False):
        part = summary[summary["source"] == source]
        curves.learning_curves(axes, part, models, "mean")
        if np.isfinite(ceilings.get(source, np.nan)):
            again = "test accuracy, or another seed"
            axes.axhline(ceilings[source], linestyle="--", color=INK, linewidth=1, label=again)
        axes.set_title(title(source), fontsize=9.5)
    for axes in grid[len(sources) :]:
        axes.set_axis_off()
    for axes in grid[max(len(sources) - 2, 0) : len(sources)]:
        axes.set_xlabel("training networks")
    figure.supylabel("rank correlation (SRCC)", fontsize=10.5)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure


@styled
def hops_and_head(summary: pd.DataFrame) -> Picture:
    """Draw the rank correlation of every level, a panel per target, a line per table (means over seeds).

    Args:
        summary: columns source, kind (accuracy, latency, both), level, mean, of one model and size.
    """
    kinds = list(dict.fromkeys(summary["kind"]))
    figure = picture(3.3)
    panels = figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0]
    for kind, axes in zip(kinds, panels, strict=True):
        part = summary[summary["kind"] == kind]
        for place, (source, line) in enumerate(part.groupby("source", sort=False)):
            style: Any = {"color": PALETTE[place % 7], "marker": "os"[place // 7], "linestyle": ("-", "--")[place // 7]}
            axes.plot(line["level"], line["mean"], markersize=3.5, linewidth=1.2, label=title(str(source)), **style)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set_title(kind, fontsize=9.5)
        axes.tick_params(axis="x", rotation=60)
    panels[0].set_ylabel("rank correlation (SRCC)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8.5)
    return figure


@styled
def leads(differences: pd.DataFrame) -> Picture:
    """Draw by how much one model ranks better than others, one point with its interval per table and size.

    Args:
        differences: columns source, size, other, mean, low, high (paired over seeds).
    """
    others = list(dict.fromkeys(differences["other"]))
    sources = list(dict.fromkeys(differences["source"]))
    sizes = sorted(differences["size"].unique())
    figure = picture(0.36 * len(sources) + 1.5)
    panels = figure.subplots(1, len(others), squeeze=False, sharey=True, sharex=True)[0]
    for other, axes in zip(others, panels, strict=True):
        for place, size in enumerate(sizes):
            part = differences[(differences["other"] == other) & (differences["size"] == size)]
            heights = [sources.index(source) + 0.16 * (place - (len(sizes) - 1) / 2) for source in part["source"]]
            spans = [part["mean"] - part["low"], part["high"] - part["mean"]]
            axes.errorbar(
                part["mean"], heights, xerr=spans, fmt=curves.MARKERS[place], color=PALETTE[place], markersize=3.5,
                elinewidth=0.8, label=f"{size} rows",
            )  # fmt: skip
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_title(f"against {other}", fontsize=9.5)
        axes.set_xlabel("lead in SRCC")
    panels[0].set_yticks(range(len(sources)), [title(source) for source in sources])
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8.5)
    return figure

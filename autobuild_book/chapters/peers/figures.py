"""Figures of the comparison with other models."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from autobuild_book.figures.costs import MARKERS
from autobuild_book.figures.curves import learning_curves
from autobuild_book.figures.style import INK, Picture, family_name, label_name, picture, styled

MEASURES = {"srcc": "rank correlation (SRCC)", "recall": "recall of the best tenth", "regret": "regret (sd)"}
REFERENCES = {"noise ceiling": "--", "random order": ":"}


@styled
def peer_curves(
    summary: pd.DataFrame, references: pd.DataFrame, models: Sequence[str], measure: str = "srcc"
) -> Picture:
    """Draw one measure against the number of training architectures, one panel per task, one line per model.

    Args:
        summary: columns contest, target, model, size, measure, value, low, high; bars are intervals over seeds.
        references: columns contest, target, model and the measure; horizontal lines at their means.
        models: which to draw, at most seven.
        measure: one of `MEASURES`.
    """
    shown = summary[(summary["measure"] == measure) & summary["model"].isin(models)]
    tasks = list(shown[["contest", "target"]].drop_duplicates().itertuples(index=False, name=None))
    rows = -(-len(tasks) // 2)
    figure = picture(1.9 * rows + 1.3)
    grid = list(figure.subplots(rows, 2, squeeze=False).flat)
    for (contest, target), axes in zip(tasks, grid, strict=False):
        part = shown[(shown["contest"] == contest) & (shown["target"] == target)]
        learning_curves(axes, part, models)
        lines = references[(references["contest"] == contest) & (references["target"] == target)]
        _reference_lines(axes, lines, measure)
        axes.set_title(f"{family_name(contest)}, {label_name(target, unit=False)}", fontsize=9.5)
        values = part["value"].to_numpy()
        margin = 0.08 * float(np.ptp(values)) + 0.01
        axes.set_ylim(float(np.quantile(values, 0.03)) - margin, float(values.max()) + margin)
    for axes in grid[len(tasks) :]:
        axes.set_axis_off()
    for axes in grid[max(len(tasks) - 2, 0) : len(tasks)]:
        axes.set_xlabel("training architectures")
    figure.supylabel(MEASURES[measure], fontsize=10.5)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure


def _reference_lines(axes: Axes, references: pd.DataFrame, measure: str) -> None:
    for name, line in REFERENCES.items():
        values = references.loc[references["model"] == name, measure]
        if len(values):
            axes.axhline(float(values.mean()), linestyle=line, color=INK, linewidth=1.1, label=name)


@styled
def lead_of_autobuild(leads: pd.DataFrame) -> Picture:
    """Draw AutoBuild's lead over the best other model for every task and training size.

    Args:
        leads: columns contest, target, size, lead, low, high; above 0, AutoBuild is better.
    """
    names = leads["contest"].map(family_name) + ", " + leads["target"].map(lambda name: label_name(name, unit=False))
    return _by_size(leads.assign(row=names, value=leads["lead"]), "lead in SRCC over the best other model")


@styled
def gains_of_combining(gains: pd.DataFrame) -> Picture:
    """Draw what combinations of models and features add to their parts.

    Args:
        gains: columns combination, part, size, gain, low, high (SRCC).
    """
    names = gains["combination"] + "\nagainst " + gains["part"]
    return _by_size(gains.assign(row=names, value=gains["gain"]), "gain in SRCC, mean over tasks")


def _by_size(frame: pd.DataFrame, xlabel: str) -> Picture:
    """One line per value of `row`, and in it one point with its interval per training size."""
    rows, sizes = list(dict.fromkeys(frame["row"])), sorted(frame["size"].unique())
    figure = picture(0.09 * len(rows) * (len(sizes) + 1) + 1.3)
    axes = figure.add_subplot(xlabel=xlabel)
    colours = seaborn.color_palette("viridis", len(sizes) + 1)  # less its last, a light yellow
    for step, size in enumerate(sizes):
        points = frame[frame["size"] == size]
        places = [rows.index(name) + 0.8 * ((step + 0.5) / len(sizes) - 0.5) for name in points["row"]]
        value = points["value"]
        below, above = value - points["low"].fillna(value), points["high"].fillna(value) - value
        axes.errorbar(
            value, places, xerr=[below, above], fmt=MARKERS[step % 7], color=colours[step], markersize=3.5,
            elinewidth=1, label=f"{size:,} rows",
        )  # fmt: skip
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(rows)), rows, fontsize=8.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    return figure


@styled
def shares_by_view(shares: pd.DataFrame) -> Picture:
    """Draw which units and which features matter, one panel per target, a row per view.

    Args:
        shares: columns target, view, part, name, share; shares of a view and part add up to 1.
    """
    targets, views = list(dict.fromkeys(shares["target"])), list(dict.fromkeys(shares["view"]))
    figure = picture(1.35 * len(targets) + 0.7)
    grid = figure.subplots(len(targets), 1, squeeze=False)[:, 0]
    most = float(shares["share"].max())
    for target, axes in zip(targets, grid, strict=True):
        part = shares[shares["target"] == target]
        names = list(dict.fromkeys(part["name"]))
        table = part.pivot(index="view", columns="name", values="share").reindex(index=views, columns=names)
        image = axes.imshow(table.to_numpy(), aspect="auto", cmap="Blues", vmin=0, vmax=most)
        for (row, column), value in np.ndenumerate(table.to_numpy()):
            ink = "white" if value > 0.6 * most else INK
            if np.isfinite(value):
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=ink)
        axes.set_xticks(range(len(names)), names, fontsize=9)
        axes.set_yticks(range(len(views)), views, fontsize=9)
        axes.grid(visible=False)
        axes.set_title(label_name(target, unit=False), fontsize=9.5)
    figure.colorbar(image, ax=list(grid), label="share", shrink=0.8)
    return figure

"""Figures on searches over trained networks: hypervolume by evaluations, and the rank of the best network."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from autobuild_book.chapters.trained.regions_figures import short
from autobuild_book.chapters.trained.search import LEARNING
from autobuild_book.chapters.trained.search_results import METHODS, typical
from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled

SMALL = 9.5
LINES = ("-", "-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1)), (0, (1, 2)))


@styled
def search_curves(medians: pd.DataFrame) -> Picture:
    """Draw the median hypervolume against evaluations, a panel per data set; bands are intervals.

    Columns: source, method, evaluations, median, low, high.
    """
    sources = list(medians["source"].unique())
    rows = -(-len(sources) // 3)
    figure = picture(1.75 * rows + 1.1)
    grid = figure.subplots(rows, 3, squeeze=False, sharex=True)
    for axes, source in zip(grid.flat, sources, strict=False):
        _curves(axes, medians[medians["source"] == source])
        axes.set_title(short(source), fontsize=SMALL)
    for axes in grid.flat[len(sources) :]:
        axes.set_axis_off()
    figure.supxlabel("evaluations, training rows included", fontsize=SMALL)
    figure.supylabel("hypervolume, as a share of the true front's", fontsize=SMALL)
    handles, names = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=SMALL)
    return figure


def _curves(axes: Axes, curves: pd.DataFrame) -> None:
    for number, method in enumerate(method for method in METHODS if method in set(curves["method"])):
        curve = curves[curves["method"] == method]
        look: dict[str, Any] = {"color": PALETTE[number], "linestyle": LINES[number], "linewidth": 1.5}
        axes.plot(curve["evaluations"], curve["median"], label=method, **look)
        axes.fill_between(curve["evaluations"], curve["low"], curve["high"], alpha=0.12, linewidth=0)
    axes.axvline(LEARNING, color=INK, linewidth=0.6)
    axes.tick_params(labelsize=8.5)


@styled
def best_ranks(shares: pd.DataFrame, column: str = "rank") -> Picture:
    """Draw how good the best network of each method is: a row per method, a colour per budget, a point per data set.

    Args:
        shares: see `with_shares`.
        column: whose rank.
    """
    means = typical(shares, column)
    names = list(means.sort_values(means.columns[len(means.columns) // 2]).index)
    figure = picture(0.42 * len(names) + 1.1)
    axes = figure.add_subplot(xscale="log", xlabel="true rank, as a share of all networks")
    for number, budget in enumerate(means.columns):
        by_source = shares[shares["budget"] == budget].groupby(["name", "source"])[column].median().dropna()
        places = [names.index(name) + 0.22 * (number - 1) for name, _ in by_source.index]
        colour = PALETTE[number]
        axes.scatter(by_source, places, s=9, color=colour, alpha=0.45, linewidths=0)
        rows = [names.index(name) + 0.22 * (number - 1) for name in means.index]
        axes.scatter(means[budget], rows, marker="|", s=80, color=colour, linewidths=2.2, label=f"{budget:,}")
    axes.set_yticks(range(len(names)), names, fontsize=8.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    figure.legend(loc="outside lower center", ncols=3, fontsize=SMALL, title="evaluations in all")
    return figure

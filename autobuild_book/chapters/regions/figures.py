"""Figures of experiment 4: clusters of built networks at the training frontier, and searches."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from autobuild_book.figures.style import INK, PALETTE, Picture, family_name, label_name, picture, styled

SCORES = {"norm": "norm score", "effect": "effect score (ours)", "ridge": "additive ridge"}
MARKERS = {"norm": "o", "effect": "s", "ridge": "^"}
LINES = ("-", "-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1)))
SMALL = 9.5


@styled
def pareto_clusters(clusters: pd.DataFrame, frontier: pd.DataFrame) -> Picture:
    """Draw the networks of one family's clusters at the training frontier: a row per device, a column per score.

    Args:
        clusters: columns device, region, score, acc, latency; the regions give the colours.
        frontier: columns device, latency, acc, regions (names of the regions that a point belongs to).
    """
    devices, scores = list(frontier["device"].unique()), list(clusters["score"].unique())
    regions = list(clusters["region"].unique())
    colours = dict(zip(regions, PALETTE, strict=False))
    figure = picture(1.75 * len(devices) + 0.9)
    grid = figure.subplots(len(devices), len(scores), squeeze=False, sharex="row", sharey="row")
    for device, row in zip(devices, grid, strict=True):
        line = frontier[frontier["device"] == device]
        for score, axes in zip(scores, row, strict=True):
            networks = clusters[(clusters["device"] == device) & (clusters["score"] == score)]
            _frontier(axes, line, colours)
            look: dict[str, Any] = {"s": 5, "alpha": 0.5, "linewidths": 0, "rasterized": True}
            axes.scatter(networks["latency"], networks["acc"], color=networks["region"].map(colours), **look)
            axes.locator_params(axis="both", nbins=4)
            axes.tick_params(labelsize=8.5)
        row[0].set_ylabel("accuracy", fontsize=SMALL)
        row[len(row) // 2].set_xlabel(label_name(f"latency_{device}"), fontsize=SMALL)
    for score, axes in zip(scores, grid[0], strict=True):
        axes.set_title(SCORES.get(score, score), fontsize=SMALL)
    handles = [Line2D([], [], color=colours[region], marker="o", linestyle="", markersize=5, label=region)
               for region in regions]  # fmt: skip
    handles.append(Line2D([], [], color=INK, marker="o", markerfacecolor="white", markersize=4, linewidth=1,
                          label="training frontier"))  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=SMALL)
    return figure


def _frontier(axes: Axes, points: pd.DataFrame, colours: dict[str, str]) -> None:
    """Draw the frontier as a staircase; a point has a ring in the colour of each of its regions, one inside another."""
    axes.step(points["latency"], points["acc"], where="post", color=INK, linewidth=0.8)
    axes.scatter(points["latency"], points["acc"], s=8, color="white", edgecolors=INK, linewidths=0.7, zorder=3)
    for latency, acc, names in zip(points["latency"], points["acc"], points["regions"], strict=True):
        for size, name in enumerate(name for name in str(names).split(", ") if name in colours):
            axes.scatter(latency, acc, s=24 + 36 * size, facecolors="none", edgecolors=colours[name], linewidths=1.1)


@styled
def dominating_shares(summary: pd.DataFrame) -> Picture:
    """Draw the share of each cluster that dominates a point of its region's frontier, one row per panel and region.

    Columns: family, device, region, score, share, low, high (NaN where there is no interval).
    """
    rows = list(dict.fromkeys(zip(summary["family"], summary["device"], summary["region"], strict=True)))
    figure = picture(0.27 * len(rows) + 1.1)
    axes = figure.add_subplot(xlabel="share of the cluster that improves its region", xlim=(-0.04, 1.04))
    for number, (score, part) in enumerate(summary.groupby("score", sort=False)):
        keys = zip(part["family"], part["device"], part["region"], strict=True)
        places = [rows.index(key) + 0.2 * (number - 1) for key in keys]
        widths = [(part["share"] - part["low"]).fillna(0), (part["high"] - part["share"]).fillna(0)]
        look: dict[str, Any] = {"fmt": MARKERS.get(str(score), "D"), "markersize": 5, "linewidth": 1, "capsize": 2}
        look |= {"color": PALETTE[number], "label": SCORES.get(str(score), str(score))}
        axes.errorbar(part["share"], places, xerr=widths, **look)
    axes.axvline(0.5, color=INK, linestyle="--", linewidth=1, label="one half")
    names = [f"{family_name(family)}, {device.upper()}: {region}" for family, device, region in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=SMALL)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    line, *markers = axes.get_legend_handles_labels()[0]
    figure.legend(handles=[*markers, line], loc="outside lower center", ncols=2, fontsize=SMALL)
    return figure


@styled
def search_curves(medians: pd.DataFrame, frontier: pd.DataFrame) -> Picture:
    """Draw the median hypervolume against evaluations, a panel per family and device; bands are intervals.

    Args:
        medians: columns family, device, method, evaluations, median, low, high (NaN where there is no interval).
        frontier: columns family, device, hypervolume, of the training frontier.
    """

    def draw(axes: Axes, family: str, device: str, methods: Sequence[str]) -> None:
        for method in methods:
            curve = _of(medians, family, device).query("method == @method")
            axes.plot(curve["evaluations"], curve["median"], label=method, **_look(methods, method))
            axes.fill_between(curve["evaluations"], curve["low"], curve["high"], alpha=0.15, linewidth=0)
        reached = float(_of(frontier, family, device)["hypervolume"].iloc[0])
        axes.axhline(reached, color=INK, linewidth=0.8, label="training frontier")
        axes.set_xlabel("evaluations", fontsize=SMALL)

    return _panels(medians, draw, "hypervolume")


@styled
def search_fronts(fronts: pd.DataFrame, frontier: pd.DataFrame) -> Picture:
    """Draw the front that each method ended with, a panel per family and device.

    Args:
        fronts: columns family, device, method, latency, acc, of one seed.
        frontier: columns family, device, latency, acc, of the training architectures.
    """

    def draw(axes: Axes, family: str, device: str, methods: Sequence[str]) -> None:
        for method in methods:
            points = _of(fronts, family, device).query("method == @method").sort_values("latency")
            look = _look(methods, method)
            axes.plot(points["latency"], points["acc"], drawstyle="steps-post", label=method, **look)
        line = _of(frontier, family, device)
        axes.plot(line["latency"], line["acc"], drawstyle="steps-post", color=INK, linewidth=0.8,
                  label="training frontier")  # fmt: skip
        axes.set_xlabel(label_name(f"latency_{device}"), fontsize=SMALL)

    return _panels(fronts, draw, "accuracy")


def _of(frame: pd.DataFrame, family: str, device: str) -> pd.DataFrame:
    return frame[(frame["family"] == family) & (frame["device"] == device)]


def _look(methods: Sequence[str], method: str) -> dict[str, Any]:
    number = methods.index(method)
    return {"color": PALETTE[number], "linestyle": LINES[number], "linewidth": 1.5}


def _panels(frame: pd.DataFrame, draw: Callable[[Axes, str, str, Sequence[str]], None], ylabel: str) -> Picture:
    """One panel per family (columns) and device (rows), with one legend below."""
    families, devices = list(frame["family"].unique()), list(frame["device"].unique())
    methods = list(frame["method"].unique())
    figure = picture(2.0 * len(devices) + 1.0)
    grid = figure.subplots(len(devices), len(families), squeeze=False)
    for device, row in zip(devices, grid, strict=True):
        for family, axes in zip(families, row, strict=True):
            if _of(frame, family, device).empty:
                axes.set_axis_off()
                continue
            draw(axes, family, device, methods)
            axes.set_title(f"{family_name(family)}, {device.upper()}", fontsize=SMALL)
            axes.tick_params(labelsize=8.5)
            axes.locator_params(axis="both", nbins=5)
    figure.supylabel(ylabel, fontsize=10.5)
    handles, names = next(axes for axes in grid.flat if axes.has_data()).get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, fontsize=SMALL)
    return figure

"""Figures of the chapter on neighbours: the map of the field, what systems see, and how well they rank."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.neighbours.systems import DIFFERS, FAITHFUL, FAMILIES, SMALLER, System
from autobuild_book.figures.pictures import is_narrow
from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled

Array = npt.NDArray[np.float64]
COLOURS = {FAITHFUL: PALETTE[2], SMALLER: PALETTE[0], DIFFERS: PALETTE[3]}
ABREAST = 3  # panels beside each other
MARKERS = {FAITHFUL: "o", SMALLER: "s", DIFFERS: "D"}


@styled
def field(systems: Sequence[System], centre: System) -> Picture:
    """Draw a map of the field: years from left to right, a band per family, a marker per system.

    centre: stands on a line through all bands, as systems of each family are near it.
    """
    bands = {family: [s for s in systems if s.family == family] for family in FAMILIES}
    heights, names, place = {}, [], 0
    figure = picture(0.23 * len(systems) + 1.7)
    axes = figure.add_subplot(xlabel="year")
    for number, (family, members) in enumerate(bands.items()):
        if number % 2:
            axes.axhspan(place - 0.5, place + len(members) - 0.5, color=INK, alpha=0.05, linewidth=0)
        for system in sorted(members, key=lambda s: (s.year, s.name)):
            heights[system.name] = place
            names.append(f"{system.name} ({family})")
            place += 1
    axes.axvline(centre.year, color=INK, linewidth=1, linestyle="--", label=centre.name)
    for verdict, colour in COLOURS.items():
        chosen = [s for s in systems if s.verdict == verdict]
        points = [s.year for s in chosen], [heights[s.name] for s in chosen]
        axes.plot(*points, MARKERS[verdict], color=colour, markersize=6, label=verdict)
    axes.set_yticks(range(place), names, fontsize=8.5)
    axes.set_ylim(place - 0.5, -0.5)
    years = range(min(s.year for s in systems), max(s.year for s in systems) + 1)
    axes.set_xticks(years, [str(year) for year in years], fontsize=8.5)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure


@styled
def matrices(panels: Mapping[str, Array], rows: Sequence[str], columns: Sequence[str] | None = None) -> Picture:
    """Draw matrices beside each other, darker for larger values, rows and columns named.

    Args:
        panels: a matrix [rows, columns] by its title. columns: their names (default: those of the rows); "": no ticks.
    """
    figure = picture(2.0 if len(panels) > 2 else 2.7)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    across = list(rows if columns is None else columns)
    for axes, (title, values) in zip(grid, panels.items(), strict=True):
        axes.imshow(values, cmap="cividis_r", aspect="auto", vmin=min(0.0, float(values.min())))
        axes.set_title(title, fontsize=9)
        axes.set_xticks(range(len(across)) if any(across) else [])
        axes.set_xticklabels(across if any(across) else [], fontsize=8, rotation=90)
        axes.set_yticks(range(len(rows)), list(rows), fontsize=8)
        axes.grid(visible=False)
    return figure


@styled
def clouds(panels: Mapping[str, tuple[Array, Array]], axis: tuple[str, str], label: str) -> Picture:
    """Draw clouds of networks beside each other, a point [x, y] each, lighter where the label is higher.

    panels: points [N, 2] and their labels [N] by title. axis: what x and y are.
    """
    figure = picture(2.9)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    drawn: Any = None
    for axes, (title, (points, values)) in zip(grid, panels.items(), strict=True):
        ranks = np.argsort(np.argsort(values)) / max(len(values) - 1, 1)
        drawn = axes.scatter(*points.T, c=ranks, cmap="cividis", s=7, linewidths=0, vmin=0, vmax=1)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel(axis[0])
    grid[0].set_ylabel(axis[1])
    figure.colorbar(drawn, ax=list(grid), label=f"rank by {label}, 1 is best", shrink=0.85)
    return figure


@styled
def vectors(points: Array, names: Sequence[str]) -> Picture:
    """Draw learnt vectors as points [N, 2] with their names."""
    figure = picture(2.9)
    axes = figure.add_subplot(xlabel="first principal component", ylabel="second")
    axes.plot(*points.T, "o", color=PALETTE[0], markersize=5)
    for name, (x, y) in zip(names, points, strict=True):
        nearest = points[np.argsort(np.hypot(*(points - (x, y)).T))[1]] if len(points) > 1 else points[0]
        side = 1 if x >= nearest[0] else -1  # a name stands on the side where no other point is near
        axes.annotate(name, (x, y), xytext=(5 * side, 3), textcoords="offset points", fontsize=8.5,
                      ha="left" if side > 0 else "right")  # fmt: skip
    axes.margins(0.16)
    return figure


@styled
def tau_curves(summary: pd.DataFrame, systems: Mapping[str, str]) -> Picture:
    """Draw Kendall's tau against the number of cells, a panel per model, with intervals, and published numbers.

    Args:
        summary: rows of `tau.summary`. systems: title by model, in order of the panels.
    """
    columns = 3
    lines = -(-len(systems) // columns)
    sizes = sorted(summary["size"].unique())
    figure = picture(1.45 * lines + 0.8, small_multiples=True)
    grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for axes, (model, title) in zip(grid.flat, systems.items(), strict=False):
        part = summary[summary["model"] == model]
        spans = [part["tau"] - part["low"], part["high"] - part["tau"]]
        axes.errorbar(part["size"], part["tau"], yerr=spans, fmt="o-", color=PALETTE[0], markersize=3.5, label="ours")
        if not (printed := part.dropna(subset=["published"])).empty:
            axes.plot(printed["size"], printed["published"], "D--", color=PALETTE[1], markersize=4, label="published")
        axes.set_title(title, fontsize=8.5)
        axes.set_xscale("log")
        named = sizes[:: 2 if is_narrow() else 1]
        axes.set_xticks(sizes, [str(size) if size in named else "" for size in sizes], fontsize=8)
        axes.minorticks_off()
    for axes in grid.flat[len(systems) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("tau")
    for axes in grid.flat[max(0, len(systems) - columns) : len(systems)]:  # the lowest of each column
        axes.set_xlabel("training cells", fontsize=9)
        axes.tick_params(axis="x", labelbottom=True)
    drawn = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in grid.flat]
    handles = {label: handle for panel in drawn for handle, label in panel}
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=2, fontsize=9)
    return figure


@styled
def outcomes(panels: Mapping[str, pd.DataFrame], label: str, is_log: bool = False) -> Picture:
    """Draw what methods reach, a point with its interval per method, panels beside each other.

    Args:
        panels: by title, rows with columns method, mean, low, high. label: what is drawn.
        is_log: on a logarithmic axis.
    """
    methods = list(dict.fromkeys(method for part in panels.values() for method in part["method"]))
    columns = 2 if len(panels) == 4 else min(len(panels), ABREAST)
    lines = -(-len(panels) // columns)
    figure = picture(lines * (0.24 * len(methods) + 0.75) + 0.3)
    grid = list(figure.subplots(lines, columns, squeeze=False, sharey=True).flat)
    for axes, (title, part) in zip(grid, panels.items(), strict=False):
        heights = [methods.index(method) for method in part["method"]]
        spans = [part["mean"] - part["low"].fillna(part["mean"]), part["high"].fillna(part["mean"]) - part["mean"]]
        axes.errorbar(part["mean"], heights, xerr=spans, fmt="o", color=PALETTE[0], ecolor=INK, markersize=5)
        axes.set_title(textwrap.fill(title, 24), fontsize=8.5)
        axes.tick_params(labelsize=8)
        if is_log:
            axes.set_xscale("log")
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    grid[0].set_yticks(range(len(methods)), [textwrap.fill(method, 22) for method in methods])
    grid[0].set_ylim(len(methods) - 0.5, -0.5)
    figure.supxlabel(label, fontsize=9.5)
    return figure


@styled
def decision(means: pd.DataFrame, named: Sequence[str]) -> Picture:
    """Draw rank correlation against cost; the named models on a line, the others as grey points.

    Args:
        means: columns model, srcc, total (seconds on one core).
    """
    figure = picture(3.4 + 0.12 * len(named))
    axes = figure.add_subplot(xlabel="seconds on one core", ylabel="rank correlation (SRCC)", xscale="log")
    chosen = means.set_index("model").loc[list(named)]
    axes.plot(means["total"], means["srcc"], "o", color=PALETTE[-1], markersize=4, label="others")
    axes.plot(chosen["total"], chosen["srcc"], "-", color=INK, linewidth=0.8)
    for place, (model, row) in enumerate(chosen.iterrows()):
        marker, colour = "osD^vPX"[place % 7], PALETTE[place % 6]
        axes.plot(row["total"], row["srcc"], marker, color=colour, markersize=7, label=str(model))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure

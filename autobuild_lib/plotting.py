"""Figures of the book: each function turns a table into one figure. Nothing here reads files or keeps state."""

import functools
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from autobuild_lib.spaces import Architecture

# Seaborn's "colorblind" palette in the order of its use here: blue, orange, green, vermilion, purple, brown, grey.
PALETTE = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#949494")
INK, FAINT = "#262626", "#b0b0b0"
WIDTH = 5.8  # inches: the width of the text, so that letters keep their size on a page and stay readable on a phone
RESOLUTION = 130  # dots per inch
FAMILIES = {"ofa_mbv3": "MobileNetV3", "ofa_pn": "ProxylessNAS"}
LABELS = {"acc": "accuracy", "latency_gpu": "GPU latency", "latency_cpu": "CPU latency", "latency_npu": "NPU latency"}
UNITS = {"acc": "fraction", "latency_gpu": "ms", "latency_cpu": "ms", "latency_npu": "ms"}
STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.labelsize": 10.5,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "text.color": INK,
}


class Picture(Figure):
    """A Matplotlib figure that notebooks show by themselves, without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=RESOLUTION, metadata={"Software": None})
        return buffer.getvalue()


@contextmanager
def style() -> Iterator[None]:
    """Use the book's style inside a `with` block; what was set before comes back after it."""
    with mpl.rc_context(STYLE):
        yield


Arguments = ParamSpec("Arguments")


def styled(draw: Callable[Arguments, Picture]) -> Callable[Arguments, Picture]:
    """Decorate a figure function so that it draws in the book's style."""

    @functools.wraps(draw)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Picture:
        with style():
            return draw(*args, **kwargs)

    return wrapped


def picture(height: float) -> Picture:
    """Return an empty figure of the book's width and the given height in inches."""
    return Picture(figsize=(WIDTH, height), layout="constrained")


def family_name(name: str) -> str:
    """Return a family as readers know it."""
    return FAMILIES.get(name, name)


def label_name(name: object, unit: bool = True) -> str:
    """Return a label as readers know it, with its unit where that is known."""
    known = LABELS.get(str(name), str(name))
    return f"{known} ({UNITS[str(name)]})" if unit and str(name) in UNITS else known


# -------------------------------------------------------------------- the method


@styled
def path_modules(architecture: Architecture, modules: Sequence[tuple[int, int]]) -> Picture:
    """Draw an architecture as a path, one row per unit, and mark modules given as (unit, hops).

    A module is what message passing of so many hops sees from the last layer of the unit: that layer (bold outline)
    and as many layers before it.
    """
    units = architecture.to_lists()
    layers = [(row, column) for row, unit in enumerate(units) for column in range(len(unit))]
    figure = picture(0.62 * len(units) + 0.75)
    axes = figure.add_subplot()
    for number, (unit, hops) in enumerate(modules):
        root = layers.index((unit, len(units[unit]) - 1))
        _mark_module(axes, layers[max(root - hops, 0) : root + 1], PALETTE[number], f"{hops}-hop module")
    names = str(architecture).split("|")[-len(units) :]
    for row, column in layers:
        text = names[row].split(";")[-1].split(",")[column].replace("_", "\n")
        axes.text(column, row, text, ha="center", va="center", fontsize=8.5, linespacing=0.95, zorder=4)
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


# -------------------------------------------------------------------- the data


@styled
def label_distributions(tables: Mapping[str, pd.DataFrame]) -> Picture:
    """Draw a histogram of every label, one colour per family; dashed lines are medians."""
    names = list(dict.fromkeys(name for labels in tables.values() for name in labels))
    rows = -(-len(names) // 2)
    figure = picture(2.1 * rows + 0.4)
    for name, axes in zip(names, figure.subplots(rows, 2, squeeze=False).flat, strict=False):
        present = {family: labels[name] for family, labels in tables.items() if name in labels}
        edges = np.histogram_bin_edges(np.concatenate([*present.values()]), bins=40)
        for number, (family, values) in enumerate(present.items()):
            axes.hist(values, edges, color=PALETTE[number], alpha=0.55, label=family_name(family))
            axes.axvline(float(values.median()), color=PALETTE[number], linestyle="--")
        axes.set(xlabel=label_name(name), ylabel="architectures")
    _finish_grid(figure)
    return figure


@styled
def accuracy_latency(tables: Mapping[str, pd.DataFrame]) -> Picture:
    """Draw accuracy against every latency, a dot per architecture, one colour per family."""
    names = list(dict.fromkeys(n for labels in tables.values() for n in labels if n != "acc"))
    figure = picture(2.3 * len(names) + 0.4)
    for name, axes in zip(names, figure.subplots(len(names), 1, squeeze=False).flat, strict=True):
        for number, (family, labels) in enumerate(tables.items()):
            look: dict[str, Any] = {"s": 5, "alpha": 0.35, "linewidths": 0, "rasterized": True}
            axes.scatter(labels[name], labels["acc"], color=PALETTE[number], label=family_name(family), **look)
        axes.set(xlabel=label_name(name), ylabel=label_name("acc", unit=False))
    _finish_grid(figure)
    return figure


@styled
def noise(noise_free: pd.DataFrame, noisy: pd.DataFrame) -> Picture:
    """Draw every label with noise against the same label without; dots on the line carry no noise."""
    rows = -(-len(noisy.columns) // 2)
    figure = picture(2.6 * rows)
    for name, axes in zip(noisy, figure.subplots(rows, 2, squeeze=False).flat, strict=False):
        axes.scatter(noise_free[name], noisy[name], s=5, alpha=0.35, linewidths=0, color=PALETTE[0])
        ends = [noise_free[name].min(), noise_free[name].max()]
        axes.plot(ends, ends, color=INK, linewidth=1)
        axes.set(title=label_name(name), xlabel="without noise", ylabel="with noise")
        axes.locator_params(axis="x", nbins=4)
    return figure


@styled
def surrogate_fidelity(frame: pd.DataFrame, limits: Mapping[str, float]) -> Picture:
    """Draw how far surrogates lie from their teachers, in units of the teachers' own test error.

    Columns: family, sample, label, ratio. `limits` holds, per kind of sample, the largest ratio we accept.
    """
    rows = list(dict.fromkeys(zip(frame["family"], frame["label"], strict=True)))
    figure = picture(0.33 * len(rows) + 1.3)
    axes = figure.add_subplot(xlabel="mean absolute difference / published test error", xlim=(0, None))
    for number, (sample, limit) in enumerate(limits.items()):
        part = frame[frame["sample"] == sample]
        places = [rows.index(key) for key in zip(part["family"], part["label"], strict=True)]
        axes.plot(part["ratio"], places, "os"[number % 2], color=PALETTE[number], label=f"{sample} sample")
        axes.axvline(limit, color=PALETTE[number], linestyle="--", label=f"limit, {sample}")
    names = [f"{family_name(family)}, {label_name(label, unit=False)}" for family, label in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _finish_grid(figure: Picture) -> None:
    """Switch empty axes off, and put one legend for all axes under the figure."""
    for axes in figure.axes:
        axes.set_axis_off() if not axes.has_data() else axes.locator_params(axis="x", nbins=5)
    handles, names = figure.axes[0].get_legend_handles_labels()
    legend = figure.legend(handles, names, loc="outside lower center", ncols=len(names), markerscale=4)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)

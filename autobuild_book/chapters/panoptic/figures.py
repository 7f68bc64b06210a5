"""Figures of experiment 5: panoptic backbones, from their labels to what was built."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from autobuild_book.chapters.panoptic.task.images import CLASSES, PALETTE as COLOURS, VOID
from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled

SMALL = 9.5
MARKERS = "osD^vPX"
VOID_COLOUR = (0.85, 0.85, 0.85)
NAMES = {"pq": "panoptic quality (PQ)", "macs": "multiply-adds (millions)", "pan_seg_PQ": "panoptic quality (PQ)",
         "flops_pan_seg": "FLOPs"}  # fmt: skip


def _name(label: str) -> str:
    return NAMES.get(label, label)


def _units(label: str) -> float:
    """By how much values of a label are divided on an axis."""
    return 1e6 if label == "macs" else 1.0


# -------------------------------------------------------------------- pictures


@styled
def panoptic_panel(
    images: npt.NDArray[np.uint8],
    classes: Mapping[str, npt.NDArray[np.int64]],
    numbers: Mapping[str, npt.NDArray[np.int64]],
    quality: Mapping[str, float],
) -> Picture:
    """Draw images [N, 64, 64, 3], a row each, and beside them what each name in `classes` makes of them.

    classes, numbers: [N, 64, 64] per name, colours and outlines of segments. quality: PQ per name, in the titles.
    """
    names = list(classes)
    figure = picture(1.32 * len(images) + 1.1, one_width=True)
    grid = figure.subplots(len(images), 1 + len(names), squeeze=False)
    for row, image in zip(range(len(images)), images, strict=True):
        grid[row][0].imshow(image)
        for name, axes in zip(names, grid[row][1:], strict=True):
            axes.imshow(_painted(classes[name][row], numbers[name][row]))
    for axes in grid.flat:
        axes.set_axis_off()
    grid[0][0].set_title("image", fontsize=SMALL)
    for place, (name, axes) in enumerate(zip(names, grid[0][1:], strict=True)):
        axes.set_title(f"{name}\nPQ {quality[name]:.2f}" if place else name, fontsize=SMALL)
    handles = [Patch(color=tuple(colour), label=name) for name, colour in zip(CLASSES, COLOURS, strict=True)]
    handles.append(Patch(color=VOID_COLOUR, label="void"))
    figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8.5)
    return figure


def _painted(classes: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Colour classes [64, 64], and darken pixels where the segment to the right or below is another one."""
    table = np.vstack([COLOURS, VOID_COLOUR])
    painted = table[np.where(classes == VOID, len(CLASSES), classes)]
    edges = np.zeros(classes.shape, dtype=np.bool_)
    edges[:, :-1] |= numbers[:, :-1] != numbers[:, 1:]
    edges[:-1] |= numbers[:-1] != numbers[1:]
    return np.asarray(np.where(edges[..., None], 0.15, painted))


# -------------------------------------------------------------------- the table


@styled
def label_agreement(pairs: pd.DataFrame, agreement: pd.DataFrame) -> Picture:
    """Draw two measurements of the same networks against each other, one panel per comparison.

    Args:
        pairs: columns comparison, first, second; a dot each.
        agreement: columns comparison, networks, srcc; in the titles.
    """
    names = list(dict.fromkeys(pairs["comparison"]))
    rows = -(-len(names) // 2)
    figure = picture(2.6 * rows)
    by_name = agreement.set_index("comparison")
    grid = figure.subplots(rows, 2, squeeze=False).flat
    for name, axes in zip(names, grid, strict=False):
        part = pairs[pairs["comparison"] == name]
        axes.plot(part["first"], part["second"], "o", color=PALETTE[0], markersize=3, alpha=0.55)
        title = f"{name}: {len(part)} networks"
        if name in by_name.index:
            title += f"\nSRCC {by_name.loc[name, 'srcc']:.3f}"
        axes.set_title(title, fontsize=SMALL)
        axes.set(xlabel="PQ", ylabel="PQ, again")
        axes.locator_params(nbins=4)
    for axes in list(figure.axes)[len(names) :]:
        axes.set_axis_off()
    return figure


@styled
def srcc_by_size(summary: pd.DataFrame, preset: str = "paper preset") -> Picture:
    """Draw rank correlation on test rows against the size of the training set, one panel per target.

    Columns: target, model, level, size, srcc, low, high. The hops and head of `preset` are lines in shades of one
    colour; other models are lines of their own, by their head. Bars are the intervals of heads.
    """
    targets = list(dict.fromkeys(summary["target"]))
    rows = -(-len(targets) // 2)
    figure = picture(2.35 * rows + 0.9)
    grid = figure.subplots(rows, 2, squeeze=False, sharex=True)
    for target, axes in zip(targets, grid.flat, strict=False):
        _srcc_lines(axes, summary[summary["target"] == target], preset)
        sizes = sorted(summary["size"].unique())
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_title(_name(target), fontsize=SMALL)
    _label_bottom(grid, len(targets), "training networks")
    figure.supylabel("Spearman correlation (SRCC)", fontsize=10.5)
    handles, names = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=8.5)
    return figure


def _label_bottom(grid: Any, used: int, label: str) -> None:
    """Switch off the axes behind the first `used` ones, and label the last of each column."""
    columns = grid.shape[1]
    for place, axes in enumerate(grid.flat):
        if place >= used:
            axes.set_axis_off()
        elif place + columns >= used:
            axes.set_xlabel(label, fontsize=SMALL)
            axes.tick_params(labelbottom=True)


def _srcc_lines(axes: Axes, summary: pd.DataFrame, preset: str) -> None:
    levels = list(dict.fromkeys(summary[summary["model"] == preset]["level"]))
    for number, level in enumerate(levels):
        part = summary[(summary["model"] == preset) & (summary["level"] == level)].sort_values("size")
        head = level == "head"
        look: dict[str, Any] = {"color": PALETTE[0], "alpha": 1 if head else 0.25 + 0.12 * number}
        axes.plot(part["size"], part["srcc"], marker="o" if head else "", linewidth=2 if head else 1.1,
                  linestyle="-" if head else (0, (1 + number, 1)), label=f"{preset}, {level}", **look)  # fmt: skip
    others = [model for model in summary["model"].unique() if model != preset]
    for number, model in enumerate([preset, *others]):
        part = summary[(summary["model"] == model) & (summary["level"] == "head")].sort_values("size")
        look = {"color": PALETTE[number], "capsize": 2, "linewidth": 1.2}
        errors = [(part["srcc"] - part["low"]).fillna(0), (part["high"] - part["srcc"]).fillna(0)]
        if model == preset:
            axes.errorbar(part["size"], part["srcc"], errors, fmt="none", **look)
        else:
            axes.errorbar(part["size"] * 1.03**number, part["srcc"], errors, marker=MARKERS[number], markersize=4,
                          linestyle="--", label=model, **look)  # fmt: skip


@styled
def stage_importance(features: pd.DataFrame, depths: pd.DataFrame) -> Picture:
    """Draw what the FE-MLP and the module scores say about stages.

    Args:
        features: columns feature, value, share, low, high; bars, a colour per feature.
        depths: columns score, unit, depth, mean, spread; a panel per score: the mean module score by depth, each line
            a unit, with bars of one standard deviation over modules.
    """
    scores = list(dict.fromkeys(depths["score"]))
    figure = picture(2.3 + 2.3, one_width=True)
    top, bottom = figure.subfigures(2, 1, squeeze=False)[:, 0]
    axes = top.add_subplot(ylabel="share of all magnitudes", ylim=(0, min(1.0, 1.3 * float(features["share"].max()))))
    names = list(dict.fromkeys(features["feature"]))
    colours = [PALETTE[names.index(name) % len(PALETTE)] for name in features["feature"]]
    errors = [(features["share"] - features["low"]).fillna(0), (features["high"] - features["share"]).fillna(0)]
    axes.bar(range(len(features)), features["share"], yerr=errors, color=colours, error_kw={"linewidth": 1})
    ticks = [_counted(feature, value) for feature, value in zip(features["feature"], features["value"], strict=True)]
    axes.set_xticks(range(len(features)), ticks, rotation=60, fontsize=8)
    axes.set_title("FE-MLP (hop 0)", fontsize=SMALL)
    for score, panel in zip(scores, bottom.subplots(1, len(scores), squeeze=False)[0], strict=True):
        _depth_lines(panel, depths[depths["score"] == score])
        panel.set_title(f"{score} score", fontsize=SMALL)
        panel.set_xlabel("layers of the stage", fontsize=SMALL)
    bottom.axes[0].set_ylabel("module score, centred", fontsize=SMALL)
    handles, labels = bottom.axes[0].get_legend_handles_labels()
    bottom.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8)
    return figure


def _counted(feature: str, value: str) -> str:
    """Name a value of a feature; stages and places in them are counted from 1."""
    names = {"unit": "stage", "index": "place"}
    return f"{names[feature]} {int(value) + 1}" if feature in names else f"{feature} {value}"


def _depth_lines(axes: Axes, scores: pd.DataFrame) -> None:
    units = sorted(scores["unit"].unique())
    for place, unit in enumerate(units):
        part = scores[scores["unit"] == unit]
        shift = 0.08 * (place - (len(units) - 1) / 2)
        axes.errorbar(part["depth"] + shift, part["mean"], part["spread"], marker=MARKERS[place % len(MARKERS)],
                      color=PALETTE[place % len(PALETTE)], markersize=4, linewidth=1.2, elinewidth=0.8,
                      label=f"stage {unit + 1}")  # fmt: skip
    axes.set_xticks(sorted(scores["depth"].unique()))
    axes.tick_params(labelsize=8)
    axes.ticklabel_format(axis="y", scilimits=(-3, 3))


# -------------------------------------------------------------------- the front


@styled
def built_front(front: pd.DataFrame, networks: pd.DataFrame, groups: Sequence[str], cost: str, quality: str) -> Picture:
    """Draw the labelled front with its regions, and what builders proposed for each, one panel per builder.

    Args:
        front: columns cost, quality, error (standard error, NaN where it is not known), regions (joined by commas).
        networks: columns group, region, cost, quality, error; may be empty.
        groups: builders, a panel each; where there are no networks, one panel with the front alone.
        cost: name of the label on the horizontal axis.
        quality: name of the label on the vertical axis.
    """
    shown = [group for group in groups if group in set(networks["group"])] or [""]
    regions = list(dict.fromkeys(name for names in front["regions"] for name in str(names).split(", ") if name))
    colours = dict(zip(regions, (PALETTE[0], PALETTE[1], PALETTE[2], *PALETTE[3:]), strict=False))
    rows = -(-len(shown) // 2) if len(shown) > 1 else 1
    figure = picture(2.5 * rows + 0.8 if len(shown) > 1 else 3.6)
    grid = figure.subplots(rows, 2 if len(shown) > 1 else 1, squeeze=False, sharex=True, sharey=True)
    for group, axes in zip(shown, grid.flat, strict=False):
        _front(axes, front, colours, _units(cost))
        members = networks[networks["group"] == group]
        for region, part in members.groupby("region", sort=False):
            axes.errorbar(part["cost"] / _units(cost), part["quality"], part["error"].fillna(0), fmt="s", markersize=4,
                          color=colours.get(str(region), INK), elinewidth=0.8, alpha=0.85)  # fmt: skip
        axes.set_title(group, fontsize=SMALL)
    _label_bottom(grid, len(shown), _name(cost))
    figure.supylabel(_name(quality), fontsize=10.5)
    handles = [
        Line2D([], [], color=colours[name], marker="s", linestyle="", markersize=5, label=name) for name in regions
    ]
    handles.append(Line2D([], [], color=INK, marker="o", markerfacecolor="white", markersize=4, linewidth=1,
                          label="labelled front"))  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=SMALL)
    return figure


def _front(axes: Axes, front: pd.DataFrame, colours: Mapping[str, str], unit: float) -> None:
    """Draw the front as a staircase with error bars; a point has a ring in the colour of each of its regions."""
    x = front["cost"] / unit
    axes.errorbar(x, front["quality"], front["error"].fillna(0), fmt="none", color=INK, elinewidth=0.6)
    axes.step(x, front["quality"], where="post", color=INK, linewidth=0.8)
    axes.scatter(x, front["quality"], s=8, color="white", edgecolors=INK, linewidths=0.7, zorder=3)
    for cost, quality, names in zip(x, front["quality"], front["regions"], strict=True):
        for size, name in enumerate(name for name in str(names).split(", ") if name in colours):
            axes.scatter(cost, quality, s=22 + 34 * size, facecolors="none", edgecolors=colours[name], linewidths=1)


@styled
def builder_differences(summary: pd.DataFrame) -> Picture:
    """Draw, for every region and builder, how much better its networks are than the labelled ones of no more cost.

    Columns: region, group, over, low, high. Points are means over networks, bars 95 % intervals over images.
    """
    regions, groups = list(dict.fromkeys(summary["region"])), list(dict.fromkeys(summary["group"]))
    figure = picture(0.2 * len(groups) * len(regions) + 0.5 * len(regions) + 0.8)
    for region, axes in zip(regions, figure.subplots(len(regions), 1, sharex=True, squeeze=False).flat, strict=True):
        members = summary[summary["region"] == region]
        for row in members.itertuples():
            place = groups.index(str(row.group))
            errors = [[row.over - row.low], [row.high - row.over]]
            axes.errorbar(row.over, place, xerr=errors, fmt=MARKERS[place % len(MARKERS)], markersize=5, capsize=2,
                          color=PALETTE[place % len(PALETTE)])  # fmt: skip
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(range(len(groups)), groups, fontsize=SMALL)
        axes.set(ylim=(len(groups) - 0.5, -0.5), title=region)
    axes.locator_params(axis="x", nbins=6)
    figure.supxlabel("PQ less that of the best labelled network with no more multiply-adds", fontsize=SMALL)
    return figure

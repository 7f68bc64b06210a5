"""Figures of the chapter on the reader's own machine."""

import numpy as np
import pandas as pd

from autobuild_book.figures.style import INK, PALETTE, Picture, label_name, picture, styled

MARKERS = "osD^"


@styled
def measurements(halves: pd.DataFrame, label: str) -> Picture:
    """Draw the measurements of odd against even rounds and, where multiply-adds are known, against these.

    Args:
        halves: a row per network: columns odd, even, and flops_m where it is known.
        label: name of what was measured.
    """
    counted = "flops_m" in halves
    figure = picture(2.7)
    first, *others = figure.subplots(1, 1 + counted, squeeze=False)[0]
    first.plot(halves["odd"], halves["even"], "o", color=PALETTE[0], markersize=3, alpha=0.6)
    ends = [halves[["odd", "even"]].min().min(), halves[["odd", "even"]].max().max()]
    first.plot(ends, ends, color=INK, linewidth=1)
    first.set(xlabel=f"{label_name(label)}, odd rounds", ylabel=f"{label_name(label)}, even rounds")
    for axes in others:
        both = halves[["odd", "even"]].mean(axis=1)
        axes.plot(halves["flops_m"], both, "o", color=PALETTE[2], markersize=3, alpha=0.6)
        axes.set(xlabel=label_name("flops_m"), ylabel=label_name(label))
    return figure


@styled
def rank_quality(ranks: pd.DataFrame, repeated: pd.DataFrame) -> Picture:
    """Draw how well each model ranks networks it has not seen, one panel per target, beside what is possible.

    Args:
        ranks: columns target, model, srcc, low, high.
        repeated: columns target and srcc (of two halves of the measurement).
    """
    targets, models = list(repeated["target"]), list(dict.fromkeys(ranks["model"]))
    figure = picture(0.28 * len(models) * len(targets) + 0.45 * len(targets) + 0.7)
    for target, axes in zip(targets, figure.subplots(len(targets), 1, sharex=True, squeeze=False).flat, strict=True):
        for place, model in enumerate(models):
            (row,) = ranks[(ranks["target"] == target) & (ranks["model"] == model)].itertuples()
            axes.errorbar(
                row.srcc, place, xerr=[[row.srcc - row.low], [row.high - row.srcc]], fmt=MARKERS[place % 4],
                color=PALETTE[place], markersize=5, capsize=2,
            )  # fmt: skip
        limit = repeated.set_index("target")["srcc"][target]
        axes.axvline(limit, color=INK, linestyle="--", linewidth=1.2, label="measured twice")
        axes.set_yticks(range(len(models)), models)
        axes.set(title=target, ylim=(len(models) - 0.5, -0.5))
    axes.set_xlabel("Spearman correlation (SRCC)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center")
    return figure


@styled
def final_measurement(networks: pd.DataFrame, comparison: pd.DataFrame) -> Picture:
    """Draw the value of every network of the last measurement, one panel per target, a row per group.

    Args:
        networks: columns target, group, value; a dot each.
        comparison: columns target, group, mean; a bar each. The dashed line is the mean of the best measured ones.
    """
    targets, groups = list(dict.fromkeys(networks["target"])), list(dict.fromkeys(networks["group"]))
    figure = picture(0.27 * len(groups) * len(targets) + 0.75 * len(targets))
    for target, axes in zip(targets, figure.subplots(len(targets), 1, squeeze=False).flat, strict=True):
        means = comparison[comparison["target"] == target].set_index("group")["mean"]
        for place, group in enumerate(groups):
            values = networks[(networks["target"] == target) & (networks["group"] == group)]["value"]
            axes.plot(values, np.full(len(values), place), "o", color=PALETTE[place], markersize=4.5, alpha=0.65)
            axes.plot([means[group]] * 2, [place - 0.35, place + 0.35], color=PALETTE[place], linewidth=2.2)
        axes.axvline(means["best measured, again"], color=INK, linestyle="--", linewidth=1)
        axes.set_yticks(range(len(groups)), groups)
        axes.set(xlabel=target, ylim=(len(groups) - 0.5, -0.5))
        axes.locator_params(axis="x", nbins=6)
    return figure


@styled
def plane(measured: pd.DataFrame, networks: pd.DataFrame, across: str, up: str) -> Picture:
    """Draw two labels of the networks measured first, and on top of them those that were built, by target.

    Args:
        measured: columns `across` and `up`; small grey dots.
        networks: the same, with group and target; colour is the target, shape the group.
        across: label of the horizontal axis.
        up: label of the vertical axis.
    """
    figure = picture(3.9)
    axes = figure.add_subplot(xlabel=label_name(across), ylabel=label_name(up))
    axes.plot(measured[across], measured[up], "o", color=PALETTE[6], markersize=3, alpha=0.55, label="measured first")
    targets, groups = list(dict.fromkeys(networks["target"])), list(dict.fromkeys(networks["group"]))
    for (target, group), built in networks.groupby(["target", "group"], sort=False):
        colour, marker = PALETTE[targets.index(target)], MARKERS[groups.index(group) % 4]
        axes.plot(built[across], built[up], marker, color=colour, markersize=5.5, alpha=0.8, label=f"{target}, {group}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=1, fontsize=9)
    return figure

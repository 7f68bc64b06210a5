"""Figures of module scores beside what modules really do."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autobuild_book.chapters.trained.scores import TUNED
from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled

LOOK = {"norm": ("o", PALETTE[3]), "effect": ("s", PALETTE[0]), "ridge": ("^", PALETTE[2])}
PANELS = 4  # in a row


@styled
def marginal_and_adjusted(effects: pd.DataFrame, few: int) -> Picture:
    """Draw two estimates of the effects of one unit's modules against each other, with intervals.

    Args:
        effects: rows of one unit: module, networks, mean, low, high, adjusted, adjusted_low, adjusted_high (points).
        few: modules that fewer networks have are drawn in another colour, with their number.
    """
    figure = picture(3.6)
    axes = figure.add_subplot(xlabel="mean of the networks with the module, centred (points of top-1)",
                              ylabel="adjusted for the other units (points)")  # fmt: skip
    for rare, colour in ((False, PALETTE[0]), (True, PALETTE[3])):
        rows = effects[(effects["networks"] < few) == rare]
        ends = [_lengths(rows, name, low, high) for name, low, high in
                (("mean", "low", "high"), ("adjusted", "adjusted_low", "adjusted_high"))]  # fmt: skip
        name = f"fewer than {few} networks" if rare else f"{few} networks or more"
        axes.errorbar(rows["mean"], rows["adjusted"], ends[1], ends[0], fmt="o", color=colour, markersize=4,
                      elinewidth=0.6, alpha=0.9, label=name)  # fmt: skip
        for module, number, *point in rows[["module", "networks", "mean", "adjusted"]].to_numpy() if rare else ():
            axes.annotate(f"{short(module)}: {number}", tuple(point), (4, 5), textcoords="offset points", fontsize=8.5)
    axes.axline((0, 0), slope=1, color=INK, linewidth=0.8, linestyle=":")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure


def _lengths(rows: pd.DataFrame, name: str, low: str, high: str) -> list[pd.Series]:
    return [(rows[name] - rows[low]).clip(lower=0), (rows[high] - rows[name]).clip(lower=0)]


def short(module: str) -> str:
    """Write a module briefly: its features and how many layers it has, where all layers are alike."""
    *features, layers = module.split(";")
    names = layers.split(",")
    return f"{' '.join(features)} ×{len(names)}" if len(set(names)) == 1 and features else module


@styled
def scores_against_effects(
    means: pd.DataFrame, worst: pd.DataFrame, scores: Sequence[str] = ("norm", "effect")
) -> Picture:
    """Draw scores, averaged over seeds and centred, against real effects, one panel per unit.

    Args:
        means: columns unit, module, score, value, real, real_low, real_high.
        worst: rows of `means` that are labelled.
        scores: which to draw.
    """
    units = sorted(means["unit"].unique())
    rows = -(-(len(units) + 1) // PANELS)
    figure = picture(1.75 * rows + 0.6)
    grid = list(figure.subplots(rows, PANELS, squeeze=False).flat)
    for unit, axes in zip(units, grid, strict=False):
        for score in scores:
            part = means[(means["unit"] == unit) & (means["score"] == score)]
            marker, colour = LOOK[score]
            axes.errorbar(part["real"], part["value"], xerr=_lengths(part, "real", "real_low", "real_high"), fmt=marker,
                          color=colour, markersize=3, elinewidth=0.5, alpha=0.8, label=f"{score} score")  # fmt: skip
        for module, *point in worst.loc[worst["unit"] == unit, ["module", "real", "value"]].to_numpy():
            axes.annotate(short(module), tuple(point), (0, 4), textcoords="offset points", fontsize=7, ha="center")
        axes.axline((0, 0), slope=1, color=INK, linewidth=0.8, linestyle=":")
        axes.set_title(f"unit {unit}", fontsize=9.5)
        axes.tick_params(labelsize=8)
    for axes in grid[len(units) :]:
        axes.set_axis_off()
    grid[len(units)].legend(*grid[0].get_legend_handles_labels(), loc="center", fontsize=9)
    figure.supxlabel("real effect, adjusted for the other units (points of top-1)", fontsize=10)
    figure.supylabel("score, centred (points)", fontsize=10)
    return figure


@styled
def agreement_by_group(agreement: pd.DataFrame, xlabel: str) -> Picture:
    """Draw the rank correlation of each score with real effects, one row per group of modules, bars over seeds.

    Args:
        agreement: columns group (text), model, score, srcc, low, high; markers of the tuned preset are hollow.
        xlabel: of the correlation.
    """
    names = list(dict.fromkeys(agreement["group"]))
    figure = picture(0.36 * len(names) + 1.4)
    axes = figure.add_subplot(xlabel=xlabel)
    found = {*zip(agreement["score"], agreement["model"], strict=True)}
    kinds = sorted(found, key=lambda kind: ([*LOOK].index(kind[0]), kind[1]))
    for shift, (score, model) in zip(np.linspace(-0.3, 0.3, len(kinds)), kinds, strict=True):
        rows, (marker, colour) = agreement[(agreement["score"] == score) & (agreement["model"] == model)], LOOK[score]
        places = np.array([names.index(name) for name in rows["group"]], dtype=float) + shift
        axes.errorbar(rows["srcc"], places, xerr=_ends(rows), fmt=marker, color=colour, markersize=4.5, elinewidth=1,
                      markerfacecolor="white" if model == TUNED else colour,
                      label="additive ridge" if score == "ridge" else f"{score} score, {model} preset")  # fmt: skip
    _finish(axes, names)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    return figure


def _ends(rows: pd.DataFrame) -> list[pd.Series]:
    """Lengths of error bars, none where there is no interval."""
    return [rows["srcc"] - rows["low"].fillna(rows["srcc"]), rows["high"].fillna(rows["srcc"]) - rows["srcc"]]


def _finish(axes: Axes, names: Sequence[str]) -> None:
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlim(right=1.03)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_ylim(len(names) - 0.5, -0.5)

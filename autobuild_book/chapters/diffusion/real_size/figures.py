"""Figures on the real size of the diffusion U-Nets: what choices cost, and what module scores know of it."""

import numpy as np
import pandas as pd

from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled

MARKERS = "os^Dv"


@styled
def choice_costs(table: pd.DataFrame) -> Picture:
    """Draw what each step of each choice adds to the multiply-adds of the real U-Net, and of the mini one.

    Args:
        table: columns stage, choice, step, percent, and mini_percent, which may be missing.
    """
    figure = picture(0.21 * len(table) + 1.1)
    axes = figure.add_subplot(xlabel="multiply-adds added (% of the whole U-Net)")
    places = np.arange(len(table))
    for value, marker, colour, label in (
        ("percent", "o", PALETTE[0], "Stable Diffusion"),
        ("mini_percent", "D", PALETTE[1], "mini U-Net"),
    ):
        axes.plot(table[value], places, marker, color=colour, markersize=5, label=label)
    axes.hlines(places, table[["percent", "mini_percent"]].min(axis=1), table[["percent", "mini_percent"]].max(axis=1),
                color=PALETTE[6], linewidth=1, zorder=1)  # fmt: skip
    names = table["stage"] + "  " + table["choice"] + ": " + table["step"]
    axes.set_yticks(places, list(names))
    axes.set(ylim=(len(table) - 0.5, -0.5), xlim=(0, None))
    for place in np.flatnonzero(table["stage"].to_numpy()[1:] != table["stage"].to_numpy()[:-1]):
        axes.axhline(place + 0.5, color=INK, linewidth=0.6)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


@styled
def scores_against_truth(scores: pd.DataFrame) -> Picture:
    """Draw the score of every module against its true effect, one panel per score, a colour and shape per stage.

    Args:
        scores: columns score, stage, truth and value, both in GMACs.
    """
    kinds, stages = list(dict.fromkeys(scores["score"])), list(dict.fromkeys(scores["stage"]))
    figure = picture(2.6)
    ends = [scores[["truth", "value"]].min().min(), scores[["truth", "value"]].max().max()]
    panels = figure.subplots(1, len(kinds), sharex=True, sharey=True, squeeze=False)[0]
    for kind, axes in zip(kinds, panels, strict=True):
        axes.plot(ends, ends, color=INK, linewidth=0.8)
        for place, stage in enumerate(stages):
            modules = scores[(scores["score"] == kind) & (scores["stage"] == stage)]
            axes.plot(modules["truth"], modules["value"], MARKERS[place % 5], color=PALETTE[place % 7], markersize=3.5,
                      alpha=0.8, label=stage)  # fmt: skip
        axes.set(title=kind, xlabel="true effect (GMACs)")
    figure.axes[0].set_ylabel("score (GMACs)")
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    return figure

"""Figures of what models cost, and of how good they are for it."""

import pandas as pd

from autobuild_book.figures.style import PALETTE, Picture, picture, styled

MARKERS = "osD^vPX"


@styled
def cost_and_quality(costs: pd.DataFrame) -> Picture:
    """Draw rank correlation against seconds, a point per model.

    Args:
        costs: columns model, total (seconds of processor time), srcc.
    """
    figure = picture(3.6 + 0.12 * max(0, len(costs) - 8))
    axes = figure.add_subplot(xlabel="seconds on one core", ylabel="rank correlation (SRCC)", xscale="log")
    for place, (model, x, y) in enumerate(zip(costs["model"], costs["total"], costs["srcc"], strict=True)):
        colour = PALETTE[(place + place // 7) % 7]  # the eighth has the first marker in another colour
        axes.plot(x, y, MARKERS[place % 7], color=colour, markersize=6, label=model)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure

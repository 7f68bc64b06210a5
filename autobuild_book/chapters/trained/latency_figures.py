"""Figures of what a latency means: its order on four GPUs, and what another one changes."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.trained.latency import BATCHES, GPUS, SAYS
from autobuild_book.chapters.trained.swapped import LATENCIES, SCORES, SHARE
from autobuild_book.figures.style import PALETTE, Picture, picture, styled

MARKERS = "os^D"


@styled
def order_of_latencies(rows: pd.DataFrame) -> Picture:
    """Draw how well each predictor orders measured latencies, one panel per batch size.

    Args:
        rows: columns gpu, batch, says, srcc, low, high, of one smallest resolution.
    """
    figure = picture(3.5)
    panels = figure.subplots(1, len(BATCHES), sharey=True)
    for batch, axes in zip(BATCHES, panels, strict=True):
        for place, (gpu, name) in enumerate(GPUS.items()):
            part = rows[(rows["batch"] == batch) & (rows["gpu"] == gpu)].set_index("says").reindex(SAYS)
            heights = np.arange(len(SAYS)) + 0.16 * (place - 1.5)
            ends = [part["srcc"] - part["low"], part["high"] - part["srcc"]]
            axes.errorbar(part["srcc"], heights, xerr=ends, fmt=MARKERS[place], color=PALETTE[place], markersize=3.5,
                          elinewidth=1, label=name)  # fmt: skip
        axes.set_title("one image" if batch == 1 else f"{batch} images at once", fontsize=9.5)
        axes.set_xlim(0.2, 1.03)
    panels[0].set_yticks(range(len(SAYS)), SAYS, fontsize=9)
    panels[0].set_ylim(len(SAYS) - 0.5, -0.5)
    panels[1].set_xlabel("rank correlation with the measured latency", fontsize=10)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    return figure


@styled
def shares_by_latency(rows: pd.DataFrame) -> Picture:
    """Draw which share of the networks built for one latency dominates the training frontier by another.

    Args:
        rows: columns score, measure, first, second, value.
    """
    figure = picture(3.1)
    panels = figure.subplots(1, len(SCORES), sharey=True)
    shares = rows[rows["measure"] == SHARE]
    for score, axes in zip(SCORES, panels, strict=True):
        table = shares[shares["score"] == score].pivot_table("value", "first", "second")
        values = table.reindex(index=LATENCIES, columns=LATENCIES).to_numpy()
        axes.imshow(values, vmin=0, vmax=1, cmap="cividis")
        for (row, column), value in np.ndenumerate(values):
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=9,
                      color="white" if value < 0.6 else "black")  # fmt: skip
        axes.set_xticks(range(len(LATENCIES)), LATENCIES, rotation=30, ha="right", fontsize=9)
        axes.set_yticks(range(len(LATENCIES)), LATENCIES, fontsize=9)
        axes.set_title(f"{score} score", fontsize=9.5)
        axes.grid(visible=False)
    panels[0].set_ylabel("built for")
    figure.supxlabel("judged by", fontsize=10)
    return figure

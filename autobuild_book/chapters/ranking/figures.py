"""Figures of experiment 1: rank correlation by hop, and against the number of training architectures."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from autobuild_book.figures.ranks import task_panels
from autobuild_book.figures.style import PALETTE, Picture, styled


@styled
def learning_curves(curve: pd.DataFrame, references: pd.DataFrame) -> Picture:
    """Draw rank correlation against the number of training architectures, one panel per task.

    Lines are means over seeds, bands reach from the lowest to the highest.

    Args:
        curve: columns family, target, size, seed, model, srcc.
        references: columns family, target, ceiling.
    """

    def draw(axes: Axes, family: str, target: str) -> list[float]:
        rows = curve[(curve["family"] == family) & (curve["target"] == target)]
        colours = dict(zip(sorted(curve["model"].unique()), PALETTE, strict=False))
        sns.lineplot(
            rows, x="size", y="srcc", hue="model", style="model", markers=True, dashes=False, palette=colours,
            hue_order=list(colours), style_order=list(colours), errorbar=("pi", 100), ax=axes, legend="brief",
        )  # fmt: skip
        if (legend := axes.get_legend()) is not None:
            legend.remove()
        axes.set_xscale("log")
        axes.set_xticks(ticks := sorted(rows["size"].unique())[::2], [str(size) for size in ticks])
        axes.minorticks_off()
        return list(rows["srcc"])

    return task_panels(references.drop(columns="ridge"), draw, xlabel="training architectures")

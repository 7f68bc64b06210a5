"""Learning curves: a measure against the number of training rows, a line with error bars per model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autobuild_book.figures.style import PALETTE

MARKERS = "osD^vPX"


def learning_curves(axes: Axes, part: pd.DataFrame, models: Sequence[str], value: str = "value") -> None:
    """Draw a line per model on a logarithmic axis of sizes.

    Args:
        part: columns model, size, low, high (NaN where there is no interval) and the one named `value`.
        models: which to draw, at most seven.
    """
    for place, model in enumerate(models):
        line = part[part["model"] == model].sort_values("size")
        ends = [line[end].fillna(line[value]) for end in ("low", "high")]
        axes.errorbar(
            line["size"], line[value], [line[value] - ends[0], ends[1] - line[value]], fmt=f"{MARKERS[place]}-",
            color=PALETTE[place], markersize=3.5, linewidth=1.2, elinewidth=0.8, label=model,
        )  # fmt: skip
    axes.set_xscale("log")
    sizes = sorted(part["size"].unique())
    apart = [size for size, larger in zip(sizes, [*sizes[1:], np.inf], strict=True) if larger > 1.2 * size]
    ticks = apart[:: 1 + len(apart) // 5]
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.minorticks_off()

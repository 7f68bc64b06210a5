"""The figure of several runs side by side: one panel for each metric."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled
from autobuild_book.intervals import Ends, ends_of, mean_with_interval

LONGEST = 44  # letters of a name on an axis


@styled
def run_comparison(table: pd.DataFrame, parameters: Sequence[str], metrics: Sequence[str]) -> Picture:
    """Draw a panel per metric: a point for each run, a row for each combination of parameters other than `seed`.

    Rows with several runs show their mean and its 95 % interval (Student's t) as well.

    Args:
        table: a row per run, with a column for each of `parameters` and `metrics`.
        parameters: those that differ between runs.
        metrics: what to draw.
    """
    named = [name for name in parameters if name != "seed"]
    groups = [", ".join(f"{name} {row[name]}" for name in named) or "all runs" for _, row in table.iterrows()]
    rows = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    figure = picture(1.0 + len(metrics) * (0.6 + 0.28 * len(rows)))
    panels = figure.subplots(len(metrics), squeeze=False)[:, 0]
    for axes, metric in zip(panels, metrics, strict=True):
        ends = ends_of(metric, table[metric].to_numpy(dtype=np.float64))
        for group, place in rows.items():
            values = table[metric][[name == group for name in groups]]
            numbers = values.dropna().to_numpy(dtype=np.float64)
            axes.plot(numbers, [place] * len(numbers), "o", color=PALETTE[0], alpha=0.6, markersize=4.5)
            if len(numbers) > 1:
                mean, low, high = mean_with_interval(numbers, within=ends)
                axes.errorbar(mean, place, xerr=[[mean - low], [high - mean]], fmt="|", color=INK, capsize=3)
        axes.set_yticks(range(len(rows)), [_short(group) for group in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_title(metric, fontsize=9.5, loc="left")
        axes.locator_params(axis="x", nbins=5)
        _keep_possible(axes, ends)
    return figure


def _keep_possible(axes: Axes, ends: Ends) -> None:
    """Let an axis end where its metric does."""
    low, high = axes.get_xlim()
    margin = 0.01  # for the points at the ends
    axes.set_xlim(max(low, ends[0] - margin), min(high, ends[1] + margin))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

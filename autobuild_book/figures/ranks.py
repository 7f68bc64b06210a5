"""Figures of rank correlation: a panel for each task, on an axis that stretches towards 1."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from autobuild_book.figures.style import INK, PALETTE, Picture, family_name, label_name, picture, styled

MARKERS = {"paper": "o", "tuned": "s"}
TICKS = (-0.8, -0.5, 0, 0.5, 0.8, 0.9, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.999)
REFERENCES = {"ceiling": ("noise ceiling", "--"), "ridge": ("additive ridge", ":")}


@styled
def srcc_by_hop(summary: pd.DataFrame, references: pd.DataFrame) -> Picture:
    """Draw rank correlation at every hop and of the head, one panel per task, one marker per preset.

    Args:
        summary: columns family, target, preset, level, srcc, low, high.
        references: columns family, target, ceiling, ridge.
    """

    def draw(axes: Axes, family: str, target: str) -> list[float]:
        task = summary[(summary["family"] == family) & (summary["target"] == target)]
        levels = list(dict.fromkeys(task["level"]))
        for number, (preset, part) in enumerate(task.groupby("preset", sort=False)):
            places = [levels.index(level) + 0.16 * (number - 0.5) for level in part["level"]]
            below, above = part["srcc"] - part["low"], part["high"] - part["srcc"]
            look: dict[str, Any] = {
                "fmt": MARKERS.get(str(preset), "D"),
                "markersize": 4.5,
                "capsize": 2,
                "linewidth": 1.2,
            }
            axes.errorbar(places, part["srcc"], [below, above], color=PALETTE[number], label=f"{preset} preset", **look)
        axes.set_xticks(range(len(levels)), [level.removeprefix("hop ") for level in levels])
        return list(task["srcc"])

    return task_panels(references, draw, xlabel="hop")


def _fisher_scale(axes: Axes, values: Sequence[float]) -> None:
    """Stretch the axis of correlations towards 1 (Fisher's transformation), around `values`; bars may leave it."""
    finite = [value for value in values if np.isfinite(value)] or [0.0]  # too few test rows have no correlation
    low, high = float(_to_z(min(finite))), float(_to_z(max(finite)))
    margin = 0.12 * (high - low) + 0.02
    ticks: list[float] = []
    for value in TICKS:
        z = float(_to_z(value))
        if low - margin <= z <= high + margin and (not ticks or z - float(_to_z(ticks[-1])) > 1.1 * margin):
            ticks.append(value)
    axes.set_yscale("function", functions=(_to_z, np.tanh))
    axes.set_yticks(ticks, [f"{value:g}" for value in ticks])
    axes.set_ylim(float(np.tanh(low - margin)), float(np.tanh(high + margin)))


def _to_z(srcc: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(np.arctanh(np.clip(srcc, -0.9999, 0.9999)), dtype=np.float64)


def task_panels(references: pd.DataFrame, draw: Callable[[Axes, str, str], list[float]], xlabel: str) -> Picture:
    """One panel per task: a column per family, a row per target; reference lines; one legend below."""
    families, targets = list(references["family"].unique()), list(references["target"].unique())
    figure = picture(1.75 * len(targets) + 0.9)
    grid = figure.subplots(len(targets), len(families), squeeze=False)
    for task in references.to_dict("records"):
        axes = grid[targets.index(task["target"])][families.index(task["family"])]
        for name, (shown, line) in REFERENCES.items():
            if pd.notna(task.get(name)):
                axes.axhline(float(task[name]), linestyle=line, color=INK, linewidth=1.2, label=shown)
        values = draw(axes, task["family"], task["target"])
        _fisher_scale(axes, [*values, *(task[name] for name in REFERENCES if name in task)])
        axes.set(title=f"{family_name(task['family'])}, {label_name(task['target'], unit=False)}", xlabel="", ylabel="")
        axes.title.set_fontsize(9.5)
    for axes in grid[-1]:
        axes.set_xlabel(xlabel)
    figure.supylabel("Spearman correlation (SRCC)", fontsize=10.5)
    handles, names = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2)
    return figure

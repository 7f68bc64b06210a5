"""Figures of the data chapter."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.figures.style import INK, PALETTE, Picture, family_name, finish_grid, label_name, picture, styled


@styled
def label_distributions(tables: Mapping[str, pd.DataFrame]) -> Picture:
    """Draw a histogram of every label, one colour per family; dashed lines are medians."""
    names = list(dict.fromkeys(name for labels in tables.values() for name in labels))
    rows = -(-len(names) // 2)
    figure = picture(2.1 * rows + 0.4)
    for name, axes in zip(names, figure.subplots(rows, 2, squeeze=False).flat, strict=False):
        present = {family: labels[name] for family, labels in tables.items() if name in labels}
        edges = np.histogram_bin_edges(np.concatenate([*present.values()]), bins=40)
        for number, (family, values) in enumerate(present.items()):
            axes.hist(values, edges, color=PALETTE[number], alpha=0.55, label=family_name(family))
            axes.axvline(float(values.median()), color=PALETTE[number], linestyle="--")
        axes.set(xlabel=label_name(name), ylabel="architectures")
    finish_grid(figure)
    return figure


@styled
def accuracy_latency(tables: Mapping[str, pd.DataFrame]) -> Picture:
    """Draw accuracy against every other label, a dot per architecture, one colour per family."""
    names = list(dict.fromkeys(n for labels in tables.values() for n in labels if n != "acc"))
    figure = picture(2.3 * len(names) + 0.4)
    for name, axes in zip(names, figure.subplots(len(names), 1, squeeze=False).flat, strict=True):
        for number, (family, labels) in enumerate(tables.items()):
            look: dict[str, Any] = {"s": 5, "alpha": 0.35, "linewidths": 0, "rasterized": True}
            axes.scatter(labels[name], labels["acc"], color=PALETTE[number], label=family_name(family), **look)
        axes.set(xlabel=label_name(name), ylabel=label_name("acc", unit=False))
    finish_grid(figure)
    return figure


@styled
def noise(noise_free: pd.DataFrame, noisy: pd.DataFrame) -> Picture:
    """Draw every label with noise against the same label without; dots on the line carry no noise."""
    rows = -(-len(noisy.columns) // 2)
    figure = picture(2.6 * rows)
    grid = figure.subplots(rows, 2, squeeze=False).flat
    for axes in grid[len(noisy.columns) :]:
        axes.set_axis_off()
    for name, axes in zip(noisy, grid, strict=False):
        axes.scatter(noise_free[name], noisy[name], s=5, alpha=0.35, linewidths=0, color=PALETTE[0])
        ends = [noise_free[name].min(), noise_free[name].max()]
        axes.plot(ends, ends, color=INK, linewidth=1)
        axes.set(title=label_name(name), xlabel="without noise", ylabel="with noise")
        axes.locator_params(axis="x", nbins=4)
    return figure


@styled
def surrogate_fidelity(frame: pd.DataFrame, limits: Mapping[str, float]) -> Picture:
    """Draw how far surrogates lie from their teachers, in units of the teachers' own test error.

    Columns: family, sample, label, ratio. `limits` holds, per kind of sample, the largest ratio we accept.
    """
    rows = list(dict.fromkeys(zip(frame["family"], frame["label"], strict=True)))
    figure = picture(0.33 * len(rows) + 1.3)
    axes = figure.add_subplot(xlabel="mean absolute difference / published test error", xlim=(0, None))
    for number, (sample, limit) in enumerate(limits.items()):
        part = frame[frame["sample"] == sample]
        places = [rows.index(key) for key in zip(part["family"], part["label"], strict=True)]
        axes.plot(part["ratio"], places, "os"[number % 2], color=PALETTE[number], label=f"{sample} sample")
        axes.axvline(limit, color=PALETTE[number], linestyle="--", label=f"limit, {sample}")
    names = [f"{family_name(family)}, {label_name(label, unit=False)}" for family, label in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    figure.legend(loc="outside lower center", ncols=2)
    return figure

"""Figures on regions of the front of trained networks: reduced spaces beside it, and what they are worth."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.lines import Line2D

from autobuild_book.chapters.trained.regions import KNOWN, REGIONS
from autobuild_book.chapters.trained.truth import Truth
from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled

SMALL = 9.5
LOOKS = {"norm": ("o", PALETTE[0], "norm score"), "effect": ("s", PALETTE[1], "effect score (ours)"),
         "ridge": ("^", PALETTE[2], "additive ridge"), "known": ("D", PALETTE[4], "true effects")}  # fmt: skip


def short(source: str) -> str:
    """Return a source as readers know it."""
    return source.rpartition(":")[2]


@styled
def reduced_spaces(
    truth: Truth, front: npt.NDArray[np.float64], spaces: Mapping[str, Mapping[str, npt.NDArray[np.intp]]]
) -> Picture:
    """Draw the networks of reduced spaces among all networks, a panel per score.

    Args:
        truth: of the data set.
        front: costs of the training rows that no other one dominates, [n, 2], by rising latency.
        spaces: by score and region, rows of the table.
    """
    figure = picture(3.0)
    panels = figure.subplots(1, len(spaces), squeeze=False, sharex=True, sharey=True)[0]
    floor = np.quantile(-truth.points[:, 1], 0.2)
    for axes, (score, by_region) in zip(panels, spaces.items(), strict=True):
        axes.scatter(truth.points[:, 0], -truth.points[:, 1], s=1, color="#d0d0d0", rasterized=True)
        for colour, region in zip(PALETTE, REGIONS, strict=False):
            points = truth.points[by_region[region]]
            axes.scatter(points[:, 0], -points[:, 1], s=7, color=colour, linewidths=0, alpha=0.7, rasterized=True)
        axes.step(front[:, 0], -front[:, 1], where="post", color=INK, linewidth=0.9)
        axes.set_title(LOOKS[score][2], fontsize=SMALL)
        axes.set(xscale="log", ylim=(floor, None), xlabel="latency (ms)")
    panels[0].set_ylabel("validation accuracy (%)", fontsize=SMALL)
    handles = [Line2D([], [], color=colour, marker="o", linestyle="", markersize=5, label=region)
               for colour, region in zip(PALETTE, REGIONS, strict=False)]  # fmt: skip
    handles.append(Line2D([], [], color=INK, linewidth=1, label="training front"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=SMALL)
    return figure


@styled
def region_shares(means: pd.DataFrame, recipe: str, size: int) -> Picture:
    """Draw the share of each reduced space that improves its region: a row per data set and region.

    Args:
        means: see `mean_shares`.
        recipe: of AutoBuild.
        size: training rows.
    """
    chosen = means[means["size"] == size]
    rows = list(dict.fromkeys(zip(chosen["source"], chosen["region"], strict=True)))
    kinds = {"norm": (recipe, "norm"), "effect": (recipe, "effect"), "ridge": ("additive ridge", "effect"),
             "known": (KNOWN, "effect")}  # fmt: skip
    figure = picture(0.21 * len(rows) + 1.3)
    axes = figure.add_subplot(xlabel="share of the reduced space that improves its region", xlim=(-0.03, 1.03))
    for number, (kind, (model, score)) in enumerate(kinds.items()):
        part = chosen[(chosen["recipe"] == model) & (chosen["score"] == score)]
        _errorbars(axes, part, [rows.index(key) + 0.17 * (number - 1.5) for key in _keys(part)], kind)
    by_chance = chosen.drop_duplicates(["source", "region"])
    places = [rows.index(key) for key in _keys(by_chance)]
    axes.scatter(by_chance["random"], places, marker="|", s=90, color=INK, linewidths=1.2, label="random spaces")
    axes.axvline(0.5, color=INK, linestyle="--", linewidth=1, label="one half")
    axes.set_yticks(range(len(rows)), [f"{short(source)}: {region}" for source, region in rows], fontsize=8.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    figure.legend(loc="outside lower center", ncols=3, fontsize=SMALL)
    return figure


def _keys(part: pd.DataFrame) -> Sequence[tuple[str, str]]:
    return list(zip(part["source"], part["region"], strict=True))


def _errorbars(axes: Any, part: pd.DataFrame, places: Sequence[float], kind: str) -> None:
    marker, colour, label = LOOKS[kind]
    widths = [(part["share"] - part["low"]).fillna(0), (part["high"] - part["share"]).fillna(0)]
    look: dict[str, Any] = {"fmt": marker, "markersize": 4, "linewidth": 0.9, "color": colour, "label": label}
    axes.errorbar(part["share"], places, xerr=widths, **look)

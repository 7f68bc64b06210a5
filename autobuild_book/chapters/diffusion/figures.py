"""Figures of experiment 6: ranking, module scores by stage, distance against MACs, what was built, and pictures."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from autobuild_book.figures.style import INK, PALETTE, Picture, picture, styled

MARKERS = "osD^vP*"
ROW = 0.25  # inches
SHORT = {"built by norm score": "norm score", "built by effect score": "effect score",
         "built by additive ridge": "additive ridge"}  # fmt: skip


@styled
def unet_ranks(ranks: pd.DataFrame, ceiling: float = float("nan")) -> Picture:
    """Draw how well each model ranks U-Nets that it has not seen, in all and among those of equal cost.

    Args:
        ranks: columns model, srcc, partial, and `_low` and `_high` of both; a row per model.
        ceiling: what a model without any error would reach, a dashed line; NaN where that is not known.
    """
    names = {"srcc": "SRCC", "partial": "partial SRCC, MACs known"}
    shown = [name for name in names if ranks[name].notna().any()]
    figure = picture(ROW * len(ranks) + 0.8)
    for axes, name in zip(figure.subplots(1, len(shown), sharey=True, squeeze=False)[0], shown, strict=True):
        _intervals(axes, ranks[name], ranks[f"{name}_low"], ranks[f"{name}_high"], [0] * len(ranks))
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(ranks)), list(ranks["model"]))
        axes.set(xlabel=names[name], ylim=(len(ranks) - 0.5, -0.5))
    if np.isfinite(ceiling):
        figure.axes[0].axvline(ceiling, color=INK, linestyle="--", linewidth=1.2)
    return figure


@styled
def stage_scores(effects: pd.DataFrame) -> Picture:
    """Draw what each value of each feature adds to the module score of every stage: a row per feature, a column per
    score. Columns: score, stage, feature, value, effect, low, high."""
    scores, features = (list(dict.fromkeys(effects[name])) for name in ("score", "feature"))
    figure = picture(1.35 * len(features) + 0.4)
    grid = figure.subplots(len(features), len(scores), sharex=True, sharey=True, squeeze=False)
    for feature, row in zip(features, grid, strict=True):
        for score, axes in zip(scores, row, strict=True):
            part = effects[(effects["score"] == score) & (effects["feature"] == feature)]
            _values_by_stage(axes, part)
            axes.set_title(SHORT.get(score, score) if feature == features[0] else "")
            axes.set_ylim(*(2 * float(effects["effect"].abs().max()) * np.array([-1, 1])))  # few seeds: wider bars
        row[0].set_ylabel(feature)
        row[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9, handletextpad=0.2)
    return figure


def _values_by_stage(axes: Axes, effects: pd.DataFrame) -> None:
    stages, values = (list(dict.fromkeys(effects[name])) for name in ("stage", "value"))
    for number, value in enumerate(values):
        chosen = effects[effects["value"] == value]
        places = np.array([stages.index(stage) for stage in chosen["stage"]]) + 0.16 * (number - (len(values) - 1) / 2)
        ends = [(chosen["effect"] - chosen["low"]).fillna(0), (chosen["high"] - chosen["effect"]).fillna(0)]
        axes.errorbar(places, chosen["effect"], ends, fmt=MARKERS[number % 7], color=PALETTE[number % 7],
                      markersize=4, linewidth=1, label=str(value))  # fmt: skip
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(len(stages)), stages)


@styled
def distance_against_macs(table: pd.DataFrame, final: pd.DataFrame, label: str = "log Frechet distance") -> Picture:
    """Draw distance against MACs: the labels on the left, what was measured at the end on the right.

    Args:
        table: columns macs, mean, low, high (of the runs of an architecture), front; a dot per labelled U-Net.
        final: columns group, macs, mean, mean_low, mean_high, front; a marker per network. It may be empty.
        label: name of what is drawn upwards; lower is better.
    """
    figure = picture(3.9)
    left, right = figure.subplots(1, 2, sharey=True)
    left.vlines(table["macs"] / 1e6, table["low"], table["high"], color=PALETTE[6], linewidth=0.7, alpha=0.6)
    left.plot(table["macs"] / 1e6, table["mean"], "o", color=PALETTE[6], markersize=3.5)
    _front_line(left, table)
    left.set(title="labels", xlabel="MACs (millions)", ylabel=label)
    groups = list(dict.fromkeys(final["group"]))
    for number, group in enumerate(groups):
        some = final[final["group"] == group]
        ends = [some["mean"] - some["mean_low"], some["mean_high"] - some["mean"]]
        right.errorbar(some["macs"] / 1e6, some["mean"], np.nan_to_num(ends), fmt=MARKERS[number % 7], markersize=5,
                       color=PALETTE[number % 7], linewidth=1, label=group)  # fmt: skip
    _front_line(right, final)
    right.set(title="measured at the end" if groups else "not measured yet", xlabel="MACs (millions)")
    if groups:
        figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure


def _front_line(axes: Axes, points: pd.DataFrame) -> None:
    front = points[points["front"].astype(bool)].sort_values("macs")
    axes.step(front["macs"] / 1e6, front["mean"], where="post", color=INK, linewidth=1, linestyle="--")


@styled
def built_against_best(comparison: pd.DataFrame, reference: str) -> Picture:
    """Draw how every network differs from the reference of its setting, a panel per setting, a row per network.

    Args:
        comparison: columns setting, group, place, macs, difference, low, high; below 0 is better.
        reference: what stands at 0; its own row is left out.
    """
    shown = comparison[comparison["group"] != reference]
    settings, groups = (list(dict.fromkeys(shown[name])) for name in ("setting", "group"))
    sizes = [int((shown["setting"] == setting).sum()) for setting in settings]
    figure = picture(ROW * sum(sizes) + 0.55 * len(settings) + 0.5)
    grid = figure.subplots(len(settings), 1, sharex=True, squeeze=False, height_ratios=sizes)[:, 0]
    for setting, axes in zip(settings, grid, strict=True):
        part = shown[shown["setting"] == setting]
        colours = [groups.index(group) for group in part["group"]]
        _intervals(axes, part["difference"], part["low"], part["high"], colours)
        names = [f"{group}, {macs / 1e6:.1f} M" for group, macs in zip(part["group"], part["macs"], strict=True)]
        axes.set_yticks(range(len(part)), names)
        axes.axvline(0, color=INK, linestyle="--", linewidth=1)
        axes.set(title=setting, ylim=(len(part) - 0.5, -0.5))
    axes.set_xlabel("difference in log distance")
    return figure


def _intervals(axes: Axes, values: pd.Series, low: pd.Series, high: pd.Series, colours: Sequence[int]) -> None:
    """Draw a point with its interval in every row; one without a number is left out."""
    for place, (value, start, end, colour) in enumerate(zip(values, low, high, colours, strict=True)):
        ends = np.nan_to_num([[value - start], [end - value]])
        axes.errorbar(value, place, xerr=ends, fmt=MARKERS[colour % 7], color=PALETTE[colour % 7], markersize=5,
                      capsize=2)  # fmt: skip


@styled
def inpainted_digits(rows: Mapping[str, npt.NDArray[np.uint8]], masks: npt.NDArray[np.bool_]) -> Picture:
    """Draw one image of every class per row; the row "masked" shows hidden pixels in colour.

    Args:
        rows: images [columns, 8, 8] from 0 (black) to 255, by the name of the row.
        masks: [columns, 8, 8], true where pixels were hidden.
    """
    figure = picture(0.53 * len(rows) + 0.1, one_width=True)
    hidden = np.array([int(PALETTE[1][i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)
    for name, line in zip(rows, figure.subplots(len(rows), len(masks), squeeze=False), strict=True):
        for number, (axes, image) in enumerate(zip(line, rows[name], strict=True)):
            colour = np.repeat(image[:, :, None], 3, axis=2)
            if name == "masked":
                colour[masks[number]] = hidden
            axes.imshow(colour, vmin=0, vmax=255, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure

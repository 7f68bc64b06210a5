"""Experiment 6: what the labels are worth. How far architectures differ, and how much of that is luck."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autobuild_book.chapters.diffusion.task.measuring import ROWS, Measurement
from autobuild_book.chapters.diffusion.task.metrics import baselines
from autobuild_book.chapters.diffusion.task.table import MEASURED, NAME, Agreement, seed_agreement
from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.search import front
from autobuild_lib.spaces import read_space
from autobuild_lib.statistics import srcc_with_interval
from autobuild_lib.targets import Target

BEST, MEDIAN, WORST = "best U-Net", "median U-Net", "worst U-Net"


def load_table(source: str, space: str, target: str) -> tuple[Table, str]:
    """Return the bundled table, or the given one, and a note where the given one has not what the target needs.

    Args:
        source: "bundled", or as for `data.load`.
        space: family or JSON file, for a CSV of another space.
        target: equation over the labels.
    """
    if source == "bundled":
        return data.load(NAME), ""
    table = data.load(source, read_space(space) if space else None)
    if lacking := [label for label in Target(target).labels if label not in table.labels]:
        text = f"{source} has no label {', '.join(lacking)}, which the target {target} needs: this page uses {NAME}."
        return data.load(NAME), text
    return table, ""


def spread(rows: Sequence[Measurement], table: Table) -> pd.DataFrame:
    """Return, for each label, how architectures and seeds make it vary, and how it goes with MACs.

    Columns: `spread`, the standard deviation over architectures; `seed_sd`, that of the runs of one architecture; `icc`
    with `icc_low` and `icc_high`, the intraclass correlation of one run with shared seeds; `icc_other`, with other
    seeds for each architecture; `reliability` of the label, the mean over runs; `srcc_macs` with its interval
    `macs_low` and `macs_high`.
    """
    records, runs = {}, len({row.seed for row in rows})
    for label in MEASURED:
        seeds = seed_agreement(rows, label)
        with_macs = srcc_with_interval(table.labels["macs"].to_numpy(), table.labels[label].to_numpy())
        parts = (seeds.spread, seeds.seed_sd, seeds.shared_seeds, seeds.low, seeds.high, seeds.other_seeds)
        records[label] = (*parts, reliability(seeds, runs), *with_macs)
    columns = ["spread", "seed_sd", "icc", "icc_low", "icc_high", "icc_other", "reliability"]
    columns += ["srcc_macs", "macs_low", "macs_high"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns).rename_axis("label").reset_index()


def reliability(agreement: Agreement, runs: int) -> float:
    """Return the part of the variance of a mean over `runs` shared seeds that its architecture explains.

    By the formula of Spearman and Brown; its root is what a model without any error would correlate with the label.
    """
    return runs * agreement.shared_seeds / (1 + (runs - 1) * agreement.shared_seeds)


def runs_for(reliability: float, icc: float) -> int:
    """Return how many runs a mean needs for a reliability, where one run has `icc` > 0 (Spearman and Brown, solved)."""
    return math.ceil(reliability * (1 - icc) / (icc * (1 - reliability)) - 1e-9)


def ceiling(spread: pd.DataFrame, target: str) -> float:
    """Return what a model without any error would correlate with the target; NaN unless that is a measured label."""
    by_label = spread.set_index("label")["reliability"] if "reliability" in spread else pd.Series(dtype=np.float64)
    label = str(Target(target)).removeprefix("-")
    return float(np.sqrt(max(by_label[label], 0.0))) if label in by_label else float("nan")


def beside_baselines(table: Table, seeds: Sequence[int]) -> pd.DataFrame:
    """Return the trivial baselines and three U-Nets of the table: columns filled by, log_distance, masked_mse.

    Everything is a mean over the same seeds on the images that the labels come from.
    """
    trivial = pd.concat([baselines("labels", seed) for seed in seeds]).groupby(level=0).mean()
    labels = table.labels.sort_values("log_distance", ignore_index=True)[["log_distance", "masked_mse"]]
    places = {BEST: 0, MEDIAN: len(labels) // 2, WORST: len(labels) - 1}
    chosen = labels.iloc[list(places.values())].set_axis(list(places))
    both = pd.concat([trivial, chosen]).sort_values("log_distance", kind="stable")
    return both.rename_axis("filled by").reset_index()


def labelled_points(table: Table, rows: Sequence[Measurement], target: str, cost: str = "macs") -> pd.DataFrame:
    """Return a row per labelled architecture: architecture, macs (the cost), mean, low, high, front.

    `mean` is the negative of the target, so that lower is better; `low` and `high` are those of single runs, where rows
    are given. `front` marks the architectures that no other one dominates in cost and mean.
    """
    texts, lower_is_better = list(map(str, table.architectures)), -Target(target).evaluate(table.labels)
    frame = pd.DataFrame({"architecture": texts, "macs": table.labels[cost].to_numpy(), "mean": lower_is_better})
    runs = pd.DataFrame(rows, columns=list(ROWS.columns))
    values = pd.Series(-Target(target).evaluate(runs[list(MEASURED)]) if rows else [], dtype=np.float64)
    by_architecture = values.groupby(runs["architecture"])
    for name, ends in (("low", by_architecture.min()), ("high", by_architecture.max())):
        frame[name] = ends.reindex(texts).fillna(pd.Series(lower_is_better, texts)).to_numpy()
    return frame.assign(front=front(frame[["macs", "mean"]].to_numpy(np.float64)))

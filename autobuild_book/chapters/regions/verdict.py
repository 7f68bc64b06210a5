"""Experiment 4: summaries of the clusters of built networks, and the verdict on claim C4."""

from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.regions.clusters import KEY, NUMBERS, SCORES, groups
from autobuild_book.chapters.shared.verdicts import estimate
from autobuild_lib.statistics import mean_with_interval


def summarise(judged: pd.DataFrame) -> pd.DataFrame:
    """Mean over training seeds per panel, region and score; the share with its 95 % interval (NaN for one seed)."""
    rows = []
    for key, group in groups(judged, KEY[:-1]):
        share, low, high = mean_with_interval(group["share"].to_numpy())
        rows.append((*key, share, low, high, *group[NUMBERS[1:]].mean(), len(group)))
    return pd.DataFrame(rows, columns=[*KEY[:-1], "share", "low", "high", *NUMBERS[1:], "seeds"])


def verdict(judged: pd.DataFrame, score: str = "norm", column: str = "share") -> tuple[pd.DataFrame, str]:
    """Judge claim C4 on one score: a table with a check per panel, and the verdict.

    A region is improved when the share, in the mean over training seeds, is at least one half. A panel passes when two
    thirds of its regions are improved. "supported" when five sixths of the panels pass, "partly" when half do, else
    "not supported"; "undecided" without panels. `column` is the share that counts.
    """
    own = judged[judged["score"] == score]
    rows = []
    for names, panel in groups(own, ["family", "device"]):
        improved = panel.groupby("region", sort=False)[column].mean() >= 0.5
        value = f"{int(improved.sum())} of {len(improved)} regions"
        rows.append((*names, value, bool(improved.sum() >= np.ceil(2 / 3 * len(improved)))))
    checks = pd.DataFrame(rows, columns=["family", "device", "value", "holds"])
    if checks.empty:
        return checks, "undecided"
    passed = int(checks["holds"].sum())
    needed = int(np.ceil(5 / 6 * len(checks)))
    return checks, "supported" if passed >= needed else "partly" if passed >= len(checks) / 2 else "not supported"


def verdicts(judged: pd.DataFrame) -> pd.DataFrame:
    """Apply the rule of `verdict` to every score and to three ways to count; only the first row of a score is the rule.

    Columns: score, counted, panels (that pass), verdict.
    """
    ways = {"share": "region, frontier without noise", "noisy_share": "region, frontier chosen on noisy labels",
            "any_share": "any point, frontier without noise"}  # fmt: skip
    rows = []
    for score in judged["score"].unique():
        for column, counted in ways.items():
            checks, text = verdict(judged, score, column)
            rows.append((score, counted, f"{int(checks['holds'].sum())} of {len(checks)}", text))
    return pd.DataFrame(rows, columns=["score", "counted", "panels", "verdict"])


def gains_at_budgets(budgets: pd.DataFrame) -> pd.DataFrame:
    """Return what all clusters of a score gain over the training table within a latency budget, in points of accuracy.

    A row per family, device and quantile (of the frontier's latencies), a column per score; means over training seeds.
    """
    own = budgets[budgets["region"] == "all"]
    keys = ["family", "device", "quantile", "budget"]
    if own.empty:
        return pd.DataFrame(columns=keys)
    wide = own.pivot_table(index=keys, columns="score", values="acc", sort=False, dropna=False).dropna(how="all")
    gains = 100 * wide.drop(columns="training").sub(wide["training"], axis=0)
    return gains[[score for score in SCORES if score in gains]].reset_index()


def cluster_estimates(judged: pd.DataFrame, score: str = "norm") -> list[dict[str, Any]]:
    """Describe claim C4 panel by panel: the share of a cluster that improves its region (see `judge_clusters`)."""
    shares = judged[judged["score"] == score].groupby(["family", "device"])["share"].mean()
    return [estimate("share of a cluster that dominates a point of its region", shares.to_numpy(float), "panels")]

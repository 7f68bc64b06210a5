"""Numbers with intervals that a chapter hands to the page of verdicts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.modules.agreement import UNIT
from autobuild_book.chapters.modules.verdict import cells_that_hold
from autobuild_book.chapters.regions.searches import BASELINES, OURS
from autobuild_lib.statistics import mean_with_interval

TASK, PANEL = ["family", "target"], ["family", "device"]


def estimate(name: str, values: Sequence[float] | npt.NDArray[np.float64], over: str) -> dict[str, Any]:
    """Describe a mean with its 95 % interval (Student's t) over what `over` names; nothing is known of no values."""
    mean, low, high = mean_with_interval(values) if len(values) else (float("nan"),) * 3
    return {"estimate": name, "value": mean, "low": low, "high": high, "over": f"{len(values)} {over}"}


def module_estimates(effects: pd.DataFrame, correlations: pd.DataFrame, score: str = "norm") -> list[dict[str, Any]]:
    """Describe claim C3 task by task: the share of cells that hold, and the median correlation over units.

    A missing correlation, that of a constant score, counts as 0, as in the verdict. A task is a family and a target.
    effects, correlations: tables of experiment 3, as for `subgraph_verdict.verdict`.
    """
    own = effects[effects.score == score]
    held = own.assign(held=cells_that_hold(own)) if len(own) else own.assign(held=False)
    units = correlations[(correlations.score == score) & (correlations.scope == UNIT)]
    shares = held.groupby(TASK).held.mean()
    medians = units.assign(srcc=units.srcc.fillna(0.0)).groupby(TASK).srcc.median()
    return [
        estimate("share of cells in which best beats random beats worst", shares.to_numpy(float), "tasks"),
        estimate("median over units of Spearman(score, effect)", medians.to_numpy(float), "tasks"),
    ]


def cluster_estimates(judged: pd.DataFrame, score: str = "norm") -> list[dict[str, Any]]:
    """Describe claim C4 panel by panel: the share of a cluster that improves its region (see `judge_clusters`)."""
    shares = judged[judged["score"] == score].groupby(PANEL)["share"].mean()
    return [estimate("share of a cluster that dominates a point of its region", shares.to_numpy(float), "panels")]


def search_estimates(tests: pd.DataFrame, score: str = "norm") -> list[dict[str, Any]]:
    """Describe claim C5 panel by panel: median final hypervolume minus that of each baseline (see `compare`)."""
    own = tests[(tests["method"] == OURS[score]) & tests["rival"].isin(BASELINES)]
    own = own[own["evaluations"] == own["evaluations"].max()]
    return [
        estimate(f"final hypervolume minus that of {rival}", panels["difference"].to_numpy(float), "panels")
        for rival, panels in own.groupby("rival", sort=False)
    ]

"""Searches against each other: median curves over seeds, and tests of one method against others, panel by panel."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu, quantile_test

from autobuild_book.intervals import holm

SIGNIFICANT = 0.05
PANEL = ("family", "device")


def median_curves(curves: pd.DataFrame, panel: Sequence[str] = PANEL) -> pd.DataFrame:
    """Median hypervolume over seeds with its 95 % interval (order statistics; NaN for fewer than six seeds).

    Columns: those of `panel`, method, evaluations, median, low, high, searches.
    """
    rows = []
    for key, group in curves.groupby([*panel, "method", "evaluations"], sort=False):
        values = group["hypervolume"].to_numpy()
        low, high = np.asarray(quantile_test(values, p=0.5).confidence_interval(0.95))
        rows.append((*key, float(np.median(values)), low, high, len(values)))
    return pd.DataFrame(rows, columns=[*panel, "method", "evaluations", "median", "low", "high", "searches"])


def compare_rivals(
    curves: pd.DataFrame, evaluations: int, method: str, rivals: Sequence[str], panel: Sequence[str] = PANEL
) -> pd.DataFrame:
    """Test a method against its rivals after so many evaluations (one-sided Mann-Whitney tests).

    Columns: evaluations, method, rival, those of `panel`, searches, difference (of medians), better, worse: p-values
    that the method is, corrected by Holm over all panels and rivals.

    Args:
        curves: columns of `panel`, method, seed, evaluations, hypervolume.
        evaluations: after how many.
        method: which one.
        rivals: the other ones.
        panel: columns that tell one problem from another.
    """
    then = curves[curves["evaluations"] == evaluations]
    wide = then.pivot(index=[*panel, "seed"], columns="method", values="hypervolume")
    rows = []
    for rival, (names, group) in itertools.product(rivals, list(wide.groupby(level=list(panel), sort=False))):
        ours, theirs = (group[name].to_numpy() for name in (method, rival))
        better, worse = (mannwhitneyu(ours, theirs, alternative=side).pvalue for side in ("greater", "less"))
        difference = float(np.median(ours) - np.median(theirs))
        rows.append((evaluations, method, rival, *names, len(ours), difference, better, worse))
    columns = ["evaluations", "method", "rival", *panel, "searches", "difference", "better", "worse"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(better=holm(frame["better"].to_list()), worse=holm(frame["worse"].to_list()))

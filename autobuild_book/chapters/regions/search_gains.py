"""Experiment 4, second half: what searches gain, over the training table and over each other (claim C5)."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from autobuild_book.chapters.regions.clusters import BUDGETS, groups
from autobuild_book.chapters.regions.search_runs import BASELINES, FRACTIONS, METHODS, OURS, OUTSIDE, PANEL
from autobuild_book.chapters.shared.frontiers import Frontier
from autobuild_book.chapters.shared.rivals import SIGNIFICANT, compare_rivals
from autobuild_book.dominance import best_within
from autobuild_lib.search import costs


def search_gains(fronts: pd.DataFrame, frontiers: Mapping[tuple[str, str], Frontier]) -> pd.DataFrame:
    """Return what a search gains over the training table within a latency budget, in points of accuracy.

    A row per family, device and quantile (of the training frontier's latencies), a column per method: medians over
    seeds, NaN where half of the searches or more found nothing fast enough.
    """
    rows = []
    for key, group in groups(fronts, [*PANEL, "method"]):
        training = frontiers[key[:2]].points
        each = [costs(front, "acc", "latency") for _, front in group.groupby("seed")]
        for quantile in BUDGETS:
            budget = float(np.quantile(training[:, 0], quantile))
            reached = np.median(np.nan_to_num([best_within(points, budget) for points in each], nan=-np.inf))
            gain = 100 * (reached - best_within(training, budget)) if np.isfinite(reached) else np.nan
            rows.append((*key[:2], quantile, budget, key[2], gain))
    keys = [*PANEL, "quantile", "budget"]
    long = pd.DataFrame(rows, columns=[*keys, "method", "gain"])
    wide = long.pivot_table(index=keys, columns="method", values="gain", sort=False, dropna=False).dropna(how="all")
    return wide[[method for method in METHODS if method in wide]].reset_index()


def rival_tests(curves: pd.DataFrame) -> pd.DataFrame:
    """Test our two methods against the others at the fractions of the budget (one-sided Mann-Whitney tests).

    Columns: evaluations, method, rival, family, device, searches, difference (of medians), better, worse: p-values
    that the method is, corrected by Holm over all panels and over the rivals of a kind: the paper's baselines, the
    outside reference, our other score.
    """
    final = int(curves["evaluations"].max()) if len(curves) else 0
    parts = []
    for fraction, method in itertools.product(FRACTIONS, OURS.values()):
        others = tuple(other for other in OURS.values() if other != method)
        for rivals in (BASELINES, (OUTSIDE,), others):
            parts.append(compare_rivals(curves, round(fraction * final), method, rivals))
    return pd.concat(parts, ignore_index=True)


def where_it_pays(tests: pd.DataFrame) -> pd.DataFrame:
    """Count, per budget, method and rival, the panels where the method is significantly better, worse, or neither."""
    better, worse = tests["better"] < SIGNIFICANT, tests["worse"] < SIGNIFICANT
    outcome = tests.assign(better=better, neither=~better & ~worse, worse=worse)
    keys = ["evaluations", "method", "rival"]
    return outcome.groupby(keys, sort=False)[["better", "neither", "worse"]].sum().reset_index()


def readable(pays: pd.DataFrame) -> pd.DataFrame:
    """Return `where_it_pays` for a page: "better / neither / worse" per method and rival, a column for each budget."""
    outcome = pays["better"].astype(str) + " / " + pays["neither"].astype(str) + " / " + pays["worse"].astype(str)
    return pays.assign(outcome=outcome).set_index(["method", "rival", "evaluations"]).outcome.unstack(sort=False)

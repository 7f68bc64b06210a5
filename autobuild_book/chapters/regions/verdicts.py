"""Experiment 4: summaries of the clusters of built networks, and the verdicts on claims C4 and C5."""

import math
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.regions.clusters import KEY, NUMBERS, SCORES, groups
from autobuild_book.chapters.regions.search_runs import BASELINES, OURS
from autobuild_book.chapters.shared.rivals import SIGNIFICANT
from autobuild_book.chapters.shared.verdicts import Verdict, estimate
from autobuild_book.intervals import SHARE, mean_with_interval

RULE_C4 = (
    "By norm score, in 5 of 6 panels, at least half of the cluster dominates a point of the region's frontier "
    "for 2 of 3 regions. *Partly*: in half of the panels."
)
RULE_C5 = (
    "By norm score, the final hypervolume beats that of each of three baselines in 5 of 6 panels (p < 0.05 after "
    "Holm's correction). *Supported*: all three; *partly*: two; *undecided*: too few searches for any p < 0.05."
)


def cluster_means(judged: pd.DataFrame) -> pd.DataFrame:
    """Mean over training seeds per panel, region and score; the share with its 95 % interval (NaN for one seed)."""
    rows = []
    for key, group in groups(judged, KEY[:-1]):
        share, low, high = mean_with_interval(group["share"].to_numpy(), within=SHARE)
        rows.append((*key, share, low, high, *group[NUMBERS[1:]].mean(), len(group)))
    return pd.DataFrame(rows, columns=[*KEY[:-1], "share", "low", "high", *NUMBERS[1:], "seeds"])


def judge_regions(judged: pd.DataFrame, score: str = "norm", column: str = "share") -> Verdict:
    """Judge claim C4 on one score by `RULE_C4`: a check per panel, "undecided" without panels.

    A region is improved when the share in `column`, in the mean over training seeds, is at least one half.
    """
    rows = []
    for names, panel in groups(judged[judged["score"] == score], ["family", "device"]):
        improved = panel.groupby("region", sort=False)[column].mean() >= 0.5
        value = f"{int(improved.sum())} of {len(improved)} regions"
        rows.append((*names, value, bool(improved.sum() >= np.ceil(2 / 3 * len(improved)))))
    return Verdict("Claim C4", pd.DataFrame(rows, columns=["family", "device", "value", "holds"]), needed=5 / 6)


def ways_to_count(judged: pd.DataFrame) -> pd.DataFrame:
    """Judge claim C4 on every score, counted in three ways; only the first row of a score is the rule.

    Columns: score, counted, panels (that pass), verdict.
    """
    ways = {"share": "region, frontier without noise", "noisy_share": "region, frontier chosen on noisy labels",
            "any_share": "any point, frontier without noise"}  # fmt: skip
    rows = []
    for score in judged["score"].unique():
        for column, counted in ways.items():
            verdict = judge_regions(judged, score, column)
            rows.append((score, counted, verdict.held, verdict.word))
    return pd.DataFrame(rows, columns=["score", "counted", "panels", "verdict"])


def cluster_gains(budgets: pd.DataFrame) -> pd.DataFrame:
    """Return what all clusters of a score gain over the training table within a latency budget, in points of accuracy.

    A row per family, device and quantile (of the frontier's latencies), a column per score; means over training seeds.
    """
    together = budgets[budgets["region"] == "all"]
    keys = ["family", "device", "quantile", "budget"]
    if together.empty:
        return pd.DataFrame(columns=keys)
    wide = together.pivot_table(index=keys, columns="score", values="acc", sort=False, dropna=False).dropna(how="all")
    gains = 100 * wide.drop(columns="training").sub(wide["training"], axis=0)
    return gains[[score for score in SCORES if score in gains]].reset_index()


def cluster_estimates(judged: pd.DataFrame, score: str = "norm") -> list[dict[str, Any]]:
    """Describe claim C4 panel by panel: the share of a cluster that improves its region (see `judge_clusters`)."""
    shares = judged[judged["score"] == score].groupby(["family", "device"])["share"].mean().to_numpy(float)
    return [estimate("share of a cluster that dominates a point of its region", shares, "panels", SHARE)]


def judge_searches(tests: pd.DataFrame, score: str = "norm") -> Verdict:
    """Judge claim C5 on one score by `RULE_C5`: a check per baseline of the paper; "undecided" without panels, too."""
    final = _final_tests(tests, score)
    rows = []
    for rival, panels in final.groupby("rival", sort=False):
        won = int((panels["better"] < SIGNIFICANT).sum())
        rows.append((f"beats {rival}", f"{won} of {len(panels)} panels", won >= np.ceil(5 / 6 * len(panels))))
    checks = pd.DataFrame(rows, columns=["check", "value", "holds"])
    seeds = int(final["searches"].min()) if len(final) else 0
    return Verdict("Claim C5", checks, decidable=len(final) / math.comb(2 * seeds, seeds) < SIGNIFICANT)


def _final_tests(tests: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return the tests of one score's method against the baselines of the paper, at the end of the budget."""
    final: pd.DataFrame = tests[tests["evaluations"] == tests["evaluations"].max()]
    return final[(final["method"] == OURS[score]) & final["rival"].isin(BASELINES)]


def search_estimates(tests: pd.DataFrame, score: str = "norm") -> list[dict[str, Any]]:
    """Describe claim C5 panel by panel: median final hypervolume minus that of each baseline (see `rival_tests`)."""
    return [
        estimate(f"final hypervolume minus that of {rival}", panels["difference"].to_numpy(float), "panels")
        for rival, panels in _final_tests(tests, score).groupby("rival", sort=False)
    ]


def summary_numbers(ways: pd.DataFrame, published: pd.DataFrame, search_checks: pd.DataFrame) -> dict[str, str]:
    """Return what the summary of the chapter quotes; "unknown" where nothing was judged.

    Per score the panels that pass and the verdict (the first of its `ways_to_count`); for how many clusters the
    published predictors say the same as the surrogates (`compare_judges`); by baseline, how many panels beat it.
    """
    texts = {f"{name}_{score}": "unknown" for name in ("panels", "c4") for score in SCORES}
    for row in ways.drop_duplicates("score").itertuples():
        texts |= {f"panels_{row.score}": str(row.panels), f"c4_{row.score}": str(row.verdict)}
    same = (published["share"] >= 0.5) == (published["other_share"] >= 0.5)
    beaten = {str(row.check).split()[-1]: str(row.value) for row in search_checks.itertuples()}
    return texts | {"judges": f"{same.sum()} of {len(same)}"} | dict.fromkeys(BASELINES, "unknown") | beaten

"""What the reduced spaces for regions are worth: means over seeds, comparisons, and the verdict on claim C4."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.verdicts import Verdict
from autobuild_book.chapters.trained.regions import KNOWN, SHARES, SIZES
from autobuild_book.chapters.trained.truth import GRAPHS
from autobuild_book.intervals import SHARE, mean_with_interval

RULE = (
    "With 300 training rows and by norm score, in 5 of 6 data sets (8 of 9), at least half of the K = 3 space "
    "dominates a point of the region's training front for 2 of 3 regions, in the mean over seeds. *Partly*: in half."
)
CLUSTER = ["source", "size", "recipe", "score", "region"]
OTHERS = ("random", "additive ridge", KNOWN)


def mean_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds per data set, size, model, score and region: share with its 95 % interval, the alternatives.

    Columns: source, size, recipe, score, region, share, low, high, networks, three, nine, predicted, random,
    percentile.
    """
    means = []
    others = ["networks", *SHARES[1:], "random", "percentile"]
    for key, group in rows.groupby(CLUSTER, sort=False):
        means.append((*key, *mean_with_interval(group["share"].to_numpy(), within=SHARE), *group[others].mean()))
    return pd.DataFrame(means, columns=[*CLUSTER, "share", "low", "high", *others])


def judge(rows: pd.DataFrame, recipe: str, score: str = "norm", size: int = SIZES[0], column: str = "share") -> Verdict:
    """Judge claim C4 by `RULE`, for one score; `column` may be one of the alternatives in `SHARES`.

    It is "undecided" until every data set has been measured.
    """
    chosen = rows[(rows["recipe"] == recipe) & (rows["score"] == score) & (rows["size"] == size)]
    checks = []
    for source, group in chosen.groupby("source", sort=False):
        improved = group.groupby("region", sort=False)[column].mean() >= 0.5
        value = f"{int(improved.sum())} of {len(improved)} regions"
        checks.append((source, value, bool(improved.sum() >= np.ceil(2 / 3 * len(improved)))))
    frame = pd.DataFrame(checks, columns=["source", "value", "holds"])
    return Verdict("Claim C4 on trained networks", frame, needed=5 / 6, decidable=set(frame["source"]) == set(GRAPHS))


def ways_to_count(rows: pd.DataFrame, recipes: Sequence[str]) -> pd.DataFrame:
    """Judge every model, score and size with every way to choose structures; `share` of the norm score is the rule's.

    Columns: recipe, score, size, counted, data sets (that pass), verdict.
    """
    kinds = rows.loc[rows["recipe"].isin(recipes), ["recipe", "score", "size"]].drop_duplicates()
    counted = []
    for recipe, score, size in kinds.itertuples(index=False):
        verdicts = [(column, judge(rows, recipe, score, size, column)) for column in SHARES]
        counted += [(recipe, score, size, column, verdict.held, verdict.word) for column, verdict in verdicts]
    return pd.DataFrame(counted, columns=["recipe", "score", "size", "counted", "data sets", "verdict"])


def advantages(rows: pd.DataFrame, recipe: str) -> pd.DataFrame:
    """Return how much larger a score's share is than that of others, in the mean over data sets with 95 % intervals.

    Columns: size, score, other ("random" spaces, the additive ridge, and modules whose effects are known), share,
    other_share, difference, low, high.
    """
    gains = []
    sources = rows.groupby(["size", "recipe", "score", "source"])[["share", "random"]].mean().reset_index()
    for (size, score), group in sources[sources["recipe"] == recipe].groupby(["size", "score"]):
        ours = group.set_index("source")
        for other in OTHERS:
            rivals = sources[(sources["size"] == size) & (sources["recipe"] == other)].set_index("source")["share"]
            theirs = ours["random"] if other == "random" else rivals
            difference = mean_with_interval((ours["share"] - theirs).to_numpy())
            gains.append((size, score, other, ours["share"].mean(), theirs.mean(), *difference))
    return pd.DataFrame(gains, columns=["size", "score", "other", "share", "other_share", "difference", "low", "high"])

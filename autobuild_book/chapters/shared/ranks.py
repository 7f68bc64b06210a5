"""Rank correlations of predictors: means over seeds with their intervals."""

from collections.abc import Sequence

import pandas as pd

from autobuild_book.intervals import CORRELATION, mean_with_interval


def mean_ranks(ranks: pd.DataFrame, by: Sequence[str] = ("family", "target", "preset", "level")) -> pd.DataFrame:
    """Average SRCC over seeds: the columns `by`, srcc, its 95 % interval low and high, seeds, interval.

    The interval is over seeds where there are at least two, otherwise over the test rows (`interval` says which).
    """
    rows = []
    for key, group in ranks.groupby(list(by), sort=False):
        mean, low, high = mean_with_interval(group.srcc.to_numpy(), within=CORRELATION)
        if len(group) == 1:
            low, high = float(group.low.iloc[0]), float(group.high.iloc[0])
        over = "seeds" if len(group) > 1 else "test rows"
        rows.append((*key, mean, low, high, len(group), over))
    return pd.DataFrame(rows, columns=[*by, "srcc", "low", "high", "seeds", "interval"])

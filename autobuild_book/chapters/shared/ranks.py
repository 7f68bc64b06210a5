"""Rank correlations of predictors: means over seeds with their intervals."""

import pandas as pd

from autobuild_lib.statistics import mean_with_interval


def mean_ranks(ranks: pd.DataFrame) -> pd.DataFrame:
    """Mean SRCC over seeds per family, target, preset and level, with a 95 % interval.

    The interval is over seeds where there are at least two, otherwise over the test rows (`interval` says which).
    """
    rows = []
    for key, group in ranks.groupby(["family", "target", "preset", "level"], sort=False):
        mean, low, high = mean_with_interval(group.srcc.to_numpy())
        if len(group) == 1:
            low, high = float(group.low.iloc[0]), float(group.high.iloc[0])
        over = "seeds" if len(group) > 1 else "test rows"
        rows.append((*key, mean, low, high, len(group), over))
    columns = ["family", "target", "preset", "level", "srcc", "low", "high", "seeds", "interval"]
    return pd.DataFrame(rows, columns=columns)

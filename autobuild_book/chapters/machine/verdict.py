"""Do built networks beat the best measured ones? The verdict, and in words how far they are apart."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.machine.building import SMALLEST
from autobuild_book.chapters.shared.few_labels import NORM
from autobuild_book.chapters.shared.verdicts import Verdict
from autobuild_book.intervals import holm


def judge(comparison: pd.DataFrame, group: str = NORM) -> Verdict:
    """Judge whether the networks of a group beat the best measured ones: a check per target, all must hold.

    A target holds when the mean gain of the group is above 0 (one-sided Welch's t-tests, Holm's correction over the
    targets, 5 %).
    """
    of_group = comparison[comparison["group"] == group].reset_index(drop=True)
    of_group = of_group.assign(p=holm(of_group["p"].fillna(1.0).tolist()))
    checks = of_group[["target", "gain", "low", "high", "p"]].assign(holds=of_group["p"] < 0.05)
    return Verdict(f"The networks {group} beat the best measured ones", checks)


def sentence(comparison: pd.DataFrame, target: str, group: str = NORM) -> str:
    """Say in words how the built networks of a target did, against the best measured and the smallest network.

    Differences are in per cent of the mean of the best measured, and of the smallest network.
    """
    rows = comparison[comparison["target"] == target].set_index("group")
    networks, trivial = (rows.loc[name] for name in (group, SMALLEST))
    won = "beat" if networks["low"] > 0 else "lose to" if networks["high"] < 0 else "cannot be told from"
    against = 100 * (networks["mean"] - trivial["mean"]) / abs(trivial["mean"])
    size = "better than" if against > 0 else "short of"
    interval = "" if np.isnan(networks["low"]) else f", 95 % interval {networks['low']:+.1f} to {networks['high']:+.1f}"
    return (
        f"{target}: the networks {group} {won} the best measured ones ({networks['gain']:+.1f} %{interval}), "
        f"and are {abs(against):.1f} % {size} the smallest network."
    )

"""Judging what was built: built networks, the best measured ones, random ones and the smallest, measured together."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import ttest_ind

from autobuild_book.chapters.machine.building import BEST, RANDOM
from autobuild_book.chapters.machine.subjects import Subject
from autobuild_book.intervals import mean_with_interval
from autobuild_lib.data.table import Table

Array = npt.NDArray[np.float64]
NETWORK = ["target", "group", "place"]


def final_values(subject: Subject, chosen: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates with the value of their own target in each round: as before, with `round` and `value`."""
    return chosen.merge(_long(subject, rounds), on=["target", "architecture"])


def _long(subject: Subject, measured: pd.DataFrame) -> pd.DataFrame:
    """Return measured architectures with a row per target: `value` instead of the label."""
    values = pd.concat([measured.drop(columns=subject.label), subject.values(measured)], axis=1)
    kept = [name for name in measured if name != subject.label]
    return values.melt(kept, var_name="target", value_name="value")


def by_network(values: pd.DataFrame) -> pd.DataFrame:
    """Return the median over rounds of every candidate: columns target, group, place, value."""
    return values.groupby(NETWORK, sort=False)["value"].median().reset_index()


def gains_over_best(values: pd.DataFrame) -> pd.DataFrame:
    """Compare each group with the best measured networks, measured again in the same rounds.

    Args:
        values: from `final_values`; a network's value is its median over rounds.

    Returns:
        Columns target, group, networks, mean; `gain`: how much better the group's mean is than that of the best
        measured, in % of it, with the interval over networks `low` and `high` and the one-sided `p` (Welch's t-test);
        `first_gain`: the same for the two first choices, with the interval over rounds `first_low` and `first_high`.
    """
    rows = []
    for target, networks in by_network(values).groupby("target", sort=False):
        best = networks.loc[networks["group"] == BEST, "value"].to_numpy()
        firsts = _first_choices(values[values["target"] == target])
        for group, each in networks.groupby("group", sort=False)["value"]:
            *gain, p = _welch(each.to_numpy(), best)
            gains = [100 * number / abs(best.mean()) for number in gain]
            first = 100 * (firsts[group] - firsts[BEST]) / firsts[BEST].abs()
            rows.append((target, group, len(each), each.mean(), *gains, p, *mean_with_interval(first.to_numpy())))
    columns = ["target", "group", "networks", "mean", "gain", "low", "high", "p"]
    return pd.DataFrame(rows, columns=[*columns, "first_gain", "first_low", "first_high"])


def _first_choices(values: pd.DataFrame) -> pd.DataFrame:
    """Return the values of each group's first choice: a row per round, a column per group."""
    return values[values["place"] == 0].pivot(index="round", columns="group", values="value")


def _welch(first: Array, second: Array) -> tuple[float, float, float, float]:
    """Difference of means, its 95 % interval, and p of "the first is not larger"; NaN where groups have no spread."""
    difference = float(first.mean() - second.mean())
    if min(len(first), len(second)) < 2 or np.ptp(first) + np.ptp(second) == 0:
        return difference, float("nan"), float("nan"), float("nan")
    interval = ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    p = ttest_ind(first, second, equal_var=False, alternative="greater").pvalue
    return difference, float(interval.low), float(interval.high), float(p)


def second_look(subject: Subject, table: Table, values: pd.DataFrame) -> pd.DataFrame:
    """Mean change in % from the first measurement to the last, of the best measured networks and of the random ones.

    What the best lose more than the random ones is the winner's curse: some were measured too well by luck.
    """
    before = pd.DataFrame({"architecture": table.architectures, subject.label: table.labels[subject.label]})
    before = values.drop(columns="value").merge(_long(subject, before), on=["target", "architecture"])
    change = by_network(values).merge(by_network(before), on=NETWORK, suffixes=("", "_before"))
    change["change"] = 100 * (change["value"] - change["value_before"]) / change["value_before"].abs()
    measured = change[change["group"].isin([BEST, RANDOM])].groupby(["target", "group"], sort=False)["change"]
    rows = [(*key, *mean_with_interval(changes.to_numpy())) for key, changes in measured]
    return pd.DataFrame(rows, columns=["target", "group", "change", "low", "high"])

"""What the searches reached: tests against rivals, the verdict on claim C5, and the ranks that practitioners get."""

import math

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.rivals import SIGNIFICANT, compare_rivals, median_curves
from autobuild_book.chapters.shared.verdicts import Verdict
from autobuild_book.chapters.trained.search import BASELINES, BUDGET, NO_MODEL, OURS, OUTSIDE, PREDICTED, RANDOM
from autobuild_book.chapters.trained.truth import GRAPHS

RULE = (
    "After 300 evaluations in all, training rows counted, the hypervolume by norm score beats that of both baselines "
    "of the paper that exist here in 5 of 6 data sets (8 of 9; p < 0.05 after Holm's correction). *Supported*: both; "
    "*partly*: one."
)
PROBLEM = ("source",)
METHODS = (*OURS.values(), *BASELINES, OUTSIDE, PREDICTED, RANDOM)


def curves_of(rows: pd.DataFrame, recipe: str) -> pd.DataFrame:
    """Return the curves of one model and of the methods without any."""
    return rows[rows["recipe"].isin([NO_MODEL, recipe])].reset_index(drop=True)


def medians(rows: pd.DataFrame, recipe: str) -> pd.DataFrame:
    """Median hypervolume over seeds, with intervals: see `median_curves`, the problem is the source."""
    return median_curves(curves_of(rows, recipe), PROBLEM)


def final_table(rows: pd.DataFrame, recipe: str) -> pd.DataFrame:
    """Median final hypervolume: a row per data set, a column per method."""
    curves = medians(rows, recipe)
    wide = curves[curves["evaluations"] == BUDGET].pivot_table("median", "source", "method", sort=False)
    return wide[[method for method in METHODS if method in wide]]


def tests(rows: pd.DataFrame, recipe: str, score: str) -> pd.DataFrame:
    """Test Unit-Reduce of one score against the paper's baselines, and by themselves against each of the others."""
    curves, method = curves_of(rows, recipe), OURS[score]
    groups = (BASELINES, *((other,) for other in (OUTSIDE, PREDICTED, RANDOM)))
    return pd.concat([compare_rivals(curves, BUDGET, method, rivals, PROBLEM) for rivals in groups], ignore_index=True)


def outcomes(rows: pd.DataFrame, recipe: str) -> pd.DataFrame:
    """Count the data sets where Unit-Reduce is significantly better, neither, or worse, a row per score and rival."""
    every = pd.concat([tests(rows, recipe, score) for score in OURS], ignore_index=True)
    better, worse = every["better"] < SIGNIFICANT, every["worse"] < SIGNIFICANT
    counted = every.assign(better=better, neither=~better & ~worse, worse=worse)
    return counted.groupby(["method", "rival"], sort=False)[["better", "neither", "worse"]].sum().reset_index()


def judge(rows: pd.DataFrame, recipe: str, score: str = "norm") -> Verdict:
    """Judge claim C5 by `RULE`: a check per baseline; "undecided" until every data set has enough seeds."""
    every = tests(rows, recipe, score)
    compared, checks = every[every["rival"].isin(BASELINES)], []
    seeds = int(compared["searches"].min()) if len(compared) else 0
    for rival, problems in compared.groupby("rival", sort=False):
        won = int((problems["better"] < SIGNIFICANT).sum())
        checks.append((f"beats {rival}", f"{won} of {len(problems)} data sets", won >= np.ceil(5 / 6 * len(problems))))
    complete = set(compared["source"]) == set(GRAPHS) and len(compared) / math.comb(2 * seeds, seeds) < SIGNIFICANT
    frame = pd.DataFrame(checks, columns=["check", "value", "holds"])
    return Verdict("Claim C5 on trained networks", frame, decidable=complete)


# -------------------------------------------------------------------- the best network of a budget


def named(recipe: str, method: str) -> str:
    """Return a method with the model that it rests on, as tables and figures show it."""
    return method if recipe == NO_MODEL else f"{recipe}: {method}"


def with_shares(rows: pd.DataFrame, networks: pd.Series) -> pd.DataFrame:
    """Give ranks as shares of the table: of 1,000 networks the first has .001.

    rows: as `best_networks` measures them. networks: by source, how many there are. Adds the column `name`.
    """
    columns = ["rank", "test_rank", "built_rank", "built_test_rank"]
    sizes = rows["source"].map(networks).to_numpy()[:, None]
    shares = pd.DataFrame(rows[columns].to_numpy() / sizes, columns=columns, index=rows.index)
    names = [named(*pair) for pair in zip(rows["recipe"], rows["method"], strict=True)]
    return rows.drop(columns=columns).assign(name=names, **{name: shares[name] for name in columns})


def typical(shares: pd.DataFrame, column: str = "rank") -> pd.DataFrame:
    """Median over seeds, then geometric mean over data sets, of shares: a row per method, a column per budget."""
    by_source = shares.groupby(["name", "budget", "source"], sort=False)[column].median().dropna()
    means: pd.Series = np.log(by_source).groupby(["name", "budget"], sort=False).mean()
    return means.map(np.exp).unstack("budget").sort_index(axis="columns")


def least(networks: pd.Series) -> float:
    """Return what `typical` gives whoever ends with the best network of every table; networks: how many, by source."""
    return float(np.exp(np.log(1 / networks).mean()))


def in_top(shares: pd.DataFrame, column: str, top: float) -> pd.DataFrame:
    """Count the data sets whose median over seeds is in the `top` share: a row per method, a column per budget."""
    by_source = shares.groupby(["name", "budget", "source"], sort=False)[column].median().dropna()
    return (by_source <= top).groupby(["name", "budget"], sort=False).sum().unstack("budget").sort_index(axis="columns")

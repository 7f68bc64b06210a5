"""Checks of lab 4: design target equations for a region of the frontier."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from autobuild_book.chapters.shared.dominance import best_within, dominates
from autobuild_book.labs.answers import (
    AnswerError,
    Array,
    Mistake,
    Right,
    call,
    check,
    compare,
    equation,
    filled_in,
    listed,
    numbers,
    require,
    truth,
)
from autobuild_book.labs.judging import LATENCY, REGIONS, costs_of, frontier, read_networks
from autobuild_lib import data
from autobuild_lib.search import costs, front
from autobuild_lib.targets import Target
from autobuild_lib.values import shown

# What exercise 2 is about; the notebook shows it. Accuracy in percent, latency in ms.
NETWORKS = pd.DataFrame(
    {"acc": [74.0, 76.0, 75.0, 78.0, 78.0, 77.5, 79.0], "latency_gpu": [5.0, 6.0, 6.0, 7.0, 8.0, 9.0, 10.0]},
    index=pd.Index(list("ABCDEFG"), name="network"),
)
LIKE = "power(acc, 20) / latency_gpu"  # of exercise 4
ENOUGH = 0.5  # of a cluster that must dominate a point of its region
FEWEST = 32  # networks in a cluster

POINTS = [(a, b) for a in (5.0, 6.0, 7.0) for b in (75.0, 76.0)]  # latency, accuracy


@check
def dominates_function(function: Any) -> Right:
    """Check exercise 1: a function of two networks (latency, accuracy) that says whether the first dominates."""
    pairs = [(first, second) for first in POINTS for second in POINTS]
    answers = [truth(call(function, *pair), f"For {pair[0]} and {pair[1]} it returns") for pair in pairs]
    if (mistake := MISTAKES.get(tuple(answers))) is not None:
        raise AnswerError(mistake)
    for (first, second), got in zip(pairs, answers, strict=True):
        require(got == _dominates(first, second), f"For {first} and {second} (latency, accuracy) it returns {got}.")
    return Right("No worse in both, better in one.")


def _dominates(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return first[0] <= second[0] and first[1] >= second[1] and first != second


MISTAKES = {
    tuple(first[0] < second[0] and first[1] > second[1] for first in POINTS for second in POINTS):
        "You ask for better in both. Equally fast and more accurate is enough.",
    tuple(first[0] <= second[0] and first[1] >= second[1] for first in POINTS for second in POINTS):
        "Here a network dominates its equal. Better in at least one is needed.",
    tuple(first[0] >= second[0] and first[1] >= second[1] and first != second for first in POINTS for second in POINTS):
        "Here slower is better. Latency is a cost: the smaller the better.",
    tuple(_dominates(second, first) for first in POINTS for second in POINTS):
        "The two networks are swapped: does the first dominate the second?",
    tuple(first[0] < second[0] or first[1] > second[1] for first in POINTS for second in POINTS):
        "Better in one is not enough; in the other it must not be worse.",
}  # fmt: skip


@check
def frontier_names(answer: Any) -> Right:
    """Check exercise 2: the names of the networks on the frontier, in any order, or a mark for each of the seven."""
    points = costs(NETWORKS, "acc", LATENCY)
    names = _names(filled_in(answer))
    unknown = names - set(NETWORKS.index)
    require(not unknown, f"{', '.join(sorted(unknown)[:3])}: networks are called A to G.")
    right = set(NETWORKS.index[front(points)])
    for name in sorted(names - right):
        place = list(NETWORKS.index).index(name)
        other = NETWORKS.index[int(np.flatnonzero(dominates(points, points[[place]])[:, 0])[0])]
        raise AnswerError(f"{name} is dominated by {other}, which is no slower and no less accurate, and not equal.")
    for name in sorted(right - names):
        raise AnswerError(f"{name} is missing: no network is at least as fast and at least as accurate.")
    return Right("Equal in one label is enough to be dominated; the ends always belong to a frontier.")


def _names(answer: Any) -> set[str]:
    if isinstance(answer, str):
        return set(re.findall(r"\w", answer))
    if isinstance(answer, pd.DataFrame):
        answer = answer.index
    names, keyed = list(NETWORKS.index), isinstance(answer, Mapping | pd.Series)
    keys = list(answer.keys()) if keyed else []
    values = listed(answer.values() if isinstance(answer, Mapping) else answer, "Give names of networks in a list.")
    if values and all(isinstance(value, bool | np.bool_) for value in values):
        by_name = keys and all(isinstance(key, str) for key in keys)
        require(by_name or len(values) == len(names), f"Give {len(names)} marks, one for each network.")
        values = [name for name, mark in zip(keys if by_name else names, values, strict=True) if mark]
    return {value if isinstance(value, str) else shown(value) for value in values}


# -------------------------------------------------------------------- equations


@check
def region_equation(answer: Any, region: str) -> Right:
    """Check exercise 3: any equation whose favourite in the whole table lies in the given region of its frontier."""
    target, best = equation(answer), frontier()
    values = _evaluate(target, best.table)
    favourite = best.table.iloc[[int(values.argmax())]]
    labels = f"{100 * favourite['acc'].iloc[0]:.2f} % at {favourite[LATENCY].iloc[0]:.2f} ms"
    beside = f"its favourite ({labels}) is not on the frontier."
    places = np.flatnonzero((best.points == costs(favourite, "acc", LATENCY)).all(1))
    if not len(places):
        slower = _evaluate(target, best.table.assign(**{LATENCY: best.table[LATENCY] * 1.01}))
        require((slower <= values).all(), f"It rewards slow networks: {beside}")
        worse = _evaluate(target, best.table.assign(acc=best.table["acc"] * 0.999))
        require((worse <= values).all(), f"It rewards inaccurate networks: {beside}")
        raise AnswerError(f"I{beside[1:]}")
    lies_in = best.region_of(int(places[0]))
    more = "more" if REGIONS.index(lies_in) > REGIONS.index(region) else "less"
    require(lies_in == region, f"Its favourite ({labels}) is in the {lies_in} third. For the {region} third, latency "
            f"must count {more}.")  # fmt: skip
    return Right(f"Its favourite has {labels}.")


def _evaluate(target: Target, labels: pd.DataFrame) -> Array:
    try:
        return target.evaluate(labels)
    except ValueError as error:
        raise AnswerError(f"The equation cannot be evaluated: {error}") from None


@check
def same_order(answer: Any) -> Right:
    """Check exercise 4: an equation of sums and logarithms that orders networks as `LIKE` does."""
    target = equation(answer)
    for symbol in ("/", "**", "power(", "exp(", "sqrt("):
        require(symbol not in target.canonical, f"Without {symbol.rstrip('(')}: use logarithms, +, - and * only.")
    labels = data.load("ofa_mbv3").labels
    right = rankdata(_evaluate(Target(LIKE), labels))
    ranks = rankdata(_evaluate(target, labels))
    if _agree(ranks, right):
        return Right("A logarithm keeps the order: ratios become differences, and the exponent a factor.")
    require(not _agree(ranks, -right), "The order is reversed: accuracy should add, latency subtract.")
    for usual, hint in USUAL:
        require(not _agree(ranks, rankdata(Target(usual).evaluate(labels))), hint)
    first, second = _disagreement(ranks, right)
    raise AnswerError(f"It puts row {first} of the table above row {second}; {LIKE} does not.")


USUAL = (
    ("log(acc) - log(latency_gpu)", "The exponent 20 is missing: log(power(acc, 20)) is 20 * log(acc)."),
    ("20 * log(acc) + log(latency_gpu)", "Dividing by the latency becomes subtracting its logarithm."),
    ("20 * acc - latency_gpu", "These are the labels themselves; take the logarithm of each."),
    ("20 * log(acc) - latency_gpu", "The latency needs its logarithm as well."),
    ("20 * log10(acc) - log(latency_gpu)", "Both logarithms must have the same base."),
    ("20 * log(acc) - log10(latency_gpu)", "Both logarithms must have the same base."),
    ("log(acc) - 20 * log(latency_gpu)", "The factor 20 belongs to the accuracy."),
)


def _agree(first: Array, second: Array) -> bool:
    """Say whether two rankings are the same, up to rounding."""
    return bool(np.ptp(first) > 0 and np.corrcoef(first, second)[0, 1] > 1 - 1e-9)


def _disagreement(ranks: Array, right: Array) -> tuple[int, int]:
    """Two rows that the first ranking puts in an order that the second does not."""
    order = np.argsort(right, kind="stable")
    step = int(np.argmin(np.diff(ranks[order])))
    return int(order[step]), int(order[step + 1])


# -------------------------------------------------------------------- clusters


@check
def cluster(answer: Any, region: Any) -> Right:
    """Check exercise 5: networks of which at least half dominate a point of the chosen region of the frontier."""
    points, name = _region(region)
    networks = read_networks(answer)
    require(len(set(networks)) >= FEWEST, f"A cluster has at least {FEWEST} different networks; yours {len(networks)}.")
    reached = costs_of(networks)
    share = float(dominates(reached, points).any(1).mean())
    if share < ENOUGH:
        raise AnswerError(f"{share:.0%} of your cluster dominate a point of that third. {_diagnosis(reached, points)}")
    return Right(f"{share:.0%} of your cluster of {len(networks)} networks dominate a point of the {name} third.")


def _region(region: Any) -> tuple[Array, str]:
    is_one = isinstance(filled_in(region), str) and region in REGIONS
    require(is_one, f"region = {shown(region)}; choose one of {', '.join(REGIONS)}.")
    return frontier().region(region), region


def _diagnosis(reached: Array, points: Array) -> str:
    latency, (low, high) = float(np.median(reached[:, 0])), (points[:, 0].min(), points[:, 0].max())
    lies = f"Its median latency is {latency:.2f} ms, the region has {low:.2f} to {high:.2f} ms"
    if latency > high:
        return f"{lies}: it is too slow. Let latency count more in the equation."
    if latency < low:
        return f"{lies}: it is too fast to be accurate enough. Let latency count less."
    return f"{lies}: it is there, but not accurate enough. Try the effect score, a smaller K or more epochs."


@check
def gain(answer: Any, chosen: Any, region: Any) -> Right:
    """Check exercise 6: the accuracy gained within the region's budget of latency, in percentage points.

    The budget is the latency of the slowest network in the region of the frontier.
    """
    difference = numbers(answer, 1)
    points, _ = _region(region)
    reached, budget = costs_of(read_networks(chosen)), float(points[:, 0].max())
    best, of_table = best_within(reached, budget), best_within(frontier().points, budget)
    require(np.isfinite(best), f"No network of your cluster is within the budget of {budget:.2f} ms: see exercise 5.")
    right = 100 * (best - of_table)
    mistakes = [
        Mistake(best - of_table, "That is a difference of fractions; give percentage points."),
        Mistake(-right, "The sign is the other way round: your best minus the table's."),
        Mistake(100 * (-reached[:, 1].min() - of_table), "Your best network is beyond the budget."),
        Mistake(100 * (-reached[:, 1].min() + frontier().points[:, 1].min()), "Both bests are without the budget."),
        Mistake(100 * (-reached[:, 1].mean() - of_table), "That is the mean of the cluster; take its best network."),
        Mistake(100 * (best / of_table - 1), "That is a relative gain in percent; give the difference in points."),
        Mistake(100 * best, "That is the accuracy itself; take the best of the table within the budget from it."),
    ]
    praise = f"Within {budget:.2f} ms: {100 * best:.2f} % against {100 * of_table:.2f} %, as the surrogate sees it."
    return compare(difference, right, praise, mistakes, 0.02)

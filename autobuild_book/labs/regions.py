"""Lab 4: design target equations for a region of the frontier."""

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from autobuild_book.dominance import best_within, dominates
from autobuild_book.labs import judging
from autobuild_book.labs.answers import call, check, equation, evaluated, filled_in, listed, numbers, truth
from autobuild_book.labs.hints import REGIONS as HINTS
from autobuild_book.labs.judging import LATENCY, costs_of, read_networks
from autobuild_book.labs.notebooks import Checks
from autobuild_book.labs.verdicts import AnswerError, Array, Mistake, Right, compare, require
from autobuild_lib.search import costs, front
from autobuild_lib.targets import Target
from autobuild_lib.values import shown

LETTERS = list("ABCDEFG")
ENOUGH = 0.5  # of a cluster that must dominate a point of its region
FEWEST = 32  # networks in a cluster
POINTS = [(a, b) for a in (5.0, 6.0, 7.0) for b in (75.0, 76.0)]  # latency, accuracy
Point = tuple[float, float]
Dominance = Callable[[Point, Point], bool]


def networks(seed: int) -> pd.DataFrame:
    """Make the seven networks of exercise 2: accuracy in percent, latency in ms; two of them tie with a better one."""
    rng = np.random.default_rng(seed)
    latency, acc = 4 + np.cumsum(rng.integers(1, 4, 4)) / 2, 70 + np.cumsum(rng.integers(2, 6, 4)) / 2
    tied = rng.choice([1, 2], 2)  # places on the frontier
    dominated = [
        (latency[tied[0]], acc[tied[0]] - 0.5),
        (latency[tied[1]] + 0.5, acc[tied[1]]),
        (latency[3] - 0.25, acc[1] - 1.0),
    ]
    points = np.array([*zip(latency, acc, strict=True), *dominated])[rng.permutation(len(LETTERS))]
    return pd.DataFrame({"acc": points[:, 1], LATENCY: points[:, 0]}, index=pd.Index(LETTERS, name="network"))


class Lab(Checks):
    """The checks of lab 4, and what its exercises are about."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.table = judging.table(seed)
        self.networks = networks(seed)
        self.like = f"power(acc, {np.random.default_rng(seed).integers(12, 40)}) / latency_gpu"  # of exercise 4

    def frontier(self) -> judging.Frontier:
        """Return the frontier of the table: accuracy against GPU latency."""
        return judging.frontier(self.seed)

    @check
    def dominates(self, function: Any) -> Right:
        """Check exercise 1: a function of two networks (latency, accuracy) that says whether the first dominates."""
        pairs = list(itertools.product(POINTS, POINTS))
        answers = [truth(call(function, *pair), f"For {pair[0]} and {pair[1]} it returns") for pair in pairs]
        mistakes = [Mistake(name, [rule(*pair) for pair in pairs]) for name, rule in RULES]
        right = [_dominates(*pair) for pair in pairs]
        try:
            return compare(
                np.array(answers, float), right, "No worse in both, better in one.", mistakes, HINTS["dominates"]
            )
        except AnswerError as error:
            (first, second), got = next(
                (pair, got) for pair, got, exact in zip(pairs, answers, right, strict=True) if got != exact
            )
            require(error.mistake, f"For {first} and {second} (latency, accuracy) it returns {got}.")
            raise

    @check
    def frontier_names(self, answer: Any) -> Right:
        """Check exercise 2: the names of the networks on the frontier in any order, or a mark for each of the seven."""
        points = costs(self.networks, "acc", LATENCY)
        names = self._names(filled_in(answer))
        unknown = names - set(LETTERS)
        require(not unknown, f"{', '.join(sorted(unknown)[:3])}: networks are called A to G.", "form")
        right = self._letters(front(points))
        if names == right:
            return Right("Equal in one label is enough to be dominated; the ends always belong to a frontier.")
        for mistake, other in self._other_sets(points):
            require(names != other, HINTS["frontier_names"][mistake], mistake)
        for name in sorted(names - right):
            by = LETTERS[int(np.flatnonzero(dominates(points, points[[LETTERS.index(name)]])[:, 0])[0])]
            raise AnswerError(
                f"{name} is dominated by {by}, which is no slower and no less accurate, and not equal.", "dominated"
            )
        raise AnswerError(
            f"{min(right - names)} is missing: no network is at least as fast and at least as accurate.", "missing"
        )

    def _letters(self, marks: npt.ArrayLike) -> set[str]:
        return set(self.networks.index[np.asarray(marks, bool)])

    def _other_sets(self, points: Array) -> list[tuple[str, set[str]]]:
        """What usual mistakes take for the frontier."""
        strict = [not (points < point).all(1).any() for point in points]
        ends = (points[:, 0] == points[:, 0].min()) | (points[:, 1] == points[:, 1].min())
        on_it = front(points)
        sets = [
            ("ties", self._letters(strict)),
            ("no ends", self._letters(on_it & ~ends)),
            ("ends only", self._letters(on_it & ends)),
            ("complement", self._letters(~on_it)),
            ("turned round", self._letters(front(points * [-1, 1]))),
            ("turned round", self._letters(front(points * [1, -1]))),
            ("turned round", self._letters(front(-points))),
            ("all", set(LETTERS)),
            ("fastest", self._letters(points[:, 0] == points[:, 0].min())),
            ("most accurate", self._letters(points[:, 1] == points[:, 1].min())),
        ]
        sets = [(name, names) for name, names in sets if name != "turned round" or len(names) > 1]
        return [pair for pair in sets if {name for name, names in sets if names == pair[1]} == {pair[0]}]

    def _names(self, answer: Any) -> set[str]:
        if isinstance(answer, str):
            return set(re.findall(r"\w", answer))
        if isinstance(answer, pd.DataFrame):
            answer = answer.index
        keyed = isinstance(answer, Mapping | pd.Series)
        keys = list(answer.keys()) if keyed else []
        values = listed(answer.values() if isinstance(answer, Mapping) else answer, "Give names of networks in a list.")
        if values and all(isinstance(value, bool | np.bool_) for value in values):
            by_name = keys and all(isinstance(key, str) for key in keys)
            require(
                by_name or len(values) == len(LETTERS), f"Give {len(LETTERS)} marks, one for each network.", "count"
            )
            values = [name for name, mark in zip(keys if by_name else LETTERS, values, strict=True) if mark]
        return {value if isinstance(value, str) else shown(value) for value in values}

    # ---------------------------------------------------------------- equations

    @check
    def region_equation(self, answer: Any, region: str) -> Right:
        """Check exercise 3: any equation whose favourite in the table lies in the given region of its frontier."""
        target, best = equation(answer), self.frontier()
        values = evaluated(target, best.table)
        favourite = best.table.iloc[[int(values.argmax())]]
        labels = f"{100 * favourite['acc'].iloc[0]:.2f} % at {favourite[LATENCY].iloc[0]:.2f} ms"
        places = np.flatnonzero((best.points == costs(favourite, "acc", LATENCY)).all(1))
        require(np.ptp(values) > 0, "It gives all networks the same value.", "constant")
        if not len(places):
            slower = evaluated(target, best.table.assign(**{LATENCY: best.table[LATENCY] * 1.01}))
            beside = f"its favourite ({labels}) is not on the frontier."
            require((slower <= values).any(), f"It rewards slow networks: {beside}", "slow")
            worse = evaluated(target, best.table.assign(acc=best.table["acc"] * 0.999))
            require((worse <= values).any(), f"It rewards inaccurate networks: {beside}", "inaccurate")
            aims = (slower > values).any() or (worse > values).any()
            require(not aims, f"It aims at a number, and likes some networks less for being faster or more accurate: "
                    f"{beside} Weigh accuracy against latency instead.", "number")  # fmt: skip
            other = [name for name in target.labels if name not in ("acc", LATENCY)]
            require(not other, f"It reads {', '.join(other)}: {beside}", "other label")
            raise AnswerError(f"I{beside[1:]}")
        lies_in = best.region_of(int(places[0]))
        more = "more" if judging.REGIONS.index(lies_in) > judging.REGIONS.index(region) else "less"
        require(lies_in == region, f"Its favourite ({labels}) is in the {lies_in} third. For the {region} one latency "
                f"must count {more}.", f"latency {more}")  # fmt: skip
        return Right(f"Its favourite has {labels}.")

    @check
    def same_order(self, answer: Any) -> Right:
        """Check exercise 4: an equation of sums and logarithms that orders networks as `like` does."""
        target = equation(answer)
        for symbol in ("/", "**", "power(", "exp(", "sqrt("):
            require(
                symbol not in target.canonical,
                f"Without {symbol.rstrip('(')}: use logarithms, +, - and * only.",
                "symbol",
            )
        labels = self.table.labels
        right, ranks = (rankdata(evaluated(each, labels)) for each in (Target(self.like), target))
        if _agree(ranks, right):
            return Right("A logarithm keeps the order: ratios become differences, and the exponent a factor.")
        require(not _agree(ranks, -right), "The order is reversed: accuracy should add, latency subtract.", "reversed")
        exponent = re.search(r"\d+", self.like)[0]  # type: ignore[index]
        for name, text in OTHER_ORDERS:
            other = rankdata(evaluated(Target(text.format(n=exponent)), labels))
            require(not _agree(ranks, other), HINTS["same_order"][name].format(n=exponent), name)
        first, second = _disagreement(ranks, right)
        factor = re.fullmatch(r"\(*([\d.]+) \* log\(acc\)\)* - log\(latency_gpu\)\)*", target.canonical)
        require(not factor, f"The factor of log(acc) should be the exponent, {exponent}.", "factor")
        raise AnswerError(f"It puts row {first} of the table above row {second}; {self.like} does not.")

    # ---------------------------------------------------------------- clusters

    @check
    def cluster(self, answer: Any, region: Any) -> Right:
        """Check exercise 5: networks of which at least half dominate a point of the chosen region of the frontier."""
        points, name = self._region(region)
        chosen = read_networks(answer)
        different = len(set(chosen))
        require(different >= FEWEST, f"A cluster has at least {FEWEST} different networks; yours {different}.", "count")
        reached = costs_of(chosen)
        share = float(dominates(reached, points).any(1).mean())
        if share < ENOUGH:
            diagnosis, mistake = _diagnosis(reached, points)
            raise AnswerError(f"{share:.0%} of your cluster dominate a point of that third. {diagnosis}", mistake)
        return Right(f"{share:.0%} of your cluster of {len(chosen)} networks dominate a point of the {name} third.")

    def _region(self, region: Any) -> tuple[Array, str]:
        is_one = isinstance(filled_in(region), str) and region in judging.REGIONS
        require(is_one, f"region = {shown(region)}; choose one of {', '.join(judging.REGIONS)}, as a text.", "form")
        return self.frontier().region(region), region

    @check
    def gain(self, answer: Any, chosen: Any, region: Any) -> Right:
        """Check exercise 6: the accuracy gained within the region's budget of latency, in percentage points.

        The budget is the latency of the slowest network in the region of the frontier.
        """
        difference, best = numbers(answer, 1), self.frontier()
        points, _ = self._region(region)
        reached, budget = costs_of(read_networks(chosen)), float(points[:, 0].max())
        ours, of_table = best_within(reached, budget), best_within(best.points, budget)
        require(
            np.isfinite(ours),
            f"No network of your cluster is within the budget of {budget:.2f} ms: see exercise 5.",
            "beyond",
        )
        right = 100 * (ours - of_table)
        most, whole = -reached[:, 1].min(), -best.points[:, 1].min()
        fastest = best_within(reached, float(points[:, 0].min()))
        within = -reached[reached[:, 0] <= budget, 1]
        mistakes = [
            Mistake("fraction", ours - of_table),
            Mistake("sign", -right),
            Mistake("no budget", 100 * (most - whole)),
            Mistake("cluster's budget", 100 * (most - of_table), "budget"),
            Mistake("table's budget", 100 * (ours - whole), "budget"),
            Mistake("mean", 100 * (-reached[:, 1].mean() - of_table)),
            Mistake("mean", 100 * (within.mean() - of_table)),
            Mistake("worst", 100 * (within.min() - of_table)),
            Mistake("relative", 100 * (ours / of_table - 1)),
            Mistake("accuracy", 100 * ours),
            Mistake("accuracy", ours),
            Mistake("table's accuracy", 100 * of_table),
            Mistake("latency", float(reached[:, 0].min()) - budget),
            Mistake("fastest budget", 100 * (fastest - best_within(points, float(points[:, 0].min())))),
            Mistake("region's mean", 100 * (ours + points[:, 1].mean())),
        ]
        numeric = [mistake for mistake in mistakes if np.isfinite(mistake.row).all()]
        praise = f"Within {budget:.2f} ms: {100 * ours:.2f} % against {100 * of_table:.2f} %, as the surrogate sees it."
        return compare(difference, right, praise, numeric, HINTS["gain"])


def _dominates(first: Point, second: Point) -> bool:
    return first[0] <= second[0] and first[1] >= second[1] and first != second


RULES: tuple[tuple[str, Dominance], ...] = (
    ("strict", lambda a, b: a[0] < b[0] and a[1] > b[1]),
    ("equal", lambda a, b: a[0] <= b[0] and a[1] >= b[1]),
    ("latency", lambda a, b: a[0] >= b[0] and a[1] >= b[1] and a != b),
    ("latency", lambda a, b: a[0] > b[0] and a[1] > b[1]),
    ("accuracy", lambda a, b: a[0] <= b[0] and a[1] <= b[1] and a != b),
    ("accuracy", lambda a, b: a[0] < b[0] and a[1] < b[1]),
    ("swapped", lambda a, b: _dominates(b, a)),
    ("or", lambda a, b: a[0] < b[0] or a[1] > b[1]),
    ("or", lambda a, b: a[0] <= b[0] or a[1] >= b[1]),
    ("latency strict", lambda a, b: a[0] < b[0] and a[1] >= b[1]),
    ("accuracy strict", lambda a, b: a[0] <= b[0] and a[1] > b[1]),
    ("order of pairs", lambda a, b: a < b),
    ("latency alone", lambda a, b: a[0] < b[0]),
    ("accuracy alone", lambda a, b: a[1] > b[1]),
    ("not dominated", lambda a, b: not _dominates(b, a)),
    ("negation", lambda a, b: not _dominates(a, b)),
    ("always", lambda a, b: True),
    ("never", lambda a, b: False),
)

OTHER_ORDERS = (
    ("no factor", "log(acc) - log(latency_gpu)"),
    ("added", "{n} * log(acc) + log(latency_gpu)"),
    ("no logarithms", "{n} * acc - latency_gpu"),
    ("latency without logarithm", "{n} * log(acc) - latency_gpu"),
    ("accuracy without logarithm", "{n} * acc - log(latency_gpu)"),
    ("bases", "{n} * log10(acc) - log(latency_gpu)"),
    ("bases", "{n} * log(acc) - log10(latency_gpu)"),
    ("bases", "{n} * log2(acc) - log(latency_gpu)"),
    ("bases", "{n} * log(acc) - log2(latency_gpu)"),
    ("wrong factor", "log(acc) - {n} * log(latency_gpu)"),
    ("product", "{n} * log(acc) * log(latency_gpu)"),
    ("no latency", "log(acc)"),
    ("logarithm of the factor", "log({n}) * log(acc) - log(latency_gpu)"),
)


def _agree(first: Array, second: Array) -> bool:
    """Say whether two rankings are the same, up to rounding."""
    return bool(np.ptp(first) > 0 and np.corrcoef(first, second)[0, 1] > 1 - 1e-9)


def _disagreement(ranks: Array, right: Array) -> tuple[int, int]:
    """Two rows that the first ranking puts in an order that the second does not."""
    order = np.argsort(right, kind="stable")
    step = int(np.argmin(np.diff(ranks[order])))
    return int(order[step]), int(order[step + 1])


def _diagnosis(reached: Array, points: Array) -> tuple[str, str]:
    latency, (low, high) = float(np.median(reached[:, 0])), (points[:, 0].min(), points[:, 0].max())
    lies = f"Its median latency is {latency:.2f} ms, the region has {low:.2f} to {high:.2f} ms"
    if latency > high:
        return f"{lies}: it is too slow. Let latency count more in the equation.", "too slow"
    if latency < low:
        return f"{lies}: it is too fast to be accurate enough. Let latency count less.", "too fast"
    return (
        f"{lies}: it is there, but not accurate enough. Try the effect score, a smaller K or more epochs.",
        "not accurate",
    )

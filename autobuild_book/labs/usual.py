"""The numbers of lab 1, made from a seed, and what usual mistakes compute from them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, rankdata

from autobuild_book.labs.verdicts import Array, Mistake, apart
from autobuild_lib.losses import soft_rank

FEATURES = ("unit = 0", "e = 6", "k = 3")
ENOUGH = 0.001  # the ranking loss that counts as none
PRINTED = (0.1, 0.3, 0.7, 1.0, 2.0, 10.0)  # strengths that the notebook shows
NARROWEST = (5, 6, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18)  # tenths of the narrowest gap: no guess is often right
Categories = dict[str, tuple[list[float], list[float], float]]  # value: vector, weights, bias
Pair = tuple[float, float, float]  # a, b, strength
Solved = tuple[Array, list[Mistake]]  # the right numbers, and those of usual mistakes


@dataclass(frozen=True)
class Material:
    """What the exercises are about; targets are accuracies in percent."""

    categories: Categories
    nodes: Array  # [3 nodes, 4 channels] at one hop
    values: Array  # [5]
    norms: Array  # [5]
    targets: Array  # [5], at least 1 apart: as norms they would have hard ranks
    pairs: tuple[Pair, ...]


def material(seed: int) -> Material:
    """Make the numbers of the exercises; no mistake leads to the right answer or to that of another mistake."""
    rng = np.random.default_rng(seed)
    (categories,) = _until(lambda: (_categories(rng),), node_embeddings)
    (nodes,) = _until(lambda: (_sparse(rng),), graph_norms)
    narrowest = int(rng.choice(NARROWEST))
    (values,) = _until(lambda: (_values(rng, narrowest),), hard_ranks, strengths, printed)
    norms, targets = _until(lambda: _batch(rng), losses)
    return Material(categories, nodes, values, norms, targets, _pairs(rng))


def _until(draw: Callable[[], tuple[Any, ...]], *solutions: Callable[..., Solved]) -> tuple[Any, ...]:
    while True:
        drawn = draw()
        if all(apart(*solved(*drawn)) for solved in solutions):
            return drawn


def _tenths(rng: np.random.Generator, low: int, high: int, count: int) -> Array:
    """Numbers with one decimal and either sign, none of them 0."""
    return np.asarray(rng.integers(low, high, count) * rng.choice([-1, 1], count) / 10)


def _categories(rng: np.random.Generator) -> Categories:
    made = {}
    for value, width in zip(FEATURES, (2, 3, 3), strict=True):
        vector, weights = _tenths(rng, 1, 9, width), _tenths(rng, 2, 15, width)
        made[value] = (vector.tolist(), weights.tolist(), float(_tenths(rng, 1, 5, 1)[0]))
    return made


def _sparse(rng: np.random.Generator) -> Array:
    """One zero in every row, and no whole sum of a row, a column or medians: it could be taken for a rounded norm."""
    while True:
        tenths = rng.integers(1, 25, (3, 4))
        tenths[np.arange(3), np.arange(3)] = 0
        sums = np.array([*tenths.sum(0), *tenths.sum(1), np.median(tenths, axis=0).sum()])
        if (sums % 10).all():
            return np.asarray(tenths / 10)


def _values(rng: np.random.Generator, narrowest: int) -> Array:
    """Five numbers in any order, some below 0; the narrowest gap between neighbours has so many tenths."""
    gaps = np.array([narrowest, *narrowest + rng.integers(1, 9, 3)])
    ascending = np.cumsum([-narrowest - rng.integers(1, 9), *rng.permutation(gaps)])
    return np.asarray(rng.permutation(ascending) / 10)


def _spaced(rng: np.random.Generator, low: int, high: int) -> Array:
    """Five ascending numbers with gaps of `low` to `high` tenths."""
    return np.asarray(np.cumsum(rng.integers(low, high, 5)) / 10)


def _batch(rng: np.random.Generator) -> tuple[Array, Array]:
    """Norms of five networks, some of them close, and targets in nearly the same order, which have a loss as norms."""
    norms, targets = _spaced(rng, 2, 17), 70 + _spaced(rng, 11, 40)
    while loss_of(targets, targets) <= 2 * ENOUGH:
        targets = 70 + _spaced(rng, 11, 40)
    order, place = rng.permutation(5), int(rng.integers(1, 4))
    norms[[place, place + 1]] = norms[[place + 1, place]]
    return norms[order].round(1), targets[order].round(1)


def _pairs(rng: np.random.Generator) -> tuple[Pair, ...]:
    """Pairs within the segment and beyond its ends, at strengths below, at and above 1."""
    a, within = rng.integers(0, 9) / 10, rng.integers(2, 8) / 10
    fixed = [(0.0, 0.4, 1.0), (0.4, 0.0, 1.0), (0.0, 0.4, 0.5), (0.0, 3.0, 1.0), (3.0, 0.0, 2.0), (1.0, 1.0, 1.0)]
    return (*fixed, (float(a), float(a + within), 1.0), (float(a + 2 * within), float(a), 3.0))


# ------------------------------------------------------------ exercises 1 and 2


def node_embeddings(categories: Categories) -> Solved:
    """Return the magnitudes of vector . weights + bias, [3]."""
    parts = [(np.array(vector), np.array(weights), bias) for vector, weights, bias in categories.values()]
    products, biases = np.array([v @ w for v, w, _ in parts]), np.array([b for _, _, b in parts])
    scores = products + biases
    early = [np.abs(v * w).sum() + abs(b) for v, w, b in parts]
    sums = [v.sum() * w.sum() + b for v, w, b in parts]
    return np.abs(scores), [
        Mistake("signed", scores),
        Mistake("no bias", np.abs(products)),
        Mistake("no bias, signed", products),
        Mistake("early", early),
        Mistake("bias after", np.abs(products) + biases),
        Mistake("bias subtracted", np.abs(products - biases)),
        Mistake("relu", scores.clip(0)),
        Mistake("square", scores**2),
        Mistake("sums", np.abs(sums)),
        Mistake("divided", np.abs(scores) / np.abs(scores).sum()),
        Mistake("divided", np.abs(scores) / np.abs(scores).max()),
        Mistake("divided", np.abs(scores) / np.linalg.norm(scores)),
        Mistake("bias alone", np.abs(biases)),
        Mistake("bias per entry", np.abs([(v * w + b).sum() for v, w, b in parts])),
    ]


def graph_norms(nodes: Array) -> Solved:
    """Return the L1 norm of the mean over nodes, [1]."""
    mean = nodes.mean(0)
    return np.array([mean.sum()]), [
        Mistake("sum", nodes.sum()),
        Mistake("L2", np.linalg.norm(mean)),
        Mistake("mean of channels", mean.mean()),
        Mistake("maximum", nodes.max(0).sum()),
        Mistake("median", np.median(nodes, axis=0).sum()),
        Mistake("largest channel", mean.max()),
        Mistake("axes", nodes.mean(1).sum()),
        Mistake("L2 of all", np.linalg.norm(nodes)),
        Mistake("L2 of nodes", np.linalg.norm(nodes, axis=1).mean()),
        Mistake("matrix norm", nodes.sum(0).max()),
        *(Mistake("one node", node.sum()) for node in nodes),
    ]


# ------------------------------------------------------------ exercises 3 to 5


def hard_ranks(values: Array) -> Solved:
    """Return the ranks of five values, 1 for the smallest."""
    right, order = rankdata(values), np.argsort(values)
    return right, [
        Mistake("argsort", order),
        Mistake("argsort", order + 1),
        Mistake("from 0", right - 1),
        Mistake("descending", 6 - right),
        Mistake("descending", 5 - right),
        Mistake("argsort, descending", order[::-1]),
        Mistake("argsort, descending", order[::-1] + 1),
        Mistake("fractions", right / 5),
        Mistake("fractions", (right - 1) / 5),
        Mistake("fractions", (right - 1) / 4),
        *(Mistake("of magnitudes", rankdata(np.abs(values), ties)) for ties in ("average", "ordinal")),
        Mistake("values", values),
        Mistake("sorted values", np.sort(values)),
        Mistake("1 to 5", np.arange(1, 6)),
    ]


def soft_ranks_of_pairs(pairs: tuple[Pair, ...]) -> Solved:
    """Return the soft ranks of every pair, in a row, [2 N]."""
    first, second, strength = np.array(pairs).T

    def at(d: npt.ArrayLike, centre: float = 1.5, share: float = 0.5) -> Array:
        return np.stack([centre - share * np.asarray(d), centre + share * np.asarray(d)], axis=1)

    gap = second - first
    step = gap / strength
    d = step.clip(-1, 1)
    return at(d).ravel(), [
        Mistake("no clip", at(step)),
        Mistake("no clip", at(np.minimum(step, 1))),
        Mistake("no clip", at(np.maximum(step, -1))),
        Mistake("no strength", at(gap.clip(-1, 1))),
        Mistake("multiplied", at((gap * strength).clip(-1, 1))),
        Mistake("descending", at(-d)),
        Mistake("hard", at(np.sign(gap))),
        Mistake("hard", at(np.where(gap > 0, 1, -1))),
        Mistake("hard", at(np.where(gap >= 0, 1, -1))),
        Mistake("strength squared", at((gap / strength**2).clip(-1, 1))),
        Mistake("from 0", at(d) - 1),
        Mistake("not halved", at(d, share=1.0)),
        Mistake("sorted", np.sort(at(d), axis=1)),
        Mistake("clip first", at(gap.clip(-1, 1) / strength)),
        Mistake("clip to [0, 1]", at(step.clip(0, 1))),
        Mistake("tanh", at(np.tanh(step))),
        Mistake("centre", at(d, centre=1.0)),
        Mistake("divided", np.stack([first, second], axis=1) / strength[:, None]),
    ]


def strengths(values: Array) -> Solved:
    """Return the narrowest gap between neighbours in the ranking, [1]."""
    gaps = np.sort(np.diff(np.sort(values)))
    return gaps[:1], [
        Mistake("widest", gaps[-1]),
        Mistake("mean", gaps.mean()),
        Mistake("median", np.median(gaps)),
        Mistake("inverse", 1 / gaps[0]),
        Mistake("unsorted", np.abs(np.diff(values)).min(), "another gap"),
        Mistake("second", gaps[1], "another gap"),
        Mistake("half", gaps[0] / 2),
        Mistake("twice", gaps[0] * 2),
        Mistake("smallest value", np.abs(values).min()),
        Mistake("range", np.ptp(values)),
    ]


def printed(values: Array) -> Solved:
    """Return the narrowest gap, [1], the strengths that the notebook shows, and mistakes that lead to none of them.

    Half of the gap, twice of it and its inverse may be such a strength: else few gaps would be left.
    """
    right, mistakes = strengths(values)
    others = [mistake for mistake in mistakes if mistake.name not in ("half", "twice", "inverse")]
    return right, [*(Mistake("printed", strength) for strength in PRINTED), *others]


# ------------------------------------------------------------ exercises 6 to 8


def loss_of(norms: Array, targets: Array, strength: float = 1.0) -> float:
    """Return 1 - the Pearson correlation of soft ranks with targets."""
    return 1 - _pearson(soft_rank(norms, strength), targets)


def losses(norms: Array, targets: Array) -> Solved:
    """Return the ranking loss of one hop, [1]."""
    ranks, soft, of_targets = rankdata(norms), soft_rank(norms), rankdata(targets)
    r = _pearson(soft, targets)
    return np.array([1 - r]), [
        Mistake("correlation", r),
        Mistake("sign", 1 + r),
        Mistake("minus 1", r - 1),
        Mistake("squared", 1 - r**2),
        Mistake("norms", 1 - _pearson(norms, targets), "no ranks"),
        *(Mistake("large strength", loss_of(norms, targets, large), "no ranks") for large in (2.0, 5.0, 10.0)),
        Mistake("hard", 1 - _pearson(ranks, targets), "too hard"),
        *(Mistake("small strength", loss_of(norms, targets, small), "too hard") for small in (0.5, 0.1)),
        Mistake("spearman", 1 - _pearson(ranks, of_targets)),
        Mistake("hard targets", 1 - _pearson(soft, of_targets)),
        Mistake("swapped", 1 - _pearson(norms, soft_rank(targets))),
        Mistake("kendall", 1 - kendalltau(norms, targets).statistic),
        Mistake("argsort", 1 - _pearson(np.argsort(norms).astype(np.float64), targets)),
        Mistake("covariance", 1 - np.cov(soft, targets)[0, 1]),
        Mistake("half", (1 - r) / 2),
        Mistake("correlation of norms", _pearson(norms, targets), "other correlation"),
        Mistake("correlation of hard ranks", _pearson(ranks, targets), "other correlation"),
    ]


def losses_by_hop(levels: Array, targets: Array) -> Solved:
    """Return the ranking loss at every hop, [hops + 1], for norms [hops + 1, n]."""
    solved = [losses(level, targets) for level in levels]
    right = np.concatenate([loss for loss, _ in solved])
    at_every_hop = zip(*(mistakes for _, mistakes in solved), strict=True)
    return right, [Mistake(same[0].name, [mistake.numbers for mistake in same], same[0].group) for same in at_every_hop]


def _pearson(first: Array, second: Array) -> float:
    return float(np.corrcoef(first, second)[0, 1])

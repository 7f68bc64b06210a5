"""Checks of lab 1: reading embeddings, soft ranks and the ranking loss by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import rankdata

from autobuild_book.labs.answers import (
    AnswerError,
    Array,
    Mistake,
    Right,
    call,
    check,
    compare,
    numbers,
    read_numbers,
    require,
)
from autobuild_lib.losses import correlation, soft_rank

# What the exercises are about; the notebook shows it.
CATEGORIES = {
    "unit = 0": ([-0.5, 0.2], [0.6, 1.0], -0.15),
    "e = 6": ([0.8, -0.5, 0.3], [0.4, 1.2, -1.0], 0.1),
    "k = 3": ([0.2, 0.6, -0.1], [1.0, 0.5, 2.0], 0.3),
}  # value: vector, weights, bias
NODES = np.array([[0.0, 1.2, 0.4, 0.9], [0.6, 0.0, 0.8, 0.3], [0.3, 0.6, 0.0, 2.4]])  # 3 nodes, 4 channels, one hop
VALUES = np.array([2.1, -0.7, 0.4, 3.0, 0.9])
NORMS = np.array([4.0, 0.5, 2.4, 2.6, 7.9])
TARGETS = np.array([78.1, 76.0, 77.9, 76.9, 78.8])  # percent
ENOUGH = 0.001  # the loss that `better_norms` has to reach


def loss_of(norms: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """Return the released ranking loss of one hop: 1 - Pearson correlation of soft ranks with targets."""
    first, second = (torch.tensor(np.asarray(row, np.float64)) for row in (norms, targets))
    return float(1 - correlation(soft_rank(first), second))


@check
def node_embedding(answer: Any) -> Right:
    """Check exercise 1: the hop-0 embedding of a node, three numbers in the order of the table."""
    parts = [(np.array(vector), np.array(weights), bias) for vector, weights, bias in CATEGORIES.values()]
    scores = np.array([vector @ weights + bias for vector, weights, bias in parts])
    products = [vector @ weights for vector, weights, _ in parts]
    early = [np.abs(vector * weights).sum() + abs(bias) for vector, weights, bias in parts]
    mistakes = [
        Mistake(scores, "An importance is never negative: take the absolute value of each score."),
        Mistake(np.abs(products), "The bias is missing: a linear layer is vector . weights + bias."),
        Mistake(products, "Two things are missing: the bias, and then the absolute value."),
        Mistake(early, "You took absolute values too early: first the whole sum, bias included, then its magnitude."),
    ]
    praise = "Each coordinate belongs to one feature, and depends on the value of that feature only."
    return compare(numbers(answer, 3, list(CATEGORIES)), np.abs(scores), praise, mistakes)


@check
def graph_norm(answer: Any) -> Right:
    """Check exercise 2: the L1 norm of a graph embedding, the mean over nodes."""
    mean = NODES.mean(0)
    mistakes = [
        Mistake(NODES.sum(), "That is the norm of the sum over nodes; the graph embedding is their mean."),
        Mistake(np.linalg.norm(mean), "That is the Euclidean (L2) norm; L1 adds up absolute values."),
        Mistake(mean.mean(), "You averaged over the channels as well; the L1 norm is a sum over channels."),
        Mistake(NODES.max(0).sum(), "You took the maximum over nodes; the graph embedding is their mean."),
        Mistake(mean.max(), "That is the largest channel; the L1 norm adds up all of them."),
    ]
    praise = "Without negative entries this is also the mean of the nodes' own norms: length adds up over a network."
    return compare(numbers(answer, 1), mean.sum(), praise, mistakes)


@check
def hard_ranks(answer: Any) -> Right:
    """Check exercise 3: the ranks of five values, 1 for the smallest."""
    right, order = rankdata(VALUES), np.argsort(VALUES)
    sorting = "That is argsort: which value comes first, second, ... A rank says at which place each value comes."
    mistakes = [
        Mistake(order, sorting),
        Mistake(order + 1, sorting),
        Mistake(right - 1, "Your ranks begin at 0; ours begin at 1."),
        Mistake(6 - right, "Your ranks descend: the smallest value should have rank 1."),
        Mistake(5 - right, "Your ranks descend and begin at 0: the smallest value should have rank 1."),
    ]
    praise = "Moving a value a little changes no rank: hard ranks have no gradient."
    return compare(numbers(answer, 5), right, praise, mistakes)


PAIRS = ((0.0, 0.4, 1.0), (0.4, 0.0, 1.0), (0.0, 0.4, 0.5), (0.0, 3.0, 1.0), (3.0, 0.0, 2.0), (1.0, 1.0, 1.0))


@check
def soft_rank_pair(function: Any) -> Right:
    """Check exercise 4: a function of a, b and the strength that returns the soft ranks of (a, b)."""
    ranks = np.array([numbers(call(function, *pair), 2) for pair in PAIRS])
    right = np.array([soft_rank(torch.tensor([a, b], dtype=torch.float64), s).numpy() for a, b, s in PAIRS])
    usual: list[tuple[Callable[[float, float, float], float], str]] = [
        (lambda a, b, s: (b - a) / s, "Some of your ranks leave the range from 1 to 2. The segment ends there: clip."),
        (lambda a, b, s: _clip(b - a), "The strength has no effect: divide the values by it before projecting."),
        (lambda a, b, s: _clip((b - a) * s), "You multiply by the strength; a large one should pull ranks together."),
        (lambda a, b, s: _clip((a - b) / s), "Your ranks descend: the larger value should get the larger rank."),
        (lambda a, b, s: float(np.sign(b - a)), "These are hard ranks; soft ranks move when the values do."),
    ]  # fmt: skip
    mistakes = [Mistake(_ranks([step(*pair) for pair in PAIRS]), hint) for step, hint in usual]
    mistakes.append(Mistake(right - 1, "Your ranks lie between 0 and 1; ours lie between 1 and 2."))
    for pair, got, exact in zip(PAIRS, ranks, right, strict=True):
        if not np.allclose(got, exact, atol=1e-3):
            _explain(ranks, mistakes)
            require(abs(got.sum() - 3) < 1e-3, f"The ranks of {pair[:2]} add up to {got.sum():.3g}; 1 + 2 is 3.")
            raise AnswerError(f"For a, b, strength = {pair} you return {got.round(4).tolist()}.")
    return Right("Inside the segment both ranks move with the values, and this is what gives a gradient.")


def _clip(step: float) -> float:
    return min(max(step, -1.0), 1.0)


def _ranks(steps: list[float]) -> Array:
    return np.array([[1.5 - step / 2, 1.5 + step / 2] for step in steps])


def _explain(ranks: Array, mistakes: list[Mistake]) -> None:
    for mistake in mistakes:
        require(not np.allclose(ranks, mistake.numbers, atol=1e-3), mistake.hint)


@check
def largest_strength(answer: Any) -> Right:
    """Check exercise 5: the largest strength at which the soft ranks of the five values are hard."""
    gaps = np.diff(np.sort(VALUES))
    mistakes = [
        Mistake(gaps.max(), "At this strength only the widest gap still counts as a full rank. Every gap has to."),
        Mistake(gaps.mean(), "That is the mean gap; the narrowest one decides."),
        Mistake(1 / gaps.min(), "That is the inverse: values are divided by the strength, not multiplied."),
        Mistake(1.0, "At strength 1 two values that are closer than 1 share their ranks. Which gap is narrowest?"),
        Mistake(np.abs(np.diff(VALUES)).min(), "Sort the values first: only neighbours in the ranking can merge."),
    ]
    praise = "All gaps between neighbours must be at least the strength; the narrowest decides."
    return compare(numbers(answer, 1), gaps.min(), praise, mistakes)


@check
def ranking_loss(answer: Any) -> Right:
    """Check exercise 6: the ranking loss of one hop for five networks."""
    right, ranks = loss_of(NORMS, TARGETS), rankdata(NORMS)
    soft = soft_rank(torch.tensor(NORMS)).numpy()
    hard = "the released loss compares the soft ranks with the targets themselves."
    mistakes = [
        Mistake(1 - right, "That is the correlation; the loss is 1 minus it, and 0 is best."),
        Mistake(1 - _pearson(NORMS, TARGETS), "You correlated the norms; take their soft ranks first."),
        Mistake(1 - _pearson(ranks, TARGETS), "You used hard ranks of the norms; take soft ranks of strength 1."),
        Mistake(1 - _pearson(ranks, rankdata(TARGETS)), f"That is 1 - Spearman, with hard ranks on both sides; {hard}"),
        Mistake(1 - _pearson(soft, rankdata(TARGETS)), f"That is the variant with hard ranks of the targets; {hard}"),
        Mistake(1 + _pearson(soft, TARGETS), "The sign is wrong: good agreement should make the loss small."),
    ]
    praise = "Two networks stand in the wrong order; they make most of this loss."
    return compare(numbers(answer, 1), right, praise, mistakes, 0.02)


def _pearson(first: Array, second: Array) -> float:
    return float(np.corrcoef(first, second)[0, 1])


@check
def better_norms(answer: Any) -> Right:
    """Check exercise 7: any five positive norms whose ranking loss is at most `ENOUGH`."""
    norms = numbers(answer, 5)
    require((norms > 0).all(), "Norms are lengths: all of them must be above 0.")
    require(np.ptp(norms) > 1e-6, "All your norms are equal, and equal norms rank nothing: the correlation is 0.")
    order = np.argsort(TARGETS)
    wrong = np.flatnonzero(np.diff(norms[order]) <= 0)
    if len(wrong):
        low, high = order[wrong[0]], order[wrong[0] + 1]
        raise AnswerError(
            f"Network {high} has a higher target than network {low} (counted from 0), but no higher norm: "
            f"{norms[high]:g} and {norms[low]:g}."
        )
    loss = loss_of(norms, TARGETS)
    require(loss <= ENOUGH, f"The order is right, but the loss is {loss:.4f}. Ranks 1, 2, ... are evenly spaced and "
            "the targets are not: keep the norms so close together that their soft ranks follow the gaps.")  # fmt: skip
    return Right(f"The loss is {loss:.6f}. In norms that lie close together, spacing counts and not only order.")


@check
def losses_by_hop(answer: Any, norms: npt.ArrayLike, targets: npt.ArrayLike) -> Right:
    """Check exercise 8: the ranking loss at every hop, for norms [hops + 1, n] and targets [n]."""
    levels, values = np.asarray(norms, np.float64), np.asarray(targets, np.float64)
    right = np.array([loss_of(level, values) for level in levels])
    asked = f"Give the loss of each hop: {len(levels)} numbers, from hop 0 on."
    losses = read_numbers(answer)
    require(len(losses) != 1, f"That is one number; its mean over hops is what training sees. {asked}")
    raw = [1 - _pearson(level, values) for level in levels]
    hard = [1 - _pearson(rankdata(level), values) for level in levels]
    mistakes = [
        Mistake(1 - right, "These are correlations; the loss is 1 minus the correlation."),
        Mistake(right[::-1], "The hops stand in reverse order: hop 0 comes first."),
        Mistake(raw, "You correlated the norms; take their soft ranks first."),
        Mistake(hard, "You used hard ranks of the norms; take soft ranks of strength 1."),
    ]
    praise = f"Hop {int(right.argmin())} has the lowest loss here, {right.min():.3f}."
    return compare(numbers(losses, len(levels)), right, praise, mistakes, 0.01)

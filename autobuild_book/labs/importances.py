"""Checks of lab 2: train a predictor and read its FE-MLP."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from autobuild_book.labs.answers import (
    AnswerError,
    Array,
    Mistake,
    Right,
    check,
    close,
    compare,
    equation,
    filled_in,
    numbers,
    read_numbers,
    require,
)
from autobuild_lib.data import Table
from autobuild_lib.graphs import layer_graphs
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target
from autobuild_lib.values import shown

TARGET = "acc * 100 / latency_gpu"
LEAST_SRCC = 0.6  # of a trained predictor's head on test networks


@check
def split(train: Any, test: Any, table: Table) -> Right:
    """Check exercise 1: any random split of the table into 90 % to train and the rest to test."""
    for part in (filled_in(train), filled_in(test)):
        require(isinstance(part, Table), f"A part of the split should be a table, not a {type(part).__name__}.")
    training, held_out = set(train.architectures), set(test.architectures)
    both = len(training & held_out)
    require(not both, f"{both} networks are in both parts: the test would be too easy.")
    require(training | held_out <= set(table.architectures), "Some networks are not from this table.")
    swapped = "The parts are swapped: the large one is to train on, the small one to test."
    require(len(training) >= len(held_out), swapped)
    share = len(training) / len(table)
    require(abs(share - 0.9) < 0.01, f"The training part has {share:.0%} of the table; the exercise asks for 90 %.")
    require(len(training) + len(held_out) == len(table), "Some networks are in neither part.")
    ordered = train.architectures == table.architectures[: len(train)]
    require(not ordered, "These are the first 90 % of the rows. A file may be sorted: draw the rows at random.")
    return Right(f"{len(train):,} networks to train, {len(test):,} to test, none in both.")


@check
def target(answer: Any, table: Table) -> Right:
    """Check exercise 2: any equation for percent of accuracy per millisecond on the GPU."""
    labels = table.labels
    try:
        values = equation(answer).evaluate(labels)
    except ValueError as error:
        raise AnswerError(f"The equation cannot be evaluated: {error}") from None
    acc, gpu = labels["acc"].to_numpy(), labels["latency_gpu"].to_numpy()
    mistakes = [
        Mistake(acc / gpu, "Accuracy is a fraction in this table (0.77); the exercise asks for percent."),
        Mistake(gpu / acc, "That is latency per accuracy: it grows as networks get slower. Turn it round."),
        Mistake(gpu / (100 * acc), "That is latency per accuracy: it grows as networks get slower. Turn it round."),
        Mistake(acc * 100 * gpu, "A product rewards slow networks; per millisecond means divided by the latency."),
        Mistake(acc * 100 - gpu, "That is a difference. Per millisecond means divided by the latency."),
        *(Mistake(acc * 100 / labels[name], f"The latency is that of another device: {name}.")
          for name in ("latency_cpu", "latency_npu")),
    ]  # fmt: skip
    return _target(values, acc * 100 / gpu, mistakes)


def _target(values: Array, right: Array, mistakes: Sequence[Mistake]) -> Right:
    try:
        return compare(values, right, "However it is written, it is the same target.", mistakes, 1e-9)
    except AnswerError as error:
        if not str(error).startswith("Number"):
            raise
    raise AnswerError(f"For the first network it gives {values[0]:.4g}; {right[0]:.4g} would be right.")


@check
def predictor(answer: Any, test: Table) -> Right:
    """Check exercise 3: any predictor of the target that ranks test networks, and was not trained on them."""
    require(isinstance(filled_in(answer), Predictor), "That is no predictor: ab.fit returns one.")
    require(answer.space == test.space, f"It is for networks of {answer.space.name}; the test part has others.")
    right = Target(TARGET).evaluate(test.labels)
    try:
        learnt = Target(answer.target).evaluate(test.labels)
    except ValueError as error:
        raise AnswerError(f"It has learnt {shown(answer.target)}, which cannot be evaluated: {error}") from None
    require(close(learnt, right, 1e-9), f"It has learnt {answer.target}, which is not the target of exercise 2.")
    trained = answer.provenance.get("data", {"part": ""})
    require(not trained["part"].startswith("test"), "It was trained on the test part: what should it be tested on?")
    require(trained["part"] != "all", "It was trained on the whole table, the test part included. Use the other part.")
    correlation = srcc(answer.predict(test.architectures), right)
    require(correlation >= LEAST_SRCC, f"On test networks its SRCC is {correlation:.2f}, at least {LEAST_SRCC} is "
            'needed: give it more rows or epochs, or preset="tuned".')  # fmt: skip
    return Right(f"On test networks the SRCC of its head is {correlation:.3f}.")


def _need(answer: Any, predictor: Any) -> None:
    filled_in(answer)
    require(isinstance(predictor, Predictor), "There is no predictor yet: do exercise 3 first.")


@check
def srcc_by_hop(answer: Any, predictor: Predictor, train: Table, test: Table) -> Right:
    """Check exercise 4: the rank correlation of the norms of every hop with the target, on test networks."""
    _need(answer, predictor)
    if isinstance(answer, pd.DataFrame) and "srcc" in answer:
        answer = answer["srcc"]
    correlations = read_numbers(answer)
    hops = predictor.network.config.hops + 1
    truth = Target(predictor.target).evaluate(test.labels)
    right = _correlations(predictor, test)
    with_head = [*right, srcc(predictor.predict(test.architectures), truth)]
    if close(correlations, np.array(with_head)):
        correlations = correlations[:hops]
    norms = predictor.norms(test.architectures)
    mistakes = [
        Mistake([np.corrcoef(level, truth)[0, 1] for level in norms], "That is Pearson's correlation; rank first."),
        Mistake(_correlations(predictor, train), "That is on networks it was trained on; the test part tells more."),
        Mistake(right[::-1], "The hops stand in reverse order: hop 0 comes first."),
        Mistake(np.mean(norms, axis=1), "These are mean norms; correlate them with the target."),
    ]
    return compare(numbers(correlations, hops), right, "Each hop is a ranking of its own.", mistakes, 0.002)


def _correlations(predictor: Predictor, table: Table) -> Array:
    truth = Target(predictor.target).evaluate(table.labels)
    return np.array([srcc(level, truth) for level in predictor.norms(table.architectures)])


@check
def importance(answer: Any, predictor: Predictor, feature: str) -> Right:
    """Check exercise 5: the importance of each value of a layer feature, in the order of the feature's values."""
    _need(answer, predictor)
    (category,) = [category for category in predictor.space.categories if category.name == feature]
    features, count = predictor.network.features, len(category.values)
    with torch.no_grad():
        scores = features.value_scores(category)[0, :count].double().numpy()
        vectors = features.embeddings[category.name]()[0, :count].double()
        bias = float(features.scores[category.name].bias[0, 0, 0])
    mistakes = [
        Mistake(scores, "An importance is never negative: take the absolute value of each score."),
        Mistake(np.abs(scores)[::-1], f"The values stand in the order {', '.join(map(str, category.values))}."),
        Mistake(np.abs(scores - bias), "The bias of the linear layer is missing."),
        Mistake(vectors.norm(dim=1).numpy(), "That is the length of the vectors; the linear layer is missing."),
        Mistake(np.abs(scores) / np.abs(scores).sum(), "Do not divide by their sum: the magnitudes themselves."),
    ]
    best = category.values[int(np.abs(scores).argmax())]
    praise = f"This predictor looks most at {feature} = {best}."
    return compare(numbers(answer, count, category.values), np.abs(scores), praise, mistakes)


@check
def hop0_norm(answer: Any, predictor: Predictor, network: Architecture) -> Right:
    """Check exercise 6: the L1 norm of a network's graph embedding at hop 0, added up from importances."""
    _need(answer, predictor)
    norm = numbers(answer, 1)
    right = float(predictor.norms([network])[0, 0])
    names = [category.name for category in predictor.space.categories]
    with torch.no_grad():
        nodes = predictor.network.features(layer_graphs(predictor.space, [network]).codes)[0].double().numpy()
    e_and_k = nodes[:, [names.index("e"), names.index("k")]]
    pooled = predictor.network.config.pooling
    turned = {"sum": nodes.sum() / len(nodes), "mean": nodes.sum()}
    mistakes = [
        Mistake(turned.get(pooled, nodes.sum()), f"The pooling of this predictor is {pooled!r}, over the layers."),
        Mistake(e_and_k.sum(), "You added e and k only; all features of a layer count."),
        Mistake(e_and_k.sum() / len(nodes), "You added e and k only; all features of a layer count."),
        Mistake(nodes[0].sum(), "That is the first layer only; pool over all of them."),
        Mistake(np.linalg.norm(nodes.sum(0)), "That is a Euclidean (L2) norm; L1 adds up."),
    ]
    return compare(norm, right, "At hop 0 a network is nothing but the sum of its layers.", mistakes)


@check
def change(answer: Any, predictor: Predictor, networks: Sequence[Architecture]) -> Right:
    """Check exercise 7: the mean change of the prediction when every e = 6 becomes e = 3."""
    _need(answer, predictor)
    difference = numbers(answer, 1)
    before = predictor.predict(networks)
    right, back, kernels = (_replaced(predictor, networks, *pair) - before.mean() for pair in CHANGES)
    mistakes = [
        Mistake(-right, "The sign is the other way round: after minus before."),
        Mistake(right * len(networks), "That is the sum over networks; the exercise asks for the mean."),
        Mistake(right / predictor.label_sd, "That is in standard deviations; predict() gives label units already."),
        Mistake(back, "You replaced e = 3 by e = 6; the exercise asks for the opposite."),
        Mistake(kernels, "You replaced kernels (k); the exercise is about expansions (e)."),
        Mistake(before.mean() + right, "That is the mean prediction afterwards; take the one before from it."),
    ]
    praise = "This is an effect, with a sign and a unit. An importance has neither."
    return compare(difference, right, praise, mistakes, 0.01)


CHANGES = (("e6", "e3"), ("e3", "e6"), ("k7", "k3"))


def _replaced(predictor: Predictor, networks: Sequence[Architecture], old: str, new: str) -> float:
    changed = [predictor.space.parse(str(network).replace(old, new)) for network in networks]
    return float(predictor.predict(changed).mean())

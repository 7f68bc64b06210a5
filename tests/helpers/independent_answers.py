"""A second list of wrong answers, written from the four notebooks alone, by somebody who had not read the first."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

import autobuild_lib as ab
from autobuild_book.labs import embeddings, importances, judging, modules, regions
from tests.helpers.wrong_answers import Wrong

Answers = Iterator[tuple[str, str, Any]]  # check, mistake, answer
soft = ab.losses.soft_rank


def of_lab1(lab: embeddings.Lab) -> Iterator[Wrong]:
    """Wrong answers of lab 1."""
    yield from (Wrong(check, mistake, (answer,)) for check, mistake, answer in [*_by_hand(lab), *_of_losses(lab)])


def _by_hand(lab: embeddings.Lab) -> Answers:
    layer = [(np.array(vector), np.array(weights), bias) for vector, weights, bias in lab.categories.values()]
    nodes, values = lab.nodes, lab.values
    yield "node_embedding", "signed", [v @ w + b for v, w, b in layer]
    yield "node_embedding", "relu", [max(0, v @ w + b) for v, w, b in layer]
    yield "node_embedding", "bias after", [abs(v @ w) + b for v, w, b in layer]
    yield "node_embedding", "bias subtracted", [abs(v @ w - b) for v, w, b in layer]
    yield "node_embedding", "sorted", sorted(abs(v @ w + b) for v, w, b in layer)
    yield "node_embedding", "square", [(v @ w + b) ** 2 for v, w, b in layer]
    yield "graph_norm", "L2", np.linalg.norm(nodes.mean(axis=0))
    yield "graph_norm", "axes", np.abs(nodes.mean(axis=1)).sum()
    yield "graph_norm", "matrix norm", np.linalg.norm(nodes, 1)
    yield "graph_norm", "L2 of all", np.linalg.norm(nodes)
    yield "graph_norm", "median", np.abs(np.median(nodes, axis=0)).sum()
    yield "hard_ranks", "argsort", np.argsort(values) + 1
    yield "hard_ranks", "descending", np.argsort(np.argsort(-values)) + 1
    yield "hard_ranks", "argsort, descending", np.argsort(-values) + 1
    yield "largest_strength", "unsorted", np.abs(np.diff(values)).min()
    yield "largest_strength", "half", np.diff(np.sort(values)).min() / 2
    yield "largest_strength", "median", np.median(np.diff(np.sort(values)))


def _of_losses(lab: embeddings.Lab) -> Answers:
    def clipped(a: float, b: float, s: float) -> float:
        return float(np.clip((b - a) / s, -1, 1))

    def clipped_first(a: float, b: float, s: float) -> tuple[float, float]:
        return 1.5 - np.clip(b - a, -1, 1) / s / 2, 1.5 + np.clip(b - a, -1, 1) / s / 2

    def one_sided(a: float, b: float, s: float) -> tuple[float, float]:
        return 1.5 - np.clip((b - a) / s, 0, 1) / 2, 1.5 + np.clip((b - a) / s, 0, 1) / 2

    norms, targets = lab.norms, lab.targets
    yield "soft_rank_pair", "not halved", lambda a, b, s: (1.5 - clipped(a, b, s), 1.5 + clipped(a, b, s))
    yield "soft_rank_pair", "clip first", clipped_first
    yield "soft_rank_pair", "clip to [0, 1]", one_sided
    yield "soft_rank_pair", "from 0", lambda a, b, s: (0.5 - clipped(a, b, s) / 2, 0.5 + clipped(a, b, s) / 2)
    yield "ranking_loss", "hard targets", 1 - np.corrcoef(soft(norms), soft(targets))[0, 1]
    yield "ranking_loss", "squared", 1 - np.corrcoef(soft(norms), targets)[0, 1] ** 2
    yield "ranking_loss", "swapped", 1 - np.corrcoef(norms, soft(targets))[0, 1]
    yield "ranking_loss", "mean squared error", np.mean((soft(norms) - soft(targets)) ** 2)
    yield "better_norms", "far apart", np.argsort(np.argsort(targets)) + 1
    yield "better_norms", "negative", (targets - targets.mean()) / targets.std()


def of_lab2(lab: importances.Lab, made: SimpleNamespace) -> Iterator[Wrong]:
    """Wrong answers of lab 2; made: train, test and predictor, as a student has them."""
    table, predictor, train, test = lab.table, made.predictor, made.train, made.test
    cut = len(table) * 9 // 10
    halves = table.split(0.9, seed=1)
    yield Wrong("split", "not random", (table.take(range(cut)), table.take(range(cut, len(table)))))
    yield Wrong("split", "swapped", halves[::-1])
    yield Wrong("split", "overlap", (halves[0], table.split(0.9, seed=2)[1]))
    latency = f"latency_{lab.device}"
    yield Wrong("target", "fraction", (f"acc / {latency}",))
    yield Wrong("target", "difference", (f"acc * 100 - {latency}",))
    yield Wrong("target", "percent", (f"acc * 10000 / {latency}",))
    yield from (Wrong("srcc_by_hop", mistake, (answer, predictor, train, test)) for mistake, answer in _srccs(made))
    with torch.no_grad():
        scores = predictor.network.features.value_scores({c.name: c for c in table.space.categories}["k"])[0]
    if (scores < 0).any():  # else these are right
        yield Wrong("importance", "signed", (scores.tolist(), predictor, "k"))
    yield Wrong("importance", "divided", ((abs(scores) / abs(scores).sum()).tolist(), predictor, "k"))
    layers, _ = lab.layers(predictor, lab.network)
    yield Wrong("hop0_norm", "mean of all", (layers.mean(), predictor, lab.network))
    yield Wrong("hop0_norm", "L2", (np.linalg.norm(layers.sum(axis=0)), predictor, lab.network))
    changed = [table.space.parse(str(network).replace(lab.old, lab.new)) for network in lab.networks]
    before, after = predictor.predict(lab.networks), predictor.predict(changed)
    for mistake, answer in (
        ("sign", before.mean() - after.mean()),
        ("relative", after.mean() / before.mean() - 1),
        ("sum", after.sum() - before.sum()),
    ):
        yield Wrong("change", mistake, (answer, predictor, lab.networks))


def _srccs(made: SimpleNamespace) -> Iterator[tuple[str, Any]]:
    predictor, test = made.predictor, made.test

    def ranked(part: ab.data.Table, truth: Any) -> list[float]:
        return [spearmanr(level, truth).statistic for level in predictor.norms(part.architectures)]

    target = ab.Target(predictor.target)
    truth = target.evaluate(test.labels)
    yield "training part", ranked(made.train, target.evaluate(made.train.labels))
    yield "pearson", [np.corrcoef(level, truth)[0, 1] for level in predictor.norms(test.architectures)]
    yield "accuracy", ranked(test, test.labels["acc"])


def of_lab3(lab: modules.Lab, made: SimpleNamespace) -> Iterator[Wrong]:
    """Wrong answers of lab 3; made: predictor, norm and effect (corpora) of the lab's table."""
    unit = lab.unit_of_exercise_1
    one, depths = unit.expansions * unit.kernels, range(unit.fewest, unit.most + 1)
    yield Wrong("contents", "last left out", (sum(one**depth for depth in depths[:-1]),))
    yield Wrong("contents", "deepest", (one**unit.most,))
    yield Wrong("contents", "sum of choices", (sum((unit.expansions + unit.kernels) ** depth for depth in depths),))
    norms, hops = lab.module_norms(made.predictor), made.predictor.moments.hops
    units, at = lab.target_moments(made.predictor), lab.unit

    def z(hop: int) -> float:
        return float((norms[hop] - hops[hop][0]) / hops[hop][1])

    for mistake, answer in (
        ("one step", z(2)),
        ("hop n", z(3) * units[at, 3][1] + units[at, 3][0]),
        ("another depth", z(2) * units[at, 2][1] + units[at, 2][0]),
        ("swapped", (norms[2] - hops[2][1]) / hops[2][0] * units[at, 3][0] + units[at, 3][1]),
        ("another unit", z(2) * units[at - 1, 3][1] + units[at - 1, 3][0]),
    ):
        yield Wrong("score", mistake, (answer, made.predictor))
    table = made.norm.table
    lowest = table.loc[table.groupby("unit").score.idxmin(), "module"].tolist()
    yield Wrong("best_modules", "over all units", (table.nlargest(5, "score").module.tolist(), made.norm))
    yield Wrong("best_modules", "lowest", (lowest, made.norm))
    yield Wrong("smallest_k", "too small", (next(k for k in range(1, 100) if k**5 > lab.more_than) - 1,))
    yield Wrong("smallest_k", "5 ** K", (next(k for k in range(1, 100) if 5**k > lab.more_than),))
    corpora = (made.norm, made.effect)

    def latencies(k: int) -> list[Any]:
        return [judging.label(list(corpus.top(k=k))).latency_gpu for corpus in corpora]

    yield Wrong("latencies", "another K", ([each.mean() for each in latencies(1)], *corpora))
    yield Wrong("latencies", "swapped", ([each.mean() for each in latencies(3)][::-1], *corpora))


def of_lab4(lab: regions.Lab, drawn: list[ab.Architecture]) -> Iterator[Wrong]:
    """Wrong answers of lab 4; drawn: many random networks."""
    for mistake, function in (
        ("strict", lambda one, other: one[0] < other[0] and one[1] > other[1]),
        ("equal", lambda one, other: one[0] <= other[0] and one[1] >= other[1]),
        ("or", lambda one, other: one[0] < other[0] or one[1] > other[1]),
        ("accuracy", lambda one, other: one[0] <= other[0] and one[1] <= other[1] and one != other),
        ("order of pairs", lambda one, other: one < other),
    ):
        yield Wrong("dominates", mistake, (function,))
    points = {name: (row.latency_gpu, row.acc) for name, row in lab.networks.iterrows()}
    dominated = [name for name, p in points.items()
                 if any(o != p and o[0] <= p[0] and o[1] >= p[1] for o in points.values())]  # fmt: skip
    yield Wrong("frontier_names", "complement", (dominated,))
    yield Wrong("frontier_names", "ends only", ([lab.networks.latency_gpu.idxmin(), lab.networks.acc.idxmax()],))
    yield Wrong("region_equation", "latency more", ("acc", "fast"))
    yield Wrong("region_equation", "slow", ("latency_gpu", "fast"))
    yield Wrong("region_equation", "latency less", ("-latency_gpu", "balanced"))
    yield Wrong("region_equation", "slow", ("latency_gpu / acc", "accurate"))
    power = lab.like.removeprefix("power(acc, ").partition(")")[0]
    yield Wrong("same_order", "no factor", ("log(acc) - log(latency_gpu)",))
    yield Wrong("same_order", "no factor", (f"log({power} * acc) - log(latency_gpu)",))
    yield Wrong("same_order", "no factor", (f"{power} * (log(acc) - log(latency_gpu))",))
    yield Wrong("same_order", "added", (f"{power} * log(acc) + log(latency_gpu)",))
    yield Wrong("same_order", "latency without logarithm", (f"{power} * log(acc) - latency_gpu",))
    yield from (Wrong("gain", mistake, (answer, drawn, "balanced")) for mistake, answer in _gains(lab, drawn))


def _gains(lab: regions.Lab, cluster: list[ab.Architecture]) -> Iterator[tuple[str, float]]:
    own, known, third = judging.label(cluster), lab.frontier().labels, lab.frontier().region("balanced")[:, 0]

    def best(rows: Any, budget: float) -> float:
        return float(rows.acc[rows.latency_gpu <= budget].max())

    budget = third.max()
    right = best(own, budget) - best(known, budget)
    yield "fraction", right
    yield "sign", -100 * right
    yield "no budget", 100 * (own.acc.max() - known.acc.max())
    yield "fastest budget", 100 * (best(own, third.min()) - best(known, third.min()))
    yield "mean", 100 * (own.acc[own.latency_gpu <= budget].mean() - best(known, budget))

"""Wrong answers that students give in labs 1 and 4, each with the mistake behind it, computed as a student would."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import kendalltau, rankdata, spearmanr

import autobuild_lib as ab
from autobuild_book.labs import embeddings, judging, regions

soft_rank = ab.losses.soft_rank
PRINTED = (0.1, 0.3, 0.7, 1, 2.0, 10.0)  # strengths that lab 1 shows


class Wrong(NamedTuple):
    """An answer to an exercise (a check), and what is wrong with it; "" is a guess or a slip without a system."""

    check: str
    mistake: str
    arguments: tuple[Any, ...]


def of_lab1(lab: embeddings.Lab, batch: tuple[Any, Any]) -> Iterator[Wrong]:
    """Wrong answers of lab 1; batch: norms [hops + 1, n] and targets [n] of exercise 8."""
    for check, answers in (
        ("node_embedding", _of_node_embedding(lab)),
        ("graph_norm", _of_graph_norm(lab.nodes)),
        ("hard_ranks", _of_hard_ranks(lab.values)),
        ("largest_strength", _of_largest_strength(lab.values)),
        ("ranking_loss", _of_ranking_loss(lab.norms, lab.targets)),
        ("better_norms", _of_better_norms(lab.targets)),
    ):
        yield from (Wrong(check, mistake, (answer,)) for mistake, answer in answers)
    yield from (Wrong("soft_rank_pair", mistake, (function,)) for mistake, function in _pair_functions())
    yield from (Wrong("losses_by_hop", mistake, (answer, *batch)) for mistake, answer in _of_losses_by_hop(*batch))


def _of_node_embedding(lab: embeddings.Lab) -> Iterator[tuple[str, Any]]:
    parts = [(np.array(vector), np.array(weights), bias) for vector, weights, bias in lab.categories.values()]
    right = [abs(v @ w + b) for v, w, b in parts]
    yield "signed", [v @ w + b for v, w, b in parts]
    yield "signed", {name: v @ w + b for name, (v, w, b) in zip(lab.categories, parts, strict=True)}
    yield "no bias", [abs(v @ w) for v, w, _ in parts]
    yield "no bias, signed", [v @ w for v, w, _ in parts]
    yield "bias after", [abs(v @ w) + b for v, w, b in parts]
    yield "bias subtracted", [abs(v @ w - b) for v, w, b in parts]
    yield "divided", np.array(right) / sum(right)
    yield "divided", np.array(right) / max(right)
    yield "bias alone", [abs(b) for _, _, b in parts]
    yield "bias per entry", [abs(sum(v * w + b)) for v, w, b in parts]
    yield "early", [(abs(v) * abs(w)).sum() + abs(b) for v, w, b in parts]
    yield "relu", [max(v @ w + b, 0) for v, w, b in parts]
    yield "square", [(v @ w + b) ** 2 for v, w, b in parts]
    yield "reversed", right[::-1]
    yield "count", [abs(number) for v, w, b in parts for number in v * w + b]
    yield "form", dict(enumerate(right))
    yield "", [right[0], right[1], right[2] + 0.1]


def _of_graph_norm(nodes: Any) -> Iterator[tuple[str, Any]]:
    yield "sum", nodes.sum()
    yield "L2", np.linalg.norm(nodes.mean(0))
    yield "L2", round(float(np.sqrt((nodes.mean(0) ** 2).sum())), 3)
    yield "mean of channels", nodes.mean()
    yield "maximum", nodes.max(axis=0).sum()
    yield "largest channel", nodes.mean(0).max()
    yield "axes", np.abs(nodes.mean(axis=1)).sum()
    yield "L2 of all", np.linalg.norm(nodes)
    yield "matrix norm", np.linalg.norm(nodes, 1)
    yield "one node", nodes[0].sum()
    yield "one node", sum(nodes[2])
    yield "one node", np.linalg.norm(nodes, 1, axis=1).max()
    yield "count", nodes.mean(0)
    yield "sign", -nodes.mean(0).sum()
    yield "", nodes.mean(0).sum() * 1.2345


def _of_hard_ranks(values: Any) -> Iterator[tuple[str, Any]]:
    ranks = rankdata(values)
    yield "argsort", np.argsort(values)
    yield "argsort", np.argsort(values) + 1
    yield "from 0", np.argsort(np.argsort(values))
    yield "descending", rankdata(-values)
    yield "argsort, descending", np.argsort(values)[::-1]
    yield "fractions", ranks / 5
    yield "fractions", (ranks - 1) / 4
    yield "of magnitudes", rankdata(abs(values))
    yield "of magnitudes", np.argsort(np.argsort(abs(values))) + 1
    yield "values", values
    yield "sorted values", sorted(values)
    yield "1 to 5", [1, 2, 3, 4, 5]
    yield "count", ranks[:4]
    yield "form", str(ranks)
    yield "", [{4: 5, 5: 4}.get(rank, rank) for rank in ranks.tolist()]


def _of_largest_strength(values: Any) -> Iterator[tuple[str, Any]]:
    for mistake, answer in _other_strengths(values):
        yield "printed" if np.ndim(answer) == 0 and np.isclose(answer, PRINTED).any() else mistake, answer


def _other_strengths(values: Any) -> Iterator[tuple[str, Any]]:
    gaps = np.diff(np.sort(values))
    yield "widest", max(gaps)
    yield "mean", gaps.mean()
    yield "inverse", round(1 / min(gaps), 2)
    yield "unsorted", np.abs(np.diff(values)).min()
    yield "second", sorted(gaps)[1]
    yield "half", min(gaps) / 2
    yield "twice", 2 * min(gaps)
    yield "range", values.max() - values.min()
    yield from (("printed", strength) for strength in PRINTED)
    yield "count", gaps
    yield "", 0.01


def _of_ranking_loss(norms: Any, targets: Any) -> Iterator[tuple[str, Any]]:
    def correlated(first: Any, second: Any = targets) -> float:
        return float(np.corrcoef(first, second)[0, 1])

    soft, r = soft_rank(norms), correlated(soft_rank(norms))
    yield "correlation", r
    yield "correlation", round(r, 3)
    yield "sign", 1 + r
    yield "minus 1", r - 1
    yield "squared", 1 - r**2
    yield "norms", 1 - correlated(norms)
    yield "large strength", 1 - correlated(soft_rank(norms, 10.0))
    yield "large strength", 1 - correlated(soft_rank(norms, 2.0))
    yield "hard", 1 - correlated(rankdata(norms))
    yield "small strength", 1 - correlated(soft_rank(norms, 0.1))
    yield "small strength", 1 - correlated(soft_rank(norms, 0.5))
    yield "spearman", 1 - spearmanr(norms, targets).statistic
    yield "hard targets", 1 - correlated(soft, rankdata(targets))
    yield "kendall", 1 - kendalltau(norms, targets).statistic
    yield "argsort", 1 - correlated(np.argsort(norms))
    yield "covariance", 1 - np.cov(soft, targets)[0, 1]
    yield "half", (1 - r) / 2
    yield "correlation of norms", correlated(norms)
    yield "correlation of hard ranks", correlated(rankdata(norms))
    yield "rounded", round(1 - r, 1)
    yield "count", 1 - np.corrcoef(soft, targets)
    yield "form", ab.Target("acc")
    yield "rounded", round(1 - r, 2) if abs(round(1 - r, 2) - (1 - r)) > 0.005 * (1 - r) else round(1 - r, 1)
    yield "", (1 - r) * 1.5


def _of_better_norms(targets: Any) -> Iterator[tuple[str, Any]]:
    ranks = rankdata(targets)
    yield "far apart", targets
    yield "far apart", ranks
    yield "far apart", 10 * ranks
    yield "spacing", 1 + ranks / 10
    yield "descending", 1 + (targets.max() - targets) / 10
    yield "order", 1 + 0.1 * (targets[[1, 0, 2, 3, 4]] - 70)
    yield "equal", np.ones(5)
    yield "negative", 0.1 * (targets - targets.mean())
    yield "count", targets[:4] / 10


def _pair_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    def ranks(d: float) -> tuple[float, float]:
        return 1.5 - d / 2, 1.5 + d / 2

    def clipped(a: float, b: float, s: float) -> tuple[float, float]:
        return ranks(max(-1.0, min(1.0, (b - a) / s)))

    yield "no clip", lambda a, b, s: ranks((b - a) / s)
    yield "no clip", lambda a, b, s: ranks(min(1, (b - a) / s))
    yield "no strength", lambda a, b, s: clipped(a, b, 1)
    yield "multiplied", lambda a, b, s: clipped(a, b, 1 / s)
    yield "descending", lambda a, b, s: clipped(b, a, s)
    yield "hard", lambda a, b, s: ranks(float(np.sign(b - a)))
    yield "hard", lambda a, b, s: (1, 2) if a < b else (2, 1)
    yield "hard", lambda a, b, s: (1, 2) if a <= b else (2, 1)
    yield "strength squared", lambda a, b, s: clipped(a, b, s**2)
    yield "from 0", lambda a, b, s: np.array(clipped(a, b, s)) - 1
    yield "not halved", lambda a, b, s: (1.5 - np.clip((b - a) / s, -1, 1), 1.5 + np.clip((b - a) / s, -1, 1))
    yield "sorted", lambda a, b, s: sorted(clipped(a, b, s))
    yield "clip first", lambda a, b, s: ranks(float(np.clip(b - a, -1, 1)) / s)
    yield "clip to [0, 1]", lambda a, b, s: ranks(float(np.clip((b - a) / s, 0, 1)))
    yield "divided", lambda a, b, s: (a / s, b / s)
    yield "count", lambda a, b, s: (b - a) / s
    yield "no return", lambda a, b, s: None
    yield "error", lambda a, b, s: ranks((b - a) / (s - s))
    yield "error", lambda a, b: ranks(b - a)
    yield "form", clipped(0, 0.4, 1)
    yield "", lambda a, b, s: ranks(0.9 * max(-1.0, min(1.0, (b - a) / s)))


def _of_losses_by_hop(norms: Any, targets: Any) -> Iterator[tuple[str, Any]]:
    def losses(change: Callable[[Any], Any], other: Any = targets) -> list[float]:
        return [1 - float(np.corrcoef(change(level), other)[0, 1]) for level in norms]

    right = losses(soft_rank)
    yield "count", np.mean(right)
    yield "count", right[1:]
    yield "correlation", [1 - loss for loss in right]
    yield "reversed", right[::-1]
    yield "norms", losses(lambda level: level)
    yield "hard", losses(rankdata)
    yield "spearman", losses(rankdata, rankdata(targets))
    yield "hard targets", losses(soft_rank, rankdata(targets))
    yield "form", "0.1, 0.2"
    yield "", [loss + 0.1 for loss in right]


# ------------------------------------------------------------ lab 4


def of_lab4(lab: regions.Lab, drawn: list[ab.Architecture]) -> Iterator[Wrong]:
    """Wrong answers of lab 4; drawn: many random networks."""
    yield from (Wrong("dominates", mistake, (function,)) for mistake, function in _dominance_functions())
    yield from (Wrong("frontier_names", mistake, (names,)) for mistake, names in _of_frontier_names(lab.networks))
    for mistake, text, region in (
        ("latency more", "acc", "fast"),
        ("latency less", "acc / latency_gpu", "accurate"),
        ("latency more", "power(acc, 190) / latency_gpu", "balanced"),
        ("slow", "acc * latency_gpu", "accurate"),
        ("slow", "latency_gpu", "accurate"),
        ("inaccurate", "1 / acc", "fast"),
        ("form", "acc / latency", "fast"),
        ("form", "acc ^", "fast"),
        ("form", 3.0, "balanced"),
        ("constant", "acc - acc", "balanced"),
        ("other label", "acc / latency_npu", "fast"),
    ):
        yield Wrong("region_equation", mistake, (text, region))
    exponent = lab.like.split("acc, ")[1].split(")")[0]
    for mistake, text in (
        ("symbol", lab.like),
        ("symbol", f"log(power(acc, {exponent})) - log(latency_gpu)"),
        ("no factor", "log(acc) - log(latency_gpu)"),
        ("bases", f"{exponent} * log10(acc) - log(latency_gpu)"),
        ("added", f"{exponent} * log(acc) + log(latency_gpu)"),
        ("reversed", f"log(latency_gpu) - {exponent} * log(acc)"),
        ("no logarithms", f"{exponent} * acc - latency_gpu"),
        ("latency without logarithm", f"{exponent} * log(acc) - latency_gpu"),
        ("wrong factor", f"log(acc) - {exponent} * log(latency_gpu)"),
        ("no factor", f"{exponent} * (log(acc) - log(latency_gpu))"),
        ("product", f"{exponent} * log(acc) * log(latency_gpu)"),
        ("no latency", f"{exponent} * log(acc)"),
        ("no factor", f"log({exponent} * acc) - log(latency_gpu)"),
        ("logarithm of the factor", f"log({exponent}) * log(acc) - log(latency_gpu)"),
        ("factor", "3 * log(acc) - log(latency_gpu)"),
        ("form", f"{exponent} log(acc) - log(latency_gpu)"),
        ("", f"{exponent} * log(acc) - log(latency_gpu) - log(latency_cpu)"),
    ):
        yield Wrong("same_order", mistake, (text,))
    yield from _of_clusters(lab, drawn)


def _dominance_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    def rightly(a: Any, b: Any) -> bool:
        return a[0] <= b[0] and a[1] >= b[1] and tuple(a) != tuple(b)

    yield "strict", lambda a, b: a[0] < b[0] and a[1] > b[1]
    yield "equal", lambda a, b: a[0] <= b[0] and a[1] >= b[1]
    yield "latency", lambda a, b: a[0] >= b[0] and a[1] >= b[1] and a != b
    yield "accuracy", lambda a, b: a[0] <= b[0] and a[1] <= b[1] and a != b
    yield "swapped", lambda a, b: rightly(b, a)
    yield "or", lambda a, b: a[0] < b[0] or a[1] > b[1]
    yield "latency strict", lambda a, b: a[0] < b[0] and a[1] >= b[1]
    yield "order of pairs", lambda a, b: a < b
    yield "latency alone", lambda a, b: a[0] < b[0]
    yield "negation", lambda a, b: not rightly(a, b)
    yield "never", lambda a, b: False
    yield "form", lambda a, b: "yes"
    yield "form", rightly((1, 2), (3, 4))
    yield "no return", lambda a, b: None
    yield "error", lambda a, b: a.latency <= b.latency
    yield "", lambda a, b: rightly(a, b) and a[0] < 6


def _of_frontier_names(networks: Any) -> Iterator[tuple[str, Any]]:
    points = dict(zip(networks.index, networks[["latency_gpu", "acc"]].itertuples(index=False), strict=True))
    better = {
        name: [other for other, o in points.items() if other != name and o[0] <= p[0] and o[1] >= p[1]]
        for name, p in points.items()
    }
    beaten = {name for name, p in points.items() if any(o[0] < p[0] and o[1] > p[1] for o in points.values())}
    right = sorted((name for name in points if not better[name]), key=lambda name: points[name][0])
    yield "ties", set(points) - beaten
    yield "no ends", right[1:-1]
    yield "ends only", [right[0], right[-1]]
    yield "complement", [name for name in points if better[name]]
    yield "all", "ABCDEFG"
    yield "fastest", networks.latency_gpu.idxmin()
    yield "most accurate", networks.acc.idxmax()
    yield "missing", right[:-1]
    yield "dominated", [*right, next(name for name in points if better[name])]
    yield "form", [1, 2]
    yield "form", ["A", "X"]
    yield "count", [True, False]


def _of_clusters(lab: regions.Lab, drawn: list[ab.Architecture]) -> Iterator[Wrong]:
    points = judging.costs_of(drawn)
    yield Wrong("cluster", "too slow", ([n for n in drawn if sum(n.depths) >= 18], "fast"))
    yield Wrong("cluster", "too fast", ([n for n in drawn if sum(n.depths) <= 13], "accurate"))
    medium = [n for n, (latency, _) in zip(drawn, points, strict=True) if 6.8 < latency < 7.8]
    yield Wrong("cluster", "not accurate", (medium, "balanced"))
    yield Wrong("cluster", "count", (drawn[:5], "fast"))
    yield Wrong("cluster", "form", (drawn[:50], "slow"))
    yield Wrong("cluster", "form", (itertools.repeat(drawn[0]), "fast"))
    cluster, frontier = drawn[:400], lab.frontier()
    budget = frontier.region("balanced")[:, 0].max()
    labels, known = judging.label(cluster), frontier.labels
    best, table = (rows.acc[rows.latency_gpu <= budget].max() for rows in (labels, known))
    for mistake, answer in (
        ("fraction", best - table),
        ("sign", 100 * (table - best)),
        ("mean", 100 * (labels.acc.mean() - table)),
        ("accuracy", 100 * best),
        ("table's accuracy", 100 * table),
        ("relative", 100 * (best / table - 1)),
        ("no budget", 100 * (labels.acc.max() - known.acc.max())),
        ("cluster's budget", 100 * (labels.acc.max() - table)),
        ("count", [best, table]),
        ("", 100 * (best - table) + 3),
    ):
        yield Wrong("gain", mistake, (answer, cluster, "balanced"))
    slow = [n for n, (latency, _) in zip(drawn, points, strict=True) if latency > budget]
    yield Wrong("gain", "beyond", (1.0, slow, "balanced"))

"""Wrong answers that students give in labs 2 and 3, each with the mistake behind it, computed as a student would."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau, pearsonr, spearmanr

import autobuild_lib as ab
from autobuild_book.labs import importances, judging, modules
from tests.helpers.wrong_answers import Wrong


def of_lab2(lab: importances.Lab, made: SimpleNamespace) -> Iterator[Wrong]:
    """Wrong answers of lab 2; made: train, test and predictor, as a student has them."""
    train, test, table = made.train, made.test, lab.table
    first, rest = table.take(range(2160)), table.take(range(2160, 2400))
    for mistake, parts in (
        ("swapped", (test, train)),
        ("overlap", (table, test)),
        ("overlap", (train, train)),
        ("share", table.split(0.8)),
        ("not random", (first, rest)),
        ("left out", (train, test.take(range(100)))),
        ("other table", ab.data.load("ofa_mbv3").split(0.9)),
        ("form", (train.labels, test)),
        ("form", (0.9, 0.1)),
        ("empty", (train, ...)),
    ):
        yield Wrong("split", mistake, parts)
    device, other = lab.device, next(name for name in importances.DEVICES if name != lab.device)
    for mistake, text in (
        ("fraction", f"acc / latency_{device}"),
        ("turned round", f"latency_{device} / acc"),
        ("turned round", f"latency_{device} / (acc * 100)"),
        ("product", f"acc * 100 * latency_{device}"),
        ("difference", f"acc * 100 - latency_{device}"),
        ("device", f"acc * 100 / latency_{other}"),
        ("device", f"acc / latency_{other}"),
        ("no latency", "acc * 100"),
        ("latency alone", f"1 / latency_{device}"),
        ("per mille", f"1000 * acc / latency_{device}"),
        ("form", "acc * 100 / latency"),
        ("form", "acc * 100 / "),
        ("form", 11.0),
        ("form", table.labels.acc * 100 / table.labels[f"latency_{device}"]),
        ("", f"acc * 101 / latency_{device}"),
    ):
        yield Wrong("target", mistake, (text,))
    yield from (Wrong("predictor", mistake, (answer, test)) for mistake, answer in _predictors(lab, made))
    yield from (
        Wrong("srcc_by_hop", mistake, (answer, made.predictor, train, test)) for mistake, answer in _srccs(made)
    )
    yield from (Wrong("importance", *rest) for rest in _importances(made.predictor))
    yield from _norms_and_changes(lab, made.predictor)


def _predictors(lab: importances.Lab, made: SimpleNamespace) -> Iterator[tuple[str, Any]]:
    def fit(rows: ab.data.Table, target: Any = lab.right_target) -> ab.Predictor:
        return ab.fit(rows.space, rows, target, preset="tuned", epochs=1, batch_size=32, progress=False)

    few = range(64)
    yield "test", fit(made.test.take(few))
    yield "all", fit(lab.table.take(few))
    yield "target", fit(made.train.take(few), "acc")
    yield "form", ab.evaluate(made.predictor, made.test)
    yield "form", "tuned"
    yield "empty", None


def _srccs(made: SimpleNamespace) -> Iterator[tuple[str, Any]]:
    predictor, test = made.predictor, made.test
    truth, norms = ab.Target(predictor.target).evaluate(test.labels), predictor.norms(test.architectures)
    right = [spearmanr(level, truth).statistic for level in norms]
    yield "pearson", [pearsonr(level, truth).statistic for level in norms]
    yield "kendall", [kendalltau(level, truth).statistic for level in norms]
    yield "p-value", [spearmanr(level, truth).pvalue for level in norms]
    yield "training part", ab.evaluate(predictor, made.train).srcc[:5]
    yield "reversed", right[::-1]
    yield "accuracy", [spearmanr(level, test.labels.acc).statistic for level in norms]
    yield "loss", [1 - number for number in right]
    yield "mean norms", norms.mean(axis=1)
    yield "head", ab.evaluate(predictor, test).srcc["head"]
    yield "count", right[:4]
    yield "count", norms
    yield "form", str(right)
    yield "", [0.9 * number for number in right]


def _importances(predictor: ab.Predictor) -> Iterator[tuple[str, tuple[Any, ...]]]:
    categories = {category.name: category for category in predictor.space.categories}
    features = predictor.network.features
    with torch.no_grad():
        e, k = (features.value_scores(categories[name])[0] for name in "ek")
        bias, vectors = features.scores["e"].bias[0, 0, 0], features.embeddings["e"]()[0]
    signed = e if (e < 0).any() else None
    answers: list[tuple[str, Any]] = [
        ("reversed", e.abs().flip(0)),
        ("no bias", (e - bias).abs()),
        ("vectors", vectors[:3].norm(dim=1)),
        ("divided", e.abs() / e.abs().sum()),
        ("square", e**2),
        ("other feature", k.abs()),
        ("count", e.abs()[:2]),
        ("count", features.value_scores(categories["unit"])[0].abs()),
        ("form", categories["e"]),
        ("", e.abs() + 0.2),
    ]
    answers += [("signed", signed), ("relu", signed.clip(0))] if signed is not None else []
    yield from ((mistake, (answer, predictor, "e")) for mistake, answer in answers)
    yield "empty", (e, ..., "e")


def _norms_and_changes(lab: importances.Lab, predictor: ab.Predictor) -> Iterator[Wrong]:
    network, networks = lab.network, lab.networks
    with torch.no_grad():
        nodes = predictor.network.features(ab.graphs.layer_graphs(lab.table.space, [network]).codes)[0].numpy()
    for mistake, answer in (
        ("pooling", nodes.mean(axis=0).sum()),
        ("e and k", nodes[:, 3:5].sum()),
        ("first layer", nodes[0].sum()),
        ("last layer", nodes[-1].sum()),
        ("L2", np.linalg.norm(nodes.sum(axis=0))),
        ("mean of all", nodes.mean()),
        ("later hop", predictor.norms([network])[-1, 0]),
        ("count", nodes.sum(axis=0)),
        ("form", network),
        ("", 1.3 * nodes.sum()),
    ):
        yield Wrong("hop0_norm", mistake, (answer, predictor, network))

    def predicted(old: str, new: str, count: int = -1) -> Any:
        return predictor.predict([lab.table.space.parse(str(n).replace(old, new, count)) for n in networks])

    before, after = predictor.predict(networks), predicted(lab.old, lab.new)
    for mistake, answer in (
        ("sign", before.mean() - after.mean()),
        ("sum", (after - before).sum()),
        ("after", after.mean()),
        ("before", before.mean()),
        ("backwards", predicted(lab.new, lab.old).mean() - before.mean()),
        ("standard deviations", (after - before).mean() / predictor.label_sd),
        ("once", predicted(lab.old, lab.new, 1).mean() - before.mean()),
        ("first network", after[0] - before[0]),
        ("median", np.median(after - before)),
        ("ratio", after.mean() / before.mean()),
        ("other value", predicted("e6", "e3").mean() - before.mean() if lab.old != "e6" else
         predicted("k7", "k3").mean() - before.mean()),
        ("count", after - before),
        ("form", networks[0]),
        ("", 2 * (after - before).mean()),
    ):  # fmt: skip
        yield Wrong("change", mistake, (answer, predictor, networks))


def of_lab3(lab: modules.Lab, made: SimpleNamespace) -> Iterator[Wrong]:
    """Wrong answers of lab 3; made: predictor, norm and effect (corpora) of the lab's table."""
    unit = lab.unit_of_exercise_1
    choices, depths = unit.expansions * unit.kernels, range(unit.fewest, unit.most + 1)
    right = sum(choices**layers for layers in depths)
    for mistake, answer in (
        ("deepest", choices**unit.most),
        ("shallowest", choices**unit.fewest),
        ("added", sum(choices * layers for layers in depths)),
        ("all units", 5 * right),
        ("any depth", sum(choices**layers for layers in range(1, unit.most + 1))),
        ("one choice", sum(unit.expansions**layers for layers in depths)),
        ("one power", sum(unit.expansions**layers * unit.kernels for layers in depths)),
        ("sum of choices", sum((unit.expansions + unit.kernels) ** layers for layers in depths)),
        ("product of depths", np.prod([float(choices**layers) for layers in depths])),
        ("last left out", sum(choices**layers for layers in range(unit.fewest, unit.most))),
        ("one layer", choices),
        ("form", unit),
        ("", right + 1),
    ):
        yield Wrong("contents", mistake, (answer,))
    yield from (Wrong("score", mistake, (answer, made.predictor)) for mistake, answer in _scores(lab, made.predictor))
    yield from (Wrong("best_modules", mistake, (answer, made.norm)) for mistake, answer in _best(lab, made.norm))
    smallest = next(k for k in range(1, 100) if k**5 > lab.more_than)
    for mistake, number in (
        ("too small", smallest - 1),
        ("not smallest", smallest + 1),
        ("5 ** K", next(k for k in range(1, 100) if 5**k > lab.more_than)),
        ("3 ** K", next(k for k in range(1, 100) if 3**k > lab.more_than)),
        ("5 * K", lab.more_than // 5 + 1),
        ("one unit less", next(k for k in range(1, 1000) if k**4 > lab.more_than)),
        ("fraction", lab.more_than**0.2),
        ("networks", smallest**5),
        ("form", "sixteen"),
        ("", 4 * smallest),
    ):
        yield Wrong("smallest_k", mistake, (number,))
    yield from (Wrong("latencies", mistake, (answer, made.norm, made.effect)) for mistake, answer in _latencies(made))
    yield from _built(lab, made)


def _scores(lab: modules.Lab, predictor: ab.Predictor) -> Iterator[tuple[str, Any]]:
    norms, hops, units = lab.module_norms(predictor), predictor.moments.hops, predictor.moments.units  # type: ignore[union-attr]

    def score(hop: int = 2, unit: int = lab.unit, layers: int = 3) -> float:
        return float((norms[hop] - hops[hop][0]) / hops[hop][1] * units[unit, layers][1] + units[unit, layers][0])

    z, (mean, sd) = (norms[2] - hops[2][0]) / hops[2][1], units[lab.unit, 3]
    yield "hop n", score(3)
    yield "last hop", score(4)
    yield "hop 0", score(0)
    yield "another unit", score(unit=lab.unit + 1)
    yield "another unit", score(unit=lab.unit - 1)
    yield "another depth", score(layers=4)
    yield "moments of another hop", (norms[3] - hops[2][0]) / hops[2][1] * sd + mean
    yield "printed moments", (norms[2] - hops[1][0]) / hops[1][1] * units[0, 4][1] + units[0, 4][0]
    yield "printed moments", (norms[1] - hops[1][0]) / hops[1][1] * units[0, 4][1] + units[0, 4][0]
    yield "parentheses", norms[2] - hops[2][0] / hops[2][1] * sd + mean
    yield "sign", -z * sd + mean
    yield "sign", -score()
    yield "one step", z
    yield "norm", norms[2]
    yield "swapped", z * mean + sd
    yield "not centred", norms[2] / hops[2][1] * sd + mean
    yield "no mean", z * sd
    yield "rounded", float(f"{score():.2g}")
    yield "count", norms
    yield "form", lab.table.architectures[0]
    yield "", score() * 1.2


def _best(lab: modules.Lab, corpus: ab.UnitCorpus) -> Iterator[tuple[str, Any]]:
    table = corpus.table
    rows = table.sort_values("score", ascending=False)
    best = rows.groupby("unit").head(1).sort_values("unit").module.tolist()
    yield "lowest", table.loc[table.groupby("unit").score.idxmin(), "module"].tolist()
    yield "order", best[::-1]
    yield "one for all", [rows.module.iloc[0]] * 5
    yield "over all units", rows.head(5).module.tolist()
    yield "of unit 0", rows[rows.unit == 0].head(5).module.tolist()
    yield "count", best[:3]
    yield "form", table.groupby("unit").score.max()
    yield "form", lab.table.architectures[0]
    yield "form", [*best[:4], "e5_k7,e3_k3"]
    yield "", [*best[:4], rows[rows.unit == 4].module.iloc[1]]


def _latencies(made: SimpleNamespace) -> Iterator[tuple[str, Any]]:
    corpora = (made.norm, made.effect)
    norm, effect = (judging.label(list(corpus.top(k=3))) for corpus in corpora)
    yield "swapped", [effect.latency_gpu.mean(), norm.latency_gpu.mean()]
    yield "accuracy", [norm.acc.mean(), effect.acc.mean()]
    yield "device", [norm.latency_npu.mean(), effect.latency_npu.mean()]
    yield "median", [norm.latency_gpu.median(), effect.latency_gpu.median()]
    yield "median", [round(float(np.median(each.latency_gpu)), 6) for each in (norm, effect)]
    yield "sum", [norm.latency_gpu.sum(), effect.latency_gpu.sum()]
    yield "smallest", [norm.latency_gpu.min(), effect.latency_gpu.min()]
    yield "same score", [norm.latency_gpu.mean()] * 2
    yield "another K", [judging.label(list(corpus.top(k=1))).latency_gpu.mean() for corpus in corpora]
    yield "count", norm.latency_gpu.mean()
    yield "count", norm.mean()
    yield "form", made.norm
    yield "", [norm.latency_gpu.mean() + 1, effect.latency_gpu.mean() + 1]


def _built(lab: modules.Lab, made: SimpleNamespace) -> Iterator[Wrong]:
    budget = lab.budget(made.norm, made.effect)
    norm, effect = (list(corpus.top(k=3)) for corpus in (made.norm, made.effect))
    known, networks = lab.frontier(), lab.table.space.sample(200, rng=0)
    drawn = [network for network in networks if network not in lab.table.architectures]
    best = known.architectures[int(np.flatnonzero(known.labels.latency_gpu <= budget)[-1])]
    largest = "resolution224" + "|e6_k7,e6_k7,e6_k7,e6_k7" * 5
    quick = drawn[int(judging.label(drawn).latency_gpu.argmin())]
    for mistake, answer in (
        ("beyond", effect[0]),
        ("beyond", largest),
        ("not accurate", norm[0]),
        ("not accurate", quick),
        ("of the table", best),
        ("count", norm),
        ("form", "resolution224|e6_k7"),
        ("form", ab.spaces.ofa_pn().sample(rng=0)),
        ("form", 3),
        ("empty", ...),
    ):
        yield Wrong("built", mistake, (answer, budget))

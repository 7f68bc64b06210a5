"""Checks of lab 2: right answers pass in any form, and usual wrong ones get the hint that fits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.labs import importances
from tests.helpers.refusals import refused


class TestLab2:
    def test_any_random_split(self, table: ab.data.Table, parts: tuple[ab.data.Table, ab.data.Table]) -> None:
        assert importances.split(*parts, table)
        order = np.random.default_rng(0).permutation(len(table))
        assert importances.split(table.take(order[:2700]), table.take(order[2700:]), table)

    def test_wrong_splits(self, table: ab.data.Table, parts: tuple[ab.data.Table, ab.data.Table]) -> None:
        train, test = parts
        refused("swapped", importances.split, test, train, table)
        refused("are in both parts", importances.split, table, test, table)
        refused("first 90 %", importances.split, table.take(range(2700)), table.take(range(2700, 3000)), table)
        refused("80% of the table", importances.split, *table.split(0.8), table)
        refused("in neither part", importances.split, train, test.take(range(100)), table)
        refused("not a DataFrame", importances.split, train.labels, test, table)
        refused("no answer yet", importances.split, ..., ..., table)

    @pytest.mark.parametrize(
        "answer",
        [
            "acc * 100 / latency_gpu",
            "100*acc/latency_gpu",
            "acc / (latency_gpu / 100)",
            "exp(log(100 * acc) - log(latency_gpu))",
        ],
    )
    def test_any_equivalent_equation(self, answer: str, table: ab.data.Table) -> None:
        assert importances.target(answer, table) and importances.target(ab.Target(answer), table)

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ("acc / latency_gpu", "asks for percent"),
            ("latency_gpu / acc", "Turn it round"),
            ("acc * 100 * latency_gpu", "rewards slow networks"),
            ("acc * 100 - latency_gpu", "That is a difference"),
            ("acc * 100 / latency_cpu", "another device: latency_cpu"),
            ("acc * 100 / latency", "available labels: acc"),
            ("acc * 100 / ", "cannot read"),
            (11.0, "write it as text"),
            ("acc * 101 / latency_gpu", "For the first network it gives"),
        ],
    )
    def test_wrong_equations(self, answer: Any, hint: str, table: ab.data.Table) -> None:
        refused(hint, importances.target, answer, table)

    def test_wrong_predictors(
        self, predictor: ab.Predictor, parts: tuple[ab.data.Table, ab.data.Table], table: ab.data.Table
    ) -> None:
        def fit(rows: ab.data.Table, target: str = importances.TARGET) -> ab.Predictor:
            return ab.fit(rows.space, rows, target, preset="tuned", epochs=1, batch_size=32, progress=False)

        train, test = parts
        few = train.take(range(64))
        refused("trained on the test part", importances.predictor, fit(test.take(range(64))), test)
        refused("whole table", importances.predictor, fit(table.take(range(64))), test)
        refused("has learnt acc,", importances.predictor, fit(few, "acc"), test)
        backwards = replace(predictor, label_sd=-predictor.label_sd)
        refused("at least 0.6 is needed", importances.predictor, backwards, test)
        refused("ab.fit returns one", importances.predictor, "tuned", test)

    def test_srcc_by_hop(self, predictor: ab.Predictor, parts: tuple[ab.data.Table, ab.data.Table]) -> None:
        train, test = parts
        report = ab.evaluate(predictor, test)
        right = report.srcc.to_numpy()
        for answer in (right[:5], right, report, report.srcc[:5], list(right[:5].round(3))):
            assert importances.srcc_by_hop(answer, predictor, train, test)
        truth = ab.Target(predictor.target).evaluate(test.labels)
        pearson = [np.corrcoef(level, truth)[0, 1] for level in predictor.norms(test.architectures)]
        for answer, hint in [
            (pearson, "Pearson"),
            (ab.evaluate(predictor, train).srcc[:5], "trained on"),
            (right[4::-1], "reverse order"),
            (right[:4], "asks for 5 numbers"),
        ]:
            refused(hint, importances.srcc_by_hop, answer, predictor, train, test)

    def test_importances(self, predictor: ab.Predictor) -> None:
        (category,) = [category for category in predictor.space.categories if category.name == "e"]
        features = predictor.network.features
        scores = features.value_scores(category)[0]
        right = scores.abs()
        named = dict(zip((3, 4, 6), right.tolist(), strict=True))
        for answer in (right, right.detach().numpy(), right.tolist(), named, pd.Series(named)):
            assert importances.importance(answer, predictor, "e")
        signed = torch.where(torch.tensor([True, False, False]), -right, right) if (scores >= 0).all() else scores
        bias = features.scores["e"].bias[0, 0, 0]
        for answer, hint in [
            (signed, "never negative" if not (scores >= 0).all() else "Number 1 of 3"),
            (right.flip(0), "in the order 3, 4, 6"),
            ((scores - bias).abs(), "bias"),
            (features.embeddings["e"]()[0].norm(dim=1), "length of the vectors"),
            (right / right.sum(), "Do not divide"),
            (right[:2], "asks for 3 numbers"),
        ]:
            refused(hint, importances.importance, answer, predictor, "e")
        refused("exercise 3 first", importances.importance, right, ..., "e")

    @pytest.mark.parametrize("pooling", ["sum", "mean"])
    def test_the_norm_at_hop_0(self, pooling: str, parts: tuple[ab.data.Table, ab.data.Table]) -> None:
        train, network = parts[0].take(range(64)), parts[1].architectures[0]
        fresh = ab.fit(
            train.space, train, importances.TARGET, preset="tuned", pooling=pooling, epochs=1, progress=False
        )
        right = fresh.norms([network])[0, 0]
        layers = sum(network.depths)
        assert importances.hop0_norm(right, fresh, network)
        turned = right / layers if pooling == "sum" else right * layers
        refused(f"pooling of this predictor is '{pooling}'", importances.hop0_norm, turned, fresh, network)
        nodes = fresh.network.features(ab.graphs.layer_graphs(fresh.space, [network]).codes)[0]
        refused("added e and k only", importances.hop0_norm, nodes[:, 3:5].sum(), fresh, network)
        refused("first layer only", importances.hop0_norm, nodes[0].sum(), fresh, network)

    def test_the_change(self, predictor: ab.Predictor, parts: tuple[ab.data.Table, ab.data.Table]) -> None:
        networks = parts[1].architectures[:20]
        before = predictor.predict(networks)
        after = predictor.predict([predictor.space.parse(str(n).replace("e6", "e3")) for n in networks])
        right = after.mean() - before.mean()
        assert importances.change(right, predictor, networks)
        kernels = predictor.predict([predictor.space.parse(str(n).replace("k7", "k3")) for n in networks])
        for answer, hint in [
            (-right, "sign"),
            (20 * right, "sum over networks"),
            (after.mean(), "mean prediction afterwards"),
            (kernels.mean() - before.mean(), "replaced kernels"),
        ]:
            refused(hint, importances.change, answer, predictor, networks)

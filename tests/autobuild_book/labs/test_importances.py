"""Checks of lab 2: right answers pass in any form."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.labs import importances
from autobuild_book.labs.verdicts import AnswerError


class TestLab2:
    def test_any_random_split(self, lab2: importances.Lab, parts: tuple[ab.data.Table, ab.data.Table]) -> None:
        assert lab2.split(*parts)
        order = np.random.default_rng(0).permutation(len(lab2.table))
        assert lab2.split(lab2.table.take(order[:2160]), lab2.table.take(order[2160:]))

    @pytest.mark.parametrize(
        "text",
        ["acc * 100 / {0}", "100*acc/{0}", "acc / ({0} / 100)", "exp(log(100 * acc) - log({0}))"],
    )
    def test_any_equivalent_equation(self, text: str, lab2: importances.Lab) -> None:
        answer = text.format(f"latency_{lab2.device}")
        assert lab2.target(answer) and lab2.target(ab.Target(answer))

    def test_a_predictor(
        self, lab2: importances.Lab, predictor: ab.Predictor, parts: tuple[ab.data.Table, ab.data.Table]
    ) -> None:
        backwards = replace(predictor, label_sd=-predictor.label_sd)
        with pytest.raises(AnswerError) as caught:
            lab2.predictor(backwards, parts[1])
        assert caught.value.mistake == "training"

    def test_srcc_by_hop(
        self, lab2: importances.Lab, predictor: ab.Predictor, parts: tuple[ab.data.Table, ab.data.Table]
    ) -> None:
        report = ab.evaluate(predictor, parts[1])
        right = report.srcc.to_numpy()
        for answer in (right[:5], right, report, report.srcc[:5], list(right[:5].round(3))):
            assert lab2.srcc_by_hop(answer, predictor, *parts)

    def test_importances(self, lab2: importances.Lab, predictor: ab.Predictor) -> None:
        (category,) = [category for category in predictor.space.categories if category.name == "e"]
        right = predictor.network.features.value_scores(category)[0].abs()
        named = dict(zip((3, 4, 6), right.tolist(), strict=True))
        for answer in (right, right.detach().numpy(), right.tolist(), named, pd.Series(named)):
            assert lab2.importance(answer, predictor, "e")

    @pytest.mark.parametrize("pooling", ["sum", "mean"])
    def test_the_norm_at_hop_0(
        self, pooling: str, lab2: importances.Lab, parts: tuple[ab.data.Table, ab.data.Table]
    ) -> None:
        train = parts[0].take(range(64))
        options = {"preset": "tuned", "pooling": pooling, "epochs": 1, "progress": False}
        fresh = ab.fit(train.space, train, lab2.right_target, **options)
        right, layers = fresh.norms([lab2.network])[0, 0], sum(lab2.network.depths)
        assert lab2.hop0_norm(right, fresh, lab2.network)
        with pytest.raises(AnswerError) as caught:
            lab2.hop0_norm(right / layers if pooling == "sum" else right * layers, fresh, lab2.network)
        assert caught.value.mistake == "pooling" and repr(pooling) in str(caught.value)

    def test_the_change(self, lab2: importances.Lab, predictor: ab.Predictor) -> None:
        changed = [lab2.table.space.parse(str(n).replace(lab2.old, lab2.new)) for n in lab2.networks]
        right = predictor.predict(changed).mean() - predictor.predict(lab2.networks).mean()
        assert lab2.change(right, predictor, lab2.networks)

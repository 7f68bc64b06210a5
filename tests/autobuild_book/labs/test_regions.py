"""Checks of lab 4: right answers pass in any form."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.dominance import dominates
from autobuild_book.labs import judging, regions
from autobuild_book.labs.verdicts import AnswerError
from autobuild_lib.search import costs, front


class TestLab4:
    def test_dominates(self, lab4: regions.Lab) -> None:
        def rightly(first: Any, second: Any) -> bool:
            return first[0] <= second[0] and first[1] >= second[1] and tuple(first) != tuple(second)

        assert lab4.dominates(rightly)
        assert lab4.dominates(lambda a, b: np.bool_(rightly(a, b)))

    def test_a_frontier_in_any_form(self, lab4: regions.Lab) -> None:
        marks = front(costs(lab4.networks, "acc", "latency_gpu"))
        names = lab4.networks.index[marks]
        listed, series = list(names), pd.Series(marks, index=list("ABCDEFG"))
        forms: list[Any] = [listed, set(listed), ", ".join(listed), "".join(listed)[::-1], np.array(listed), names]
        for answer in [*forms, marks.tolist(), marks, series, lab4.networks[marks], pd.Series(listed)]:
            assert lab4.frontier_names(answer)

    @pytest.mark.parametrize(
        ("answer", "region"),
        [
            ("acc / latency_gpu", "fast"),
            ("log(acc) - log(latency_gpu)", "fast"),
            ("1 / latency_gpu", "fast"),
            ("power(acc, 15) / latency_gpu", "balanced"),
            ("acc - abs(latency_gpu - 7)", "balanced"),
            ("acc", "accurate"),
            ("power(acc, 80) / latency_gpu", "accurate"),
            ("acc - latency_gpu / 1000000", "accurate"),
        ],
    )
    def test_any_equation_that_aims_at_the_region(self, answer: str, region: str, lab4: regions.Lab) -> None:
        assert lab4.region_equation(answer, region) and lab4.region_equation(ab.Target(answer), region)

    @pytest.mark.parametrize("answer", ["-abs(latency_gpu - 7)", "-abs(acc - 0.765)"])
    def test_a_number_to_aim_at_is_no_reward_for_slowness(self, answer: str, lab4: regions.Lab) -> None:
        with pytest.raises(AnswerError) as caught:
            lab4.region_equation(answer, "balanced")
        assert caught.value.mistake == "number"

    @pytest.mark.parametrize(
        "text",
        [
            "{0} * log(acc) - log(latency_gpu)",
            "log(acc) - log(latency_gpu) * {1}",
            "{0} * log10(acc) - log10(latency_gpu) + 3",
            "log2(acc) * 2 * {0} - 2 * log2(latency_gpu)",
        ],
    )
    def test_any_equation_of_the_same_order(self, text: str, lab4: regions.Lab) -> None:
        exponent = int(lab4.like.split("acc, ")[1].split(")")[0])
        assert lab4.same_order(text.format(exponent, 1 / exponent))

    def test_a_cluster_and_its_gain(self, lab4: regions.Lab, drawn: list[ab.Architecture]) -> None:
        many = [*drawn, *drawn[0].space.sample(np.random.default_rng(2), 20_000)]
        wins = dominates(judging.costs_of(many), lab4.frontier().region("balanced")).any(1)
        cluster = [network for network, win in zip(many, wins, strict=True) if win]
        assert len(cluster) >= 32, "the test needs a cluster"
        assert lab4.cluster(cluster, "balanced") and lab4.cluster([str(n) for n in cluster], "balanced")
        labels, frontier = judging.label(cluster), lab4.frontier()
        budget = frontier.region("balanced")[:, 0].max()
        best, table = (t.acc[t.latency_gpu <= budget].max() for t in (labels, frontier.labels))
        assert lab4.gain(100 * (best - table), cluster, "balanced")


@given(st.integers(0, 2**63 - 1))
def test_four_of_seven_networks_are_a_frontier_whatever_the_seed(seed: int) -> None:
    networks = regions.networks(seed)
    points = costs(networks, "acc", "latency_gpu")
    strictly = [(points < point).all(1).any() for point in points]
    assert front(points).sum() == 4 and sum(strictly) == 1 and not networks.duplicated().any()

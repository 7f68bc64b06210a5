"""Checks of lab 4: right answers pass in any form, and usual wrong ones get the hint that fits."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.labs import judging, regions
from tests.helpers.refusals import refused


class TestLab4:
    def test_dominates(self) -> None:
        def rightly(first: Any, second: Any) -> bool:
            return first[0] <= second[0] and first[1] >= second[1] and tuple(first) != tuple(second)

        assert regions.dominates_function(rightly)
        assert regions.dominates_function(lambda a, b: np.bool_(rightly(a, b)))

    @pytest.mark.parametrize(
        ("function", "hint"),
        [
            (lambda a, b: a[0] < b[0] and a[1] > b[1], "better in both"),
            (lambda a, b: a[0] <= b[0] and a[1] >= b[1], "dominates its equal"),
            (lambda a, b: a[0] >= b[0] and a[1] >= b[1] and a != b, "slower is better"),
            (lambda a, b: b[0] <= a[0] and b[1] >= a[1] and a != b, "swapped"),
            (lambda a, b: a[0] < b[0] or a[1] > b[1], "Better in one is not enough"),
            (lambda a, b: False, "it returns False"),
        ],
    )
    def test_wrong_dominance(self, function: Callable[..., bool], hint: str) -> None:
        refused(hint, regions.dominates_function, function)

    @pytest.mark.parametrize(
        "answer",
        [
            ["A", "B", "D", "G"],
            {"G", "D", "B", "A"},
            "A, B, D, G",
            "GDBA",
            np.array(["A", "B", "D", "G"]),
            [True, True, False, True, False, False, True],
            np.array([True, True, False, True, False, False, True]),
            regions.NETWORKS.loc[list("ABDG")],
            pd.Series([True, True, False, True, False, False, True], index=list("ABCDEFG")),
            pd.Series(["A", "B", "D", "G"]),
            regions.NETWORKS.index[[0, 1, 3, 6]],
        ],
        ids=lambda answer: type(answer).__name__,
    )
    def test_a_frontier_in_any_form(self, answer: Any) -> None:
        assert regions.frontier_names(answer)

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ("ABCDG", "C is dominated by B"),
            ("ABDEG", "E is dominated by D"),
            ("ABD", "G is missing"),
            ("ABDX", "X: networks are called A to G"),
            ([True, False], "Give 7 marks"),
        ],
    )
    def test_wrong_frontiers(self, answer: Any, hint: str) -> None:
        refused(hint, regions.frontier_names, answer)

    @pytest.mark.parametrize(
        ("answer", "region"),
        [
            ("power(acc, 5) / latency_gpu", "fast"),
            ("5 * log(acc) - log(latency_gpu)", "fast"),
            ("1 / latency_gpu", "fast"),
            ("power(acc, 15) / latency_gpu", "balanced"),
            ("acc - abs(latency_gpu - 7)", "balanced"),
            ("acc", "accurate"),
            ("power(acc, 80) / latency_gpu", "accurate"),
            ("acc - latency_gpu / 1000000", "accurate"),
        ],
    )
    def test_any_equation_that_aims_at_the_region(self, answer: str, region: str) -> None:
        assert regions.region_equation(answer, region) and regions.region_equation(ab.Target(answer), region)

    @pytest.mark.parametrize(
        ("answer", "region", "hint"),
        [
            ("acc", "fast", "latency must count more"),
            ("acc / latency_gpu", "accurate", "latency must count less"),
            ("power(acc, 80) / latency_gpu", "balanced", "latency must count more"),
            ("acc * latency_gpu", "accurate", "rewards slow networks"),
            ("latency_gpu", "accurate", "rewards slow networks"),
            ("1 / acc", "fast", "rewards inaccurate networks"),
            ("acc / latency", "fast", "available labels"),
            (..., "fast", "no answer yet"),
        ],
    )
    def test_wrong_aims(self, answer: Any, region: str, hint: str) -> None:
        refused(hint, regions.region_equation, answer, region)

    @pytest.mark.parametrize(
        "answer",
        [
            "20 * log(acc) - log(latency_gpu)",
            "log(acc) - 0.05 * log(latency_gpu)",
            "20 * log10(acc) - log10(latency_gpu) + 3",
            "log2(acc) * 40 - 2 * log2(latency_gpu)",
        ],
    )
    def test_any_equation_of_the_same_order(self, answer: str) -> None:
        assert regions.same_order(answer)

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ("log(power(acc, 20)) - log(latency_gpu)", "Without power"),
            ("log(acc) - log(latency_gpu)", "exponent 20 is missing"),
            ("20 * log10(acc) - log(latency_gpu)", "same base"),
            ("20 * log(acc) + log(latency_gpu)", "subtracting its logarithm"),
            ("log(latency_gpu) - 20 * log(acc)", "order is reversed"),
            ("20 * acc - latency_gpu", "take the logarithm of each"),
            ("3 * log(acc) - log(latency_gpu)", "does not"),
        ],
    )
    def test_equations_of_another_order(self, answer: str, hint: str) -> None:
        refused(hint, regions.same_order, answer)

    def winners(self, drawn: list[ab.Architecture], region: str) -> list[ab.Architecture]:
        from autobuild_book.chapters.shared.dominance import dominates

        points = judging.costs_of(drawn)
        wins = dominates(points, judging.frontier().region(region)).any(1)
        return [network for network, win in zip(drawn, wins, strict=True) if win]

    def test_a_cluster_and_its_gain(self, drawn: list[ab.Architecture]) -> None:
        space = drawn[0].space
        many = [*drawn, *space.sample(np.random.default_rng(2), 20_000)]
        cluster = self.winners(many, "balanced")
        assert len(cluster) >= 32, "the test needs a cluster"
        assert regions.cluster(cluster, "balanced") and regions.cluster([str(n) for n in cluster], "balanced")
        labels, frontier = judging.label(cluster), judging.frontier()
        budget = frontier.region("balanced")[:, 0].max()
        best, table = (t.acc[t.latency_gpu <= budget].max() for t in (labels, frontier.labels))
        assert regions.gain(100 * (best - table), cluster, "balanced")
        for answer, hint in [
            (best - table, "percentage points"),
            (100 * (table - best), "sign"),
            (100 * (labels.acc.mean() - table), "mean of the cluster"),
            (100 * best, "accuracy itself"),
        ]:
            refused(hint, regions.gain, answer, cluster, "balanced")

    def test_wrong_clusters(self, drawn: list[ab.Architecture]) -> None:
        largest = [n for n in drawn if sum(n.depths) >= 18]
        smallest = [n for n in drawn if sum(n.depths) <= 13]
        refused("it is too slow", regions.cluster, largest, "fast")
        refused("it is too fast", regions.cluster, smallest, "accurate")
        medium = [n for n, (latency, _) in zip(drawn, judging.costs_of(drawn), strict=True) if 6.8 < latency < 7.8]
        refused("not accurate enough", regions.cluster, medium, "balanced")
        refused("at least 32 different networks", regions.cluster, drawn[:5], "fast")
        refused("choose one of fast, balanced, accurate", regions.cluster, drawn[:50], "slow")
        refused("more than 100,000", regions.cluster, itertools.repeat(drawn[0]), "fast")
        refused("no answer yet", regions.cluster, ..., "fast")
        refused("within the budget", regions.gain, 1.0, [largest[0]], "fast")

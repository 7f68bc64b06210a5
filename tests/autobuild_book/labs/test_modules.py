"""Checks of lab 3: right answers pass in any form, and usual wrong ones get the hint that fits."""

from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.labs import judging, modules
from tests.helpers.refusals import refused


@pytest.fixture(scope="module")
def corpora(predictor: ab.Predictor) -> tuple[ab.UnitCorpus, ab.UnitCorpus]:
    norm = ab.score_units(predictor, progress=False)
    return norm, ab.score_units(predictor, score="effect", hosts=2, progress=False)


class TestLab3:
    @pytest.mark.parametrize("answer", [7371, 7371.0, [7371], np.int64(7371), 9**2 + 9**3 + 9**4])
    def test_contents(self, answer: Any, table: ab.data.Table) -> None:
        assert modules.contents(answer) and table.space.codecs[0].size == 7371

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [(6561, "four layers only"), (36855, "all five units"), (81, "two layers only"), (81 * 9 * 9 * 9, "too high")],
    )
    def test_wrong_contents(self, answer: int, hint: str) -> None:
        refused(hint, modules.contents, answer)

    def test_the_score_is_that_of_the_corpus(
        self, predictor: ab.Predictor, corpora: tuple[ab.UnitCorpus, ab.UnitCorpus]
    ) -> None:
        rows = corpora[0].table
        (right,) = rows.score[(rows.unit == modules.UNIT) & (rows.module == modules.MODULE)]
        assert modules.score(right, predictor)

    def test_wrong_scores(self, predictor: ab.Predictor) -> None:
        norms = modules.module_norms(predictor, modules.UNIT, modules.MODULE)
        hops, units = predictor.moments.hops, predictor.moments.units  # type: ignore[union-attr]

        def by(hop: int, unit: int = 2, depth: int = 3) -> float:
            return (norms[hop] - hops[hop, 0]) / hops[hop, 1] * units[unit, depth][1] + units[unit, depth][0]

        for answer, hint in [
            (by(3), "hop 3"),
            (by(4), "last hop"),
            (by(2, unit=3), "moments of unit 3"),
            (by(2, depth=4), "moments of 4 layers"),
            ((norms[2] - hops[2, 0]) / hops[2, 1], "first standardisation"),
            (norms[2], "bare norm"),
        ]:
            refused(hint, modules.score, answer, predictor)

    def test_best_modules(self, corpora: tuple[ab.UnitCorpus, ab.UnitCorpus]) -> None:
        corpus = corpora[0]
        rows = corpus.table.sort_values("score", ascending=False, kind="stable")
        best = rows.groupby("unit").head(1).sort_values("unit")
        texts = best.module.tolist()
        spaced = [text.replace(",", ", ") for text in texts]
        for answer in (texts, tuple(texts), best, best.module, dict(enumerate(texts)), "|".join(texts), spaced):
            assert modules.best_modules(answer, corpus)
        worst = corpus.table.loc[corpus.table.groupby("unit").score.idxmin(), "module"].tolist()
        second = [*texts[:4], rows[rows.unit == 4].module.iloc[2000]]
        for answer, hint in [
            (worst, "lowest score of unit 0"),
            (second, "of unit 4, with a score of"),
            (texts[:3], "your answer has 3"),
            ([*texts[:4], "e5_k7,e3_k3"], "is not a module of unit 4"),
            (..., "no answer yet"),
        ]:
            refused(hint, modules.best_modules, answer, corpus)

    def test_smallest_k(self) -> None:
        assert modules.smallest_k(16) and 15**5 <= 1_000_000 < 16**5
        for answer, hint in [
            (15, "not more than a million"),
            (17, "so has a smaller K"),
            (9, "5 ** K"),
            (200_001, "5 * K"),
            (15.8, "whole number"),
        ]:
            refused(hint, modules.smallest_k, answer)

    def test_any_network_that_beats_the_table(self, drawn: list[ab.Architecture]) -> None:
        wins = judging.beats_the_table(drawn)
        winner = drawn[int(np.argmax(wins))]
        assert wins.any() and modules.beating(winner) and modules.beating(str(winner)) and modules.beating([winner])

    def test_networks_that_do_not(self, drawn: list[ab.Architecture], table: ab.data.Table) -> None:
        frontier = judging.frontier()
        points = judging.costs_of(drawn)
        slow = drawn[int(np.argmax(points[:, 0] + 100 * points[:, 1]))]
        largest = table.space.parse("resolution224" + "|e6_k7,e6_k7,e6_k7,e6_k7" * 5)
        refused("from the table's frontier itself", modules.beating, frontier.architectures[3])
        refused("The table has one with", modules.beating, slow)
        refused("it dominates nothing either", modules.beating, largest)
        refused("no network of the family", modules.beating, "resolution224|e6_k7")
        refused("Give one network; your answer has 2", modules.beating, [slow, largest])
        refused("is no network of ofa_mbv3", modules.beating, ab.spaces.ofa_pn().sample(np.random.default_rng(0)))
        refused("no answer yet", modules.beating, ...)

    def test_a_reduced_space_of_too_many(self, corpora: tuple[ab.UnitCorpus, ab.UnitCorpus]) -> None:
        refused("at most 100,000", modules.beating, corpora[0].top(25))

    def test_the_frontier_is_that_of_a_slow_definition(self, table: ab.data.Table) -> None:
        points = judging.costs_of(table.architectures)
        kept = [p for p in points if not ((points <= p).all(1) & (points < p).any(1)).any()]
        assert sorted(map(tuple, kept)) == [tuple(p) for p in judging.frontier().points]

    def test_latencies(self, corpora: tuple[ab.UnitCorpus, ab.UnitCorpus]) -> None:
        labels = [judging.label(list(corpus.top(3))) for corpus in corpora]
        right = [labelled.latency_gpu.mean() for labelled in labels]
        assert modules.latencies(right, *corpora)
        assert modules.latencies({"effect": right[1], "norm": right[0]}, *corpora)
        for answer, hint in [
            (right[::-1], "swapped"),
            ([labelled.acc.mean() for labelled in labels], "These are accuracies"),
            ([labelled.latency_npu.mean() for labelled in labels], "latency_npu"),
            ([labelled.latency_gpu.sum() for labelled in labels], "sums over the networks"),
        ]:
            refused(hint, modules.latencies, answer, *corpora)

"""Checks of lab 3: right answers pass in any form, and exercise 6 can be failed and solved."""

import copy
import itertools
from collections import Counter

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.labs import judging, modules
from autobuild_book.labs.verdicts import AnswerError

Corpora = tuple[ab.UnitCorpus, ab.UnitCorpus]


def mixed(corpora: Corpora) -> list[ab.Architecture]:
    """The networks of the best module of each unit by either score."""
    tables = [corpus.table for corpus in corpora]
    pairs = [[rows.module[rows.score[rows.unit == unit].idxmax()] for rows in tables] for unit in range(5)]
    return [corpora[0].space.parse("|".join(["resolution224", *chosen])) for chosen in itertools.product(*pairs)]


class TestLab3:
    def test_contents(self, lab3: modules.Lab) -> None:
        unit = lab3.unit_of_exercise_1
        layers = list(itertools.product(range(unit.expansions), range(unit.kernels)))
        right = sum(len(layers) ** depth for depth in range(unit.fewest, unit.most + 1))
        assert lab3.contents(right) and lab3.contents([float(right)]) and lab3.contents(np.int64(right))

    def test_no_guess_of_a_count_is_often_right(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(judging, "table", lambda seed: None)
        contents, smallest = Counter[int](), Counter[int]()
        for lab in map(modules.Lab, range(60)):
            unit = lab.unit_of_exercise_1
            contents[sum((unit.expansions * unit.kernels) ** n for n in range(unit.fewest, unit.most + 1))] += 1
            smallest[next(k for k in itertools.count() if k**5 > lab.more_than)] += 1
        for answers in (contents, smallest):
            assert len(answers) >= 10 and max(answers.values()) <= 20

    @pytest.mark.parametrize("smallest_k", modules.SMALLEST_K)
    def test_the_smallest_k_is_told_from_its_neighbours_and_mistakes(self, smallest_k: int, lab3: modules.Lab) -> None:
        lab = copy.copy(lab3)
        for seed in range(30):
            lab.more_than = modules.round_number(np.random.default_rng(seed), smallest_k)
            assert lab.smallest_k(smallest_k)
            logarithms = [int(np.log(lab.more_than) / np.log(base)) + 1 for base in (3, 5)]
            for wrong in (smallest_k - 1, smallest_k + 1, *logarithms, int(lab.more_than ** (1 / 4)) + 1):
                with pytest.raises(AnswerError):
                    lab.smallest_k(wrong)

    def test_the_score_is_that_of_the_corpus(self, lab3: modules.Lab, aimed: ab.Predictor, corpora: Corpora) -> None:
        rows = corpora[0].table
        (right,) = rows.score[(rows.unit == lab3.unit) & (rows.module == lab3.module)]
        assert lab3.score(right, aimed)

    def test_target_moments_can_be_read_in_every_way(self, lab3: modules.Lab, aimed: ab.Predictor) -> None:
        moments = lab3.target_moments(aimed)
        for (unit, layers), (mean, sd) in aimed.moments.units.items():  # type: ignore[union-attr]
            assert moments[unit][layers].tolist() == moments[unit, layers].tolist() == [mean, sd]
            assert (moments[unit, layers, 0], moments[unit, layers, 1]) == (mean, sd)

    def test_best_modules(self, lab3: modules.Lab, corpora: Corpora) -> None:
        corpus = corpora[0]
        rows = corpus.table.sort_values("score", ascending=False, kind="stable")
        best = rows.groupby("unit").head(1).sort_values("unit")
        texts = best.module.tolist()
        spaced = [text.replace(",", ", ") for text in texts]
        for answer in (texts, tuple(texts), best, best.module, dict(enumerate(texts)), "|".join(texts), spaced):
            assert lab3.best_modules(answer, corpus)

    def test_smallest_k(self, lab3: modules.Lab) -> None:
        assert lab3.smallest_k(next(k for k in itertools.count() if k**5 > lab3.more_than))

    def test_latencies(self, lab3: modules.Lab, corpora: Corpora) -> None:
        right = [judging.label(list(corpus.top(3))).latency_gpu.mean() for corpus in corpora]
        assert lab3.latencies(right, *corpora)
        assert lab3.latencies({"effect": right[1], "norm": right[0]}, *corpora)

    def test_neither_cluster_is_within_the_budget_and_accurate_enough(
        self, lab3: modules.Lab, corpora: Corpora
    ) -> None:
        budget = lab3.budget(*corpora)

        def solves(network: ab.Architecture) -> bool:
            try:
                return bool(lab3.built(network, budget))
            except AnswerError:
                return False

        shares = [np.mean([solves(n) for n in list(corpus.top(3))[::27]]) for corpus in corpora]
        assert max(shares) == 0
        assert 0 < np.mean([solves(network) for network in mixed(corpora)]) < 1

    def test_a_network_in_any_form(self, lab3: modules.Lab, corpora: Corpora) -> None:
        budget, networks = lab3.budget(*corpora), mixed(corpora)
        labels = judging.label(networks)
        best = networks[int(labels.acc.where(labels.latency_gpu <= budget).argmax())]
        assert lab3.built(best, budget) and lab3.built(str(best), budget) and lab3.built([best], budget)

    def test_the_frontier_is_that_of_a_slow_definition(self, lab3: modules.Lab) -> None:
        points = judging.costs_of(lab3.table.architectures)
        kept = [p for p in points if not ((points <= p).all(1) & (points < p).any(1)).any()]
        assert sorted(map(tuple, kept)) == [tuple(p) for p in lab3.frontier().points]

    @pytest.mark.parametrize("seed", [1, 7])
    def test_another_seed_has_other_rows(self, seed: int, lab3: modules.Lab) -> None:
        assert modules.Lab(seed).table.rows != lab3.table.rows and len(modules.Lab(seed).table) == len(lab3.table)

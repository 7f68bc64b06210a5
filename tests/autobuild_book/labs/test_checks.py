"""Checks of the labs: every right answer passes in any form, and usual wrong ones get the hint that fits."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st
from IPython.core.formatters import DisplayFormatter

import autobuild_lib as ab
from autobuild_book.labs import answers, embeddings, importances, judging, modules, regions
from autobuild_book.labs.answers import AnswerError, Right

DOTS = ...


def refused(hint: str, check: Callable[..., Right], *arguments: Any) -> None:
    with pytest.raises(AnswerError) as caught:
        check(*arguments)
    assert hint in str(caught.value), str(caught.value)


class TestAnswers:
    @pytest.mark.parametrize(
        "answer",
        [
            [1, 2.5],
            (1, 2.5),
            np.array([1, 2.5]),
            np.array([[1.0], [2.5]]),
            pd.Series([1, 2.5], index=["x", "y"]),
            pd.DataFrame({"x": [1, 2.5]}),
            torch.tensor([1, 2.5], requires_grad=True),
            [torch.tensor(1.0), torch.tensor(2.5)],
            {"b": 2.5, "a": 1},
            [Fraction(1), Decimal("2.5")],
        ],
        ids=lambda answer: type(answer).__name__,
    )
    def test_numbers_may_come_in_any_form(self, answer: Any) -> None:
        assert answers.numbers(answer, 2, ["a", "b"]).tolist() == [1, 2.5]

    @pytest.mark.parametrize("answer", [3, 3.0, np.float32(3), np.array(3), torch.tensor(3), [3], Fraction(3)])
    def test_one_number_too(self, answer: Any) -> None:
        assert answers.numbers(answer, 1).tolist() == [3]

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            (DOTS, "no answer yet"),
            (None, "no answer yet"),
            ([1, DOTS], "no answer yet"),
            ([1], "asks for 2 numbers; your answer has 1"),
            ("1, 2", "not a number or a list"),
            ({1, 2}, "not a number or a list"),
            ([1, [2, 3]], "not a number or a list"),
            (len, "not a number or a list"),
            ([1, 2j], "not a number or a list"),
            ([1, float("nan")], "nan, which is not a finite number"),
            ({"a": 1}, "needs the keys a, b"),
        ],
    )
    def test_anything_else_is_explained(self, answer: Any, hint: str) -> None:
        refused(hint, answers.numbers, answer, 2, ["a", "b"])

    def test_an_unknown_mistake_is_named_by_its_place(self) -> None:
        refused("Number 2 of 3, 9, is too high.", answers.compare, np.array([1, 9.0, 3]), [1, 2, 3], "")

    def test_a_right_answer_says_so(self) -> None:
        assert repr(answers.compare(np.array([1.001]), 1, "Fine.")) == "Correct. Fine."

    def test_a_notebook_shows_the_hint_alone(self) -> None:
        assert AnswerError("Try again.")._render_traceback_() == ["Not yet. Try again."]

    def test_a_notebook_prints_what_is_right(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The value of a check cell would be partial credit to nbgrader; it must not have one."""
        assert DisplayFormatter().format(Right("Fine.")) == ({}, {})
        assert capsys.readouterr().out == "Correct. Fine.\n"

    def test_warnings_of_a_students_function_are_not_shown(self) -> None:
        def noisy(number: int) -> int:
            warnings.warn("a warning in a test is an error", stacklevel=1)
            return number

        assert answers.call(noisy, 3) == 3

    def test_errors_in_a_students_function_name_its_arguments(self) -> None:
        def broken(a: float) -> float:
            return a / 0

        refused("broken(2.0) raised ZeroDivisionError", answers.call, broken, 2.0)
        refused("returned None. Does your function end with return?", answers.call, lambda a: None, 1)
        refused("is not a function", answers.call, 3.0, 1)
        refused("no answer yet", answers.call, lambda a: ..., 1)


class TestLab1:
    def test_the_first_answer_by_hand(self) -> None:
        assert embeddings.node_embedding([0.25, 0.48, 0.6])
        assert embeddings.node_embedding({"e = 6": 0.48, "k = 3": 0.6, "unit = 0": 0.25})

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ([-0.25, -0.48, 0.6], "never negative"),
            ([0.1, 0.58, 0.3], "bias is missing"),
            ([-0.1, -0.58, 0.3], "Two things are missing"),
            ([0.65, 1.32, 1.0], "absolute values too early"),
            ([0.25, 0.48, 0.7], "Number 3 of 3, 0.7, is too high"),
        ],
    )
    def test_wrong_node_embeddings(self, answer: list[float], hint: str) -> None:
        refused(hint, embeddings.node_embedding, answer)

    def test_the_norm_by_hand(self) -> None:
        assert embeddings.graph_norm(0.3 + 0.6 + 0.4 + 1.2)

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            (7.5, "sum over nodes"),
            ((0.09 + 0.36 + 0.16 + 1.44) ** 0.5, "Euclidean"),
            (2.5 / 4, "averaged over the channels"),
            (0.6 + 1.2 + 0.8 + 2.4, "maximum over nodes"),
            (1.2, "largest channel"),
        ],
    )
    def test_wrong_norms(self, answer: float, hint: str) -> None:
        refused(hint, embeddings.graph_norm, answer)

    def test_ranks(self) -> None:
        assert embeddings.hard_ranks((4, 1, 2, 5, 3))

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ([1, 2, 4, 0, 3], "argsort"),
            ([2, 3, 5, 1, 4], "argsort"),
            ([3, 0, 1, 4, 2], "begin at 0"),
            ([2, 5, 4, 1, 3], "descend"),
        ],
    )
    def test_wrong_ranks(self, answer: list[int], hint: str) -> None:
        refused(hint, embeddings.hard_ranks, answer)

    def test_the_soft_rank_of_a_pair_in_three_ways(self) -> None:
        def clipped(a: float, b: float, strength: float) -> tuple[float, float]:
            d = max(-1, min(1, (b - a) / strength))
            return 1.5 - d / 2, 1.5 + d / 2

        assert embeddings.soft_rank_pair(clipped)
        assert embeddings.soft_rank_pair(lambda a, b, s: np.array(clipped(a, b, s)))
        assert embeddings.soft_rank_pair(lambda a, b, s: ab.losses.soft_rank(torch.tensor([a, b]), s))

    @pytest.mark.parametrize(
        ("step", "hint"),
        [
            (lambda a, b, s: (b - a) / s, "clip"),
            (lambda a, b, s: np.clip(b - a, -1, 1), "strength has no effect"),
            (lambda a, b, s: np.clip((b - a) * s, -1, 1), "multiply by the strength"),
            (lambda a, b, s: np.clip((a - b) / s, -1, 1), "descend"),
            (lambda a, b, s: np.sign(b - a), "hard ranks"),
        ],
    )
    def test_wrong_soft_ranks(self, step: Callable[..., float], hint: str) -> None:
        def ranks(a: float, b: float, s: float) -> list[float]:
            return [1.5 - step(a, b, s) / 2, 1.5 + step(a, b, s) / 2]

        refused(hint, embeddings.soft_rank_pair, ranks)

    def test_other_soft_ranks(self) -> None:
        refused("add up to 2", embeddings.soft_rank_pair, lambda a, b, s: (1, 1))
        refused("asks for 2 numbers", embeddings.soft_rank_pair, lambda a, b, s: 1.5)
        refused("no answer yet", embeddings.soft_rank_pair, lambda a, b, s: ...)

    def test_the_largest_strength_is_where_soft_ranks_stop_being_hard(self) -> None:
        assert embeddings.largest_strength(0.5)
        values = torch.tensor(embeddings.VALUES)
        assert torch.allclose(ab.losses.soft_rank(values, 0.5), torch.tensor([4.0, 1, 2, 5, 3]).double())
        assert not torch.allclose(ab.losses.soft_rank(values, 0.51), torch.tensor([4.0, 1, 2, 5, 3]).double())

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [(1.2, "widest gap"), (0.925, "mean gap"), (2, "inverse"), (1, "closer than 1"), (0.1, "too low")],
    )
    def test_wrong_strengths(self, answer: float, hint: str) -> None:
        refused(hint, embeddings.largest_strength, answer)

    def test_the_ranking_loss(self) -> None:
        norms, targets = torch.tensor(embeddings.NORMS), torch.tensor(embeddings.TARGETS)
        right = float(ab.losses.rank_loss(norms[None, None], targets[None]))
        assert embeddings.ranking_loss(right) and embeddings.ranking_loss(round(right, 3))
        refused("the loss is 1 minus it", embeddings.ranking_loss, 1 - right)
        raw = 1 - np.corrcoef(embeddings.NORMS, embeddings.TARGETS)[0, 1]
        refused("take their soft ranks first", embeddings.ranking_loss, raw)
        hard = 1 - np.corrcoef([4, 1, 2, 3, 5], embeddings.TARGETS)[0, 1]
        refused("You used hard ranks", embeddings.ranking_loss, hard)
        refused("1 - Spearman", embeddings.ranking_loss, 1 - 0.9)  # two neighbours of five swapped

    @given(st.floats(0.01, 0.2), st.floats(0.5, 50))
    def test_many_norms_have_no_loss(self, slope: float, shift: float) -> None:
        norms = shift + slope * (embeddings.TARGETS - embeddings.TARGETS.min())
        assert embeddings.better_norms(norms.tolist())

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ([4, 1, 3, 2, 5], "The order is right, but the loss is"),
            ([4, 1, 2, 3, 5], "Network 2 has a higher target than network 3"),
            ([1, 1, 1, 1, 1], "All your norms are equal"),
            ([4, -1, 3, 2, 5], "must be above 0"),
        ],
    )
    def test_wrong_norms_of_a_batch(self, answer: list[float], hint: str) -> None:
        refused(hint, embeddings.better_norms, answer)

    def test_losses_by_hop(self) -> None:
        rng = np.random.default_rng(0)
        targets = rng.normal(size=32)
        norms = np.stack([targets * weight + rng.normal(size=32) for weight in (0.2, 1, 3)])
        right = [embeddings.loss_of(level, targets) for level in norms]
        assert embeddings.losses_by_hop(right, norms, targets)
        refused("That is one number", embeddings.losses_by_hop, np.mean(right), norms, targets)
        refused("These are correlations", embeddings.losses_by_hop, [1 - loss for loss in right], norms, targets)
        refused("reverse order", embeddings.losses_by_hop, right[::-1], norms, targets)
        refused("no answer yet", embeddings.losses_by_hop, ..., norms, targets)


@pytest.fixture(scope="module")
def table() -> ab.data.Table:
    return ab.data.load("ofa_mbv3")


@pytest.fixture(scope="module")
def parts(table: ab.data.Table) -> tuple[ab.data.Table, ab.data.Table]:
    return table.split(0.9, seed=3)


@pytest.fixture(scope="module")
def predictor(parts: tuple[ab.data.Table, ab.data.Table]) -> ab.Predictor:
    """A predictor after a moment of training: good enough to be read."""
    train = parts[0].take(range(300))
    return ab.fit(train.space, train, "100 * (acc / latency_gpu)", preset="tuned", epochs=2, progress=False)


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
        own = ab.fit(train.space, train, importances.TARGET, preset="tuned", pooling=pooling, epochs=1, progress=False)
        right = own.norms([network])[0, 0]
        layers = sum(network.depths)
        assert importances.hop0_norm(right, own, network)
        turned = right / layers if pooling == "sum" else right * layers
        refused(f"pooling of this predictor is '{pooling}'", importances.hop0_norm, turned, own, network)
        nodes = own.network.features(ab.graphs.path_graphs(own.space, [network]).codes)[0]
        refused("added e and k only", importances.hop0_norm, nodes[:, 3:5].sum(), own, network)
        refused("first layer only", importances.hop0_norm, nodes[0].sum(), own, network)

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


@pytest.fixture(scope="module")
def corpora(predictor: ab.Predictor) -> tuple[ab.UnitCorpus, ab.UnitCorpus]:
    norm = ab.score_units(predictor, progress=False)
    return norm, ab.score_units(predictor, score="effect", hosts=2, progress=False)


@pytest.fixture(scope="module")
def drawn(table: ab.data.Table) -> list[ab.Architecture]:
    return table.space.sample(np.random.default_rng(1), 4000)


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
        known = judging.frontier()
        points = judging.costs_of(drawn)
        slow = drawn[int(np.argmax(points[:, 0] + 100 * points[:, 1]))]
        largest = table.space.parse("resolution224" + "|e6_k7,e6_k7,e6_k7,e6_k7" * 5)
        refused("from the table's frontier itself", modules.beating, known.architectures[3])
        refused("The table has one with", modules.beating, slow)
        refused("it dominates nothing either", modules.beating, largest)
        refused("no network of the family", modules.beating, "resolution224|e6_k7")
        refused("Give one network; your answer has 2", modules.beating, [slow, largest])
        refused("is no network of ofa_mbv3", modules.beating, ab.spaces.ofa_pn().sample(np.random.default_rng(0)))
        refused("no answer yet", modules.beating, ...)

    def test_the_frontier_is_that_of_a_slow_definition(self, table: ab.data.Table) -> None:
        points = judging.costs_of(table.architectures)
        kept = [p for p in points if not ((points <= p).all(1) & (points < p).any(1)).any()]
        assert sorted(map(tuple, kept)) == [tuple(p) for p in judging.frontier().points]

    def test_latencies(self, corpora: tuple[ab.UnitCorpus, ab.UnitCorpus]) -> None:
        labels = [judging.label(list(corpus.top(3))) for corpus in corpora]
        right = [own.latency_gpu.mean() for own in labels]
        assert modules.latencies(right, *corpora)
        assert modules.latencies({"effect": right[1], "norm": right[0]}, *corpora)
        for answer, hint in [
            (right[::-1], "swapped"),
            ([own.acc.mean() for own in labels], "These are accuracies"),
            ([own.latency_npu.mean() for own in labels], "latency_npu"),
            ([own.latency_gpu.sum() for own in labels], "sums over the networks"),
        ]:
            refused(hint, modules.latencies, answer, *corpora)


class TestLab4:
    def test_dominates(self) -> None:
        def rightly(one: Any, other: Any) -> bool:
            return one[0] <= other[0] and one[1] >= other[1] and (one[0] < other[0] or one[1] > other[1])

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
        from autobuild_book.chapters.shared.frontiers import dominates

        points = judging.costs_of(drawn)
        wins = dominates(points, judging.frontier().region(region)).any(1)
        return [network for network, win in zip(drawn, wins, strict=True) if win]

    def test_a_cluster_and_its_gain(self, drawn: list[ab.Architecture]) -> None:
        space = drawn[0].space
        many = [*drawn, *space.sample(np.random.default_rng(2), 20_000)]
        cluster = self.winners(many, "balanced")
        assert len(cluster) >= 32, "the test needs a cluster"
        assert regions.cluster(cluster, "balanced") and regions.cluster([str(n) for n in cluster], "balanced")
        own, known = judging.label(cluster), judging.frontier()
        budget = known.region("balanced")[:, 0].max()
        best, table = (t.acc[t.latency_gpu <= budget].max() for t in (own, known.labels))
        assert regions.gain(100 * (best - table), cluster, "balanced")
        for answer, hint in [
            (best - table, "percentage points"),
            (100 * (table - best), "sign"),
            (100 * (own.acc.mean() - table), "mean of the cluster"),
            (100 * best, "accuracy itself"),
        ]:
            refused(hint, regions.gain, answer, cluster, "balanced")

    def test_wrong_clusters(self, drawn: list[ab.Architecture], corpora: tuple[ab.UnitCorpus, ab.UnitCorpus]) -> None:
        largest = [n for n in drawn if sum(n.depths) >= 18]
        smallest = [n for n in drawn if sum(n.depths) <= 13]
        refused("it is too slow", regions.cluster, largest, "fast")
        refused("it is too fast", regions.cluster, smallest, "accurate")
        medium = [n for n, (latency, _) in zip(drawn, judging.costs_of(drawn), strict=True) if 6.8 < latency < 7.8]
        refused("not accurate enough", regions.cluster, medium, "balanced")
        refused("at least 32 different networks", regions.cluster, drawn[:5], "fast")
        refused("choose one of fast, balanced, accurate", regions.cluster, drawn[:50], "slow")
        refused("at most 100,000", regions.cluster, corpora[0].top(25), "fast")
        refused("no answer yet", regions.cluster, ..., "fast")
        refused("within the budget", regions.gain, 1.0, [largest[0]], "fast")

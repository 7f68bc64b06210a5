"""The verdict on claim C3, on constructed tables and on planted scores."""

import math

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.modules import agreement, interventions, ranking, verdict
from autobuild_book.chapters.modules.agreement import CELL, UNIT
from tests.helpers.planted_modules import bench, corpus, key, panel, table, worth


def effects_table(holding: int, total: int = 100, score: str = "norm", p: float = 1e-9) -> pd.DataFrame:
    good = np.arange(total) < holding
    return pd.DataFrame(
        {"family": "f", "target": "t", "score": score, "constant": False,
         "gain_p": np.where(good, p, 0.5), "loss_p": np.where(np.arange(total) % 2, p, np.where(good, p, 0.9))}
    )  # fmt: skip


def correlations_table(median: float, score: str = "norm") -> pd.DataFrame:
    rows = [(score, UNIT, x) for x in (median - 0.2, median, median + 0.2)] + [(score, CELL, -1.0)] * 9
    return pd.DataFrame(rows, columns=["score", "scope", "srcc"])


def overlap_table(*values: float, score: str = "norm") -> pd.DataFrame:
    return pd.DataFrame({"score": score, "overlap": values}, columns=["score", "overlap"])


class TestVerdict:
    def test_supported_when_all_checks_hold(self) -> None:
        judged = verdict.judge(effects_table(80), correlations_table(0.5), overlap_table(0.1, 0.49))
        found, text = judged.checks, judged.word
        assert text == "supported" and found.holds.all()
        assert found.value.tolist() == [
            "80 of 100 cells (80%)", "0.500 (units: 0.30 to 0.70)", "2 of 2 pairs (median 0.29, largest 0.49)",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("effects", "correlations", "overlap", "holds", "expected"),
        [
            (79, 0.5, 0.1, [False, True, True], "partly"),
            (80, 0.49, 0.1, [True, False, True], "partly"),
            (80, 0.5, 0.5, [True, True, False], "partly"),
            (79, 0.49, 0.1, [False, False, True], "not supported"),
            (0, -0.5, 0.9, [False, False, False], "not supported"),
        ],
    )
    def test_each_check_can_fail(
        self, effects: int, correlations: float, overlap: float, holds: list[bool], expected: str
    ) -> None:
        tables = effects_table(effects), correlations_table(correlations), overlap_table(0.2, overlap)
        judged = verdict.judge(*tables)
        found, text = judged.checks, judged.word
        assert (found.holds.tolist(), text) == (holds, expected)

    def test_both_comparisons_must_hold_in_a_cell(self) -> None:
        assert not verdict.cells_that_hold(effects_table(0)).any(), "the worst is bad in half of them"
        assert verdict.cells_that_hold(effects_table(3)).tolist() == [True] * 3 + [False] * 97

    def test_tests_are_corrected_for_their_number(self) -> None:
        few, many = (effects_table(n, total=n, p=0.001) for n in (10, 100))
        assert verdict.cells_that_hold(few).all() and not verdict.cells_that_hold(many).any()

    def test_constant_scores_count_as_cells_that_fail(self) -> None:
        effects = effects_table(100)
        effects.loc[:20, "constant"] = True
        assert verdict.judge(effects, correlations_table(0.9), overlap_table(0.1)).word == "partly"

    def test_missing_correlations_count_as_zero(self) -> None:
        correlations = correlations_table(0.9)
        correlations.loc[[0, 2], "srcc"] = math.nan
        judged = verdict.judge(effects_table(100), correlations, overlap_table(0.1))
        found, _ = judged.checks, judged.word
        assert found.value[1] == "0.000 (units: 0.00 to 0.90)" and not found.holds[1]

    def test_a_test_without_a_result_does_not_hold(self) -> None:
        effects = effects_table(3, total=3)
        effects.loc[1, "gain_p"] = math.nan
        assert verdict.cells_that_hold(effects).tolist() == [True, False, True]

    def test_only_the_score_in_question_is_judged(self) -> None:
        tables = [
            pd.concat([make(good), make(bad, score="effect")], ignore_index=True)
            for make, good, bad in ((effects_table, 100, 0), (correlations_table, 0.9, -0.5), (overlap_table, 0.1, 0.9))
        ]
        assert verdict.judge(*tables).word == "supported"
        assert verdict.judge(*tables, "effect").word == "not supported"

    def test_undecided_without_measured_effects_or_with_one_equation(self) -> None:
        no_effects, no_correlations = (
            pd.DataFrame(columns=interventions.EFFECTS),
            pd.DataFrame(columns=agreement.AGREEMENT),
        )
        judged = verdict.judge(no_effects, no_correlations, overlap_table(0.1))
        found, text = judged.checks, judged.word
        assert text == "undecided" and len(found) == 1
        assert verdict.judge(effects_table(100), correlations_table(0.9), overlap_table()).word == "undecided"
        judged = verdict.judge(no_effects, no_correlations, overlap_table())
        found, text = judged.checks, judged.word
        assert text == "undecided" and found.empty

    def test_seeds_are_judged_one_by_one(self) -> None:
        tables = [
            pd.concat([make(one).assign(seed=1), make(other).assign(seed=2)], ignore_index=True)
            for make, one, other in (
                (effects_table, 100, 0),
                (correlations_table, 0.9, -0.5),
                (overlap_table, 0.1, 0.9),
            )
        ]
        found = verdict.by_seed(*tables).set_index("seed")
        assert found.verdict.to_dict() == {1: "supported", 2: "not supported"}
        assert found["best beats random beats worst"].tolist() == ["100 of 100 cells (100%)", "0 of 100 cells (0%)"]

    def test_counts_by_task_add_up_to_the_verdict(self) -> None:
        effects = pd.concat([effects_table(30).assign(target="u"), effects_table(10, total=20)], ignore_index=True)
        tasks = pd.DataFrame({"family": "f", "target": ["t", "u", "v"], "label": ["second", "first", "unused"]})
        found = verdict.cells_by_task(effects, tasks)
        assert found.norm.to_dict() == {("f", "second"): "10 of 20", ("f", "first"): "30 of 100"}
        assert verdict.cells_by_task(effects.iloc[:0], tasks).empty


def test_the_whole_chain_on_planted_scores_supports_a_true_score_and_rejects_an_empty_one() -> None:
    """Two targets that want the opposite; "effect" knows the truth, "norm" draws lots."""
    noise = np.random.default_rng(0)
    corpora = {
        key("effect", "y"): corpus(worth),
        key("effect", "z"): corpus(lambda unit, module: -worth(unit, module)),
        key("norm", "y"): (lots := corpus(lambda _, __: noise.normal())),
        key("norm", "z"): lots,
    }
    own, both = panel(a="y", b="z"), {"small": bench()}
    effects = interventions.intervene(both, ranking.extremes(corpora, 0), 0)
    correlations = agreement.score_agreement(both, corpora, {"small": table()}, 9, 0)
    overlap = ranking.overlaps([own], corpora, 0)
    assert verdict.judge(effects, correlations, overlap, "effect").word == "supported"
    assert verdict.judge(effects, correlations, overlap, "norm").word == "not supported"

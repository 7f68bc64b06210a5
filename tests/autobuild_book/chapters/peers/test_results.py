"""What is made of the rows, by hand where possible."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.peers import (
    results,
)
from autobuild_book.chapters.shared.measured_again import spot_check
from autobuild_book.chapters.shared.models import registry
from tests.helpers.peer_rows import OURS, THEIRS, rows_of


class TestResults:
    def test_summary(self) -> None:
        found = results.mean_measures(rows_of({("m", 25): [0.5, 0.7], ("n", 25): [0.9]}))
        first = found[(found.model == "m") & (found.measure == "srcc")].iloc[0]
        half = 12.706205 * 0.1
        assert (first.value, first.low, first.high) == pytest.approx((0.6, 0.6 - half, 1.0), abs=1e-6)  # cut at 1
        regret = found[(found.model == "m") & (found.measure == "regret")].iloc[0]
        assert (regret.value, regret.high) == pytest.approx((0.4, 0.4 + half), abs=1e-6)
        assert math.isnan(found[found.model == "n"].iloc[0].low)

    def test_by_size_leaves_a_gap_where_a_task_is_missing(self) -> None:
        both = pd.concat([rows_of({("m", 25): [0.5], ("n", 25): [0.7]}), rows_of({("m", 25): [0.7]}, "u")])
        found = results.by_size(results.mean_measures(both), "srcc")
        assert found.loc["m", 25] == pytest.approx(0.6) and math.isnan(found.loc["n", 25])

    @pytest.mark.parametrize(
        ("theirs", "winner"),
        [
            ([0.8, 0.81, 0.82], OURS),
            ([0.97, 0.98, 0.99], THEIRS),
            ([0.9, 0.93, 0.9], "even"),
            ([0.905, 0.915, 0.925], "even"),
        ],  # better for sure, but by less than the margin
    )
    def test_who_wins(self, theirs: list[float], winner: str) -> None:
        rows = rows_of({(OURS, 25): [0.9, 0.91, 0.92], (THEIRS, 25): theirs, (registry.PAPER.name, 25): [0.1] * 3})
        (found,) = results.against_autobuild(rows).itertuples()
        assert (found.autobuild, found.other, found.winner) == (OURS, THEIRS, winner)
        assert found.lead == pytest.approx(0.91 - np.mean(theirs))

    def test_nobody_is_known_to_win_on_one_training_set(self) -> None:
        rows = rows_of({(OURS, 25): [0.9, 0.92], (THEIRS, 25): [0.5, 0.5]}).assign(draw=0)
        (found,) = results.against_autobuild(rows).itertuples()
        assert found.winner == "unknown" and found.lead == pytest.approx(0.41) and math.isnan(found.low)
        assert results.mean_measures(rows).low.isna().all()

    def test_combinations_are_nobodys_peers_but_may_be_advised(self) -> None:
        rows = rows_of({(OURS, 25): [0.9, 0.9], (THEIRS, 25): [0.8, 0.8], (registry.EMBEDDED.name, 25): [1.0, 1.0]})
        (found,) = results.against_autobuild(rows).itertuples()
        assert (found.autobuild, found.other) == (OURS, THEIRS)
        assert results.advise(rows, [25])[0].best == registry.EMBEDDED.name

    def test_regret_is_better_when_it_is_low(self) -> None:
        rows = rows_of({(OURS, 25): [0.9, 0.91], (THEIRS, 25): [0.8, 0.81]})
        (found,) = results.against_autobuild(rows, "regret").itertuples()
        assert found.lead == pytest.approx(0.1) and found.autobuild_value == pytest.approx(0.095)

    def test_gains_are_paired_over_tasks(self) -> None:
        parts = {("forest: GRAF", 25): [0.5, 0.6], ("forest: one-hot + GRAF", 25): [0.6, 0.6]}
        both = pd.concat([rows_of(parts), rows_of({key: [0.5] for key in parts}, "u")])
        (found,) = results.combining(both).itertuples()
        assert (found.combination, found.part, found.tasks) == ("forest: one-hot + GRAF", "forest: GRAF", 2)
        assert found.gain == pytest.approx(0.025)

    def test_models_that_nobody_measured_are_named(self) -> None:
        missing = results.not_measured(rows_of({(OURS, 25): [0.5], (THEIRS, 25): [0.5]}))
        assert registry.PAPER.name in missing and not {OURS, THEIRS} & set(missing)

    def test_spot_check(self) -> None:
        before, live = rows_of({("m", 25): [0.5, 0.7]}), rows_of({("m", 25): [0.5, 0.6]})
        rows = spot_check(live, before, results.KEY)
        assert rows.difference.tolist() == pytest.approx([-0.1, 0.0])
        assert rows.spread.tolist() == pytest.approx([0.2 / np.sqrt(2)] * 2)


class TestAdvice:
    def rows(self, cheap: Sequence[float]) -> pd.DataFrame:
        """Four tasks, two training subsets each: AutoBuild reaches 0.9, the cheap ridge what is given for a task."""
        return pd.concat(
            [
                rows_of({(OURS, 50): [0.9, 0.9], (THEIRS, 50): [value, value]}, f"t{place}").assign(
                    fit_seconds=lambda frame: frame.model.map({OURS: 10.0, THEIRS: 0.1})
                )
                for place, value in enumerate(cheap)
            ]
        )

    def test_a_cheap_model_is_advised_when_it_is_shown_to_lose_little(self) -> None:
        (found,) = results.advise(self.rows([0.9, 0.88, 0.91, 0.89]), [50, 400])
        assert (found.best, found.advised, found.tasks) == (OURS, THEIRS, 4)
        assert found.sentence() == (
            "With 50 labelled networks use **additive ridge** (SRCC 0.895), the cheapest shown to be within 0.01 of "
            "AutoBuild, tuned preset (0.900)."
        )

    def test_the_best_model_is_advised_otherwise(self) -> None:
        (found,) = results.advise(self.rows([0.88, 0.89, 0.88, 0.9]), [50])
        assert found.advised == found.best == OURS
        assert found.sentence() == "With 50 labelled networks use **AutoBuild, tuned preset** (SRCC 0.900)."

    def test_losing_now_little_and_now_much_shows_nothing(self) -> None:
        rows = rows_of({(OURS, 50): [0.9, 0.9], (THEIRS, 50): [0.9, 0.894]})
        cheap = rows.assign(fit_seconds=rows.model.map({OURS: 10.0, THEIRS: 0.1}))
        (found,) = results.advise(cheap, [50])
        assert found.advised == OURS, "0.003 on average, but the interval reaches beyond 0.01"

    def test_measures_that_choose_different_models_are_named(self) -> None:
        rows = rows_of({(OURS, 50): [0.9], (THEIRS, 50): [0.8], (OURS, 400): [0.9], (THEIRS, 400): [0.8]})
        lost = rows.assign(fit_seconds=1.0, regret=rows.model.map({OURS: 0.5, THEIRS: 0.6}))
        same = [results.advise(lost, [50, 400], measure) for measure in ("srcc", "regret")]
        assert OURS not in results.chosen_apart(*same)
        ours_at_50 = (lost.model == OURS) & (lost["size"] == 50)
        other = [same[0], results.advise(lost.assign(regret=lost.regret.mask(ours_at_50, 0.7)), [50, 400], "regret")]
        text = results.chosen_apart(*other)
        assert text.index("50") < text.index(OURS) < text.index(THEIRS) and "400" not in text

    def test_a_large_loss_in_one_task_counts(self) -> None:
        (found,) = results.advise(self.rows([0.9, 0.9, 0.9, 0.6]), [50])
        assert found.advised == OURS

    def test_several_runs_on_the_same_rows_are_no_interval(self) -> None:
        rows = rows_of({(OURS, 50): [0.9, 0.9, 0.9], (THEIRS, 50): [0.899, 0.899, 0.899]})
        cheap = rows.assign(fit_seconds=rows.model.map({OURS: 10.0, THEIRS: 0.1}))
        assert results.advise(cheap, [50])[0].advised == THEIRS
        (found,) = results.advise(cheap.assign(draw=0), [50])
        assert (found.advised, found.draws) == (THEIRS, 1)
        expected = "the cheapest within 0.01 of AutoBuild, tuned preset (0.900) on the only training set of this size."
        assert found.sentence().endswith(expected)
        (far,) = results.advise(cheap.assign(draw=0, srcc=cheap.srcc.replace(0.899, 0.88)), [50])
        assert far.advised == OURS

    def test_a_model_without_all_tasks_is_left_out(self) -> None:
        rows = self.rows([0.95, 0.95, 0.95, 0.95])
        partly = rows[(rows.model == OURS) | (rows.target != "t3")]
        assert results.advise(partly, [50]) == []

    def test_without_correlations_there_is_no_advice_but_a_sentence(self) -> None:
        advice = results.advise(self.rows([math.nan] * 4).assign(srcc=math.nan), [50])
        assert advice == [] and len(results.sentences(advice)) == 1
        assert results.decision_box({"srcc": advice}).endswith(results.sentences(advice)[0])

    def test_autobuild_is_always_named(self) -> None:
        (found,) = results.advise(self.rows([0.95, 0.96, 0.95, 0.97]), [50])
        assert found.sentence().endswith("**additive ridge** (SRCC 0.958); AutoBuild, tuned preset reaches 0.900.")

    def test_one_task_is_paired_over_training_subsets(self) -> None:
        rows = rows_of({(OURS, 50): [0.9, 0.92, 0.91], (THEIRS, 50): [0.8, 0.82, 0.81]})
        (found,) = results.advise(rows, [50])
        assert (found.best, found.advised, found.tasks) == (OURS, OURS, 1)

    def test_box(self) -> None:
        rows = self.rows([0.95, 0.96, 0.95, 0.97])
        box = results.decision_box({m: results.advise(rows, [50], m) for m in ("srcc", "regret")})
        assert box.startswith("**To rank networks**\n\n- With 50 labelled") and "**To find one of the best**" in box
        assert "(regret 0.043); AutoBuild, tuned preset reaches 0.100" in box

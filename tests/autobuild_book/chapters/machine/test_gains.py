"""Gains over the best measured networks, by hand."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

import autobuild_lib as ab
from autobuild_book.chapters.machine import gains, subjects
from autobuild_book.chapters.machine.building import BEST, RANDOM, SMALLEST
from autobuild_book.chapters.machine.latency import measure_rounds
from autobuild_book.chapters.machine.subjects import Subject
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE
from tests.helpers.cheap_measures import rounds_of, values


def test_networks_built_from_few_measurements_beat_random_ones(chapter: Mapping[str, Any]) -> None:
    comparison = gains.gains_over_best(chapter["values"]).set_index("group")
    for group in (NORM, EFFECT, RIDGE):
        assert comparison["gain"][group] > comparison["gain"][RANDOM] + 5
    assert comparison["gain"][RIDGE] > 0, "what is additive, the ridge builds best"
    assert comparison["gain"][SMALLEST] > comparison["gain"].drop(SMALLEST).max() - 2, "nothing is faster"


GROUPS = {
    NORM: [[12, 14, 13], [15, 15, 90], [14, 11, 14]],
    BEST: [[10, 10, 20], [11, 9, 11], [12, 12, 0]],
    SMALLEST: [[20, 20, 20]],
}


def test_comparison_by_hand() -> None:
    found = gains.gains_over_best(values(GROUPS)).set_index("group")
    own, best = [13.0, 15.0, 14.0], [10.0, 11.0, 12.0]  # medians over rounds
    test = ttest_ind(own, best, equal_var=False, alternative="greater")
    row = found.loc[NORM]
    assert (row["networks"], row["mean"], row["gain"]) == (3, 14.0, pytest.approx(100 * 3 / 11))
    half = 2.776445 * math.sqrt(2 / 3) * 100 / 11  # t(0.975, 4): both groups have variance 1
    assert (row["low"], row["high"]) == pytest.approx((row["gain"] - half, row["gain"] + half), rel=1e-5)
    assert row["p"] == pytest.approx(test.pvalue)
    firsts = np.array([20.0, 40.0, -35.0])  # 12 against 10, 14 against 10, 13 against 20
    half = 4.302653 * firsts.std(ddof=1) / math.sqrt(3)
    assert row["first_gain"] == pytest.approx(firsts.mean())
    assert (row["first_low"], row["first_high"]) == pytest.approx((firsts.mean() - half, firsts.mean() + half))
    assert found["gain"][SMALLEST] == pytest.approx(100 * 9 / 11) and math.isnan(found["p"][SMALLEST])
    assert (found["gain"][BEST], found["first_gain"][BEST]) == (0, 0)


def test_a_gain_in_negative_values_is_a_gain() -> None:
    found = gains.gains_over_best(values({NORM: [[-8.0, -8.0]], BEST: [[-10.0, -10.0]]})).set_index("group")
    assert (found["gain"][NORM], found["first_gain"][NORM]) == (20, 20)


def test_groups_without_spread_have_no_test() -> None:
    found = gains.gains_over_best(values({NORM: [[2.0], [2.0]], BEST: [[1.0], [1.0]]})).set_index("group")
    assert found["gain"][NORM] == 100 and math.isnan(found["p"][NORM])


def test_second_look_by_hand(toy: ab.SequenceSpace, toy_subject: Subject) -> None:
    drawn = subjects.draw(toy, 4, 0)
    table = subjects.measured_table(toy_subject, rounds_of(drawn, [10.0, 20.0, 40.0, 50.0]))
    chosen = pd.DataFrame({
        "target": "1000 / latency", "group": [BEST, BEST, RANDOM, RANDOM, SMALLEST], "place": [0, 1, 0, 1, 0],
        "architecture": [*drawn, subjects.smallest(toy)],
    })  # fmt: skip
    again = rounds_of([*drawn, subjects.smallest(toy)], [20.0, 25.0, 40.0, 40.0, 7.0])
    found = gains.second_look(toy_subject, table, gains.final_values(toy_subject, chosen, again)).set_index("group")
    assert found["change"].to_dict() == pytest.approx({BEST: -35.0, RANDOM: 12.5})  # -50 and -20; 0 and 25


def test_the_best_of_equal_networks_lose_what_was_luck(toy: ab.SequenceSpace) -> None:
    rng = np.random.default_rng(0)

    def noise(_: ab.Architecture) -> float:
        return float(rng.normal(100, 5))

    subject = Subject(toy, noise, "latency", ("1000 / latency",))
    drawn = subjects.draw(toy, 100, 0)
    table = subjects.measured_table(subject, measure_rounds(drawn, noise, 1, progress=False))
    order = table.labels["latency"].argsort()
    places = {BEST: order[:10], RANDOM: rng.permutation(100)[:10]}
    rows = [("1000 / latency", group, i, drawn[row]) for group, own in places.items() for i, row in enumerate(own)]
    chosen = pd.DataFrame(rows, columns=["target", "group", "place", "architecture"])
    again = measure_rounds(list(dict.fromkeys(chosen["architecture"])), noise, 5, progress=False)
    found = gains.second_look(subject, table, gains.final_values(subject, chosen, again))
    change = found.set_index("group")
    assert change["high"][BEST] < 0 and change["change"][BEST] < change["change"][RANDOM] - 3

"""Intervals and tests: by hand, against SciPy, and where there is nothing to say."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from autobuild_book.intervals import (
    ANYWHERE,
    CORRELATION,
    ends_of,
    greater_than_zero,
    holm,
    interval_texts,
    mean_with_interval,
    or_unknown,
)

RNG = np.random.default_rng(0)


def test_a_higher_confidence_widens_the_interval_of_a_mean() -> None:
    x = RNG.normal(size=30)
    narrow, wide = mean_with_interval(x, 0.8), mean_with_interval(x, 0.99)
    assert narrow[0] == wide[0] and wide[1] < narrow[1] < narrow[2] < wide[2]


def test_mean_interval_by_hand() -> None:
    # (1, 2, 3): sd 1, t(0.975, 2) = 4.302653
    half = 4.302653 / math.sqrt(3)
    assert mean_with_interval([1, 2, 3]) == pytest.approx((2, 2 - half, 2 + half), abs=1e-6)


def test_mean_interval_as_scipy() -> None:
    values = RNG.normal(3, 2, size=17)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert mean_with_interval(values, 0.9) == pytest.approx((values.mean(), expected.low, expected.high))


def test_mean_of_one_value_has_no_interval() -> None:
    assert mean_with_interval([0.5]) == pytest.approx((0.5, math.nan, math.nan), nan_ok=True)


def test_an_interval_is_cut_where_the_mean_cannot_be() -> None:
    # (0.7, 0.9): sd 0.1 sqrt(2), t(0.975, 1) = 12.7062, so that the half is 1.27062
    assert mean_with_interval([0.7, 0.9]) == pytest.approx((0.8, 0.8 - 1.27062, 0.8 + 1.27062), abs=1e-5)
    assert mean_with_interval([0.7, 0.9], within=CORRELATION) == pytest.approx((0.8, 0.8 - 1.27062, 1.0), abs=1e-5)
    assert mean_with_interval([-0.7, -0.9], within=CORRELATION) == pytest.approx((-0.8, -1.0, 1.27062 - 0.8), abs=1e-5)


@pytest.mark.parametrize(
    ("metric", "values", "ends"),
    [
        ("srcc_head", [0.9, math.nan], CORRELATION),
        ("models[gcn].tau", [-1.0, 1.0], CORRELATION),
        ("head", [0.9, 1.1], ANYWHERE),
        ("taught", [0.9], ANYWHERE),
        ("gain", [0.9], ANYWHERE),
    ],
)
def test_rank_correlations_end_at_one(metric: str, values: list[float], ends: tuple[float, float]) -> None:
    assert ends_of(metric, values) == ends


def test_greater_than_zero_by_hand() -> None:
    # (1, 2, 3): t = 2 * sqrt(3) on 2 degrees of freedom; there the upper tail is 1/2 - t / (2 sqrt(2 + t^2))
    t = 2 * math.sqrt(3)
    assert greater_than_zero([1, 2, 3]) == pytest.approx(0.5 - t / (2 * math.sqrt(2 + t * t)))


def test_greater_than_zero_is_one_sided() -> None:
    values = RNG.normal(0.4, 1, size=12)
    assert greater_than_zero(values) + greater_than_zero(-values) == pytest.approx(1)
    assert greater_than_zero(values) < 0.5 < greater_than_zero(-values)


def test_greater_than_zero_without_spread_or_without_values() -> None:
    assert greater_than_zero([0.1, 0.1, 0.1]) == 0 and greater_than_zero([0, 0]) == greater_than_zero([-1, -1]) == 1
    assert math.isnan(greater_than_zero([0.1])) and math.isnan(greater_than_zero([]))
    assert math.isnan(greater_than_zero([0.1, math.nan, 0.3]))


def test_holm_by_hand() -> None:
    # sorted 0.01, 0.02, 0.03, 0.6 times 4, 3, 2, 1 gives 0.04, 0.06, 0.06, 0.6, and never falls
    assert holm([0.03, 0.01, 0.6, 0.02]) == pytest.approx([0.06, 0.04, 0.6, 0.06])
    assert holm([0.01, 0.011]) == pytest.approx([0.02, 0.02])


def test_holm_of_none_one_and_large() -> None:
    assert holm([]) == [] and holm([0.04]) == [0.04] and holm([0.7, 0.9]) == [1.0, 1.0]


def test_holm_lies_between_the_raw_and_the_bonferroni_value() -> None:
    p = RNG.random(20) ** 3
    adjusted = np.array(holm(list(p)))
    assert (p <= adjusted).all() and (adjusted <= np.minimum(20 * p, 1) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_holm_counts_a_test_that_could_not_be_made() -> None:
    assert holm([0.01, math.nan]) == pytest.approx([0.02, math.nan], nan_ok=True)


@pytest.mark.parametrize(("value", "text"), [(0.126, "0.13"), (np.float64(-1), "-1.00"), (math.nan, "unknown")])
def test_a_number_as_text(value: float, text: str) -> None:
    assert or_unknown(value, ".2f") == text


def test_intervals_as_text() -> None:
    value, low, high = (pd.Series(own) for own in ([0.1234, -0.5, np.nan], [0.1, np.nan, 0.0], [0.2, np.nan, 1.0]))
    assert interval_texts(value, low, high, 2) == ["0.12 [0.10, 0.20]", "-0.50", ""]

"""Statistics: by hand, against SciPy, and where there is nothing to say."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from autobuild_lib.statistics import (
    greater_than_zero,
    holm,
    interval_texts,
    mean_with_interval,
    or_unknown,
    srcc,
    srcc_with_interval,
)

RNG = np.random.default_rng(0)


def test_srcc_by_hand() -> None:
    # rank differences of (1, 2, 3, 4) and (2, 1, 4, 3) are all 1: 1 - 6 * 4 / (4 * 15) = 0.6
    assert srcc(np.array([10.0, 20, 30, 40]), np.array([5.0, 1, 9, 7])) == pytest.approx(0.6)


def test_srcc_gives_ties_their_average_rank() -> None:
    a, b = np.array([1.0, 1, 2, 3]), np.array([1.0, 2, 3, 4])
    assert srcc(a, b) == pytest.approx(np.corrcoef([1.5, 1.5, 3, 4], [1, 2, 3, 4])[0, 1])


@pytest.mark.parametrize(
    ("predicted", "truth"), [([], []), ([1.0], [2.0]), ([3.0, 3, 3], [1.0, 2, 3]), ([1.0, 2, 3], [3.0, 3, 3])]
)
def test_srcc_of_nothing_or_of_a_constant_is_nan_without_a_warning(predicted: list[float], truth: list[float]) -> None:
    assert all(map(math.isnan, srcc_with_interval(np.array(predicted), np.array(truth))))


def test_srcc_interval_by_hand() -> None:
    # r = 0.6, n = 4: half width 1.959964 * sqrt((1 + 0.18) / 1) around atanh(0.6) = 0.693147
    found, low, high = srcc_with_interval(np.array([10.0, 20, 30, 40]), np.array([5.0, 1, 9, 7]))
    half = 1.959964 * math.sqrt(1.18)
    assert (low, high) == pytest.approx((math.tanh(0.693147 - half), math.tanh(0.693147 + half)), abs=1e-6)
    assert low < found < high


def test_srcc_interval_needs_four_rows_and_an_imperfect_correlation() -> None:
    assert srcc_with_interval(np.arange(9.0), np.arange(9.0)) == pytest.approx((1, math.nan, math.nan), nan_ok=True)
    assert srcc_with_interval(np.arange(9.0), -np.arange(9.0)) == pytest.approx((-1, math.nan, math.nan), nan_ok=True)
    assert math.isnan(srcc_with_interval(np.array([1.0, 2, 3]), np.array([1.0, 3, 2]))[1])


def test_srcc_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rho = 6 / np.pi * np.arcsin(0.7 / 2)  # Spearman's correlation of normal pairs that correlate by 0.7
    pairs = RNG.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=(400, 60))
    intervals = [srcc_with_interval(pair[:, 0], pair[:, 1])[1:] for pair in pairs]
    assert 0.91 < np.mean([low < rho < high for low, high in intervals]) < 0.985


def test_a_higher_confidence_widens_both_intervals() -> None:
    x, y = RNG.normal(size=(2, 30))
    for narrow, wide in (
        (srcc_with_interval(x, x + y, 0.8), srcc_with_interval(x, x + y, 0.99)),
        (mean_with_interval(x, 0.8), mean_with_interval(x, 0.99)),
    ):
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

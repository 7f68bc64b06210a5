"""Rank correlation: by hand, and where there is nothing to say."""

import math

import numpy as np
import pytest

from autobuild_lib.statistics import srcc, srcc_with_interval

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


def test_a_higher_confidence_widens_the_interval() -> None:
    x, y = RNG.normal(size=(2, 30))
    narrow, wide = srcc_with_interval(x, x + y, 0.8), srcc_with_interval(x, x + y, 0.99)
    assert narrow[0] == wide[0] and wide[1] < narrow[1] < narrow[2] < wide[2]

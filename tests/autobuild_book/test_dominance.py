"""Dominance by hand, and hypervolumes against pymoo."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from pymoo.indicators.hv import HV

from autobuild_book import dominance
from autobuild_book.dominance import best_within, dominates, hypervolume_curve
from autobuild_lib.search import front
from tests.autobuild_lib.search.test_pareto import POINTS

SMALL = arrays(np.int64, st.tuples(st.integers(1, 8), st.just(2)), elements=st.integers(0, 4)).map(np.float64)


def test_hypervolume_by_hand() -> None:
    points = np.array([[2, 3], [4, 4], [3, 1], [9, 0], [np.nan, np.nan], [1, 4], [5, 5]])
    areas = [3 * 2, 6, 6 + 2 * 2, 10, 10, 11, 11]  # up to (5, 5)
    np.testing.assert_allclose(hypervolume_curve(points, (5, 5)), areas)
    np.testing.assert_allclose(hypervolume_curve(points, (5, 5), (2, 10)), np.array(areas) / 20)
    assert hypervolume_curve(np.empty((0, 2)), (5, 5)).tolist() == []


@pytest.mark.parametrize("block", [1, 7, 256])
def test_curve_is_pymoos_hypervolume_after_each_evaluation(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dominance, "BLOCK", block)

    @given(POINTS, st.tuples(st.integers(-2, 5), st.integers(-2, 5)), st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)))
    def check(points: npt.NDArray[np.float64], reference: tuple[int, int], scale: tuple[float, float]) -> None:
        scaled = (points - reference) / np.array(scale)
        expected = [HV(ref_point=np.zeros(2))(scaled[: n + 1]) for n in range(len(points))]
        np.testing.assert_allclose(hypervolume_curve(points, reference, scale), expected, rtol=1e-9, atol=1e-12)

    check()


def test_dominance_by_hand() -> None:
    points = np.array([[1, -5], [2, -6], [3, -4]])
    others = np.array([[1, -5], [2, -5], [1, -6]])
    assert dominates(points, others).tolist() == [
        [False, True, False],  # equal; better in one; worse in one
        [False, True, False],
        [False, False, False],
    ]


@given(SMALL, SMALL)
def test_dominance_is_a_strict_order(points: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> None:
    forth, back = dominates(points, others), dominates(others, points)
    assert not (forth & back.T).any() and not dominates(points, points).diagonal().any()
    assert (front(points) == ~dominates(points, points).any(0)).all()


def test_the_best_within_a_budget() -> None:
    points = np.array([[10, -0.7], [20, -0.8], [20, -0.75]])
    assert [best_within(points, budget) for budget in (10, 19.9, 20)] == [0.7, 0.7, 0.8]
    assert math.isnan(best_within(points, 9.9)) and math.isnan(best_within(points[:0], 9.9))

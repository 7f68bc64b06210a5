"""Fronts and hypervolumes against pymoo, and by hand."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from pymoo.indicators.hv import HV
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from autobuild_lib.search import costs, front, hypervolume_curve, pareto
from autobuild_lib.search.pareto import best_within, dominates

GRID = arrays(np.int64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.integers(-4, 6)).map(np.float64)
FREE = arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-3, 3))
POINTS = st.one_of(GRID, FREE)
SMALL = arrays(np.int64, st.tuples(st.integers(1, 8), st.just(2)), elements=st.integers(0, 4)).map(np.float64)


def test_costs_turn_both_objectives_to_smaller_is_better() -> None:
    labels = pd.DataFrame({"acc": [0.5, np.nan, 0.75], "latency": [10.0, np.nan, 20.0], "other": [np.nan, 1.0, 2.0]})
    np.testing.assert_allclose(costs(labels, "acc * 100", "latency + 1"), [[11, -50], [np.nan, np.nan], [21, -75]])
    with pytest.raises(ValueError, match=r"no label 'pq'; .*: acc"):
        costs(labels, "pq", "acc")
    with pytest.raises(ValueError, match="not finite in 1 of 2 rows: 2 "):
        costs(labels, "acc", "log(15 - latency)")


def test_front_by_hand() -> None:
    points = np.array([[1, 5], [2, 4], [2, 5], [3, 4], [1, 5], [0, 9], [9, 0], [9, 1], [np.nan, np.nan]])
    assert front(points).tolist() == [True, True, False, False, True, True, True, False, False]
    assert front(np.full((3, 2), np.nan)).tolist() == [False] * 3
    assert front(np.empty((0, 2))).tolist() == []


@given(POINTS)
def test_front_is_that_of_pymoo(points: npt.NDArray[np.float64]) -> None:
    expected = NonDominatedSorting().do(points, only_non_dominated_front=True)
    assert set(np.flatnonzero(front(points))) == set(expected)


def test_hypervolume_by_hand() -> None:
    points = np.array([[2, 3], [4, 4], [3, 1], [9, 0], [np.nan, np.nan], [1, 4], [5, 5]])
    areas = [3 * 2, 6, 6 + 2 * 2, 10, 10, 11, 11]  # up to (5, 5)
    np.testing.assert_allclose(hypervolume_curve(points, (5, 5)), areas)
    np.testing.assert_allclose(hypervolume_curve(points, (5, 5), (2, 10)), np.array(areas) / 20)
    assert hypervolume_curve(np.empty((0, 2)), (5, 5)).tolist() == []


@pytest.mark.parametrize("block", [1, 7, 256])
def test_curve_is_pymoos_hypervolume_after_each_evaluation(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pareto, "BLOCK", block)

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

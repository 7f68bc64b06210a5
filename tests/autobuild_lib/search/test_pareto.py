"""Fronts against pymoo, and by hand."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from autobuild_lib.search import costs, front

GRID = arrays(np.int64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.integers(-4, 6)).map(np.float64)
FREE = arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-3, 3))
POINTS = st.one_of(GRID, FREE)


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

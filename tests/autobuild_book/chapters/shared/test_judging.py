"""Rankings judged by hand."""

import math

import numpy as np
import pytest

from autobuild_book.chapters.shared.judging import quality, true_rank


def test_quality_by_hand() -> None:
    truth = np.arange(20.0)
    predicted = truth.copy()
    predicted[[19, 0]] = predicted[[0, 19]]  # the best is taken for the worst, and the other way round
    found = quality(predicted, truth)
    assert found["recall"] == 0.5  # of 19 and 18, 18 is found
    assert found["regret"] == pytest.approx(1 / truth.std())  # 18 is the best of ten
    assert quality(truth, truth) == {"srcc": 1.0, "recall": 1.0, "regret": 0.0}


def test_less_may_be_better() -> None:
    truth = np.arange(30.0)
    assert quality(truth, truth, lower_is_better=True) == {"srcc": 1.0, "recall": 1.0, "regret": 0.0}
    found = quality(-truth, truth, lower_is_better=True)
    assert (found["srcc"], found["recall"], found["regret"]) == (-1.0, 0.0, pytest.approx(20 / truth.std()))


def test_a_constant_label_has_no_regret() -> None:
    assert math.isnan(quality(np.arange(5.0), np.ones(5))["regret"])


def test_true_rank_counts_what_is_better() -> None:
    truth = np.array([3.0, 1.0, 2.0, 3.0, 5.0])
    assert [true_rank(value, truth) for value in truth] == [2, 5, 4, 2, 1]
    assert [true_rank(value, truth, lower_is_better=True) for value in truth] == [3, 1, 2, 3, 5]

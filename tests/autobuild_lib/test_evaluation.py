"""Evaluation: the report of a predictor is what its norms and predictions say."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

import autobuild_lib as ab

SMALL: dict[str, Any] = {"epochs": 2, "width": 8, "hops": 2}


@pytest.fixture(scope="module")
def predictor(toy_table: ab.data.Table) -> ab.Predictor:
    return ab.fit(toy_table.space, toy_table.take(range(100)), "additive", **SMALL)


@pytest.fixture(scope="module")
def test_rows(toy_table: ab.data.Table) -> ab.data.Table:
    return toy_table.take(range(100, 150))


def test_rows_and_columns(predictor: ab.Predictor, test_rows: ab.data.Table) -> None:
    report = ab.evaluate(predictor, test_rows)
    assert list(report.index) == ["hop 0", "hop 1", "hop 2", "head"]
    assert list(report.columns) == ["srcc", "low", "high", "mae"]
    assert report.mae.notna().tolist() == [False, False, False, True]


def test_numbers_by_the_plain_route(predictor: ab.Predictor, test_rows: ab.data.Table) -> None:
    report = ab.evaluate(predictor, test_rows)
    truth = test_rows.labels["additive"].to_numpy()
    predicted, norms = predictor.predict(test_rows.architectures), predictor.norms(test_rows.architectures)
    expected = [spearmanr(level, truth).statistic for level in [*norms, predicted]]
    np.testing.assert_allclose(report.srcc, expected)
    assert report.mae["head"] == pytest.approx(np.abs(predicted - truth).mean())
    assert ((report.low < report.srcc) & (report.srcc < report.high)).all()


@pytest.mark.parametrize("target", ["-additive", ab.Target("-additive")])
def test_another_target_may_be_asked_for(
    predictor: ab.Predictor, test_rows: ab.data.Table, target: str | ab.Target
) -> None:
    own, turned = ab.evaluate(predictor, test_rows), ab.evaluate(predictor, test_rows, target)
    np.testing.assert_allclose(turned.srcc, -own.srcc)
    assert turned.mae["head"] > own.mae["head"]


def test_an_unknown_label_lists_the_known(predictor: ab.Predictor, test_rows: ab.data.Table) -> None:
    with pytest.raises(ValueError, match=r"no label 'speed'; .*: additive, other"):
        ab.evaluate(predictor, test_rows, "speed")


def test_a_table_of_another_space_is_refused(predictor: ab.Predictor) -> None:
    space = ab.spaces.ofa_mbv3()
    table = ab.data.from_records(space, [(space.sample(np.random.default_rng(0)), {"additive": 1.0})])
    with pytest.raises(ab.SpaceError, match="'ofa_mbv3' given to space 'toy'"):
        ab.evaluate(predictor, table)


def test_one_row_and_constant_labels_have_no_rank_correlation(
    predictor: ab.Predictor, test_rows: ab.data.Table
) -> None:
    for rows, target in ((test_rows.take([3]), "additive"), (test_rows, "0 * additive")):
        report = ab.evaluate(predictor, rows, target)
        assert report.srcc.isna().all() and math.isfinite(report.mae["head"])

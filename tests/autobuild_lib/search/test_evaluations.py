"""Evaluating: at once, one at a time, in processes; what fails alone and what is the evaluator's own fault."""

import logging
import re
from concurrent.futures.process import BrokenProcessPool
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_lib.search import EvaluationLog, evaluate_all, fingerprint
from tests.helpers import evaluators
from tests.helpers.evaluators import fails, label, label_or_fail, worth, worthy

SPACE = ab.spaces.ofa_mbv3()


class Counting:
    """Notes what it is asked."""

    def __init__(self, evaluator: Any = label) -> None:
        self.evaluator, self.asked = evaluator, list[list[ab.Architecture]]()
        self.fingerprint = fingerprint(evaluator)

    def __call__(self, architectures: list[ab.Architecture]) -> pd.DataFrame:
        self.asked.append(architectures)
        return self.evaluator(architectures)


@pytest.fixture
def some() -> list[ab.Architecture]:
    return SPACE.sample(np.random.default_rng(0), 12)


def test_at_once_by_default_and_one_at_a_time_when_asked(some: list[ab.Architecture]) -> None:
    for workers, sizes in [(None, [12]), (0, [1] * 12)]:
        evaluator = Counting()
        table = evaluate_all(some, evaluator, workers=workers, progress=False)
        assert [len(asked) for asked in evaluator.asked] == sizes
        assert list(table) == ["architecture", "acc", "latency"] and list(table["architecture"]) == some
        assert table[["acc", "latency"]].to_dict("records") == [worth(one) for one in some]


def test_what_is_in_the_log_is_not_evaluated(some: list[ab.Architecture], tmp_path: Path) -> None:
    path, evaluator = tmp_path / "log.jsonl", Counting()
    first = evaluate_all(some[:5], label, path, progress=False)
    both = evaluate_all([*some, some[0]], evaluator, path, progress=False)
    assert evaluator.asked == [some[5:]]
    pd.testing.assert_frame_equal(both.iloc[:5], first)
    assert worth(both["architecture"].iloc[-1]) == both[["acc", "latency"]].iloc[-1].to_dict()


@pytest.mark.parametrize("workers", [None, 0])
def test_what_fails_fails_alone_is_logged_and_not_tried_again(
    some: list[ab.Architecture], tmp_path: Path, caplog: pytest.LogCaptureFixture, workers: int | None
) -> None:
    bad = [one for one in some if fails(one)]
    assert 0 < len(bad) < 12
    path = tmp_path / "log.jsonl"
    table = evaluate_all(some, label_or_fail, path, workers, progress=False)
    assert [one for one, acc in zip(some, table["acc"], strict=True) if np.isnan(acc)] == bad
    for one in bad:
        assert any(re.search(rf"{re.escape(str(one))} .* layer {sum(one.code)}$", text) for text in caplog.messages)
    assert sum(one.error != "" for one in EvaluationLog(path, SPACE).evaluations.values()) == len(bad)
    again = Counting()
    pd.testing.assert_frame_equal(evaluate_all(some, again, path, workers, progress=False), table)
    assert again.asked == []


def test_a_batch_that_raises_is_said_once(some: list[ab.Architecture], caplog: pytest.LogCaptureFixture) -> None:
    evaluate_all(some, label_or_fail, progress=False)
    (said,) = [message for message in caplog.messages if "at once" in message]
    assert re.match(r"evaluating 12 .*\(RuntimeError: diverged at layer ", said)


def test_a_number_that_is_not_finite_is_a_failure_of_its_row(
    some: list[ab.Architecture], caplog: pytest.LogCaptureFixture
) -> None:
    def odd(architectures: list[ab.Architecture]) -> pd.DataFrame:
        table = label(architectures)
        table.loc[3, "acc"], table.loc[5, "latency"] = np.nan, np.inf
        return table

    table = evaluate_all(some, odd, progress=False)
    assert np.flatnonzero(table["acc"].isna()).tolist() == np.flatnonzero(table["latency"].isna()).tolist() == [3, 5]
    first, second = caplog.messages
    assert f"{some[3]} failed: label acc is nan" in first
    assert f"{some[5]} failed: label latency is inf" in second


@pytest.mark.parametrize("workers", [None, 0])
@pytest.mark.parametrize(
    ("value", "number"),
    [
        (torch.tensor(0.5), 0.5),
        (torch.tensor([0.5], requires_grad=True), 0.5),
        (np.array([0.5]), 0.5),
        (np.float32(0.5), 0.5),
        (Fraction(1, 2), 0.5),
        ("0.5", 0.5),
        (3 + 4j, None),
        (pd.Timestamp("2020-01-01"), None),
        (np.datetime64("2020-01-01"), None),
        ("note10", None),
        (True, None),
        ([0.5, 0.5], None),
        (None, None),
    ],
)
def test_a_label_is_one_real_number(
    some: list[ab.Architecture], caplog: pytest.LogCaptureFixture, value: Any, number: float | None, workers: int | None
) -> None:
    def evaluator(architectures: list[ab.Architecture]) -> pd.DataFrame:
        column = pd.Series([value if one == some[1] else 0.25 for one in architectures], dtype=object)
        return pd.DataFrame({"acc": column})

    acc = evaluate_all(some[:3], evaluator, workers=workers, progress=False)["acc"].tolist()
    np.testing.assert_equal(acc, [0.25, np.nan if number is None else number, 0.25])
    assert [f"{some[1]} failed: label acc is " in message for message in caplog.messages] == [True] * (number is None)


@pytest.mark.parametrize("column", [[1 + 2j], pd.to_datetime(["2020-01-01"]), pd.to_timedelta(["1s"]), [True]])
def test_columns_that_pandas_would_turn_into_numbers_are_failures(
    some: list[ab.Architecture], caplog: pytest.LogCaptureFixture, column: Any
) -> None:
    table = evaluate_all(some[:1], lambda _: pd.DataFrame({"acc": column}), progress=False)
    assert table.shape == (1, 1) and "label acc is" in caplog.text


def test_what_failed_is_evaluated_again_on_request(some: list[ab.Architecture], tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    evaluate_all(some, label_or_fail, path, progress=False)
    again = Counting()
    table = evaluate_all(some, again, path, progress=False, retry_failed=True)
    assert again.asked == [list(filter(fails, some))] and table.notna().all(axis=None)
    pd.testing.assert_frame_equal(evaluate_all(some, evaluators.die, path, progress=False), table)


@pytest.mark.parametrize("workers", [None, 0])
@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        (evaluators.not_a_table, "ndarray for (12|1) .* DataFrame"),
        (lambda a: label(a)[:-1], r"returned a \((11|0), .*\) table for (12|1) architectures"),
        (lambda a: label(a)[[]], "at least one label"),
        (lambda a: label(a).rename(columns={"acc": "round"}), "labels .*'round'.* need distinct names, not"),
        (lambda a: label(a).rename(columns={"acc": "latency"}), "distinct names"),
        (lambda a: label(a).rename(columns={"acc": 3}), "distinct names"),
    ],
)
def test_a_broken_evaluator_is_an_error_and_nothing_is_logged(
    some: list[ab.Architecture], tmp_path: Path, evaluator: Any, message: str, workers: int | None
) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate_all(some, evaluator, tmp_path / "log.jsonl", workers, progress=False)
    assert (tmp_path / "log.jsonl").read_bytes() == b""


def test_an_interrupt_is_not_a_failed_evaluation(some: list[ab.Architecture], tmp_path: Path) -> None:
    def interrupted(architectures: list[ab.Architecture]) -> pd.DataFrame:
        if architectures == [some[4]]:
            raise KeyboardInterrupt
        return label(architectures)

    with pytest.raises(KeyboardInterrupt):
        evaluate_all(some, interrupted, tmp_path / "log.jsonl", workers=0, progress=False)
    assert list(EvaluationLog(tmp_path / "log.jsonl", SPACE).evaluations) == some[:4]


def test_rows_of_another_process_are_picked_up_meanwhile(some: list[ab.Architecture], tmp_path: Path) -> None:
    path, asked = tmp_path / "log.jsonl", []

    @worthy
    def slow(architectures: list[ab.Architecture]) -> pd.DataFrame:
        asked.extend(architectures)
        if len(asked) == 1:  # meanwhile, elsewhere
            evaluate_all(some[1:10], label, path, progress=False)
        return label(architectures)

    evaluate_all(some, slow, path, workers=0, progress=False)
    assert asked == [some[0], *some[10:]]


def test_a_place_that_cannot_be_written_is_an_error_before_the_first_evaluation(
    some: list[ab.Architecture], tmp_path: Path
) -> None:
    evaluator = Counting()
    with pytest.raises(FileNotFoundError, match="none"):
        evaluate_all(some, evaluator, tmp_path / "none" / "log.jsonl", progress=False)
    assert evaluator.asked == []


def test_wrong_arguments(some: list[ab.Architecture]) -> None:
    with pytest.raises(ValueError, match="workers=-1; give None"):
        evaluate_all(some, label, workers=-1)
    with pytest.raises(ValueError, match="evaluator is '/'"):
        evaluate_all(some, "/")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there are no architectures"):
        evaluate_all([], label)
    with pytest.raises(ab.SpaceError, match="'ofa_pn' given to space 'ofa_mbv3'"):
        evaluate_all([some[0], ab.spaces.ofa_pn().sample(np.random.default_rng(0))], label)
    with pytest.raises(ValueError, match="workers=2: the evaluator cannot"):
        evaluate_all(some, lambda a: label(a), workers=2)


def test_a_bar_counts_every_architecture(
    some: list[ab.Architecture], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_all(some[:5], label, tmp_path / "log.jsonl", progress=False)
    assert capsys.readouterr().err == ""
    evaluate_all(some, label, tmp_path / "log.jsonl", workers=0)
    assert "12/12" in capsys.readouterr().err


# -------------------------------------------------------------------- processes


def test_processes_give_the_same_and_log_what_fails(
    some: list[ab.Architecture], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        alone = evaluate_all(some, label_or_fail, workers=0, progress=False)
    table = evaluate_all(some, label_or_fail, tmp_path / "log.jsonl", workers=2, progress=False)
    pd.testing.assert_frame_equal(table, alone)
    assert sum("diverged" in message for message in caplog.messages) == sum(map(fails, some))
    assert set(EvaluationLog(tmp_path / "log.jsonl", SPACE).evaluations) == set(some)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("evaluator", "kind", "message"),
    [
        (
            evaluators.die,
            BrokenProcessPool,
            "a process died .* resolution224.*finished",
        ),
        (evaluators.not_a_table, ValueError, "returned a ndarray for 1 architectures"),
    ],
)
def test_a_process_that_dies_and_a_broken_evaluator_stop_all(
    some: list[ab.Architecture], tmp_path: Path, evaluator: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        evaluate_all(some, evaluator, tmp_path / "log.jsonl", workers=2, progress=False)
    assert (tmp_path / "log.jsonl").read_bytes() == b""

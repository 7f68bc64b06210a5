"""A log knows what evaluated it: the same evaluator goes on, another one is an error, whatever makes it another."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_lib.search import EvaluationLog, StageMutation, evaluate_all, evolve, fingerprint

SPACE = ab.SequenceSpace("toy", [ab.Unit(1, 3), ab.Unit(1, 2)], {"op": ["conv", "pool", "skip"]})
SOME = SPACE.sample(8, 0)
SOURCE = """
import pandas as pd

class Evaluator:
    def __init__(self, seed):
        self.seed = seed
    def __repr__(self):
        return f"Evaluator({self.seed})"
    def __call__(self, architectures):
        return pd.DataFrame({"acc": [float(len(str(each))) for each in architectures]})

def evaluate(architectures, factor=1.0):
    return pd.DataFrame({"acc": [factor * len(str(each)) for each in architectures]})
"""


@dataclass
class Length:
    """The number of letters."""

    factor: float = 1.0

    def __call__(self, architectures: list[ab.Architecture]) -> pd.DataFrame:
        return pd.DataFrame({"acc": [self.factor * len(str(each)) for each in architectures]})

    def half(self, architectures: list[ab.Architecture]) -> pd.DataFrame:
        return self(architectures) / 2


class Marked(Length):
    """Says itself what it is."""

    fingerprint = "length, version 2"


def length(architectures: list[ab.Architecture], factor: float = 1.0) -> pd.DataFrame:
    return Length(factor)(architectures)


def in_another_process(folder: Path, source: str, expression: str) -> str:
    (folder / "evaluators_of_mine.py").write_text(source)
    code = "from evaluators_of_mine import *; from autobuild_lib.search import fingerprint; "
    code += f"print(fingerprint({expression}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("expression", ["evaluate", "Evaluator(1)", "Evaluator(1).__call__"])
def test_it_is_the_same_in_every_process_and_changes_with_the_code_alone(tmp_path: Path, expression: str) -> None:
    first = in_another_process(tmp_path, SOURCE, expression)
    commented = SOURCE.replace("):\n", "):  # a comment\n\n")
    assert in_another_process(tmp_path, commented, expression) == first
    changed = SOURCE.replace("len(str(each))", "len(str(each)) + 1")
    assert in_another_process(tmp_path, changed, expression) != first


def test_evaluators_that_differ_in_name_state_or_arguments_are_others() -> None:
    evaluators: list[Any] = [
        length, Length(), Length(2.0), Length().half, Length(2.0).half, partial(length, factor=2.0),
        partial(length, factor=3.0), ab.surrogate.ofa_mbv3().predict, ab.surrogate.ofa_pn().predict, len, Marked(),
    ]  # fmt: skip
    texts = [fingerprint(each) for each in evaluators]
    assert len(set(texts)) == len(texts) and texts == [fingerprint(each) for each in evaluators]
    assert all("\n" not in text and len(text) < 120 for text in texts)


class Plain:
    """Has no repr of its own."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, architectures: list[ab.Architecture]) -> pd.DataFrame:
        return length(architectures, self.factor)


@dataclass
class Holder:
    """Has a repr that leaves out most of what it holds."""

    numbers: np.ndarray

    def __call__(self, architectures: list[ab.Architecture]) -> pd.DataFrame:
        return length(architectures, float(self.numbers.sum()))


FACTOR = 1.0


def of_a_global(architectures: list[ab.Architecture]) -> pd.DataFrame:
    return length(architectures, FACTOR)


def closure(factor: float) -> Any:
    def evaluate(architectures: list[ab.Architecture]) -> pd.DataFrame:
        return length(architectures, factor)

    return evaluate


def executed(factor: float) -> Any:
    scope: dict[str, Any] = {"length": length}
    exec(f"def evaluate(architectures):\n    return length(architectures, {factor})", scope)  # noqa: S102
    return scope["evaluate"]


def one_of_two_lambdas(factor: float) -> Any:
    return [lambda some: length(some, 1.0), lambda some: length(some, 100.0)][factor > 1]


def with_global(factor: float) -> Any:
    globals()["FACTOR"] = factor
    return of_a_global


def in_a_long_array(factor: float) -> Any:
    numbers = np.zeros(5000)
    numbers[2500] = factor
    return Holder(numbers)


WAYS = [
    Plain, lambda factor: Plain(factor).__call__, closure, executed, one_of_two_lambdas, with_global, in_a_long_array,
    lambda factor: partial(length, factor=factor), lambda factor: partial(said, factor=factor),
]  # fmt: skip


def said(architectures: list[ab.Architecture], factor: float) -> pd.DataFrame:
    return length(architectures, factor)


said.fingerprint = "length times a factor"  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", range(len(WAYS)))
def test_no_old_label_passes_for_a_new_one(tmp_path: Path, number: int) -> None:
    log, make = tmp_path / "log.jsonl", WAYS[number]
    labels = all_labels(make(1.0), log)
    assert all_labels(make(1.0), log).equals(labels)
    with pytest.raises(ValueError, match="line 1: evaluated by"):
        all_labels(make(100.0), log)
    assert all_labels(make(100.0), tmp_path / "other.jsonl").acc.tolist() == [100 * acc for acc in labels.acc]


def test_what_cannot_be_known_has_a_log_of_its_own_unless_it_says_what_it_is(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    evaluator = closure(1.0)
    evaluator.lock = threading.Lock()
    labels = all_labels(evaluator, log)
    with pytest.raises(ValueError, match="unknown") as error:
        all_labels(evaluator, log)
    assert "\n" not in str(error.value) and "fingerprint" in str(error.value)
    evaluator.fingerprint = "mine"
    with pytest.raises(ValueError, match="now asked is mine"):
        all_labels(evaluator, log)
    assert all_labels(evaluator, tmp_path / "mine.jsonl").equals(labels)
    assert all_labels(evaluator, tmp_path / "mine.jsonl").equals(labels)


@pytest.mark.parametrize("evaluator", [Marked(), Marked().half, partial(Marked())])
def test_what_an_evaluator_says_itself_counts(evaluator: Any) -> None:
    assert fingerprint(evaluator) == "length, version 2"


@pytest.mark.parametrize("text", ["", None, 3, ["a"]])
def test_what_is_no_text_does_not_count(text: Any) -> None:
    evaluator = Marked()
    evaluator.fingerprint = text
    assert "Marked" in fingerprint(evaluator)


def all_labels(evaluator: Any, log: Path, **options: Any) -> pd.DataFrame:
    return evaluate_all(SOME, evaluator, log, progress=False, **options)


@pytest.mark.parametrize("before", [length, Length(), Marked()])
@pytest.mark.parametrize("now", [Length(2.0), Length().half])
def test_another_evaluator_is_an_error_that_says_what_to_do(tmp_path: Path, before: Any, now: Any) -> None:
    log = tmp_path / "log.jsonl"
    all_labels(before, log)
    content = log.read_bytes()
    with pytest.raises(ValueError, match=r"log\.jsonl, line 1") as error:
        all_labels(now, log)
    assert (
        all(text in str(error.value) for text in (fingerprint(before), fingerprint(now)))
        and log.read_bytes() == content
    )
    assert "\n" not in str(error.value)


def test_a_search_refuses_it_too(tmp_path: Path) -> None:
    mutation, log = StageMutation(ab.ReducedSpace.full(SPACE)), tmp_path / "log.jsonl"
    search: Callable[..., pd.DataFrame] = partial(
        evolve, mutation, maximise="acc", minimise="acc", start=5, rounds=1, mutations=2, log=log, progress=False
    )
    assert search(length).equals(search(length))
    with pytest.raises(ValueError, match="evaluated by"):
        search(Length(2.0))


def test_whoever_gives_the_fingerprint_of_the_log_goes_on(tmp_path: Path) -> None:
    log, renamed = tmp_path / "log.jsonl", Marked(2.0)
    table = all_labels(length, log)
    renamed.fingerprint = json.loads(log.read_text().splitlines()[0])["evaluator"]
    assert all_labels(renamed, log).equals(table)


def test_lines_without_one_are_taken_with_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = tmp_path / "log.jsonl"
    table = all_labels(length, log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    older = "".join(json.dumps({k: v for k, v in line.items() if k != "evaluator"}) + "\n" for line in lines[:5])
    log.write_text(older)
    with caplog.at_level(logging.WARNING):
        assert all_labels(length, log).equals(table)
    assert len([text for text in caplog.messages if "5 lines" in text and fingerprint(length) in text]) == 1
    with pytest.raises(ValueError, match="line 6"):
        all_labels(Length(2.0), log)


def test_failures_of_another_evaluator_hold_no_labels(tmp_path: Path) -> None:
    def broken(architectures: list[ab.Architecture]) -> pd.DataFrame:
        raise RuntimeError("x")

    log = tmp_path / "log.jsonl"
    assert list(all_labels(broken, log)) == ["architecture"]
    assert all_labels(length, log, retry_failed=True).acc.notna().all()
    assert all_labels(length, log).acc.notna().all()


def test_a_log_that_is_only_read_asks_for_nobody(tmp_path: Path) -> None:
    all_labels(length, log := tmp_path / "log.jsonl")
    assert len(EvaluationLog(log, SPACE).evaluations) == len(set(SOME))


@pytest.mark.parametrize("odd", [3, None, "", [], {"name": "x"}])
def test_a_fingerprint_that_is_no_text_is_an_error(tmp_path: Path, odd: Any) -> None:
    line = {"architecture": str(SOME[0]), "labels": {"acc": 1.0}, "evaluator": odd}
    (log := tmp_path / "log.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(ValueError, match=r"line 1: .*evaluator .* text"):
        EvaluationLog(log, SPACE)

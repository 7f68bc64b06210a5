"""Evaluating architectures once each: at once, one at a time, or in other processes; finished ones stay in a log."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import partial
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
import pandas as pd

from autobuild_lib import values
from autobuild_lib.processes import WorkerPool
from autobuild_lib.progress import Bar, progress_bar
from autobuild_lib.search.identity import UnknownIdentityError, identity
from autobuild_lib.search.log import Evaluation, EvaluationLog
from autobuild_lib.spaces import Architecture, SequenceSpace

logger = logging.getLogger(__name__)
Check = Callable[[list[Evaluation]], object]
RESERVED = ("architecture", "round")  # columns of a search's own


class Evaluator(Protocol):
    """Anything that labels architectures, such as `ab.surrogate.ofa_mbv3().predict` or a function that trains them.

    It returns a table with a row each, in order, and a column per label. A row that holds anything but finite numbers
    has failed; so has an architecture for which the evaluator raises. It may have an attribute `fingerprint`, a text
    that changes with whatever its labels depend on; see `fingerprint`.
    """

    def __call__(self, architectures: list[Architecture], /) -> pd.DataFrame:
        """Evaluate `architectures`."""


def fingerprint(evaluator: Evaluator) -> str:
    """Return the text by which a log remembers an evaluator: its attribute `fingerprint`, or that of a method's object.

    Where there is none: the name of its function or class, and the start of its `identity`; where that cannot be known,
    the reason, and a text that no other call returns.
    """
    subject = getattr(evaluator, "func", evaluator)  # of a partial
    for named in (subject, getattr(subject, "__self__", None)):
        if isinstance(text := getattr(named, "fingerprint", None), str) and text:
            arguments = [getattr(evaluator, name, None) for name in ("args", "keywords")]
            return f"{text}, arguments {_identity(arguments)}" if subject is not evaluator and any(arguments) else text
    kind: Any = subject if hasattr(subject, "__qualname__") else type(subject)
    return f"{kind.__module__}.{kind.__qualname__} {_identity(evaluator)}"


def _identity(thing: object) -> str:
    try:
        return identity(thing)[:12]
    except UnknownIdentityError as error:
        return f"(what its labels depend on is unknown: {_one_line(error)}; call {uuid4().hex[:12]})"


def open_log(path: Path | str | None, space: SequenceSpace, retry_failed: bool, evaluator: Evaluator) -> EvaluationLog:
    """Return the log of an evaluator, for which nobody asks where nothing is kept."""
    return EvaluationLog(path, space, retry_failed, "" if path is None else fingerprint(evaluator))


class Evaluations(ExitStack):
    """Evaluates each architecture once, and takes those from the log that are in it.

    workers: None gives the evaluator all at once, and logs them when it returns, so that a kill costs all; 0 evaluates
        one at a time, and n in n processes, and each is logged as it finishes.
    check: called with the first evaluation that succeeds, and may raise.
    """

    def __init__(
        self, evaluator: Evaluator, log: EvaluationLog, workers: int | None = None, check: Check | None = None
    ) -> None:
        super().__init__()
        if not callable(evaluator):
            raise ValueError(f"the evaluator is {evaluator!r:.80}; give a function that takes a list of architectures")
        if workers is not None and workers < 0:
            raise ValueError(f"workers={workers}; give None (all at once), 0 (one at a time) or a number of processes")
        log.append([])  # a file that cannot be written is an error now, not after the first evaluation
        self.evaluator, self.log, self.one_at_a_time, self._check = evaluator, log, workers is not None, check
        self._check_first(list(log.evaluations.values()))
        self._pool = self.enter_context(_start_pool(evaluator, workers)) if workers else None

    def run(self, architectures: Sequence[Architecture], bar: Bar) -> list[Evaluation]:
        """Evaluate those that are not in the log, and return all, in order."""
        missing = [subject for subject in dict.fromkeys(architectures) if subject not in self.log.evaluations]
        bar.update(len(architectures) - len(missing))
        if self.one_at_a_time or len(missing) == 1:
            self._one_at_a_time(missing, bar)
        elif missing:
            self._at_once(missing, bar)
        return [self.log.evaluations[subject] for subject in architectures]

    def _at_once(self, architectures: list[Architecture], bar: Bar) -> None:
        try:
            labels = self.evaluator(architectures)
        except Exception as error:
            logger.warning("evaluating %d at once failed (%s); now each alone", len(architectures), _one_line(error))
            return self._one_at_a_time(architectures, bar)
        self._record(_checked(architectures, labels), bar)

    def _one_at_a_time(self, architectures: Sequence[Architecture], bar: Bar) -> None:
        left = (subject for subject in architectures if subject not in self.log.evaluations)  # others may log them
        work, before = partial(evaluate_one, self.evaluator), bar.n
        try:
            for evaluation in map(work, left) if self._pool is None else self._pool.as_finished(work, left):
                self._record([evaluation], bar)
        except BrokenProcessPool as error:
            kept = "" if self.log.path is None else "; finished evaluations are in the log"
            raise BrokenProcessPool(f"{error}{kept}") from None
        bar.update(before + len(architectures) - bar.n)

    def _record(self, finished: list[Evaluation], bar: Bar) -> None:
        for evaluation in finished:
            if evaluation.error:
                logger.warning("evaluation of %s failed: %s", evaluation.architecture, evaluation.error)
        self.log.append(finished)
        self._check_first(finished)
        bar.update(len(finished))

    def _check_first(self, finished: list[Evaluation]) -> None:
        labelled = [evaluation for evaluation in finished if not evaluation.error]
        if labelled and self._check is not None:
            self._check(labelled[:1])
            self._check = None


def _start_pool(evaluator: Evaluator, workers: int) -> WorkerPool:
    try:
        ForkingPickler.dumps(evaluator)
    except Exception as error:
        raise ValueError(f"workers={workers}: the evaluator cannot be sent to another process ({_one_line(error)}); "
                         "give a function or an object of a module, or workers=0") from None  # fmt: skip
    return WorkerPool(workers)


def evaluate_one(evaluator: Evaluator, architecture: Architecture) -> Evaluation:
    """Evaluate one architecture; what the evaluator raises becomes the evaluation's error."""
    try:
        labels = evaluator([architecture])
    except Exception as error:
        return Evaluation(architecture, {}, _one_line(error))
    return _checked([architecture], labels)[0]


def _checked(architectures: Sequence[Architecture], labels: pd.DataFrame) -> list[Evaluation]:
    """Read the labels; one error for what breaks the evaluator's contract, a failed evaluation for an odd value."""
    if not isinstance(labels, pd.DataFrame) or len(labels) != len(architectures) or labels.shape[1] == 0:
        returned = f"{labels.shape} table" if isinstance(labels, pd.DataFrame) else type(labels).__name__
        raise ValueError(f"the evaluator returned a {returned} for {len(architectures)} architectures; "
                         "it must be a DataFrame with a row for each, and at least one label")  # fmt: skip
    if len(set(labels)) < labels.shape[1] or any(not isinstance(name, str) or name in RESERVED for name in labels):
        raise ValueError(f"the evaluator returned labels {list(labels)}; they need distinct names, not {RESERVED}")
    return [_evaluation(*pair) for pair in zip(architectures, labels.to_dict("records"), strict=True)]


def _evaluation(architecture: Architecture, labels: dict[Any, object]) -> Evaluation:
    try:
        return Evaluation(architecture, {n: values.finite(v, f"label {n}", text=True) for n, v in labels.items()})
    except ValueError as error:
        return Evaluation(architecture, {}, str(error))


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split()):.400}"


def as_table(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return one row per evaluation: architecture, then its labels, which are missing (NaN) where it failed."""
    labels = pd.DataFrame([dict(each.labels) for each in evaluations], dtype=np.float64)
    column = pd.Series([each.architecture for each in evaluations], dtype=object, name="architecture")
    return pd.concat([column, labels], axis=1)


def evaluate_all(
    architectures: Sequence[Architecture], evaluator: Evaluator, log: Path | str | None = None,
    workers: int | None = None, progress: bool = True, retry_failed: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Evaluate architectures of one space, each once, and return a row for each: architecture, then its labels.

    Args:
        evaluator: see `Evaluator`; a failed evaluation is logged, recorded and left without labels.
        log: a JSONL file that keeps finished evaluations; later calls take them from there, with this evaluator alone.
        workers: None, 0 or a number of processes, see `Evaluations`; the labels do not depend on the number.
        retry_failed: evaluate again what failed in an earlier call.
    """
    if not architectures:
        raise ValueError("there are no architectures to evaluate")
    space = architectures[0].space
    with (
        Evaluations(evaluator, open_log(log, space, retry_failed, evaluator), workers) as evaluations,
        progress_bar(total=len(architectures), desc="evaluating", unit="architecture", disable=not progress) as bar,
    ):
        return as_table(evaluations.run(space.from_codes(space.to_codes(architectures)), bar))

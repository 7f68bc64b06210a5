"""A log of evaluations: one JSON line each, safe against kills and against other processes that write to it."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.storage import json_text, parse_json
from autobuild_lib.store import GrowingFile
from autobuild_lib.values import MALFORMED, finite, naming

logger = logging.getLogger(__name__)
EMPTY = b"\0 \t\r\n"  # what a line may hold besides its JSON: zeros are what a power loss leaves of a file's end
START = b'{"architecture": "'  # of every line


@dataclass(frozen=True)
class Evaluation:
    """Labels of an architecture by name; none, and the error's text, when its evaluation failed."""

    architecture: Architecture
    labels: Mapping[str, float]
    error: str = ""


class EvaluationLog:
    """Finished evaluations of one evaluator, kept in a JSONL file, or only in memory without a `path`.

    `evaluations` holds the first one of each architecture, or the first that succeeded; with `retry_failed` none of an
    earlier run that failed. Empty lines are passed over; a line that a kill left unfinished is removed by the next
    `append`. Anything else is a `ValueError` with its place, and so are labels of another `evaluator`, a `fingerprint`;
    lines of older versions, which name none, are taken with a warning.
    """

    def __init__(
        self, path: Path | str | None, space: SequenceSpace, retry_failed: bool = False, evaluator: str = ""
    ) -> None:
        self.path, self.space, self.evaluator = None if path is None else Path(path), space, evaluator
        self.evaluations: dict[Architecture, Evaluation] = {}
        self._names: frozenset[str] = frozenset()
        self._file, self._unnamed = None if self.path is None else GrowingFile(self.path, _is_torn), 0
        self.refresh()
        if self._unnamed and evaluator:
            logger.warning("%s: %d lines name no evaluator; taken for labels of %s", path, self._unnamed, evaluator)
        if retry_failed:  # the file keeps them
            self.evaluations = {subject: done for subject, done in self.evaluations.items() if not done.error}

    def refresh(self) -> None:
        """Read what any process has appended since."""
        if self._file is not None and self._file.path.exists():
            for number, line in self._file.read():
                self._take(line, f"{self.path}, line {number}")

    def append(self, finished: Sequence[Evaluation]) -> None:
        """Add evaluations in one write, and take what others have added; of an architecture the first one stays."""
        if self._file is None:
            for evaluation in finished:
                self._keep(evaluation, "evaluator")
            return
        path = self._file.path
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: there is no folder {path.parent}")  # the lock would make it
        with FileLock(f"{path}.lock"):  # a kill frees it
            self.refresh()
            new = [evaluation for evaluation in finished if evaluation.architecture not in self.evaluations]
            for evaluation in new:
                self._check_names(evaluation, f"{path}: evaluator")
            self._file.append("".join(_line(evaluation, self.evaluator) for evaluation in new))
            self.refresh()

    def _take(self, line: bytes, where: str) -> None:
        record = line.strip(EMPTY)
        if len(record) + 1 < len(line) or not record:  # one "\r" is what an editor may have left
            logger.warning("%s: passed over %d empty bytes", where, len(line) - len(record))
        if record:
            evaluation, evaluator = _parse(record, self.space, where)
            if evaluator and not evaluation.error and self.evaluator not in ("", evaluator):
                remedy = f"give another log, or `evaluator.fingerprint = {evaluator!r}` if its labels are the same"
                raise ValueError(f"{where}: evaluated by {evaluator}, now asked is {self.evaluator}; {remedy}")
            self._unnamed += not evaluator
            self._keep(evaluation, where)

    def _keep(self, evaluation: Evaluation, where: str) -> None:
        self._check_names(evaluation, where)
        self._names = self._names or frozenset(evaluation.labels)
        before = self.evaluations.setdefault(evaluation.architecture, evaluation)
        if before.error and not evaluation.error:  # evaluated again
            self.evaluations[evaluation.architecture] = evaluation

    def _check_names(self, evaluation: Evaluation, where: str) -> None:
        names = frozenset(evaluation.labels)
        if names and self._names and names != self._names:
            raise ValueError(f"{where}: labels {', '.join(sorted(names))}, those before have "
                             f"{', '.join(sorted(self._names))}; a log holds one evaluator's labels")  # fmt: skip


def _line(evaluation: Evaluation, evaluator: str = "") -> str:
    outcome = {"error": evaluation.error} if evaluation.error else {"labels": dict(evaluation.labels)}
    by = {"evaluator": evaluator} if evaluator else {}
    return json_text({"architecture": str(evaluation.architecture), **outcome, **by}, indent=None) + "\n"


def _is_torn(rest: bytes) -> bool:
    """Say whether this is nothing, or the start of a line whose end a kill prevented."""
    rest = rest.strip(EMPTY)
    try:
        json.loads(rest)
    except (ValueError, RecursionError):
        return START.startswith(rest[: len(START)])
    return False


def _parse(line: bytes, space: SequenceSpace, where: str) -> tuple[Evaluation, str]:
    """Return an evaluation, and the fingerprint of what evaluated it."""
    with naming(f"{where}: not an evaluation", caught=MALFORMED):
        record = parse_json(line.decode("utf-8"))
        keys = set(record) - {"evaluator"} if isinstance(record, dict) else set()
        if keys not in ({"architecture", "labels"}, {"architecture", "error"}):
            raise ValueError("needs an object with architecture, and labels or error")
        texts = {name: record[name] for name in ("error", "evaluator") if name in record}
        if odd := [name for name, text in texts.items() if not isinstance(text, str) or not text]:
            raise ValueError(f"{odd[0]} {record[odd[0]]!r:.40} is no text")
        labels = {name: finite(label, f"label {name}") for name, label in dict(record.get("labels", {})).items()}
        evaluation = Evaluation(space.parse(record["architecture"]), labels, texts.get("error", ""))
    return evaluation, texts.get("evaluator", "")

"""The evaluation log: kills, other processes and hostile content."""

import json
import multiprocessing
import threading
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

import autobuild_lib as ab
from autobuild_lib.search import Evaluation, EvaluationLog
from autobuild_lib.search.log import _line
from tests.helpers.evaluators import worth

SPACE = ab.spaces.ofa_mbv3()


def evaluations(size: int, seed: int = 0) -> list[Evaluation]:
    """Every third has failed."""
    drawn = SPACE.sample(np.random.default_rng(seed), size)
    return [Evaluation(a, {}, "ValueError: no\x00 é") if i % 3 == 2 else Evaluation(a, worth(a))
            for i, a in enumerate(drawn)]  # fmt: skip


def write(path: Path, size: int = 5) -> list[Evaluation]:
    made = evaluations(size)
    EvaluationLog(path, SPACE).append(made)
    return made


def test_what_was_appended_reads_back_exactly(tmp_path: Path) -> None:
    made = write(tmp_path / "log.jsonl", 12)
    again = EvaluationLog(str(tmp_path / "log.jsonl"), SPACE)
    assert list(again.evaluations.values()) == made
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert len(lines) == 12 and set(json.loads(lines[0])) == {"architecture", "labels"}
    assert json.loads(lines[2]) == {"architecture": str(made[2].architecture), "error": made[2].error}


def test_without_a_path_it_remembers_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log, made = EvaluationLog(None, SPACE), evaluations(4)
    log.append(made)
    log.append([Evaluation(made[0].architecture, {"acc": 9.0, "latency": 9.0})])
    log.refresh()
    assert list(log.evaluations.values()) == made and list(tmp_path.iterdir()) == []


def test_a_line_torn_anywhere_is_ignored_and_then_removed(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    made = write(path, 4)
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(whole)):
        path.write_bytes(whole[:end])
        log = EvaluationLog(path, SPACE)
        assert list(log.evaluations.values()) == (made if end == len(whole) - 1 else made[:3])  # nothing but "\n" lacks
        assert path.read_bytes() == whole[:end]  # reading changes nothing
        log.append([made[3]])
        assert path.read_bytes() == whole
    assert list(EvaluationLog(path, SPACE).evaluations.values()) == made


def test_a_last_line_without_an_end_is_kept_and_gets_one(tmp_path: Path) -> None:
    path, made = tmp_path / "log.jsonl", evaluations(4)
    path.write_bytes("".join(map(_line, made[:2])).encode().rstrip(b"\n"))
    log = EvaluationLog(path, SPACE)
    assert list(log.evaluations.values()) == made[:2]
    log.append(made[2:])
    assert path.read_text() == "".join(map(_line, made)) and list(log.evaluations.values()) == made


@pytest.mark.parametrize("empty", [b"\n", b" \r\n", b"\0" * 40 + b"\n", b"\0" * 40])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_what_a_power_loss_leaves_is_passed_over_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, empty: bytes, place: int
) -> None:
    path = tmp_path / "log.jsonl"
    made = write(path, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:place], empty, *lines[place:]]))
    log = EvaluationLog(path, SPACE)
    log.append(later := evaluations(1, seed=9))
    for each in (log, EvaluationLog(path, SPACE)):
        assert list(each.evaluations.values()) == made + later
    assert str(path) in caplog.messages[0] and str(len(empty.rstrip(b"\n"))) in caplog.messages[0]


@pytest.mark.parametrize("kept", [0, 1, 30, -1])
def test_a_last_line_that_ends_in_zeros_is_as_good_as_without_them(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "log.jsonl"
    made = write(path, 4)
    *first, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*first, last[:kept], b"\0" * 100]))
    log = EvaluationLog(path, SPACE)
    assert list(log.evaluations.values()) == (made if kept == -1 else made[:3])
    log.append([made[3]])
    assert list(EvaluationLog(path, SPACE).evaluations.values()) == made


def test_a_failure_that_is_forgotten_can_succeed_for_good(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    made, log = write(path, 6), EvaluationLog(path, SPACE, retry_failed=True)
    assert list(log.evaluations.values()) == [one for one in made if not one.error]
    again = Evaluation(made[2].architecture, worth(made[2].architecture))
    log.append([again, Evaluation(made[5].architecture, {}, "again")])
    reader = EvaluationLog(path, SPACE)
    reader.append([made[2]])  # another one's failure comes too late
    for each in (reader, EvaluationLog(path, SPACE)):
        assert list(each.evaluations.values()) == [*made[:2], again, *made[3:]]


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize(
    "content", [json.dumps(SPACE.to_json()).encode(), b"acc,latency", b"[]", b"3", b"\x89PNG", b'{"labels": {}, "arch'],
    ids=["space", "csv", "list", "number", "picture", "torn"],
)  # fmt: skip
def test_a_file_that_is_no_log_is_refused_and_stays_as_it_is(tmp_path: Path, content: bytes, end: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content + end)
    with pytest.raises(ValueError, match="file, line 1: not an evaluation"):
        EvaluationLog(path, SPACE)
    assert path.read_bytes() == content + end and list(tmp_path.iterdir()) == [path]


def test_logs_of_two_readers_see_each_other_and_hold_each_architecture_once(tmp_path: Path) -> None:
    one, other = (EvaluationLog(tmp_path / "log.jsonl", SPACE) for _ in range(2))
    made = evaluations(6)
    one.append(made[:2])
    other.refresh()
    assert list(other.evaluations.values()) == made[:2]
    later = Evaluation(made[2].architecture, {"acc": 0.0, "latency": 0.0})
    one.append(made[2:4])
    other.append([later, made[4]])  # the first was there already: it stays as it was
    assert other.evaluations[later.architecture] == made[2]
    one.refresh()
    assert list(one.evaluations.values()) == list(other.evaluations.values()) == made[:5]
    assert (tmp_path / "log.jsonl").read_text().count("\n") == 5


def test_appending_waits_for_whoever_holds_the_lock(tmp_path: Path) -> None:
    path, made = tmp_path / "log.jsonl", evaluations(2)
    log = EvaluationLog(path, SPACE)
    with FileLock(f"{path}.lock"), path.open("ab") as other:
        writer = threading.Thread(target=log.append, args=(made[:1],))
        writer.start()
        writer.join(0.3)
        assert writer.is_alive()
        other.write(_line(made[1]).encode())
    writer.join(60)
    assert path.read_text() == _line(made[1]) + _line(made[0])
    assert list(log.evaluations.values()) == made[::-1]


def append_many(path: Path, number: int) -> None:
    log = EvaluationLog(path, SPACE)
    mine = evaluations(150, seed=100 + number)
    for common, own in zip(evaluations(150), mine, strict=True):
        log.append([common])
        log.append([own, common])


def test_processes_that_write_at_once_never_tear_or_repeat_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autobuild_lib"])
    writers = [context.Process(target=append_many, args=(path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    wanted = {(str(one.architecture), one.error) for seed in (0, 100, 101, 102) for one in evaluations(150, seed)}
    found = [(str(one.architecture), one.error) for one in EvaluationLog(path, SPACE).evaluations.values()]
    assert sorted(found) == sorted(wanted)
    assert path.read_text().count("\n") == 600


GOOD = str(SPACE.sample(np.random.default_rng(0)))
HOSTILE = {
    "not json": (b"acc = 1", "Expecting value"),
    "not utf-8": (b"\xff\xfe{}", "codec can't decode"),
    "list": (b"[1]", "needs an object with architecture, and labels or error"),
    "deep": (b"[" * 100_000, "nested deeper"),
    "no outcome": (json.dumps({"architecture": GOOD}).encode(), "labels or error"),
    "both": (json.dumps({"architecture": GOOD, "labels": {}, "error": "x"}).encode(), "labels or error"),
    "other space": (json.dumps({"architecture": "a|b", "error": "x"}).encode(), "has 2 parts, expected resolution"),
    "layer": (json.dumps({"architecture": GOOD.replace("k", "q"), "error": "x"}).encode(), "is not allowed"),
    "architecture": (json.dumps({"architecture": ["x"], "error": "x"}).encode(), "an architecture is"),
    "empty error": (json.dumps({"architecture": GOOD, "error": ""}).encode(), "error ''"),
    "nan": (b'{"architecture": "%s", "labels": {"acc": NaN}}' % GOOD.encode(), "NaN is not a finite float"),
    "text": (b'{"architecture": "%s", "labels": {"acc": "9"}}' % GOOD.encode(), "label acc is '9'"),
    "huge": (b'{"architecture": "%s", "labels": {"acc": 1%s}}' % (GOOD.encode(), b"0" * 400), "10+ is not a finite"),
    "truth": (b'{"architecture": "%s", "labels": {"acc": true}}' % GOOD.encode(), "label acc is True"),
    "no labels": (b'{"architecture": "%s", "labels": 3}' % GOOD.encode(), "int"),
    "other labels": (b'{"architecture": "%s", "labels": {"acc": 1}}' % GOOD.encode(),
                     "labels acc, those before have acc, latency; a log holds one evaluator's labels"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_spoilt_line_is_named(tmp_path: Path, name: str) -> None:
    line, message = HOSTILE[name]
    path = tmp_path / "log.jsonl"
    write(path, 3)
    with path.open("ab") as file:
        file.write(line + b"\n")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message) as caught:
        EvaluationLog(path, SPACE)
    assert str(caught.value).startswith(f"{path}, line 4: ")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500 + len(str(path))
    assert path.read_bytes() == before


def test_labels_of_another_evaluator_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, 3)
    before, log = path.read_bytes(), EvaluationLog(path, SPACE)
    with pytest.raises(ValueError, match=r"evaluator: labels pq, .* acc, latency"):
        log.append([Evaluation(SPACE.sample(np.random.default_rng(9)), {"pq": 1.0})])
    assert path.read_bytes() == before


def test_a_log_that_shrinks_under_us_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    made, log = write(path, 3), EvaluationLog(path, SPACE)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="became shorter"):
        log.append(made)
    assert path.read_bytes() == b""

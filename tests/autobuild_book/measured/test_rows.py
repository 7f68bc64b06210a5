"""Measured rows: strict reading, one process at a time, what cannot be kept; kills are tested with each task."""

import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.measured import rows, tasks

TOY = ab.SequenceSpace("toy", [ab.Unit(1, 3)], {"op": ["a", "b"]})


@dataclass(frozen=True)
class Measurement(rows.Measurement):
    ASKED = ("seed",)

    seed: int
    accuracy: float
    loss: float
    seconds: float
    machine: str


ROWS = rows.RowFormat(Measurement, TOY, fractions=["accuracy"])


@dataclass(frozen=True)
class Job(tasks.Job[Measurement]):
    ROW = Measurement

    accuracy: float = 0.5
    seconds: float = 0.0
    begun: Path | None = None

    @property
    def asked(self) -> tuple[int]:
        return (0,)

    def labels(self) -> dict[str, float]:
        if self.begun is not None:
            self.begun.touch()
        time.sleep(self.seconds)
        return {"accuracy": self.accuracy, "loss": -1.5}


def job(text: str, *arguments: Any, kind: type[Job] = Job, **named: Any) -> Job:
    return kind(TOY.parse(text), *arguments, **named)


TEXTS = list(map(str, TOY))
ALL = [Measurement(text, 0, 0.25, -1 / 3, 2.0, "here, there") for text in TEXTS]


def complete(jobs: list[Job], out: Path) -> list[Measurement]:
    return tasks.complete(ROWS, jobs, out, unit="row", progress=False)


def test_rows_read_back_exactly(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS.write(ALL))
    assert ROWS.read(tmp_path / "rows.csv") == ALL and len(ALL) == 14


FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANY = st.builds(Measurement, st.sampled_from(TEXTS), st.integers(0, 10**30), st.floats(0, 1), FINITE, FINITE.map(abs),
                st.sampled_from(["", "a, b", 'say "x"']))  # fmt: skip


@given(st.lists(ANY, unique_by=lambda row: row.key))
def test_any_rows_read_back_exactly(measured: list[Measurement]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (path := Path(folder) / "rows.csv").write_text(ROWS.write(map(ROWS.check, measured)))
        assert ROWS.read(path) == measured


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("seed", "1_000"), ("seed", "0.5"), ("seed", "-1"), ("seed", "٣"), ("seed", ""), ("seed", "nan"),
        ("accuracy", "nan"), ("accuracy", "inf"), ("accuracy", "17"), ("accuracy", "-0.1"), ("accuracy", "1_0e-1"),
        ("accuracy", ""), ("accuracy", "0x1p-1"), ("accuracy", "many"), ("loss", "-inf"), ("loss", "nan"),
        ("loss", "1e999"), ("seconds", "-1"), ("architecture", "c"), ("architecture", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_row_and_value(tmp_path: Path, column: str, text: str) -> None:
    (path := tmp_path / "rows.csv").write_text(ROWS.write([ALL[0], replace(ALL[1], **{column: text}), ALL[2]]))
    before = path.read_bytes()
    for read in (lambda: ROWS.read(path), lambda: complete([job("b,b")], path)):
        with pytest.raises(ValueError, match=f"^{path}, row 3: ") as caught:
            read()
        assert (text or "''") in str(caught.value) and "\n" not in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("cut", [1, -1])
def test_a_row_of_another_length_is_refused(tmp_path: Path, cut: int) -> None:
    header, row, *rest = ROWS.write(ALL).splitlines()
    changed = row + ",x" if cut == 1 else row.partition(",")[2]
    (tmp_path / "rows.csv").write_text("\n".join([header, changed, *rest, ""]))
    with pytest.raises(ValueError, match=r"row 2: [57] cells; expected architecture,seed"):
        ROWS.read(tmp_path / "rows.csv")


def test_what_two_processes_wrote_at_once_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = ROWS.write([ALL[0], ALL[1], replace(ALL[0], accuracy=1.0), ALL[2]]).splitlines(keepends=True)
    (path := tmp_path / "rows.csv").write_text("".join([lines[0], lines[0], *lines[1:4], lines[0], lines[4]]))
    assert ROWS.read(path) == ALL[:3]
    assert [message.split(" rows ")[0] for message in caplog.messages] == [f"{path}: 3"]


def test_rows_that_cannot_be_kept_do_not_keep_others_from_it(tmp_path: Path) -> None:
    jobs = [job("a", math.nan), job("b"), job("a,a", 17.0), job("b,b")]
    for left in ("2 of 4", "2 of 2"):
        with pytest.raises(ValueError, match=f"{left} .*: accuracy of a, 0 is nan"):
            complete(jobs, tmp_path / "rows.csv")
        assert [row.architecture for row in ROWS.read(tmp_path / "rows.csv")] == ["b", "b,b"]


def test_one_call_at_a_time_and_the_other_is_told_who(tmp_path: Path) -> None:
    begun, end, out = threading.Event(), threading.Event(), tmp_path / "rows.csv"

    class Waiting(Job):
        def labels(self) -> dict[str, float]:
            begun.set()
            end.wait(60)
            return super().labels()

    complete([job("a")], out)
    first = threading.Thread(target=complete, args=([job("b", kind=Waiting)], out))
    first.start()
    begun.wait(60)
    whole = out.read_bytes()
    out.write_bytes(whole + b"half a li")  # what the other one is writing
    with pytest.raises(BlockingIOError, match=rf"rows\.csv is in use .* {os.getpid()} on "):
        complete([job("b,b")], out)
    assert out.read_bytes().endswith(b"half a li"), "nobody else cuts it"
    assert [row.architecture for row in complete([job("a")], out)] == ["a"], "what is there can be read"
    out.write_bytes(whole)
    end.set()
    first.join()
    assert [row.architecture for row in ROWS.read(out)] == ["a", "b"] and list(tmp_path.iterdir()) == [out]


SCRIPT = """
import sys
from pathlib import Path
from autobuild_book.measured import tasks
from test_rows import ROWS, job
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    jobs = [job(name, seconds=600.0, begun=folder / f"begun-{name}") for name in "ab"]
    tasks.complete(ROWS, jobs, folder / "rows.csv", unit="row", workers=2, progress=False)
"""


@pytest.mark.slow
def test_a_killed_measurement_leaves_no_process_and_no_lock(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[3])])
    process = subprocess.Popen([sys.executable, str(tmp_path / "script.py"), str(tmp_path)], stderr=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": paths}, start_new_session=True)  # fmt: skip
    deadline = time.monotonic() + 180
    while len(list(tmp_path.glob("begun-*"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)  # raises when a worker still holds the error stream
    assert [row.architecture for row in complete([job("a"), job("b")], tmp_path / "rows.csv")] == ["a", "b"]


def test_numbers_of_numpy_are_rows_too(tmp_path: Path) -> None:
    made = Measurement("a", np.int64(3), np.float64(0.5), np.float32(0.5), 1.0, "here")  # type: ignore[arg-type]
    ROWS.append(tmp_path / "rows.csv", ROWS.check(made))
    assert ROWS.read(tmp_path / "rows.csv") == [made]

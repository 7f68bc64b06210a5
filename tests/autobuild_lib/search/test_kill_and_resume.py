"""A search that is killed goes on where it was: real processes, real kills."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_lib.search import EvaluationLog, evolve
from tests.helpers.evaluators import Slow, label
from tests.helpers.redrawn import Redrawn

OPTIONS = {"maximise": "acc", "minimise": "latency", "seed": 5, "start": 20, "rounds": 2, "mutations": 20,
           "progress": False}  # fmt: skip
SCRIPT = """
import json, sys
from pathlib import Path
from tests.helpers.evaluators import Slow
import autobuild_lib as ab
from autobuild_lib.search import evolve
from tests.helpers.redrawn import Redrawn
if __name__ == "__main__":
    folder, seconds, workers, options = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
    evaluator = Slow(folder / f"calls{sys.argv[5]}.txt", seconds)
    mutation = Redrawn(ab.spaces.ofa_mbv3())
    evolve(mutation, evaluator, log=folder / "log.jsonl", workers=workers, **options)
"""


def begin(folder: Path, seconds: float, workers: int, name: str = "0") -> subprocess.Popen[bytes]:
    script = folder / "script.py"
    script.write_text(SCRIPT)
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[3])])
    command = [sys.executable, str(script), str(folder), str(seconds), str(workers), json.dumps(OPTIONS), name]
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.PIPE)


def kill_at(process: subprocess.Popen[bytes], log: Path, lines: int) -> None:
    """Kill the process and its children as soon as the log has this many lines."""
    deadline = time.monotonic() + 120
    while not log.exists() or log.read_bytes().count(b"\n") < lines:
        assert process.poll() is None and time.monotonic() < deadline, process.stderr and process.stderr.read()
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    if process.stderr:
        process.stderr.close()


def resume(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """Run the same search to its end here; return its table and what it evaluated."""
    calls = folder / "calls-after.txt"
    table = evolve(Redrawn(ab.spaces.ofa_mbv3()), Slow(calls, 0), log=folder / "log.jsonl", workers=0,
                   **OPTIONS)  # fmt: skip
    return table, calls.read_text().splitlines()


def check(folder: Path, kept: set[str], least: int, in_flight: int) -> None:
    assert least <= len(kept) < 60
    table, evaluated = resume(folder)
    uninterrupted = evolve(Redrawn(ab.spaces.ofa_mbv3()), label, **OPTIONS)
    pd.testing.assert_frame_equal(table, uninterrupted)
    assert not kept & set(evaluated) and len(kept) + len(evaluated) == 60  # none repeated, none lost
    log = EvaluationLog(folder / "log.jsonl", ab.spaces.ofa_mbv3())
    assert (folder / "log.jsonl").read_bytes().count(b"\n") == len(log.evaluations) == 60
    begun = [line for path in folder.glob("calls[0-9].txt") for line in path.read_text().splitlines()]
    assert len(set(begun) - kept) <= in_flight  # what was being evaluated at the kill, and nothing else, is lost


def logged(folder: Path) -> set[str]:
    return {str(one) for one in EvaluationLog(folder / "log.jsonl", ab.spaces.ofa_mbv3()).evaluations}


def test_killed_while_evaluating_one_at_a_time(tmp_path: Path) -> None:
    kill_at(begin(tmp_path, 0.05, workers=0), tmp_path / "log.jsonl", 27)
    check(tmp_path, logged(tmp_path), least=27, in_flight=1)


@pytest.mark.slow
def test_killed_again_and_again_with_processes(tmp_path: Path) -> None:
    for number, lines in enumerate((3, 22, 41)):
        kill_at(begin(tmp_path, 0.05, 2, str(number)), tmp_path / "log.jsonl", lines)
    check(tmp_path, logged(tmp_path), least=41, in_flight=3 * 2)


@pytest.mark.slow
def test_two_searches_at_once_on_one_log(tmp_path: Path) -> None:
    both = [begin(tmp_path, 0.02, 0, str(number)) for number in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors
    assert len(logged(tmp_path)) == 60 == (tmp_path / "log.jsonl").read_bytes().count(b"\n")
    table = evolve(Redrawn(ab.spaces.ofa_mbv3()), label, **OPTIONS)
    assert logged(tmp_path) == set(map(str, table["architecture"]))

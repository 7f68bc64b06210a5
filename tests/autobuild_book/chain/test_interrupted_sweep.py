"""A sweep that is ended half-way goes on; what is finished is kept whatever changes, until it is forced."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers.sweep_notebook import NAME, copy_repository, run, start

SWEEP = ("sweep", "--notebook", NAME, "--set", "seed=2,3", "--profile", "quick", "--out", "runs", "--cores", "2")
OUT_OF_DATE = 3

pytestmark = pytest.mark.slow


def descendants(pid: int) -> set[int]:
    """Processes that a process has started, and those that these have."""
    lines = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.splitlines()
    parents = dict(map(int, line.split()) for line in lines)
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def finished(folder: Path) -> dict[int, int]:
    """When the runs that are finished wrote their metrics, by seed."""
    found = folder.glob(f"runs/*/{NAME}/metrics.json")
    return {json.loads(path.read_text())["parameters"]["seed"]: path.stat().st_mtime_ns for path in found}


def counts(written: str) -> list[int]:
    """How many runs are finished, out of date, to run, and run now."""
    (line,) = re.findall(r"^\d+ finished, .*$", written, re.MULTILINE)
    return [int(number) for number in re.findall(r"(?<![:\d])\d+(?![:\d])", line)][:4]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_sigterm_reaches_all_processes_and_what_is_finished_is_kept(tmp_path: Path) -> None:
    folder = copy_repository(tmp_path / "clone")
    sweep = start(folder, *SWEEP)
    end = time.monotonic() + 300
    while not ((folder / "waiting").exists() and any(folder.glob("runs/*/*.ipynb"))):
        assert time.monotonic() < end and sweep.poll() is None
        time.sleep(0.1)
    tree = descendants(sweep.pid)
    assert len(tree) >= 4, "Snakemake, a job, papermill, a kernel"
    for _ in range(2):  # someone is impatient
        sweep.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    written = sweep.communicate(timeout=120)[0]
    assert sweep.returncode == 130, written
    end = time.monotonic() + 20
    while alive(tree) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(tree) and list(before := finished(folder)) == [2]

    (folder / "open").touch()
    with (folder / "autobuild_lib" / "targets.py").open("a") as file:
        file.write("# a comment\n")
    code, planned = run(folder, *SWEEP, "--plan")
    assert code == 0 and counts(planned) == [0, 1, 1, 1] and "targets.py" in planned, planned
    code, written = run(folder, *SWEEP)
    assert code == OUT_OF_DATE and counts(written) == counts(planned), written
    assert sorted(after := finished(folder)) == [2, 3] and after[2] == before[2]
    assert counts(run(folder, *SWEEP, "--plan")[1]) == [1, 1, 0, 0]

    code, planned = run(folder, *SWEEP, "--force", "--plan")
    assert code == 0 and counts(planned) == [1, 1, 0, 1]
    code, written = run(folder, *SWEEP, "--force")
    assert code == 0 and counts(written) == counts(planned), written
    last = finished(folder)
    assert last[2] > after[2] and last[3] == after[3]
    for path in folder.rglob("*.py"):
        os.utime(path)
    code, written = run(folder, *SWEEP)
    assert code == 0 and counts(written) == [2, 0, 0, 0] and finished(folder) == last, written


def test_what_is_forced_is_kept_until_it_is_finished(tmp_path: Path) -> None:
    folder = copy_repository(tmp_path / "clone")
    (folder / "open").touch()
    assert run(folder, *SWEEP)[0] == 0
    before = finished(folder)
    (folder / "open").unlink()
    with (folder / "autobuild_lib" / "targets.py").open("a") as file:
        file.write("# a comment\n")
    sweep = start(folder, *SWEEP, "--force")
    end = time.monotonic() + 300
    while not (folder / "waiting").exists():
        assert time.monotonic() < end and sweep.poll() is None
        time.sleep(0.1)
    sweep.send_signal(signal.SIGTERM)
    sweep.communicate(timeout=120)
    after = finished(folder)
    assert sorted(after) == [2, 3] and after[3] == before[3]

    code, written = run(folder, *SWEEP, "--set", "fail=true", "--force")
    assert code == 1 and counts(written)[2] == 2
    code, written = run(folder, *SWEEP)
    assert code == OUT_OF_DATE and finished(folder)[3] == before[3], written


def test_a_chain_replaces_another_run_only_when_it_is_asked_to(tmp_path: Path) -> None:
    folder = copy_repository(tmp_path / "clone")
    chain = ("chain", "--profile", "quick", "--only", NAME, "--out", "runs", "--cores", "1", "--seed")
    metrics = folder / "runs" / NAME / "metrics.json"
    assert run(folder, *chain, "2")[0] == 0
    before = metrics.read_bytes()
    for words in ([], ["--dry-run"]):
        code, written = run(folder, *chain, "4", *words)
        assert code == 1 and "seed was 2 and is 4" in written and metrics.read_bytes() == before
    with (folder / "autobuild_lib" / "targets.py").open("a") as file:
        file.write("# a comment\n")
    assert run(folder, *chain, "2")[0] == 0 and metrics.read_bytes() != before
    assert run(folder, *chain, "4", "--force")[0] == 0
    assert json.loads(metrics.read_text())["parameters"]["seed"] == 4

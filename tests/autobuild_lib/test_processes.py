"""Work in threads and processes, which end with the one that started them: real processes, real signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from autobuild_lib.processes import WorkerPool

SCRIPT = """
import sys, time
from pathlib import Path
from autobuild_lib.processes import WorkerPool

def begin(folder, number):
    (folder / f"begun{number}").touch()
    time.sleep(600)

if __name__ == "__main__":
    try:
        (Path(sys.argv[1]) / "parent").touch()
        with WorkerPool(2) as pool:
            list(pool.map(begin, [Path(sys.argv[1])] * 2, range(2)))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def begin(folder: Path) -> subprocess.Popen[str]:
    """Start a process with two workers; its error stream ends when the last of the three does."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, str(script), str(folder)], env=environment, start_new_session=True,
                            stderr=subprocess.PIPE, text=True)  # fmt: skip


def wait_for(process: subprocess.Popen[str], *paths: Path) -> None:
    deadline = time.monotonic() + 120
    while not all(path.exists() for path in paths):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_a_killed_parent(tmp_path: Path, how: signal.Signals) -> None:
    process = begin(tmp_path)
    wait_for(process, tmp_path / "begun0", tmp_path / "begun1")
    process.send_signal(how)
    _, errors = process.communicate(timeout=30)  # raises when anybody still holds the stream
    assert process.returncode == -how and "Traceback" not in errors


def interrupt(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, which a terminal sends to all of them; one may end, and says nothing."""
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "")


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2])
def test_an_interrupt_while_workers_start_is_quiet(tmp_path: Path, seconds: float) -> None:
    process = begin(tmp_path)
    wait_for(process, tmp_path / "parent")
    time.sleep(seconds)
    interrupt(process)


def test_an_interrupt_ends_workers_that_are_at_work(tmp_path: Path) -> None:
    process = begin(tmp_path)
    wait_for(process, tmp_path / "begun0", tmp_path / "begun1")
    interrupt(process)


def test_an_error_ends_the_others_and_is_reported() -> None:
    def wait_for_the_second(pool: WorkerPool) -> None:
        with pool:
            both.extend([pool.submit(time.sleep, 600), pool.submit(divmod, 1, 0)])
            both[1].result()

    both: list[Future[object]] = []
    with pytest.raises(ZeroDivisionError):
        wait_for_the_second(WorkerPool(2))
    assert both[0].exception(30) is not None


def test_a_task_is_taken_when_a_process_is_free_for_it() -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for number in range(5):
            taken.append(number)
            yield number

    with WorkerPool(1) as pool:
        results = pool.as_finished(abs, tasks())
        assert taken == [] and [(next(results), list(taken)) for _ in range(3)][-1] == (2, [0, 1, 2])
        assert list(results) == [3, 4]


def test_tasks_of_a_process_that_dies_are_named() -> None:
    with pytest.raises(BrokenProcessPool, match="77"), WorkerPool(1) as pool:
        list(pool.as_finished(os._exit, [77]))

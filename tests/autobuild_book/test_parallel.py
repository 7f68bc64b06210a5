"""Work on the cores that a process is given, and what is said of a process that dies."""

import os
from concurrent.futures.process import BrokenProcessPool

import pytest

from autobuild_book import parallel


def test_a_process_uses_the_cores_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert parallel.cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert parallel.cores() == 64


@pytest.mark.parametrize("workers", [0, -1, True, 1.5])
def test_workers_are_whole_numbers_from_1_on(workers: int) -> None:
    with pytest.raises(ValueError, match=f"workers is {workers}; allowed.* from 1"):
        parallel.in_processes(os.getpid, [()], "measuring", workers=workers, progress=False)


def test_a_process_that_dies_is_one_clear_error() -> None:
    with pytest.raises(BrokenProcessPool, match=r"^measuring: "):
        parallel.in_processes(os._exit, [(1,), (1,)], "measuring", workers=1, progress=False)

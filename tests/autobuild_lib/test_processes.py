"""Work in processes and threads."""

import os
from concurrent.futures.process import BrokenProcessPool

import pytest

from autobuild_lib import processes


def test_a_process_uses_the_cores_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert processes.cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processes.cores() == 64


def test_a_process_that_dies_is_one_clear_error() -> None:
    with pytest.raises(BrokenProcessPool, match=r"^measuring: a process died; perhaps memory ran out, and fewer"):
        processes.in_processes(os._exit, [(1,), (1,)], "measuring", workers=1, progress=False)

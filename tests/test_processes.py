"""Work in processes and threads."""

import os

import pytest

from autobuild_lib import processes


def test_a_process_uses_the_cores_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert processes.cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processes.cores() == 64

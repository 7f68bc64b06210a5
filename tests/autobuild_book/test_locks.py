"""Locks name their holder, and leave nothing."""

import os
import re
from pathlib import Path

import pytest

from autobuild_book.locks import held


def test_a_lock_says_who_holds_it_and_leaves_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "out" / ".lock"
    with held(lock, "out"), pytest.raises(BlockingIOError) as error, held(lock, "out"):
        pass
    assert re.fullmatch(rf"out .+ {os.getpid()} .+ \d{{4}}-\d\d-\d\d .*", str(error.value))
    with held(lock, "out"):
        pass
    assert not list(lock.parent.iterdir())

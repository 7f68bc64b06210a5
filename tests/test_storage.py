"""Files written whole."""

import os
from pathlib import Path
from typing import Any

import pytest

from autobuild_lib.storage import replace_bytes, replace_text


def test_a_file_is_replaced_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "file.txt"
    replace_text(path, "one")
    replace_text(path, "zwei \u00fc")
    assert path.read_text(encoding="utf-8") == "zwei \u00fc" and list(path.parent.iterdir()) == [path]


def test_a_failure_names_the_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        replace_bytes(tmp_path, b"x")
    assert str(caught.value) == f"[Errno 21] Is a directory: '{tmp_path}'"
    assert [path for path in tmp_path.parent.iterdir() if "partial" in path.name] == []


def test_an_interrupt_leaves_the_old_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "file.txt"
    replace_bytes(path, b"old")
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_bytes(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]

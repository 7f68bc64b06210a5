"""What the tests of grading share: a tiny lab, its notebook, and zips of submissions."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from autobuild_book.labs.grading.restoring import Cell, Lab

CELLS = (
    Cell("cell-0", "given", "from autobuild_book.labs.answers import Right, call, require"),
    Cell("cell-1", "given", "value = 3.0"),
    Cell("twice", "answer", "twice = ...\n# Your answer:"),
    Cell("check-twice", "check", "require(twice == 2 * value, 'no') or Right('well done')", 2, ("twice",)),
    Cell("add", "answer", "def add(a, b):\n    ..."),
    Cell("check-add", "check", "require(call(add, 1, 2) == 3, 'no') or Right('fine')", 1, ("add",)),
)


@pytest.fixture
def lab() -> Lab:
    return Lab("lab1_tiny", CELLS)


def code_cell(code: str, name: str = "", metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"cell_type": "code", "id": name, "source": code, "metadata": metadata or {}, "outputs": []}


def notebook(**changed: str | None) -> bytes:
    """The tiny lab's notebook, with the code of some cells changed (by id, - as _), or without them where None."""
    codes = {cell.id: changed.pop(cell.id.replace("-", "_"), cell.code) for cell in CELLS}
    assert not changed
    cells = [code_cell(code, name) for name, code in codes.items() if code is not None]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


Zipped = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture
def zipped(tmp_path: Path) -> Zipped:
    def write(files: Mapping[str, bytes]) -> Path:
        with zipfile.ZipFile(tmp_path / "submissions.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return tmp_path / "submissions.zip"

    return write

"""A trained table with few rows, in place of those of other people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import autobuild_lib as ab
from autobuild_book.chapters.board import tables
from autobuild_book.chapters.board.tables import HERE, BoardTable

TOY = BoardTable("toy", ("additive", "other"), lower=True, kind=HERE)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, toy_table: ab.data.Table, tmp_path: Path) -> Iterator[BoardTable]:
    """The toy table, as the only trained one that is here; a second one was not downloaded."""
    load = ab.data.load
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path / "no downloads"))
    monkeypatch.setattr(tables.data, "load", lambda name: toy_table if name == "toy" else load(name))
    monkeypatch.setattr(tables, "TABLES", (TOY, BoardTable("help-ofa", ("latency_v100_1",))))
    tables.load.cache_clear()
    yield TOY
    tables.load.cache_clear()

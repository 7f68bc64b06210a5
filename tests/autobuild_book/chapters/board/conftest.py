"""A trained table with few rows, in place of those of other people."""

from collections.abc import Iterator

import pytest

import autobuild_lib as ab
from autobuild_book.chapters.board import tables
from autobuild_book.chapters.board.tables import BoardTable

TOY = BoardTable("toy", ("additive", "other"), lower=True)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, toy_table: ab.data.Table) -> Iterator[BoardTable]:
    """The toy table, as the only trained one that is here; a second one is missing."""

    def load(name: str) -> ab.data.Table:
        if name != "toy":
            raise FileNotFoundError(f"{name}: no file of it")
        return toy_table

    monkeypatch.setattr(tables.data, "load", load)
    monkeypatch.setattr(tables, "TABLES", (TOY, BoardTable("absent")))
    tables.load.cache_clear(), tables.why_missing.cache_clear()
    yield TOY
    tables.load.cache_clear(), tables.why_missing.cache_clear()

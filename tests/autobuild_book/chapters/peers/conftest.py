"""A contest over the toy table."""

import pytest

import autobuild_lib as ab
from autobuild_book.chapters.peers import contests
from autobuild_book.chapters.peers.contests import Contest
from tests.helpers.peer_rows import TOY


@pytest.fixture
def toy_contest(monkeypatch: pytest.MonkeyPatch, toy_table: ab.data.Table) -> Contest:
    """A contest over the toy table, which every module takes for a bundled one."""
    monkeypatch.setattr(contests, "_load", lambda source, space: toy_table)
    return TOY

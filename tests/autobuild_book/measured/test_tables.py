"""Entries of the manifest."""

import json
from pathlib import Path

import pytest

from autobuild_book.measured.tables import join_beside, join_manifest

ENTRY = {"file": "one.csv", "rows": 3, "beside": {"one.json": "aa"}}


def entries(folder: Path) -> dict[str, dict[str, object]]:
    return dict(json.loads((folder / "manifest.json").read_text()))


def test_a_table_that_is_made_again_keeps_what_stands_beside_it(tmp_path: Path) -> None:
    join_manifest(tmp_path, "other", {"file": "other.csv", "rows": 1})
    join_manifest(tmp_path, "one", ENTRY)
    join_beside(tmp_path, "one", {"rows.csv": "bb"})
    join_manifest(tmp_path, "one", ENTRY | {"rows": 4, "beside": {"one.json": "cc"}})
    assert entries(tmp_path)["one"] == ENTRY | {"rows": 4, "beside": {"one.json": "cc", "rows.csv": "bb"}}
    assert entries(tmp_path)["other"] == {"file": "other.csv", "rows": 1}


def test_nothing_stands_beside_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no table one"):
        join_beside(tmp_path, "one", {"rows.csv": "bb"})

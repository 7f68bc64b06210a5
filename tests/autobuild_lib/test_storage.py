"""Files written whole."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from autobuild_lib.storage import (
    json_text,
    locked,
    remove_abandoned,
    replace_bytes,
    replace_json,
    replace_text,
    unfinished,
)
from tests.helpers.kill_points import killed_at_each_point


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


class TestJson:
    def test_what_is_not_finite_is_null_and_arrays_are_lists(self, tmp_path: Path) -> None:
        odd: dict[str, Any] = {
            "nan": float("nan"), "deep": [{"inf": (1.0, float("inf"))}, -np.inf], "number": np.float32(0.5),
            "array": np.array([[1.0, np.nan]]), "tensor": torch.tensor([1, 2]), "count": np.int64(3), "truth": np.True_,
        }  # fmt: skip
        replace_json(tmp_path / "odd.json", odd)

        def refuse(constant: str) -> None:
            pytest.fail(f"{constant} is not JSON")

        assert json.loads((tmp_path / "odd.json").read_text(), parse_constant=refuse) == {
            "nan": None, "deep": [{"inf": [1.0, None]}, None], "number": 0.5, "array": [[1.0, None]],
            "tensor": [1, 2], "count": 3, "truth": True,
        }  # fmt: skip
        assert np.isnan(odd["nan"]), "what was given stays as it is"

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
    def test_everything_else_is_as_the_standard_library_writes_it(self, value: object) -> None:
        text = json_text(value)
        if "NaN" not in (usual := json.dumps(value, indent=1)) and "Infinity" not in usual:
            assert text == usual

    def test_what_json_has_not_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TypeError, match="complex"):
            replace_json(tmp_path / "odd.json", {"metric": 1j})
        assert not (tmp_path / "odd.json").exists()


def test_a_kill_at_any_point_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "[a] file*.txt"
    seen, left = [], 0
    replace_bytes(path, b"old")
    for _ in killed_at_each_point(lambda: replace_bytes(path, b"new")):
        seen.append(path.read_bytes())
        left = max(left, len(list(tmp_path.iterdir())))
        replace_bytes(path, b"old")
        assert list(tmp_path.iterdir()) == [path]
    assert seen == sorted(seen, reverse=True) and set(seen) == {b"old", b"new"} and left == 2
    assert path.read_bytes() == b"new"


def test_what_a_living_writer_writes_stays(tmp_path: Path) -> None:
    with unfinished(tmp_path / "a", Path.touch) as file, unfinished(tmp_path / "b", Path.mkdir) as folder:
        remove_abandoned(tmp_path, "*.partial*")
        assert file.exists() and folder.is_dir()
        replace_bytes(tmp_path / "a", b"of another writer")
        assert file.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    (tmp_path / "b.partial1").mkdir()
    (tmp_path / "b.partial1" / "x").touch()
    (tmp_path / "c.partial2").touch()
    remove_abandoned(tmp_path, "*.partial*")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_one_at_a_time_in_a_folder(tmp_path: Path) -> None:
    inside: list[int] = []

    def work() -> None:
        with locked(tmp_path):
            inside.append(1)
            assert len(inside) == 1
            inside.pop()

    with ThreadPoolExecutor(4) as pool:
        assert [future.result() for future in [pool.submit(work) for _ in range(200)]] == [None] * 200

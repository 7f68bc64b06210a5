"""The reader of JSON: what it takes, and what it refuses by file and line."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_lib import storage
from autobuild_lib.storage import DEEPEST, parse_json, read_json

PLAIN = st.none() | st.booleans() | st.integers(-(10**307), 10**307) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    PLAIN | st.text(max_size=5), lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=5), v, max_size=4)
)


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "some.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_objects_come_back_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = write(tmp_path_factory.getbasetemp(), json.dumps(value, indent=1))
    assert read_json(path) == value and parse_json(json.dumps([value])) == [value]


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    assert read_json(write(tmp_path, b"\xef\xbb\xbf{}")) == {}


UNUSABLE = {
    "not JSON": ('{"a":\n 1,}', "line 2"),
    "two values": ("{}\n{}", "line 2"),
    "nothing": ("", "Expecting value: line 1 column 1"),
    "NaN": ('{"NaN": "NaN",\n"b": NaN}', "NaN is not"),
    "infinity": ('{"a": [1,\n2,\n-Infinity]}', "-Infinity is not"),
    "a float beyond all": ('{"a":\n1e999}', "1e999 is not"),
    "a number beyond all floats": ('{"a":\n' + "9" * 400 + "}", "9999"),
    "a number of many digits": ('{\n"a": ' + "9" * 100_000 + "}", "9999"),
    "a key twice": ('{"a": 1,\n"b": {"a": 2,\n"c": 3,\n "c": 4}}', "key 'c' is there twice"),
    "deep lists": ('{"a": ' + "[" * 101 + "]" * 101 + "}", f"deeper than {DEEPEST}"),
    "very deep lists": ("[" * 100_000, "deeper than"),
    "very deep objects": ('{"a":' * 100_000 + "1" + "}" * 100_000, f"deeper than {DEEPEST}"),
    "a list": ("[]", "a list, not an object"),
    "null": ("null", "null, not an object"),
    "true": ("true", "true, not an object"),
    "a number": ("7", "a number, not an object"),
    "another encoding": ('{"a": "é"}'.encode("latin1"), "not UTF-8 at byte 7"),
    "a program": (b"\x7fELF\x00\xff", "not UTF-8 at byte 5"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_anything_else_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    content, reason = UNUSABLE[kind]
    path = write(tmp_path, content)
    with pytest.raises(ab.spaces.SpaceError, match=reason) as caught:
        read_json(path, "a plan", ab.spaces.SpaceError)
    message = str(caught.value)
    assert message.startswith(f"{path}: not a plan (") and "\n" not in message and len(message) < 400


def test_large_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "MOST_BYTES", 10)
    assert read_json(write(tmp_path, '{"a": 123}')) == {"a": 123}
    with pytest.raises(ValueError, match="11 bytes; at most 10"):
        read_json(write(tmp_path, '{"a": 1234}'))


def test_the_deepest_values_pass() -> None:
    assert parse_json("[" * DEEPEST + "]" * DEEPEST) is not None


def test_no_other_module_reads_json() -> None:
    """`json.loads` takes NaN, keys given twice, and any depth."""
    allowed = {"storage.py": 1, "log.py": 1}  # the log: whether a line is whole
    folder = Path(ab.__file__).parent
    calls = [
        path.name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("json.load", "json.loads", "json.JSONDecoder")
    ]
    assert {name: calls.count(name) for name in calls} == allowed

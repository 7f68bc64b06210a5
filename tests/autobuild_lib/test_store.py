"""Files that only grow, and locks that name their holder."""

from pathlib import Path

import pytest

from autobuild_lib.store import GrowingFile


def test_lines_are_read_once_and_those_of_others_when_they_are_there(tmp_path: Path) -> None:
    ours, theirs = GrowingFile(tmp_path / "log"), GrowingFile(tmp_path / "log")
    ours.append("a\nb\n")
    assert list(theirs.read()) == [(1, b"a"), (2, b"b")] and list(theirs.read()) == []
    theirs.append("c\n")
    assert list(ours.read()) == [(1, b"a"), (2, b"b"), (3, b"c")]
    assert list(theirs.read()) == [(3, b"c")]


def test_a_refused_line_comes_again(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"good\nbad\nlater\n")
    file, seen = GrowingFile(tmp_path / "log"), []
    for line in file.read():
        seen.append(line)
        if line[1] == b"bad":
            break
    assert seen == [(1, b"good"), (2, b"bad")] and list(file.read()) == [(2, b"bad"), (3, b"later")]


@pytest.mark.parametrize("torn", [b"h", b"half of a li", b"\0\0"])
def test_what_a_kill_left_is_removed_by_the_next_line(
    tmp_path: Path, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "log").write_bytes(b"a\n" + torn)
    file = GrowingFile(tmp_path / "log")
    assert list(file.read()) == [(1, b"a")] and (tmp_path / "log").read_bytes() == b"a\n" + torn
    file.append("b\n")
    file.append("c\n")
    assert (tmp_path / "log").read_bytes() == b"a\nb\nc\n"
    (message,) = caplog.messages
    assert f"{len(torn)} bytes" in message and str(tmp_path / "log") in message


def test_a_last_line_that_only_lacks_its_end_stays(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a\nb")
    file = GrowingFile(tmp_path / "log", lambda rest: rest == b"")
    assert list(file.read()) == [(1, b"a"), (2, b"b")]
    file.append("c\n")
    file.append("d\n")
    assert (tmp_path / "log").read_bytes() == b"a\nb\nc\nd\n" and next(file.read()) == (2, b"b")


def test_a_file_that_shrinks_is_refused(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "log")
    file.append("a\n")
    list(file.read())
    (tmp_path / "log").write_bytes(b"")
    with pytest.raises(ValueError, match="log"):
        list(file.read())

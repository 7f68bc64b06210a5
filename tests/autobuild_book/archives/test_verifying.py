"""Whatever is wrong with an archive is a line that names it, and nothing of it is unpacked onto the disk."""

import hashlib
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from autobuild_book import zips
from autobuild_book.archives import verifying
from autobuild_book.crates import METADATA

Files = dict[str, bytes]
RANKS = "01_predictor_srcc/ranks.csv"


def spoiled(archive: Path, edit: Callable[[Files], object]) -> list[str]:
    """The problems of an archive with other files."""
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    edit(files)
    archive.write_bytes(zips.zipped("", files))
    return verifying.problems(archive)


def described(edit: Callable[[list[dict[str, object]]], object]) -> Callable[[Files], None]:
    """A change of the list of what an archive describes."""

    def change(files: Files) -> None:
        content = json.loads(files[METADATA])
        edit(content["@graph"])
        files[METADATA] = json.dumps(content).encode()

    return change


def without(graph: list[dict[str, object]], identifier: str, key: str) -> None:
    next(entity for entity in graph if entity["@id"] == identifier).pop(key)


def conforms(graph: list[dict[str, object]], format: str) -> None:
    next(entity for entity in graph if entity["@id"] == METADATA)["conformsTo"] = {"@id": format}


def listing(tables: object) -> Callable[[Files], None]:
    """A change of the tables that a run lists, in an archive whose description is of the changed file."""

    def change(files: Files) -> None:
        name = RANKS.replace("ranks.csv", "metrics.json")
        files[name] = json.dumps(json.loads(files[name]) | {"tables": tables}).encode()
        sha256 = hashlib.sha256(files[name]).hexdigest()
        described(lambda graph: next(each for each in graph if each["@id"] == name).update(sha256=sha256))(files)

    return change


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        ({}, f"{RANKS}: is not listed"),
        ({"ranks": {"sha256": "0" * 64}}, f"{RANKS}: has another checksum"),
        (
            {"ranks": {"sha256": hashlib.sha256(b"x\n1\n2\n").hexdigest()}, "more": {"sha256": "0"}},
            "01_predictor_srcc/more",
        ),
        ([], "01_predictor_srcc/metrics.json: no record"),
        ({"ranks": {"sha256": hashlib.sha256(b"x\n1\n2\n").hexdigest()}}, ""),
    ],
)
def test_tables_are_those_that_their_run_lists(archive: Path, tables: object, line: str) -> None:
    lines = spoiled(archive, listing(tables))
    assert lines[0].startswith(line) if line else lines == []


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (lambda files: files.update({RANKS: b"x\n1\n3\n"}), f"{RANKS}: has another"),
        (lambda files: files.pop(RANKS), f"{RANKS}: is missing"),
        (lambda files: files.update(extra=b""), "extra: is not described"),
        (lambda files: files.pop(METADATA), f"{METADATA}: is missing"),
        (lambda files: files.update({METADATA: b"{"}), METADATA),
        (lambda files: files.update({METADATA: b"\xff"}), METADATA),
        (lambda files: files.update({METADATA: b"[]"}), f"{METADATA}: holds no object"),
        (lambda files: files.update({METADATA: b'{"@graph": 1}'}), f"{METADATA}: holds no list"),
        (lambda files: files.update({METADATA: b"[" * 5000}), METADATA),
        (described(lambda graph: without(graph, "./", "license")), f"{METADATA}: the root has no license"),
        (described(lambda graph: without(graph, RANKS, "sha256")), f"{RANKS}: its description has no sha256"),
        (described(lambda graph: conforms(graph, "https://example.org/crate")), f"{METADATA}: conforms to no"),
        (described(lambda graph: without(graph, METADATA, "conformsTo")), f"{METADATA}: conforms to no"),
        (described(lambda graph: graph.append(dict(graph[0]))), f"{METADATA}: describes something"),
        (described(lambda graph: graph.append({"@id": 3})), f"{METADATA}: describes something"),
        (lambda files: files.update({"../evil": b""}), "../evil: its name leads out"),
        (lambda files: files.update({"/etc/evil": b""}), "/etc/evil: its name leads out"),
        (lambda files: files.update({"a/../../evil": b""}), "a/../../evil: its name leads out"),
        (lambda files: files.update({"C:\\evil": b""}), "C:\\evil: its name leads out"),
        (lambda files: files.update({"a\nb": b""}), "a\\nb: its name leads out"),
        (lambda files: files.update({"folder/": b""}), "folder/: is a folder"),
        (lambda files: files.update({RANKS.upper(): b""}), f"{RANKS}: is there more than once"),
    ],
)
def test_each_problem_is_a_line(archive: Path, edit: Callable[[Files], object], line: str) -> None:
    lines = spoiled(archive, edit)
    assert any(text.startswith(line) for text in lines) and all(text.isprintable() for text in lines), lines


def test_every_problem_has_its_line(archive: Path) -> None:
    def edit(files: Files) -> None:
        files.pop("README.md")
        files.update({RANKS: b"", "extra": b""})

    assert [line.split(":")[0] for line in spoiled(archive, edit)] == ["README.md", "extra", RANKS]


def add(archive: Path, name: str, content: bytes = b"", mode: int = 0, packed: int = zipfile.ZIP_STORED) -> list[str]:
    entry = zipfile.ZipInfo(name)
    entry.external_attr, entry.compress_type = mode << 16, packed
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(entry, content)
    return verifying.problems(archive)


def test_links_devices_and_rare_packing_are_refused(archive: Path) -> None:
    assert add(archive, "link", b"/etc/passwd", stat.S_IFLNK | 0o777) == ["link: is a symbolic link"]
    assert "device: is a special file" in add(archive, "device", mode=stat.S_IFCHR)
    assert [line for line in add(archive, "rare", b"x", packed=zipfile.ZIP_LZMA) if line.startswith("rare: is packed")]


def test_bombs_are_not_unpacked(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(zips, "sha256_within", lambda *_: pytest.fail("it was unpacked"))
    (line,) = add(archive, "bomb", bytes(1 << 21), packed=zipfile.ZIP_DEFLATED)
    assert "bytes unpacked" in line and archive.stat().st_size < 1 << 20
    monkeypatch.setattr(zips, "MOST_FILES", 3)
    assert ["files; at most 3" in line for line in verifying.problems(archive)] == [True]


def test_a_size_that_is_a_lie_is_noticed(archive: Path) -> None:
    content = archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        size = opened.getinfo(RANKS).file_size
    place = content.rindex(RANKS.encode())  # in the list at the end; the size stands 22 bytes before the name
    assert content[place - 22 : place - 18] == size.to_bytes(4, "little")
    archive.write_bytes(content[: place - 22] + (size - 1).to_bytes(4, "little") + content[place - 18 :])
    (line,) = verifying.problems(archive)
    assert line.startswith(f"{RANKS}: ") and line.endswith("(damaged)")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_goes_unnoticed_or_is_an_odd_error(archive: Path, data: st.DataObject) -> None:
    content = archive.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    damaged = content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
    (other := archive.with_name("damaged.zip")).write_bytes(damaged)
    try:
        lines = verifying.problems(other)
    except ValueError:
        return
    # No problem is what does not touch a file: dates, versions and flags of the zip.
    assert all(map(str.isprintable, lines)) and (lines or unpacked(other) == unpacked(archive))


def unpacked(archive: Path) -> Files:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.parametrize("content", [b"", b"PK", b"nothing", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.zip"):
        verifying.check(path)

"""Bundled files are compared with the manifest, and the header of a CSV is read alone."""

from pathlib import Path

import pytest

from autobuild_book.bundled import check_bundled, read_header
from autobuild_lib.data import DataError, files, manifest

HEADERS = ["acc, architecture , more", "sep=;\nacc;architecture;more", ",acc,architecture,more"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("header", HEADERS)
def test_the_header_alone_is_read_as_with_its_rows(tmp_path: Path, encoding: str, header: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"{header}\n", encoding=encoding)
    assert read_header(path) == ["acc", "architecture", "more"]
    path.write_text(f"architecture,{'a' * 200_000}\n")
    with pytest.raises(DataError, match=r"mine.csv: not a CSV .*field limit"):
        read_header(path)


@pytest.mark.parametrize("name", manifest())
def test_bundled_files_have_the_checksums_of_the_manifest(name: str) -> None:
    check_bundled(manifest()[name])


def test_a_corrupted_copy_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = manifest()["ofa_mbv3"]
    damaged = bytearray(entry.path.read_bytes())
    damaged[-3] ^= 1
    (tmp_path / entry.file).write_bytes(damaged)
    monkeypatch.setattr(files, "FILES", tmp_path)
    with pytest.raises(DataError, match=f"{entry.file}: sha256 is [0-9a-f]+, the manifest says {entry.sha256}"):
        check_bundled(entry)

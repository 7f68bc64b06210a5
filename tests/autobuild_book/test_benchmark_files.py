"""Files of benchmarks: damage is noticed at any time, and a file that did not change is read once."""

import hashlib
import os
from pathlib import Path

import pytest

from autobuild_book import benchmark_files
from autobuild_book.benchmark_files import fault, is_damaged

WHOLE = b"what was published"
SHA256 = hashlib.sha256(WHOLE).hexdigest()


@pytest.mark.parametrize(
    ("content", "damaged"), [(WHOLE, False), (WHOLE[:-1], True), (b"", True), (WHOLE[:-1] + b"x", True)]
)
def test_damage(tmp_path: Path, content: bytes, damaged: bool) -> None:
    (tmp_path / "file").write_bytes(content)
    assert is_damaged(tmp_path / "file", SHA256) is damaged
    assert is_damaged(tmp_path / "file", None) is False


def test_what_cannot_be_read_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_damaged(tmp_path, SHA256) is is_damaged(tmp_path / "nothing", SHA256) is True
    (tmp_path / "large").write_bytes(WHOLE)
    monkeypatch.setattr(benchmark_files, "MOST_BYTES", len(WHOLE) - 1)
    monkeypatch.setattr(benchmark_files, "sha256_of", lambda path: pytest.fail(f"{path} was read"))
    assert is_damaged(tmp_path / "large", SHA256) is True


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    sha256_of = benchmark_files.sha256_of
    monkeypatch.setattr(benchmark_files, "sha256_of", lambda path: (reads.append(path), sha256_of(path))[1])
    path = tmp_path / "file"
    path.write_bytes(WHOLE)
    assert [is_damaged(path, SHA256) for _ in range(3)] == [False] * 3 and reads == [path]
    path.write_bytes(WHOLE[::-1])  # of the same size
    os.utime(path, ns=(1, 1))
    assert [is_damaged(path, SHA256) for _ in range(3)] == [True] * 3 and reads == [path, path]


def test_a_missing_file_goes_before_a_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    (tmp_path / "help-ofa").mkdir()
    (tmp_path / "help-ofa" / "ofa_archs.pt").write_bytes(b"")
    files = ["ofa_archs.pt", "latency_v100_1.pt"]
    assert fault("help-ofa", files) == "not here: run `autobuild data fetch help-ofa`"
    (tmp_path / "help-ofa" / "latency_v100_1.pt").write_bytes(b"x")
    assert fault("help-ofa", files) == "damaged, ofa_archs.pt, latency_v100_1.pt: run `autobuild data fetch help-ofa`"
    assert fault("help-ofa", []) == ""

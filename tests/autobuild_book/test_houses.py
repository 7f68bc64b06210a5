"""The code that a notebook rests on is the library, what chapters share, and the chapters it names."""

from pathlib import Path

import pytest

from autobuild_book import houses

FILES = (
    "lib/a.py", "lib/part/b.py", "lib/a.txt", "book/houses.py", "book/cli/c.py", "book/figures/d.py",
    "book/chapters/shared/e.py", "book/chapters/one/f.py", "book/chapters/two/g.py", "book/chapters/three/h.py",
)  # fmt: skip
TEXT = "from autobuild_book.chapters.one import f"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "book/chapters/one/f.py").write_text("from autobuild_book.chapters.two.g import x")
    monkeypatch.setattr(houses, "LIBRARY", tmp_path / "lib")
    monkeypatch.setattr(houses, "COMPANION", tmp_path / "book")
    return tmp_path


def names(folder: Path, text: str) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in houses.sources(text)}


def test_a_notebook_rests_on_its_chapter_and_on_those_that_it_names(folder: Path) -> None:
    always = {"lib/a.py", "lib/part/b.py", "book/houses.py", "book/figures/d.py", "book/chapters/shared/e.py"}
    assert names(folder, "") == always
    assert names(folder, TEXT) == always | {"book/chapters/one/f.py", "book/chapters/two/g.py"}


@pytest.mark.parametrize("name", FILES)
def test_the_digest_changes_with_these_files_alone(folder: Path, name: str) -> None:
    before, changes = houses.digest(TEXT), name in names(folder, TEXT)
    (folder / name).write_text((folder / name).read_text() + "\n")
    assert (houses.digest(TEXT) != before) == changes


def test_the_names_of_files_count(folder: Path) -> None:
    before = houses.digest_of_all()
    (folder / "lib/a.py").rename(folder / "lib/aa.py")
    assert houses.digest_of_all() != before

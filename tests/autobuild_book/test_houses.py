"""What a notebook rests on: the library with its data, and what of the companion it names, imports included."""

import os
from pathlib import Path

import pytest

from autobuild_book import houses

SOURCES = {
    "lib/a.py": "", "lib/__init__.pyi": "from .a import x", "lib/data/files/table.csv": "1", "lib/data/b.py": "",
    "lib/__pycache__/a.pyc": "", "lib/.a.py.swp": "", "lib/data/.hidden/c.csv": "",
    "book/__init__.py": "", "book/houses.py": "", "book/cli.py": "", "book/hops.py": "", "book/late.py": "",
    "book/named.py": "", "book/tracing/__init__.py": "import autobuild_book.tracing.trace as trace",
    "book/tracing/trace.py": "", "book/tracing/other.py": "", "book/figures/__init__.py": "",
    "book/figures/style.py": "from autobuild_book import hops, tracing\n\ndef f():\n    import autobuild_book.late",
    "book/chapters/__init__.py": "", "book/chapters/one/__init__.py": "",
    "book/chapters/one/f.py": "from autobuild_book.chapters.two.g import x\nfrom autobuild_book.figures import style",
    "book/chapters/one/commands.py": "import_module('autobuild_book.named')", "book/chapters/one/files/words.txt": "a",
    "book/chapters/two/__init__.py": "", "book/chapters/two/g.py": "import json", "book/chapters/two/h.py": "",
    "book/chapters/two/weights.bin": "w", "book/chapters/three/i.py": "",
}  # fmt: skip
TEXT = '["from autobuild_book.chapters.one import f\\n", "from autobuild_book import houses"]'
LIBRARY = {"lib/a.py", "lib/__init__.pyi", "lib/data/files/table.csv", "lib/data/b.py"}
USED = LIBRARY | {
    "book/__init__.py", "book/houses.py", "book/hops.py", "book/late.py", "book/named.py", "book/tracing/__init__.py",
    "book/tracing/trace.py", "book/figures/__init__.py", "book/figures/style.py", "book/chapters/__init__.py",
    "book/chapters/one/__init__.py", "book/chapters/one/f.py", "book/chapters/one/commands.py",
    "book/chapters/one/files/words.txt", "book/chapters/two/__init__.py", "book/chapters/two/g.py",
    "book/chapters/two/weights.bin",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(houses, "LIBRARY", tmp_path / "lib")
    monkeypatch.setattr(houses, "COMPANION", tmp_path / "book")
    return tmp_path


def names(folder: Path, text: str) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in houses.sources(text)}


def test_a_notebook_rests_on_what_it_imports_and_what_that_imports(folder: Path) -> None:
    assert names(folder, "") == LIBRARY
    assert names(folder, TEXT) == USED
    assert names(folder, "import autobuild_book.chapters.two.h as h") == LIBRARY | {
        "book/__init__.py", "book/chapters/__init__.py", "book/chapters/two/__init__.py", "book/chapters/two/h.py",
        "book/chapters/two/weights.bin",
    }  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_the_digest_changes_with_these_files_alone(folder: Path, name: str) -> None:
    before = houses.digest(TEXT)
    (folder / name).write_text((folder / name).read_text() + "\n")
    assert (houses.digest(TEXT) != before) == (name in USED)


def test_an_import_that_is_added_counts(folder: Path) -> None:
    before = houses.digest(TEXT)
    (changed := folder / "book/chapters/two/g.py").write_text("import autobuild_book.cli")
    assert "book/cli.py" in names(folder, TEXT) and houses.digest(TEXT) != before
    os.utime(changed, (0, 0))
    assert "book/cli.py" in names(folder, TEXT)


def test_the_names_of_files_count(folder: Path) -> None:
    before = houses.digest(TEXT)
    (folder / "lib/a.py").rename(folder / "lib/aa.py")
    assert houses.digest(TEXT) != before


def test_what_the_text_names_already_adds_nothing_when_it_is_imported(folder: Path) -> None:
    assert houses.digest(f"autobuild_book.hops autobuild_book.chapters.one.f {TEXT}") == houses.digest(TEXT)


def test_what_notebooks_import_of_the_companion_counts() -> None:
    root = Path(houses.__file__).parents[1]
    of_notebook = {
        path.stem: {file.relative_to(root).as_posix() for file in houses.sources(path.read_text(encoding="utf-8"))}
        for path in (root / "notebooks").glob("[0-9]*.ipynb")
    }
    assert "autobuild_book/layer_mutation.py" in of_notebook["04_pareto_regions"]
    assert "autobuild_book/unions.py" in of_notebook["04_pareto_regions"]
    assert "autobuild_book/tracing/trace.py" in of_notebook["09_your_own_space"]
    assert {"autobuild_book/hops.py", "autobuild_book/intervals.py"} <= of_notebook["01_predictor_srcc"]
    assert not any("autobuild_book/cli/__init__.py" in files for files in of_notebook.values())

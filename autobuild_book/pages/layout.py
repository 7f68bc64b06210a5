"""The layout in README.md: every package and top module with the first sentence of its docstring."""

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from autobuild_lib.storage import replace_text

HOUSES = ("autobuild_lib", "autobuild_book")
OPENED = ("autobuild_book/chapters",)  # packages whose own packages are listed, too
FOLDERS = {
    "notebooks/": "One per chapter (.py is the source, .ipynb its pair), the Snakefile and its profiles.",
    "book/": "Table of contents, prose, references.",
    "labs/": "Four labs: one source each, student versions, notes for teachers (`make labs`).",
    "tests/": "Mirrors both houses; campaign/: hostile inputs and kills (`make test-all`); benchmarks/ (`make bench`); "
    "browser/: the built book in Chromium (`make check-book`).",
    "findings/": "Surprises of real libraries, one runnable script each.",
}
SECTION = re.compile(r"(?<=^## Layout\n\n).*?(?=^## )", re.MULTILINE | re.DOTALL)
COLUMN, WIDTH = 26, 119


def layout(root: Path) -> str:
    """Return the list of the parts of the repository at `root`, each with what it is for."""
    parts = [*(part for house in HOUSES for part in _parts(root, root / house, 0)), *FOLDERS.items()]
    return "".join(_line(name, text) for name, text in parts)


def with_layout(readme: str, root: Path) -> str:
    """Return the text of README.md with the layout as it is; a text without the section is a `ValueError`."""
    if not SECTION.search(readme):
        raise ValueError("README.md has no section Layout that another section follows")
    return SECTION.sub(lambda match: f"{layout(root)}\n", readme)


def main() -> None:
    """Write the layout into README.md of the current folder."""
    path = Path("README.md")
    replace_text(path, with_layout(path.read_text(encoding="utf-8"), Path.cwd()))
    sys.stdout.write(f"{path}: the layout is that of the docstrings\n")


def _parts(root: Path, package: Path, depth: int) -> Iterator[tuple[str, str]]:
    """Yield name and purpose of a package, then of what lies in it, if it is a house or one of `OPENED`."""
    yield f"{'  ' * depth}{package.name}/", first_sentence(package / "__init__.py")
    if depth and package.relative_to(root).as_posix() not in OPENED:
        return
    for path in sorted(package.iterdir()):
        if (path / "__init__.py").is_file():
            yield from _parts(root, path, depth + 1)
        elif path.suffix == ".py" and path.stem != "__init__":
            yield f"{'  ' * (depth + 1)}{path.name}", first_sentence(path)


def first_sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring, without importing it."""
    text = " ".join((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split())
    return re.split(r"(?<=[.?]) ", text)[0]


def _line(name: str, text: str) -> str:
    first, later = " " * 4 + name.ljust(COLUMN), " " * (4 + COLUMN)
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False) + "\n"


if __name__ == "__main__":
    main()

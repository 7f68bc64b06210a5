"""The two houses as files: on which code a notebook, or a measurement, rests."""

import hashlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from autobuild_lib import extras

LIBRARY = Path(extras.__file__).parent
COMPANION = Path(__file__).parent
EVERY_CHAPTER = (
    "chapters/__init__.py", "chapters/shared", "figures", "measured", "runs/recording.py", "houses.py", "bundled.py",
    "locks.py", "parallel.py",
)  # fmt: skip
CHAPTER = re.compile(r"\bautobuild_book\.chapters\.(\w+)")


def sources(text: str) -> list[Path]:
    """Return the files that a notebook rests on: the library, what all chapters share, and the chapters it names.

    Args:
        text: the notebook's source; a chapter that a named chapter names counts, too.
    """
    chapters: set[str] = set()
    while names := set(CHAPTER.findall(text)) - chapters:
        chapters |= names
        text = "".join(path.read_text(encoding="utf-8") for path in _companion(f"chapters/{name}" for name in names))
    return [*_python(LIBRARY), *_companion({*EVERY_CHAPTER, *(f"chapters/{name}" for name in chapters)})]


def digest(text: str) -> str:
    """Return the sha256 of the files that a notebook rests on, given its source; see `sources`."""
    return _digest(sources(text))


def digest_of_all() -> str:
    """Return the sha256 of all source files of both houses."""
    return _digest([*_python(LIBRARY), *_python(COMPANION)])


def imported_chapters() -> str:
    """Return the names of all chapters' modules that are imported, as `sources` takes them."""
    return " ".join(sorted(name for name in sys.modules if CHAPTER.match(name)))


def _digest(paths: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        name = path.relative_to(LIBRARY if path.is_relative_to(LIBRARY) else COMPANION)
        whole.update(f"{name.as_posix()} {path.stat().st_size}\n".encode() + path.read_bytes())
    return whole.hexdigest()


def _companion(places: Iterable[str]) -> list[Path]:
    """Return the Python files in places of the companion, each once."""
    return sorted({path for place in places for path in _python(COMPANION / place)})


def _python(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))

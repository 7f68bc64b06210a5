"""The two houses as files: on which code and data a notebook rests."""

import ast
import functools
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from autobuild_lib import extras

LIBRARY = Path(extras.__file__).parent
COMPANION = Path(__file__).parent
HOUSE = "autobuild_book"
MENTION = re.compile(rf"\b({HOUSE}(?:\.\w+)*)(?: import ([\w, ]+))?")  # in the source of a notebook


def sources(text: str) -> list[Path]:
    """Return the files that a notebook rests on: all of the library, and what of the companion it uses.

    That is every module or package that its source names, whatever these import in turn, and the files beside them
    (data, word lists): those in the same folder, and in a folder `files` there.

    Args:
        text: the notebook's source.
    """
    named = [place for module, names in MENTION.findall(text) for place in _places(module, names.split(","))]
    todo = [path for place in named if place != COMPANION for path in _python(place)]
    modules: set[Path] = set()
    while todo:
        if (path := todo.pop()) not in modules:
            modules.add(path)
            todo += [*_packages(path), *_imports(path, path.stat().st_mtime_ns)]
    beside = (place for folder in {path.parent for path in modules} for place in (folder, folder / "files"))
    data = {path for place in beside if place.is_dir() for path in place.iterdir() if _is_data(path)}
    library = [path for path in LIBRARY.rglob("*") if path.suffix == ".py" or _is_data(path)]
    return sorted({*library, *modules, *data})


def digest(text: str) -> str:
    """Return the sha256 of the files that a notebook rests on, given its source; see `sources`."""
    whole = hashlib.sha256()
    for path in sources(text):
        name = path.relative_to(LIBRARY if path.is_relative_to(LIBRARY) else COMPANION)
        status = path.stat()
        whole.update(f"{name.as_posix()} {_sha256(path, status.st_mtime_ns, status.st_size)}\n".encode())
    return whole.hexdigest()


def imported() -> str:
    """Return the names of all modules of the companion that are imported, as `sources` takes them."""
    return " ".join(sorted(name for name, module in sys.modules.items() if _is_companion(name, module)))


def _is_companion(name: str, module: object) -> bool:
    """Say whether a module is one of the companion, packages aside: their name would stand for all that is in them."""
    return name.startswith(f"{HOUSE}.") and not hasattr(module, "__path__")


def _places(module: str, names: Iterable[str]) -> Iterator[Path]:
    """Yield the files of a module and of what is imported from it, as far as they are modules, folders for packages."""
    for name in ("", *(words[0] for words in map(str.split, names) if words)):
        place = COMPANION.joinpath(*module.split(".")[1:], name)
        while place != COMPANION and not place.is_dir() and not place.with_suffix(".py").is_file():
            place = place.parent  # a name within a module
        yield place if place.is_dir() else place.with_suffix(".py")


@functools.cache
def _imports(path: Path, changed: int) -> list[Path]:
    """Return the files that one of the companion imports; names of modules in texts count, for they may be, too."""
    places: list[Path] = []
    modules: list[tuple[str, list[str]]]
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Import(names=names):
                modules = [(alias.name, []) for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                modules = [(module, [alias.name for alias in names])]
            case ast.Constant(value=str(text)) if re.fullmatch(rf"{HOUSE}(\.\w+)+", text):
                modules = [(text, [])]
            case _:
                continue
        for module, parts in modules:
            places += _places(module, parts) if module.split(".")[0] == HOUSE else ()
    return [file for place in places if (file := place / "__init__.py" if place.is_dir() else place).is_file()]


def _packages(path: Path) -> Iterator[Path]:
    """Yield what is run before a module is imported."""
    folders = [folder for folder in path.parents if folder.is_relative_to(COMPANION)]
    yield from (folder / "__init__.py" for folder in folders if (folder / "__init__.py").is_file())


def _python(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def _is_data(path: Path) -> bool:
    inside = path.relative_to(LIBRARY if path.is_relative_to(LIBRARY) else COMPANION).parts
    hidden = any(part.startswith((".", "__pycache__")) for part in inside)
    return path.suffix not in (".py", ".pyc") and not hidden and path.is_file()


@functools.cache
def _sha256(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

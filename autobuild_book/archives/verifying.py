"""Checks an archive that may come from anybody."""

from pathlib import Path
from zipfile import ZipFile

from autobuild_book.crates import METADATA, checking
from autobuild_book.zips import opened, refusals, sha256_within
from autobuild_lib.storage import MOST_BYTES, parse_json


def problems(path: Path) -> list[str]:
    """Return a line for each thing that is wrong with an archive; `ValueError` for what is no zip file.

    An archive with names, links or sizes that are refused is not read any further.
    """
    with opened(path) as archive:
        return refusals(archive) or _contents(archive)


def check(path: Path) -> str:
    """Return a line about an archive without problems; `ValueError` with the first where there are some."""
    if lines := problems(path):
        raise ValueError(f"{path}: {lines[0]}" + (f" (and {len(lines) - 1} more)" if lines[1:] else ""))
    with opened(path) as archive:
        return f"{path}: {len(archive.namelist()):,} files, all as described"


def _contents(archive: ZipFile) -> list[str]:
    names = set(archive.namelist())
    if METADATA not in names:
        return [f"{METADATA}: is missing"]
    try:
        described = parse_json(read(archive, METADATA).decode("utf-8"))
    except ValueError as error:
        return [f"{METADATA}: {error}"]
    if not isinstance(described, dict):
        return [f"{METADATA}: holds no object"]
    return checking.problems(described, names - {METADATA}, lambda name: sha256_within(archive, name))


def read(archive: ZipFile, name: str) -> bytes:
    """Return a file of an archive; `ValueError` for one that is not there or too long to be read at once."""
    if name not in archive.namelist():
        raise ValueError(f"{archive.filename}: holds no {name}")
    if (size := archive.getinfo(name).file_size) > MOST_BYTES:
        raise ValueError(f"{name}: {size:,} bytes; at most {MOST_BYTES:,} are read")
    return archive.read(name)

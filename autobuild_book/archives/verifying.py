"""Checks an archive that may come from anybody."""

from collections.abc import Collection, Iterator
from pathlib import Path
from zipfile import ZipFile

from autobuild_book.crates import METADATA, checking
from autobuild_book.zips import opened, refusals, sha256_within
from autobuild_lib.storage import MOST_BYTES, parse_json

RECORD = "/metrics.json"


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
    lines = checking.problems(described, names - {METADATA}, lambda name: sha256_within(archive, name))
    records = sorted(name for name in names if name.endswith(RECORD))
    return [*lines, *(line for name in records for line in _tables(archive, name, names))]


def _tables(archive: ZipFile, record: str, names: Collection[str]) -> Iterator[str]:
    """Yield a line for each table beside a record that is not as that lists it; older records list none."""
    try:
        content = parse_json(read(archive, record).decode("utf-8"), nan_as_null=True)
        tables = {name: table["sha256"] for name, table in content.get("tables", {}).items()}
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        return (yield f"{record}: no record of a run ({type(error).__name__})")
    if "tables" in content:
        folder = record.removesuffix(RECORD)
        there = {name for name in names if name.endswith(".csv") and name.rpartition("/")[0] == folder}
        listed = {f"{folder}/{name}.csv": sha256 for name, sha256 in tables.items()}
        yield from (f"{name}: is not listed in {record}" for name in sorted(there - listed.keys()))
        yield from (f"{name}: is missing" for name in sorted(listed.keys() - there))
        changed = [name for name in sorted(there & listed.keys()) if sha256_within(archive, name) != listed[name]]
        yield from (f"{name}: has another checksum than {record} lists" for name in changed)


def read(archive: ZipFile, name: str) -> bytes:
    """Return a file of an archive; `ValueError` for one that is not there or too long to be read at once."""
    if name not in archive.namelist():
        raise ValueError(f"{archive.filename}: holds no {name}")
    if (size := archive.getinfo(name).file_size) > MOST_BYTES:
        raise ValueError(f"{name}: {size:,} bytes; at most {MOST_BYTES:,} are read")
    return archive.read(name)

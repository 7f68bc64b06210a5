"""Which run a table belongs to: the one whose metrics.json lists its checksum."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.lines import printable
from autobuild_book.runs.metrics import problem, read_metrics
from autobuild_lib.released.checksums import sha256_of

COLUMNS = ["run", "notebook", "date", "commit", "table", "rows", "state"]
LISTED, CHANGED, MISSING, UNLISTED = "as written", "changed since", "missing", "not listed"


def list_tables(folders: Sequence[Path]) -> pd.DataFrame:
    """Return a row for each table of the runs in folders, at any depth, with columns `COLUMNS`.

    The state says whether the file is as the run wrote it, has changed since, is missing, or is listed by no run. A
    metrics.json that is no record of a run is left out: `unreadable` names it.

    Raises:
        ValueError: where there is no run, or none that can be read.
    """
    rows = [row for path, record in _records(folders) for row in _rows(path, record)]
    return pd.DataFrame(rows, columns=COLUMNS)


def runs_of(table: Path, folders: Sequence[Path]) -> list[Path]:
    """Return the metrics.json of each run in folders that wrote a table with the content of this file, and any name."""
    sha256 = sha256_of(table)
    wrote = ((path, {entry.get("sha256") for _, entry in _tables(record)}) for path, record in _records(folders))
    return [path for path, checksums in wrote if sha256 in checksums]


def unreadable(folders: Sequence[Path]) -> list[str]:
    """Return a line for each metrics.json in folders that cannot be read: which it is, and why."""
    return [why for path in _files(folders) if (why := problem(path))]


def _files(folders: Sequence[Path]) -> list[Path]:
    return sorted({path for folder in folders for path in folder.rglob("metrics.json")})


def _records(folders: Sequence[Path]) -> list[tuple[Path, dict[str, Any]]]:
    if not (paths := _files(folders)):
        raise ValueError(f"{', '.join(map(str, folders))}: there is no run, that is, no metrics.json; give its folder")
    readable = [path for path in paths if not problem(path)] or paths[:1]  # the first says what is wrong with all
    return [(path, read_metrics(path)) for path in readable]


def _tables(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the names and entries of the tables that a record lists; older records list none."""
    tables = record.get("tables")
    for name, entry in (tables if isinstance(tables, dict) else {}).items():
        yield name, entry if isinstance(entry, dict) else {}


def faults(path: Path, record: Mapping[str, Any]) -> list[str]:
    """Return a line for each table beside a metrics.json that is not as its run wrote it; older records list none."""
    rows = _rows(path, record) if isinstance(record.get("tables"), dict) else ()
    return [f"{file}: {state}" for *_, file, _, state in rows if state != LISTED]


def _rows(path: Path, record: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    commit = f"{record.get('commit') or 'unknown'}"[:12] + (", with changes" if record.get("dirty") else "")
    about = [printable(str(record.get(key) or "unknown")) for key in ("run", "notebook", "date")]
    listed = dict(_tables(record))
    for name, entry in listed.items():
        file = path.parent / f"{name}.csv"
        same = file.is_file() and sha256_of(file) == entry.get("sha256")
        state = LISTED if same else CHANGED if file.is_file() else MISSING
        yield (*about, printable(commit), printable(str(file)), entry.get("rows"), state)
    for file in sorted(path.parent.glob("*.csv")):
        if file.stem not in listed:
            yield (*about, printable(commit), printable(str(file)), None, UNLISTED)

"""What runs leave, read again: metrics.json of a run, and the plan of a sweep."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autobuild_lib.storage import read_json

RECORD = {"notebook": str, "parameters": dict, "data": list, "versions": dict, "seconds": float, "metrics": dict}
PLAN = "sweep.json"
SWEEP = {"notebook": str, "profile": str, "runs": dict}
NOT_COMPARED = ("out",)  # a parameter that says where a run is, not what it is


def read_metrics(path: Path) -> dict[str, Any]:
    """Read what `Run.finish` wrote; anything else is a `ValueError`."""
    return _read(path, "the metrics of a notebook of this book", RECORD)


def problem(path: Path) -> str:
    """Say why a metrics.json cannot be read; "" where it can."""
    try:
        read_metrics(path)
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def read_plan(path: Path) -> dict[str, Any]:
    """Read what `Sweep.write` wrote; anything else is a `ValueError`."""
    return _read(path, "the plan of a sweep", SWEEP)


def _read(path: Path, what: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    record: dict[str, Any] = read_json(path, what := f"{what}, an object with {', '.join(kinds)}")
    if wrong := [name for name, kind in kinds.items() if not isinstance(record.get(name), kind)]:
        raise ValueError(f"{path}: not {what} ({', '.join(wrong)}: missing, or of another type)")
    return record


def checksums(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the sha256 of each table that a run used, by its source."""
    tables = [table for table in record["data"] if isinstance(table, dict)]
    return {str(table.get("source")): str(table.get("sha256")) for table in tables}


def as_cell(value: Any) -> Any:
    """A number or a text as it is, a list of one as its element, anything else as JSON."""
    if isinstance(value, list) and len(value) == 1:
        return as_cell(value[0])
    return value if isinstance(value, int | float | str) else json.dumps(value)


def numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in metrics, with a name that says where: `table[paper].head`; lists of plain values have none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from numbers(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        for key, row in zip(_keys(value), value, strict=True):
            yield from numbers(row, f"{name}[{key}]" if key else name)


def _keys(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tell rows apart by the first of their texts that do so, and by their place if none do."""
    keys: list[tuple[str, ...]] = [()] * len(rows)
    for column in rows[0]:
        longer = [(*key, str(row.get(column))) for key, row in zip(keys, rows, strict=True)]
        if isinstance(rows[0][column], str) and len(set(longer)) > len(set(keys)):
            keys = longer
    if len(set(keys)) < len(rows):
        keys = [(*key, str(place)) for place, key in enumerate(keys)]
    return [", ".join(key) for key in keys]

"""Many runs of one notebook side by side: the parameters that differ, and the metrics that are numbers."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.lines import printable
from autobuild_lib.storage import read_json

logger = logging.getLogger(__name__)

RECORD = {"notebook": str, "parameters": dict, "data": list, "versions": dict, "seconds": float, "metrics": dict}
NOT_COMPARED = ("out",)  # a parameter that says where a run is, not what it is


@dataclass(frozen=True)
class Comparison:
    """A row for each run: its folder's name in column `run`, then the parameters that differ, then the metrics."""

    notebook: str
    table: pd.DataFrame
    parameters: tuple[str, ...]
    metrics: tuple[str, ...]

    def choose(self, patterns: Sequence[str]) -> "Comparison":
        """Keep the metrics whose names match one of the patterns (`*` is any text); `ValueError` if there are none."""
        kept = tuple(name for name in self.metrics if any(fnmatchcase(name, pattern) for pattern in patterns))
        if not kept:
            raise ValueError(f"no metric matches {', '.join(patterns)}; there are {', '.join(self.metrics)}")
        return Comparison(self.notebook, self.table[["run", *self.parameters, *kept]], self.parameters, kept)

    def html(self, picture: str) -> str:
        """Return a page with the table, and with the picture of that file name."""
        title = escape(f"{len(self.table)} runs of {self.notebook}")
        table = self.table.to_html(index=False, float_format="{:.4g}".format, na_rep="", border=0)
        style = "body {font: 1rem sans-serif} td, th {padding: .2em .8em; text-align: left} img {max-width: 100%}"
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
            f"<style>{style}</style></head><body>\n<h1>{title}</h1>\n"
            f'<p><img src="{escape(picture)}" alt="Each metric of the table below, one point for each run."></p>\n'
            f'<div style="overflow-x: auto">{table}</div>\n</body></html>\n'
        )


def compare(paths: Sequence[Path]) -> Comparison:
    """Gather runs.

    Args:
        paths: metrics.json files, or folders that hold some, at any depth.

    Raises:
        ValueError: for a file that is not the metrics of a notebook, for runs of several notebooks, and for none.
    """
    files = list(dict.fromkeys(file for path in paths for file in _find(path)))
    records = [read_metrics(file) for file in files]
    if len(notebooks := sorted({record["notebook"] for record in records})) != 1:
        raise ValueError(f"runs of several notebooks: {', '.join(notebooks)}; give those of one")
    names = [name for name in records[0]["parameters"] if name not in NOT_COMPARED]
    settings = pd.DataFrame([{name: _text(record["parameters"].get(name)) for name in names} for record in records])
    differing = [name for name in names if settings[name].nunique(dropna=False) > 1]
    numbers = pd.DataFrame([dict(_numbers(record["metrics"])) for record in records])
    numbers = numbers.rename(columns={name: f"{name} (metric)" for name in ["run", *differing]})
    runs = pd.Series([file.resolve().parent.parent.name for file in files], name="run")
    table = pd.concat([runs, settings[differing], numbers], axis=1).rename(columns=lambda name: printable(str(name)))
    table = table.map(lambda value: printable(value) if isinstance(value, str) else value)
    parameters, metrics = (tuple(printable(str(name)) for name in names) for names in (differing, numbers))
    return Comparison(printable(notebooks[0]), table, parameters, metrics)


def _find(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not (files := sorted(path.rglob("metrics.json"))):
        reason = "which a run writes at its end" if path.is_dir() else "for there is no such folder"
        raise ValueError(f"{path}: there is no metrics.json, {reason}; give runs, or folders of runs")
    if unfinished := [run.name for run in sorted(path.iterdir()) if _is_unfinished(run)]:
        logger.warning("%s: %d runs have no metrics and are left out, such as %s", path, len(unfinished), unfinished[0])
    return files


def _is_unfinished(run: Path) -> bool:
    """Say whether a folder holds a notebook and no metrics."""
    return run.is_dir() and any(run.rglob("*.ipynb")) and not any(run.rglob("metrics.json"))


def read_metrics(path: Path) -> dict[str, Any]:
    """Read what `Run.finish` wrote; anything else is a `ValueError`."""
    record = read_json(path, what := f"the metrics of a notebook of this book, an object with {', '.join(RECORD)}")
    if wrong := [name for name, kind in RECORD.items() if not isinstance(record.get(name), kind)]:
        raise ValueError(f"{path}: not {what} ({', '.join(wrong)}: missing, or of another type)")
    return record


def _text(value: Any) -> Any:
    """A number or a text as it is, a list of one as its element, anything else as JSON."""
    if isinstance(value, list) and len(value) == 1:
        return _text(value[0])
    return value if isinstance(value, int | float | str) else json.dumps(value)


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in metrics, with a name that says where: `table[paper].head`; lists of plain values have none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _numbers(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        for key, row in zip(_keys(value), value, strict=True):
            yield from _numbers(row, f"{name}[{key}]" if key else name)


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

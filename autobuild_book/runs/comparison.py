"""Many runs of one notebook side by side: the parameters that differ, where they come from, and their numbers."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.intervals import ends_of, mean_with_interval
from autobuild_book.lines import brief, printable
from autobuild_book.runs.metrics import (
    NOT_COMPARED,
    PLAN,
    as_cell,
    checksums,
    numbers,
    problem,
    read_metrics,
    read_plan,
)

logger = logging.getLogger(__name__)

ORIGINS = ("commit", "code", "data_sha256", "machine", "versions")  # columns that say where a run comes from
SUMMARY = ("metric", "mean", "low", "high", "n")
UNKNOWN = "unknown"
DIGITS = 12  # of a checksum


@dataclass(frozen=True)
class Comparison:
    """A row for each run: its folder's name in column `run`, the parameters that differ, the `ORIGINS`, the metrics.

    `planned` is None unless a sweep's plan lies beside the runs: then how many of its runs are here, and of how many.
    """

    notebook: str
    table: pd.DataFrame
    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    planned: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How many runs there are, and of how many that were planned."""
        here = len(self.table)
        if self.planned is None:
            return f"{here} runs of {self.notebook}"
        others = f", and {here - self.planned[0]} others" if here > self.planned[0] else ""
        return f"{self.planned[0]} of {self.planned[1]} planned runs of {self.notebook}{others}"

    def choose(self, patterns: Sequence[str]) -> "Comparison":
        """Keep the metrics whose names match one of the patterns (`*` is any text); `ValueError` if there are none."""
        kept = tuple(name for name in self.metrics if any(fnmatchcase(name, pattern) for pattern in patterns))
        if not kept:
            raise ValueError(f"no metric matches {', '.join(patterns)}; there are {', '.join(self.metrics)}")
        return replace(self, table=self.table[["run", *self.parameters, *ORIGINS, *kept]], metrics=kept)

    def summary(self) -> pd.DataFrame:
        """Return each metric's mean, 95 % interval (Student's t) and n, over runs that differ in `seed` alone.

        Intervals of rank correlations are cut at -1 and 1.
        """
        named = [name for name in self.parameters if name != "seed"]
        groups = self.table.groupby(named, sort=False, dropna=False) if named else [((), self.table)]
        ends = {metric: ends_of(metric, self.table[metric].to_numpy(dtype=float)) for metric in self.metrics}
        rows = []
        for key, group in groups:
            for metric in self.metrics:
                values = group[metric].dropna().to_numpy()
                interval = mean_with_interval(values, within=ends[metric]) if len(values) else [float("nan")] * 3
                rows.append((*key, metric, *interval, len(values)))
        return pd.DataFrame(rows, columns=[*named, *SUMMARY])

    def readable(self) -> pd.DataFrame:
        """Return the table without its `ORIGINS`, and with the names of the folders at the end."""
        return self.table[[*self.parameters, *self.metrics, "run"]]

    def origins(self) -> Iterator[str]:
        """Yield a line for each commit, code, data, machine and set of versions: how many runs come from it."""
        for name in ORIGINS:
            for value, count in Counter(self.table[name]).most_common():
                yield f"{name} {value}: {count} runs"

    def html(self, picture: str) -> str:
        """Return a page with the tables, and with the picture of that file name."""
        title = escape(self.title)
        summary, table = (
            frame.to_html(index=False, float_format="{:.4g}".format, na_rep="", border=0)
            for frame in (self.summary(), self.readable())
        )
        style = "body {font: 1rem sans-serif} td, th {padding: .2em .8em; text-align: left} img {max-width: 100%}"
        lines = [*(f"Warning: {line}" for line in self.warnings), *self.origins()]
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
            f"<style>{style}</style></head><body>\n<h1>{title}</h1>\n"
            f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>\n"
            f'<p><img src="{escape(picture)}" alt="Each metric of the table below, one point for each run."></p>\n'
            f'<div style="overflow-x: auto">{table}</div>\n'
            f"<h2>Means over seeds, 95 % intervals (Student's t), n</h2>\n{summary}\n</body></html>\n"
        )


def compare(paths: str | Path | Sequence[str | Path]) -> Comparison:
    """Gather runs.

    Args:
        paths: metrics.json files, or folders that hold some, at any depth.

    Raises:
        ValueError: for a file that is not the metrics of a notebook, for runs of several notebooks, and for none. In a
            folder with others such a file is left out with a warning.
    """
    places = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    files = find_metrics(places)
    records = [read_metrics(file) for file in files]
    if len(notebooks := sorted({record["notebook"] for record in records})) != 1:
        raise ValueError(f"runs of several notebooks: {', '.join(notebooks)}; give those of one")
    names = [name for name in records[0]["parameters"] if name not in NOT_COMPARED]
    settings = pd.DataFrame([{name: as_cell(record["parameters"].get(name)) for name in names} for record in records])
    differing = [name for name in names if settings[name].nunique(dropna=False) > 1]
    metrics = pd.DataFrame([dict(numbers(record["metrics"])) for record in records])
    ours = ["run", *ORIGINS, *SUMMARY]
    metrics = metrics.rename(columns={name: f"{name} (metric)" for name in [*ours, *differing]})
    settings = settings[differing].rename(columns={name: f"{name} (parameter)" for name in ours})
    runs = pd.Series([file.resolve().parent.parent.name for file in files], name="run")
    origins = pd.DataFrame([_origin(record) for record in records])
    table = pd.concat([runs, settings, origins, metrics], axis=1)
    table = table.rename(columns=lambda name: printable(str(name)))
    table = table.map(lambda value: printable(value) if isinstance(value, str) else value)
    parameters, measured = (tuple(printable(str(name)) for name in names) for names in (settings, metrics))
    planned, warnings = _planned(places, files), tuple(_mixed(records))
    return Comparison(printable(notebooks[0]), table, parameters, measured, planned, warnings)


def _origin(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the `ORIGINS` of a run; the code is a checksum of its sources and of its notebook."""
    commit = str(record.get("commit") or UNKNOWN)
    data = [f"{source} {sha256[:DIGITS]}" for source, sha256 in checksums(record).items()]
    return {
        "commit": commit[:DIGITS] + (" with changes" if record.get("dirty") else ""),
        "code": _code(record),
        "data_sha256": ", ".join(data) or UNKNOWN,
        "machine": str(record.get("machine") or UNKNOWN),
        "versions": ", ".join(f"{package} {version}" for package, version in record["versions"].items()) or UNKNOWN,
    }


def _code(record: Mapping[str, Any]) -> str:
    parts = [record.get(name) for name in ("sources", "notebook_sha256")]
    return hashlib.sha256(str(parts).encode()).hexdigest()[:DIGITS] if parts[0] else UNKNOWN


def _mixed(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Warn of runs that do not belong side by side: of different code, versions, or rows from the same source."""
    if len(codes := Counter(map(_code, records))) > 1:
        counts = ", ".join(f"{count} runs of code {code}" for code, count in codes.most_common())
        yield f"runs of different code are mixed: {counts}"
    versions = [{package: str(version) for package, version in record["versions"].items()} for record in records]
    for package, counts in _differing(versions, brief):
        yield f"runs of different versions are mixed: {package} has {counts}"
    for source, counts in _differing(map(checksums, records), lambda sha256: printable(sha256[:DIGITS])):
        yield f"runs of different data are mixed: {source} has {counts}"


def _differing(records: Iterable[Mapping[str, str]], show: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Yield each key that has several values, and how many records have each; a record without the key has none."""
    pairs = Counter(pair for record in records for pair in record.items())
    for key, several in Counter(key for key, _ in pairs).items():
        if several > 1:
            counts = [f"{n} runs of {show(value)}" for (name, value), n in pairs.items() if name == key]
            yield brief(key), ", ".join(counts)


def _planned(places: Sequence[Path], files: Sequence[Path]) -> tuple[int, int] | None:
    """Return how many of the runs that the plans of sweeps list are among files, and how many they list."""
    plans = {path.parent: read_plan(path) for place in places if place.is_dir() for path in place.rglob(PLAN)}
    listed = {
        (folder / name / plan["notebook"] / "metrics.json").resolve()
        for folder, plan in plans.items() for name in plan["runs"]
    }  # fmt: skip
    return (len(listed & {file.resolve() for file in files}), len(listed)) if plans else None


def find_metrics(paths: Sequence[Path]) -> list[Path]:
    """Return the metrics.json files that are given or lie in given folders, at any depth, each once; see `compare`."""
    return list(dict.fromkeys(file for path in paths for file in _find(path)))


def _find(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not (files := sorted(path.rglob("metrics.json"))):
        reason = "which a run writes at its end" if path.is_dir() else "for there is no such folder"
        raise ValueError(f"{path}: there is no metrics.json, {reason}; give runs, or folders of runs")
    problems = {file: why for file in files if (why := problem(file))}
    if len(problems) < len(files):  # otherwise reading the first says what is wrong
        files = [file for file in files if file not in problems]
        for why in problems.values():
            logger.warning("%s; left out", why)
    if unfinished := [run.name for run in sorted(path.iterdir()) if _is_unfinished(run)]:
        logger.warning("%s: %d runs have no metrics and are left out, such as %s", path, len(unfinished), unfinished[0])
    return files


def _is_unfinished(run: Path) -> bool:
    """Say whether a folder holds a notebook and no metrics."""
    return run.is_dir() and any(run.rglob("*.ipynb")) and not any(run.rglob("metrics.json"))

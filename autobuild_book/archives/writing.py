"""Writes the archive of a folder of runs: notebooks, tables and metrics, and what each run was made of."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from autobuild_book.archives.describing import describe
from autobuild_book.crates import METADATA
from autobuild_book.pages.cells import hide_folders
from autobuild_book.pages.executed import RECORD, Executed, StaleError, read_executed, read_json
from autobuild_book.runs.tables import faults
from autobuild_book.zips import zipped
from autobuild_lib.storage import replace_bytes

KEPT = (".csv", ".json", ".jsonl")  # of what a notebook writes; weights can be trained again
NOT_RUNS = ("failed", ".ipynb_checkpoints")  # folders
END = ".crate.zip"


def write(folder: Path, out: Path) -> list[str]:
    """Archive all runs below a folder into a zip file; return lines that say what it holds, and what was left out.

    A run is an executed notebook with its metrics. The same runs make the same bytes. Raises `ValueError` for a folder
    without runs, and for tables that are not as their runs wrote them.
    """
    runs, left_out = read_runs(folder)
    if not runs:
        raise ValueError("; ".join([f"{folder}: holds no notebook that has run, with its metrics", *left_out[:1]]))
    if wrong := [line for run in runs.values() for line in faults(run.folder / "metrics.json", run.record)]:
        more = f" (and {len(wrong) - 1} more)" if wrong[1:] else ""
        raise ValueError(f"{wrong[0]}{more}; run its notebook again, or remove what no run wrote")
    files = {name: content for place, run in runs.items() for name, content in _files(place, run, folder)}
    parameters = {place: run.record["parameters"] for place, run in runs.items()}
    files[METADATA] = without_places(describe(runs, files), folder, parameters).encode()
    content = zipped("", files)
    replace_bytes(out, content)
    sha256 = hashlib.sha256(content).hexdigest()
    what = f"{len(runs)} notebooks, {len(files)} files, {len(content) / 1e6:.1f} MB"
    return [*left_out, f"{what} are in {out}", f"sha256 {sha256}"]


def read_runs(folder: Path) -> tuple[dict[str, Executed], list[str]]:
    """Return the runs below a folder, by their place in it without ".ipynb", and a line for each that is left out."""
    runs, left_out = {}, []
    for path in sorted(folder.rglob("*.ipynb")):
        place = path.relative_to(folder)
        if not set(NOT_RUNS) & set(place.parts):
            try:
                runs[place.with_suffix("").as_posix()] = _read(path)
            except StaleError as error:
                left_out.append(f"left out: {place.as_posix()}: {error}")
    return runs, left_out


def _read(path: Path) -> Executed:
    metrics = path.with_suffix("") / "metrics.json"
    if not metrics.is_file():
        raise StaleError("it has no metrics.json")
    return read_executed(path, read_json(metrics, RECORD)["parameters"]["profile"])


def _files(place: str, run: Executed, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of what is archived of a run; its record lists the tables as they are archived."""
    paths = [path for path in sorted(run.folder.iterdir()) if path.suffix in KEPT and path.is_file()]
    places = {f"{place}.ipynb": run.folder.with_name(f"{run.name}.ipynb")} | {f"{place}/{p.name}": p for p in paths}
    before = {name: path.read_text(encoding="utf-8") for name, path in places.items()}
    files = {name: without_places(text, folder, run.record["parameters"]) for name, text in before.items()}
    for name in files:
        if name.endswith(".csv"):
            record = f"{place}/metrics.json"
            files[record] = files[record].replace(_sha256(before[name]), _sha256(files[name]))
    yield from ((name, text.encode()) for name, text in files.items())


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def without_places(text: str, folder: Path, parameters: Mapping[str, Any]) -> str:
    """Return a text without folders of this machine, and without those that the parameters of its run name."""
    for value in _absolute(parameters.values()):
        text = text.replace(value, PurePath(value).name)
    text = text.replace(f"{folder.resolve()}/", "")
    return hide_folders(text, Path.cwd())


def _absolute(values: Any) -> Sequence[str]:
    """Return the texts that are absolute paths, the longest first."""
    paths = [
        text for text in _texts(values) if PurePosixPath(text).is_absolute() and len(PurePosixPath(text).parts) > 1
    ]
    return sorted(set(paths), key=len, reverse=True)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(value.values())
    elif hasattr(value, "__iter__"):
        for part in value:
            yield from _texts(part)

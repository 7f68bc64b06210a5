"""A measured table as it is bundled: made of rows, with what belongs to it beside it, and its entry in the manifest."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.measured.rows import Measurement
from autobuild_lib.data.table import ARCHITECTURE
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.storage import json_text, read_json, replace_bytes, replace_json, replace_text
from autobuild_lib.values import shown


def as_frame(
    rows: Iterable[Measurement], task: str, where: object = "rows", alike: Collection[str] = ()
) -> pd.DataFrame:
    """Return rows as a table, each once; `ValueError` for none, and for several values in a column of `alike`."""
    frame = pd.DataFrame([asdict(row) for row in dict.fromkeys(rows)])
    if frame.empty:
        raise ValueError(f"{where}: there are no rows; `autobuild task {task} measure` makes them")
    for column in alike:
        if len(several := frame[column].unique()) > 1:
            raise ValueError(f"{where}: several values of {column}: {', '.join(map(str, several))}; give one")
    return frame


def by_seed(frame: pd.DataFrame, where: object = "rows") -> pd.DataFrame:
    """Return rows with the index (architecture, seed), architectures in the order of first appearance.

    Raises `ValueError` unless every architecture has the same seeds.
    """
    every, architectures = sorted(frame["seed"].unique().tolist()), frame.groupby(ARCHITECTURE, sort=False)
    for architecture, seeds in architectures["seed"]:
        if sorted(seeds) != every:
            raise ValueError(f"{where}: {architecture} has rows of seeds {sorted(seeds)}, needs one of each of {every}")
    return frame.iloc[np.lexsort((frame["seed"], architectures.ngroup()))].set_index([ARCHITECTURE, "seed"])


def means_over_seeds(frame: pd.DataFrame, labels: Iterable[str]) -> pd.DataFrame:
    """Return the mean of each label for each architecture, from a table of `by_seed`; whole numbers stay whole."""
    chosen = frame[list(labels)]
    means = chosen.groupby(level=0, sort=False).mean()
    whole = chosen.select_dtypes("integer")
    return means.astype(dict.fromkeys(whole, np.int64)).reset_index()


def write_beside(folder: Path, files: Mapping[str, str | bytes]) -> dict[str, str]:
    """Write files of text or bytes into a folder; return their checksums, by name."""
    for name, content in files.items():
        replace_bytes(folder / name, content if isinstance(content, bytes) else content.encode("utf-8"))
    return {name: sha256_of(folder / name) for name in files}


def write_measured(
    folder: Path,
    name: str,
    table: pd.DataFrame,
    *,
    space: SequenceSpace | str,
    units: Mapping[str, str],
    source: str,
    builder: str,
    seed: int,
    beside: Mapping[str, str | bytes] | None = None,
) -> dict[str, Any]:
    """Write a table and what belongs to it into `folder`; return its manifest entry.

    Args:
        folder: made if it is not there.
        name: of the table; its file is `<name>.csv`.
        table: a column `architecture` (text), and those of `units`; others are left out.
        space: the space, which is written beside the table as `<name>.json`, or the name of a family.
        units: the unit of each label.
        source: where the labels come from, in words.
        builder: the command that makes the table.
        seed: of the sample of architectures.
        beside: further files by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files, described = dict(beside or {}), space
    if isinstance(space, SequenceSpace):
        described = f"{name}.json"
        files[described] = json_text(space.to_json()) + "\n"
    checksums = write_beside(folder, files)
    path = folder / f"{name}.csv"
    replace_text(path, table[[ARCHITECTURE, *units]].to_csv(index=False, lineterminator="\n"))
    return {
        "space": described,
        "file": path.name,
        "kind": "measured here",
        "rows": len(table),
        "columns": {ARCHITECTURE: "text form"} | dict(units),
        "source": source,
        "builder": builder,
        "seed": seed,
        "sha256": sha256_of(path),
        "beside": checksums,
    }


# -------------------------------------------------------------------- the manifest


def join_manifest(folder: Path, name: str, entry: dict[str, Any]) -> str:
    """Add a table to the manifest of a folder, keep what stands beside it already, and return a line that says so."""
    entries = read_manifest(folder)
    beside = entries.get(name, {}).get("beside", {}) | entry.get("beside", {})
    _write_manifest(folder, entries | {name: entry | ({"beside": beside} if beside else {})})
    return f"wrote {entry['file']} ({entry['rows']} architectures) and manifest.json in {folder}"


def join_beside(folder: Path, name: str, files: dict[str, str]) -> str:
    """Add files with their checksums to the manifest entry of a table; return a line that says so."""
    entries = read_manifest(folder)
    if name not in entries:
        raise ValueError(f"{folder / 'manifest.json'}: no table {name}; make it first, with the action `table`")
    entries[name]["beside"] = entries[name].get("beside", {}) | files
    _write_manifest(folder, entries)
    return f"wrote {', '.join(files)} and manifest.json in {folder}"


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the entries of a folder's manifest by name of the table; none where there is no manifest."""
    path = folder / "manifest.json"
    entries = read_json(path, "a manifest") if path.is_file() else {}
    for name, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("beside", {}), dict):
            raise ValueError(f"{path}: the entry {shown(name)} is no object, or what stands beside it is none")
    return entries


def _write_manifest(folder: Path, entries: dict[str, Any]) -> None:
    replace_json(folder / "manifest.json", entries)

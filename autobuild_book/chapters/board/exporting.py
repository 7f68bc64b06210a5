"""The board as a research object (RO-Crate): its rows, and what they were made of, with, by and when."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.chapters.board import measuring, results
from autobuild_book.chapters.board.tables import BENCHMARK, BoardTable, find_table
from autobuild_book.crates import METADATA, checking, describing
from autobuild_lib.data import benchmarks
from autobuild_lib.data.files import manifest
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.storage import read_json, replace_text

ROWS, MEANS = "rows.csv", "means.csv"


def export(folder: Path, rows: Path = measuring.BUNDLED_ROWS) -> str:
    """Write rows, their means and what they rest on into a new or empty folder, and read it back; return a line.

    Raises `ValueError` for a folder that holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder}: holds files; give a new or an empty folder")
    measured = measuring.read_rows(rows)
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / ROWS, measured.to_csv(index=False, lineterminator="\n"))
    replace_text(folder / MEANS, results.summary(measured).to_csv(index=False, lineterminator="\n"))
    replace_text(folder / METADATA, _description(folder, measured))
    return f"{check(folder):,} rows and {len(_sources(measured))} sources are in {folder}"


def check(folder: Path) -> int:
    """Read an exported folder back; return its number of rows. `ValueError` where something is missing or differs."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {METADATA}
    described = read_json(folder / METADATA)
    if wrong := checking.problems(described, names, lambda name: sha256_of(folder / name)):
        raise ValueError(f"{folder}: {wrong[0]}")
    return len(measuring.read_rows(folder / ROWS))


def _description(folder: Path, rows: pd.DataFrame) -> str:
    crate = describing.new_crate(
        "AutoBuild book: models on tables of trained networks",
        "How well models rank networks that were really trained or timed, by their number of labels",
    )
    texts = {ROWS: _columns(), MEANS: "means over seeds, 95 % intervals"}
    paths = {folder / name: text for name, text in texts.items()}
    made = [
        describing.add_file(crate, path.name, sha256_of(path), path.stat().st_size, text)
        for path, text in paths.items()
    ]
    used = [_source(crate, *source) for source in _sources(rows).items()]
    crate.add_action(describing.add_software(crate), "#measurement", used, made, _measurement(rows))
    return describing.written(crate)


def _columns() -> str:
    text = " ".join((measuring.BoardRow.__doc__ or "").split())
    return f"A row for each fit. {text}"


def _measurement(rows: pd.DataFrame) -> dict[str, Any]:
    named = {"model": "models", "size": "training rows", "seed": "seeds", "machine": "machines"}
    lines = [f"{name}: {'; '.join(map(str, rows[column].unique()))}" for column, name in named.items()]
    seconds = rows[results.SECONDS].to_numpy().sum()
    return {
        "name": "autobuild board measure",
        "description": ". ".join([*lines, f"seconds of processor time: {seconds:,.0f}"]),
        "endTime": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _sources(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return properties of each file that the rows rest on, by its address."""
    return {address: facts for name in rows["table"].unique() for address, facts in _files(find_table(name))}


def _files(table: BoardTable) -> Iterator[tuple[str, dict[str, Any]]]:
    if table.kind != BENCHMARK:
        entry = manifest()[table.name]
        facts = {"name": table.name, "sha256": entry.sha256, "license": describing.LICENCE, "description": entry.source}
        yield f"#{entry.file}", facts
        return
    name, _, part = table.name.partition(":")
    benchmark = benchmarks()[name]
    shared = {"version": benchmark.version, "citation": benchmark.citation}
    shared["license"] = f"https://spdx.org/licenses/{benchmark.licence}"
    for file in benchmark.tables[part]["files"]:
        place = benchmark.files[file]
        address = benchmark.address + ("#" if benchmark.package else "") + place["path"]
        yield address, {"name": f"{benchmark.title}, {file}", "sha256": place["sha256"], **shared}


def _source(crate: describing.Crate, address: str, facts: Mapping[str, Any]) -> Any:
    if "#" not in address:
        return crate.add_file(address, properties=dict(facts))
    return describing.add(crate, address, "CreativeWork", **facts)  # in a package

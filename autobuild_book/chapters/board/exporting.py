"""The board as a research object (RO-Crate): its rows, and what they were made of, with, by and when."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.chapters.board import measuring, results
from autobuild_book.chapters.board.tables import BENCHMARK, BoardTable, find_table
from autobuild_book.runs.origins import revision
from autobuild_lib import __version__
from autobuild_lib.data import benchmarks
from autobuild_lib.data.files import manifest
from autobuild_lib.extras import extra
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.storage import replace_text

with extra("crate"):
    from rocrate.model import ContextEntity
    from rocrate.rocrate import ROCrate

ROWS, MEANS = "rows.csv", "means.csv"
LICENCE = "https://spdx.org/licenses/MIT"
PAPER = "https://arxiv.org/abs/2403.13293"
NEEDED = ("name", "description", "license", "datePublished", "hasPart")  # of the root
AUTHORS = "The AutoBuild book authors"


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
    _describe(folder, measured).write(folder)
    return f"{check(folder):,} rows and {len(_sources(measured))} sources are in {folder}"


def check(folder: Path) -> int:
    """Read an exported folder back; return its number of rows. `ValueError` where something is missing or differs."""
    crate = ROCrate(folder)
    if lacking := [name for name in NEEDED if not crate.root_dataset.get(name)]:
        raise ValueError(f"{folder}: the root has no {lacking[0]}")
    local = [entity for entity in crate.data_entities if "://" not in entity.id]
    if missing := sorted({ROWS, MEANS} - {entity.id for entity in local}):
        raise ValueError(f"{folder}: describes no {missing[0]}")
    for entity in local:
        if entity["sha256"] != sha256_of(folder / entity.id):
            raise ValueError(f"{folder / entity.id}: has another checksum than its description")
    return len(measuring.read_rows(folder / ROWS))


def _describe(folder: Path, rows: pd.DataFrame) -> ROCrate:
    crate = ROCrate()
    crate.name = "AutoBuild book: models on tables of trained networks"
    crate.description = "How well models rank networks that were really trained or timed, by their number of labels"
    crate.license = crate.add(ContextEntity(crate, LICENCE, {"@type": "CreativeWork", "name": "MIT License"}))
    crate.creator = crate.add(ContextEntity(crate, "#authors", {"@type": "Organization", "name": AUTHORS}))
    crate.root_dataset["version"] = __version__
    paper = {"@type": "ScholarlyArticle", "name": "Building Optimal Neural Architectures using Interpretable Knowledge"}
    crate.root_dataset["citation"] = crate.add(ContextEntity(crate, PAPER, paper))
    made = [_file(crate, folder / ROWS, _columns()), _file(crate, folder / MEANS, "means over seeds, 95 % intervals")]
    used = [_source(crate, *source) for source in _sources(rows).items()]
    crate.add_action(_software(crate), "#measurement", used, made, _measurement(rows))
    return crate


def _columns() -> str:
    text = " ".join((measuring.BoardRow.__doc__ or "").split())
    return f"A row for each fit. {text}"


def _file(crate: ROCrate, path: Path, description: str) -> Any:
    size = {"contentSize": str(path.stat().st_size), "sha256": sha256_of(path), "encodingFormat": "text/csv"}
    return crate.add_file(path, properties={"name": path.name, "description": description, "license": LICENCE, **size})


def _software(crate: ROCrate) -> Any:
    facts = {"name": "autobuild-book", "version": __version__, "identifier": str(revision()), "license": LICENCE}
    return crate.add(ContextEntity(crate, "#software", {"@type": "SoftwareSourceCode", **facts}))


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
        facts = {"name": table.name, "sha256": entry.sha256, "license": LICENCE, "description": entry.source}
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


def _source(crate: ROCrate, address: str, facts: Mapping[str, Any]) -> Any:
    if "#" not in address:
        return crate.add_file(address, properties=dict(facts))
    return crate.add(ContextEntity(crate, address, {"@type": "CreativeWork", **facts}))  # in a package

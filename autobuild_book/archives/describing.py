"""Describes the runs of an archive: each with its data, software, machine, parameters and times."""

import hashlib
from collections.abc import Mapping
from typing import Any

from autobuild_book.crates import describing
from autobuild_book.pages.executed import Executed
from autobuild_book.runs.recording import provenance_rows

README = "README.md"
TEXT = """# Runs of the AutoBuild book

Executed notebooks, each beside a folder with its tables and its metrics. `ro-crate-metadata.json` describes them
(RO-Crate): data and their checksums, versions, machine, licence, and what to cite.

    pip install 'autobuild-book[book]'
    autobuild verify THIS_FILE                                   # every checksum
    autobuild verify THIS_FILE --rerun NOTEBOOK --out FOLDER     # one notebook again, and its tables compared
"""


def describe(runs: Mapping[str, Executed], files: dict[str, bytes]) -> str:
    """Return the description of runs by their place, and of their files by name; add one that readers open first."""
    files[README] = TEXT.encode()
    profiles = ", ".join(sorted({run.profile for run in runs.values()}))
    crate = describing.new_crate(
        f"Runs of the AutoBuild book, profile {profiles}",
        "Executed notebooks with their tables and metrics, each with data, versions, machine and parameters",
    )
    crate.root_dataset["datePublished"] = max(_times(run)[1] for run in runs.values())  # of the last run: no clock
    entities = {name: _file(crate, name, content) for name, content in sorted(files.items())}
    software = describing.add_software(crate)
    for place, run in runs.items():
        used = [_data(crate, table) for table in run.record["data"]]
        made = [entity for name, entity in entities.items() if name == f"{place}.ipynb" or name.startswith(f"{place}/")]
        tools = [software, *(_package(crate, *package) for package in sorted(run.record["versions"].items()))]
        crate.add_action(tools, f"#run-{place}", used, made, _facts(run))
    return describing.written(crate)


def _file(crate: describing.Crate, name: str, content: bytes) -> Any:
    kinds = {".ipynb": "an executed notebook", "metrics.json": "metrics, and what they were computed with"}
    kind = next((kind for end, kind in kinds.items() if name.endswith(end)), "a table")
    kind = "how to check these files" if name == README else kind
    return describing.add_file(crate, name, hashlib.sha256(content).hexdigest(), len(content), kind)


def _data(crate: describing.Crate, table: Mapping[str, Any]) -> Any:
    sha256, name = table["sha256"], str(table["source"]).rpartition("/")[2]
    text = f"{table['kind']} data, {table['rows']:,} rows"
    return describing.add(crate, f"#data-{sha256[:16]}", "Dataset", name=name, description=text, sha256=sha256)


def _package(crate: describing.Crate, name: str, version: str) -> Any:
    return describing.add(crate, f"#{name}-{version}", "SoftwareApplication", name=name, version=version)


def _facts(run: Executed) -> dict[str, Any]:
    start, end = _times(run)
    lines = [f"{name}: {value}" for name, value in provenance_rows(run.record) if not name.startswith("data ")]
    return {"name": run.name, "startTime": start, "endTime": end, "description": "; ".join(lines)}


def _times(run: Executed) -> tuple[str, str]:
    """Return when a notebook began and ended."""
    record = run.content["metadata"]["papermill"]
    return str(record.get("start_time", record["end_time"])), str(record["end_time"])

"""Builds the pages of the book from the executed notebooks of one profile."""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autobuild_lib.runs import PROFILES


def build(profile: str, root: Path) -> Path:
    """Build the book in the repository at `root`, and return the page to open. Warnings are errors.

    Raises `FileNotFoundError` if the notebooks of the profile have not run, and `CalledProcessError` if building fails.
    """
    collect(profile, root)
    options = ["--toc", "book/_toc.yml", "--all", "-W", "-n", "--keep-going"]
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ".", *options]
    subprocess.run(command, cwd=root, check=True)  # noqa: S603
    return root / "_build" / "html" / "index.html"


def collect(profile: str, root: Path) -> Path:
    """Copy the executed notebooks of a profile into artifacts/book, and write what the prose pages say about them."""
    source, folder = root / "artifacts" / profile, root / "artifacts" / "book"
    notebooks = sorted(source.glob("*.ipynb"))
    if not notebooks:
        raise FileNotFoundError(f"no notebooks in artifacts/{profile}: run `make chain PROFILE={profile}`")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for notebook in notebooks:
        shutil.copy(notebook, folder)
    metrics = [source / notebook.stem / "metrics.json" for notebook in notebooks]
    records = [json.loads(path.read_text(encoding="utf-8")) for path in metrics if path.is_file()]
    (folder / "provenance.md").write_text(provenance(profile, records), encoding="utf-8")
    (folder / "times.md").write_text(times(records), encoding="utf-8")
    return folder


def provenance(profile: str, records: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table of what a book is built with, from the metrics.json of its notebooks."""
    seeds = sorted({str(record["parameters"].get("seed", "none")) for record in records})
    used = sorted((table for record in records for table in record["data"]), key=lambda table: table["rows"])
    tables = {table["source"]: table for table in used}  # of several parts of a table, the largest
    rows = [("profile", profile), ("seed", ", ".join(seeds) or "none")]
    for name, table in tables.items():
        rows.append((f"data {name}", f"{table['kind']}, {table['rows']:,} rows, sha256 {table['sha256'][:12]}"))
    rows += [("version", f"autobuild-book {version('autobuild-book')}, torch {version('torch')}")]
    return markdown_table(("built with", "value"), rows)


def times(records: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table of how long every notebook took."""
    rows = [(record["notebook"], f"{record['seconds']:.1f}") for record in records]
    return markdown_table(("notebook", "seconds"), rows)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the book of a profile in the current folder: `python -m autobuild_lib.book quick`."""
    parser = argparse.ArgumentParser(prog="python -m autobuild_lib.book", description=__doc__)
    parser.add_argument("profile", choices=PROFILES)
    profile = parser.parse_args(arguments).profile
    try:
        page = build(profile, Path.cwd())
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"The book ({profile} profile) is at {page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

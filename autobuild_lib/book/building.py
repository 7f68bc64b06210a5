"""Collects executed notebooks, writes what sums them up, and calls Jupyter Book."""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from autobuild_lib.book import api, claims, explorer, facts, gallery, paper
from autobuild_lib.book.executed import Executed, read_executed
from autobuild_lib.runs import PROFILES

# By profile, what stands on top of every page; {verdicts} is the way to the page of the verdicts.
ANNOUNCEMENTS = {
    "quick": "These pages were built with the quick profile, which trains for minutes only, to see that "
    'everything runs. Do not quote its numbers or its <a href="{verdicts}">verdicts</a>.'
}


def build(profile: str, root: Path) -> Path:
    """Build the book in the repository at `root`, and return the page to open. Warnings are errors.

    Raises `FileNotFoundError` if the notebooks of the profile have not run, `StaleError` if metrics are missing or do
    not belong to their notebook, and `CalledProcessError` if building fails.
    """
    collect(profile, root)
    options = ["--toc", "book/_toc.yml", "--all", "-W", "-n", "--keep-going"]
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ".", *options]
    subprocess.run(command, cwd=root, check=True)  # noqa: S603
    return root / "_build" / "html" / "index.html"


def collect(profile: str, root: Path) -> Path:
    """Copy the executed notebooks of a profile into artifacts/book, and write what the other pages say about them."""
    executed, folder = read_executed(profile, root), root / "artifacts" / "book"
    built = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    texts = generated(executed, root, built)
    if profile in ANNOUNCEMENTS:
        texts["announcement.html"] = ANNOUNCEMENTS[profile]
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    explorer.copy_plotly(folder / "static")
    return folder


def generated(executed: Mapping[str, Executed], root: Path, built: str) -> dict[str, str]:
    """Return the texts of all files of artifacts/book by their names."""
    files = {f"{name}.ipynb": _with_sources(run, built) for name, run in executed.items()}
    files |= {f"api/{name}.md": text for name, text in api.api_pages().items()}
    files |= gallery.gallery(root / "book" / "gallery")
    return files | {
        "provenance.md": facts.provenance(executed, built),
        "times.md": facts.times(executed),
        "verdicts.md": claims.verdicts(executed, root),
        "paper_index.md": paper.paper_index(executed),
        "label_quality.md": facts.label_quality(executed),
        "built_networks.md": facts.built_networks(executed),
        "static/explorer-data.js": explorer.data_script(executed),
    }


def _with_sources(run: Executed, built: str) -> str:
    """Return a notebook with a last cell that says where it comes from."""
    cell = {"cell_type": "markdown", "id": "sources", "metadata": {}, "source": facts.sources(run, built)}
    return json.dumps({**run.content, "cells": [*run.content["cells"], cell]}, ensure_ascii=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the book of a profile in the current folder: `python -m autobuild_lib.book quick`."""
    parser = argparse.ArgumentParser(prog="python -m autobuild_lib.book", description=build.__doc__)
    parser.add_argument("profile", choices=PROFILES)
    profile = parser.parse_args(arguments).profile
    try:
        page = build(profile, Path.cwd())
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"The book ({profile} profile) is at {page}\n")
    return 0

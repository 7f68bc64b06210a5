"""The page of a chapter: its executed notebook with what it was made from, or what there is of one without results."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.chapters.shared.measured_again import FAR
from autobuild_book.pages import cells, claims, facts, markdown
from autobuild_book.pages.cells import Cell
from autobuild_book.pages.elsewhere import read_elsewhere
from autobuild_book.pages.executed import Executed
from autobuild_book.pages.narrow import without_narrow
from autobuild_book.pages.openings import with_opening
from autobuild_book.pages.states import FAILED, NOT_RUN, NOT_RUN_HERE, UNUSABLE, Chapters, Missing

HAPPENED = {
    FAILED: "This notebook failed on this machine",
    NOT_RUN: "This notebook was not run on this machine",
    UNUSABLE: "What this notebook left on this machine cannot be used",
}
AGAIN = """```bash
.venv/bin/snakemake --snakefile notebooks/Snakefile --cores all \\
  --config profile={profile} --rerun-incomplete \\
  --force artifacts/{profile}/{name}.ipynb
make pages PROFILE={profile}
```"""


def page(name: str, chapters: Chapters, root: Path, built: str) -> str:
    """Return the notebook that is the page of a chapter, as text; `built` is the time of the building."""
    if name in chapters.executed:
        return _with_results(chapters.executed[name], read_elsewhere(root), built)
    return _without_results(chapters.missing[name], chapters, root)


def _with_results(run: Executed, elsewhere: pd.DataFrame, built: str) -> str:
    """Return an executed notebook with a last cell that says where it comes from."""
    parts = with_opening(cells.without_unmade(without_narrow(run.content["cells"])))
    if text := "\n".join(filter(None, [differences(run), close_calls(run, elsewhere)])):
        parts = cells.with_banner(parts, text)
    return _text(run.content, [*parts, cells.markdown_cell("sources", facts.sources(run, built))])


def differences(run: Executed) -> str:
    """Return a banner that counts the numbers which differ a lot from the committed ones; "" when none does."""
    rows = run.record["metrics"].get("differences", [])
    far = [row for row in rows if row["spreads"] is not None and abs(row["spreads"]) > FAR]
    if not far:
        return ""
    text = (
        f"{len(far)} of {len(rows)} numbers repeated on this machine differ from the committed ones by more than five "
        "times their spread between seeds; see the table on the page."
    )
    return markdown.admonition("Numbers differ on this machine", text, "warning")


def close_calls(run: Executed, elsewhere: pd.DataFrame) -> str:
    """Return a banner that names the verdicts which are others on other processors; "" when there is none."""
    lines = claims.close_calls(run, elsewhere)
    if not lines:
        return ""
    why = "So little decides it that the last digits of a processor do: see [the verdicts](verdicts)."
    return markdown.admonition("Too close to call", f"{'. '.join(lines)}. {why}", "warning")


def _without_results(chapter: Missing, chapters: Chapters, root: Path) -> str:
    """Return the cells that ran, or else the title, below a banner; then the labels that other pages refer to."""
    notebook = chapters.notebooks[chapter.name]
    ran = list(chapter.cells) or notebook["cells"][:1]
    parts = cells.with_banner(cells.without_unmade([*ran[:-1], cells.shown(ran[-1], root)]), banner(chapter, chapters))
    if chapter.log:
        parts.append(cells.markdown_cell("log", f"````text\n{chapter.log.replace('````', '')}\n````"))
    parts.append(cells.markdown_cell("rest", rest(ran, notebook["cells"])))
    sources = facts.sources_left(chapter, chapters.profile, root)
    return _text(notebook, [*parts, cells.markdown_cell("sources", sources)])


def banner(chapter: Missing, chapters: Chapters) -> str:
    """Return the box on top of the page of a chapter without results: what happened, and how to run it again."""
    why = f": {markdown.code(chapter.reason)}." if chapter.reason else "."
    shows = "Its numbers are missing."
    if chapter.cells:
        shows += " The page shows the cells that ran" + (", and the error." if chapter.state == FAILED else ".")
    again = AGAIN.format(profile=chapters.profile, name=chapter.name)
    text = f"{HAPPENED[chapter.state]}{why} {shows} To run only this notebook again, and to build the pages:\n\n{again}"
    return markdown.admonition(NOT_RUN_HERE.capitalize(), text, "danger" if chapter.state == FAILED else "warning")


def rest(ran: Sequence[Cell], notebook: Sequence[Cell]) -> str:
    """Return what stands for the part of a notebook that did not run: its labels, and a list of its sections."""
    targets = "".join(f"({label})=\n" for label in sorted(cells.labels(notebook) - cells.labels(ran)))
    headings = [heading for heading in cells.sections(notebook) if heading not in cells.sections(ran)]
    return f"{targets}## Not shown\n\nSections without results on this machine:\n\n{markdown.bullets(headings)}\n"


def _text(content: Mapping[str, Any], parts: Sequence[Cell]) -> str:
    language = {"name": "python", "pygments_lexer": "ipython3"}
    metadata = {"language_info": language, **content["metadata"]}
    return json.dumps({**content, "metadata": metadata, "cells": parts}, ensure_ascii=False)

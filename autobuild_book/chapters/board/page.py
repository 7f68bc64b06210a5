"""The board as a page: a table to sort and to choose from, in plain HTML that needs no network."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from autobuild_book.chapters.board import results

FILES = Path(__file__).parent / "files"
# For each column of a table for readers: its heading, and the column of the means that it is sorted by.
COLUMNS = {
    "task": ("Table", ""), "model": ("Model", ""), "size": ("Rows", "size"), "srcc": ("SRCC", "srcc"),
    "tau": ("Kendall", "tau"), "regret": ("Regret (sd)", "regret"), "rank": ("True rank", "rank"),
    "share": ("of all", "share"), "seconds": ("Seconds", "seconds"),
}  # fmt: skip
CHOICES = ("task", "model", "size")


def sortable(means: pd.DataFrame, size: int | None = None) -> str:
    """Return rows of `results.summary` as a table whose headings sort it, with choices of table, model and rows above.

    size: the number of training rows that is chosen at first, where there are any.
    """
    shown = results.readable(means)
    shown["task"] = list(map(results.task_name, means["table"], means["target"]))
    sorted_by = means.assign(seconds=means[results.SECONDS].sum(axis="columns"))
    cells = [_cells(shown[name], sorted_by[key] if key else None) for name, (_, key) in COLUMNS.items()]
    rows = "\n".join(f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
    choices = "".join(_choice(name, dict.fromkeys(shown[name]), size) for name in CHOICES)
    headings = "".join(_heading(text, bool(key)) for text, key in COLUMNS.values())
    style, script = ((FILES / name).read_text(encoding="utf-8") for name in ("board.css", "board.js"))
    return (
        f'<style>\n{style}</style>\n<div class="board">\n'
        f'<div class="board-choices" role="group" aria-label="Which rows to show">{choices}</div>\n'
        f'<p class="board-count" role="status">{len(means)} rows</p>\n'
        '<div class="board-rows" tabindex="0" role="region" aria-label="Models on trained tables">\n'
        '<table class="dataframe">\n'
        f"<caption>Press a heading to sort by it, once more for the other direction.</caption>\n"
        f"<thead><tr>{headings}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>\n</div>\n"
        f"<script>\n{script}</script>\n"
    )


def _cells(texts: pd.Series, values: pd.Series | None) -> Sequence[str]:
    if values is None:
        return [f"<td>{escape(str(text))}</td>" for text in texts]
    return [f'<td data-value="{value:.6g}">{escape(str(text))}</td>' for text, value in zip(texts, values, strict=True)]


def _heading(text: str, number: bool) -> str:
    kind = "number" if number else "text"
    return f'<th scope="col" data-kind="{kind}"><button type="button">{escape(text)}</button></th>'


def _choice(name: str, values: Iterable[object], first: int | None) -> str:
    """A list to choose one value of a column from, or all."""
    texts = [("", "all"), *((str(value), f"{value:,}" if isinstance(value, int) else str(value)) for value in values)]
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if name == "size" and value == str(first) else ""}>{escape(text)}'
        "</option>"
        for value, text in texts
    )
    place = list(COLUMNS).index(name)
    return f'<label>{escape(COLUMNS[name][0])} <select data-column="{place}">{options}</select></label>'

"""Pieces of Markdown that several pages are made of."""

import re
from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in lines) + "\n"


def list_table(header: Sequence[str], rows: Sequence[Sequence[str]], kind: str) -> str:
    """Write a table whose cells may hold several lines; `kind` is its CSS class."""
    items = ["* - " + "\n  - ".join(_indented(cell) for cell in cells) for cells in [header, *rows]]
    return "\n".join(["````{list-table}", ":header-rows: 1", f":class: {kind}", "", *items, "````", ""])


def bullets(lines: Sequence[str]) -> str:
    """Write a list of one or more lines."""
    return "\n".join(f"- {line}" for line in lines)


def admonition(title: str, text: str, kind: str) -> str:
    """Write a box with a title; `kind` is its CSS classes, such as `warning`."""
    return f"`````{{admonition}} {title}\n:class: {kind}\n\n{text}\n`````\n"


def code(text: str) -> str:
    """Write one line of text as it is, whatever it holds."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _indented(cell: str) -> str:
    return cell.replace("\n", "\n    ")


def number(value: float | None, form: str, factor: float = 1.0) -> str:
    """Write a number, times a factor, in a format of Python; one that is not known as a dash."""
    return "–" if value is None else format(factor * value, form)


def file_size(number: int) -> str:
    """Write a number of bytes for people."""
    return f"{number / 1e6:.1f} MB" if number >= 1e5 else f"{max(number / 1e3, 0.1):.1f} kB"


def duration(seconds: float) -> str:
    """Write seconds for people."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.1f} min"

"""Sphinx extension: docstrings are plain text with code in single backticks; this makes them reStructuredText."""

import re
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"(?<![:`\w])`([^`]+)`(?!`)")
NO_PARAGRAPH = re.compile(r" |- |\d+\. |.*:$")  # an indented line, an item of a list, a heading such as "Args:"
SPECIAL = re.compile(r"([\\*|]|(?<=\w)_(?!\w))")


def as_text(line: str) -> str:
    """Escape what reStructuredText would read as marks, outside code."""
    parts = CODE.split(line)
    return "".join(f"``{part}``" if number % 2 else SPECIAL.sub(r"\\\1", part) for number, part in enumerate(parts))


def without_hanging_lines(lines: list[str]) -> list[str]:
    """Move lines that only continue the one before, such as those of a described argument, to its indentation."""
    kept: list[str] = []
    for line in lines:
        before = kept[-1] if kept else ""
        continues = line.startswith(" ") and before.strip() and not NO_PARAGRAPH.match(before)
        kept.append(line.lstrip() if continues else line)
    return kept


def without_open_code(lines: list[str]) -> list[str]:
    """Join lines where code begins on one and ends on the next."""
    kept: list[str] = []
    for line in lines:
        if kept and kept[-1].count("`") % 2:
            kept[-1] += f" {line.strip()}"
        else:
            kept.append(line)
    return kept


def rewrite(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrite the lines of a docstring in place."""
    lines[:] = [as_text(line) for line in without_open_code(without_hanging_lines(lines))]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the rewriting before that of `sphinx.ext.napoleon`."""
    app.connect("autodoc-process-docstring", rewrite, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

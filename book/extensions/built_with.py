"""Sphinx extension: every page that is not a notebook ends with what the book was built with."""

import posixpath
from typing import Any

from sphinx.application import Sphinx

ENDING = "\n\n## What this book is built with\n\n```{{include}} {path}\n```\n"


def add_ending(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the ending to the source of a Markdown page."""
    if app.env.doc2path(page).endswith(".md"):
        source[0] += ENDING.format(path=posixpath.relpath("artifacts/book/provenance.md", posixpath.dirname(page)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the addition."""
    app.connect("source-read", add_ending)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Sphinx extension: what the builder announces, such as a profile that proves nothing, stands on top of every page."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

FILE = Path("artifacts") / "book" / "announcement.html"  # written by the builder, or not there
VERDICTS = "book/verdicts"


def announce(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give the theme the text, with the way from this page to the verdicts."""
    path = Path(app.srcdir) / FILE
    if path.is_file():
        context["theme_announcement"] = path.read_text(encoding="utf-8").format(verdicts=context["pathto"](VERDICTS))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the announcement."""
    app.connect("html-page-context", announce)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

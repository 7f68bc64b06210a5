"""How the book looks in one file."""

from pathlib import Path

from autobuild_lib.extras import extra

with extra("book"):
    from pygments.formatters import HtmlFormatter

FILES = Path(__file__).parent / "files"
CODE = "xcode"  # each of its colours is dark enough on paper


def epub_style() -> str:
    """Return the style sheet of an EPUB, whose reader chooses letters and margins."""
    return _shared() + (FILES / "epub.css").read_text(encoding="utf-8")


def print_style() -> str:
    """Return the style sheet of what is printed."""
    return _shared() + (FILES / "print.css").read_text(encoding="utf-8")


def _shared() -> str:
    rules = HtmlFormatter(style=CODE).get_style_defs(".highlight")
    return (FILES / "book.css").read_text(encoding="utf-8") + f"{rules}\n"

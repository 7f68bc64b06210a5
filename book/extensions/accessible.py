"""Sphinx extension: repair what the theme's pages do to keyboards, screen readers and consoles, once they are written.

Each repair is a text of the theme, or of an extension of Sphinx, and what stands there instead. `make check-book` finds
these defects where they come back.
"""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

REPAIRS = {
    # A name that hides the text of a button, or is missing where there is no text.
    r'(class="btn search-button-field[^"]*" title="Search") aria-label="Search"': r"\1",
    r'(<i class="theme-switch [^>]*?) title="[^"]*"': r"\1",
    r'<summary aria-label="Toggle hidden content">': "<summary>",
    r'<summary>(?=<span class="toctree-toggle")': '<summary aria-label="Show or hide the pages of this chapter">',
    # Lists that do not have what their role promises.
    r'<div role="list" class="citation-list">': '<div class="citation-list">',
    r'<dl>(?=\s*<dd><em class="sig-param">)': '<dl role="presentation">',
    # Tables with numbers that there are none of.
    r"<td>(?:NaN|nan|&lt;NA&gt;|None)</td>": "<td>–</td>",
    # Live cells, declared twice, which would come from the network.
    r"<script>const THEBE_JS_URL.*?</script>\s*": "",
    r'<script[^>]*src="[^"]*sphinx-thebe\.js[^"]*"></script>\s*': "",
    # A colour mode that the theme does not know.
    r'<body data-default-mode="">': '<body data-default-mode="auto">',
    r'(localStorage\.getItem\("mode"\) \|\| )""': r'\1"auto"',
}


def repair(page: str) -> str:
    """Return a page without the defects."""
    for defect, instead in REPAIRS.items():
        page = re.sub(defect, instead, page, flags=re.DOTALL)
    return page


def repair_all(app: Sphinx, error: Exception | None) -> None:
    """Repair the pages of a finished book."""
    if error is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            text = path.read_text(encoding="utf-8")
            if (repaired := repair(text)) != text:
                path.write_text(repaired, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the repair."""
    app.connect("build-finished", repair_all)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

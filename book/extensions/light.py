"""Sphinx extension: pages load what they show; the rest, such as two thousand icons that no page has, stays away.

The theme's icons are cut down to those in use. Images below the first of a page wait until the reader comes near. The
index of the search is loaded by the page that searches.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ICONS = Path("_static") / "scripts" / "fontawesome.js"
ICON = re.compile(r'(?:"([a-z0-9-]+)"|([a-z0-9_$]+)):\[\d+,\d+,\[[^\]]*\],"[0-9a-f]+",(?:"[^"]*"|\[[^\]]*\])\],?')
USED = re.compile(r"\bfa-([a-z0-9-]+)")
IMAGE = re.compile(r"<img (?![^>]*loading=)(?=[^>]*_images/)")
INDEX = re.compile(r'\s*<script src="[^"]*(?:searchindex|searchtools|language_data)\.js[^"]*"></script>')


def with_icons(script: str, used: Iterable[str]) -> str:
    """Return the script of icons with the named ones only."""
    kept = set(used)
    return ICON.sub(lambda icon: icon[0] if (icon[1] or icon[2]) in kept else "", script)


def lighter(page: str) -> str:
    """Return a page whose images after the first wait, and that does not load the index of the search."""
    first, *others = IMAGE.split(page, maxsplit=1)
    later = [IMAGE.sub('<img loading="lazy" ', text) for text in others]
    return INDEX.sub("", "<img ".join([first, *later]))


def make_light(app: Sphinx, error: Exception | None) -> None:
    """Cut down what a finished book loads."""
    if error is not None or app.builder.format != "html":
        return
    root, used = Path(app.outdir), set[str]()
    for path in [*root.rglob("*.html"), *root.glob("_static/**/*.js")]:
        if path != root / ICONS:
            text = path.read_text(encoding="utf-8")
            used.update(USED.findall(text))
            if path.suffix == ".html" and path != root / "search.html" and (changed := lighter(text)) != text:
                path.write_text(changed, encoding="utf-8")
    if (root / ICONS).is_file():
        script = (root / ICONS).read_text(encoding="utf-8")
        (root / ICONS).write_text(with_icons(script, used), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the cut."""
    app.connect("build-finished", make_light)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""The page on which one builds a network, alone in a folder: what a browser gets of it, but for the book's theme."""

import re
import shutil
from pathlib import Path

from autobuild_book.play import exporting

ROOT = Path(__file__).resolve().parents[2]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>play</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>
<main><h1>play</h1>{body}</main></body></html>"""


def write_site(folder: Path) -> Path:
    """Write page, scripts and data, and return the path of the page."""
    static, page = folder / "_static", folder / "book" / "play.html"
    shutil.copytree(ROOT / "book" / "static" / "play", static / "play")
    for family, script in exporting.scripts().items():
        (static / f"play-{family}.js").write_text(script, encoding="utf-8")
    source = re.search(r"```\{raw\} html\n(.*?)```", (ROOT / "book" / "play.md").read_text(encoding="utf-8"), re.DOTALL)
    assert source
    page.parent.mkdir()
    page.write_text(PAGE.format(body=source[1]), encoding="utf-8")
    return page

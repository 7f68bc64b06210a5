"""Prints articles as one PDF with Chromium: tagged, with an outline and links that work."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from autobuild_book.onefile.articles import FRONT, PAGES, Article
from autobuild_book.onefile.cleaning import HEADINGS
from autobuild_book.onefile.links import relink
from autobuild_book.onefile.styles import print_style
from autobuild_lib.storage import replace_bytes

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--export-tagged-pdf", "--generate-pdf-document-outline",
    "--no-pdf-header-footer", "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
PATIENCE = 900  # seconds
# What is wider than the paper is drawn smaller, as a whole.
FIT = """
document.body.style.width = "665px";  // between the margins of the paper
for (const wide of document.querySelectorAll("table, .formula")) {
  if (wide.scrollWidth > 665) wide.style.zoom = Math.max(665 / wide.scrollWidth, 0.4);
}
document.body.style.width = "auto";
"""


def one_page(articles: Sequence[Article], root: Path, facts: Mapping[str, str]) -> str:
    """Return one page of HTML that holds cleaned articles, and changes them: parts, and pages one heading lower."""
    numbers = {article.name: f"p{number}" for number, article in enumerate(articles)}
    contents = _contents(articles, numbers)
    relink(articles, lambda name, place: f"#{numbers[name]}" + (f"-{place}" if place else ""))
    for article in articles:
        _prefix(article, numbers[article.name], root)
    lines = "".join(f"<p>{escape(facts[name])}</p>" for name in ("author", "about"))
    head = f'<div class="title"><h1>{escape(facts["title"])}</h1>{lines}</div>'
    body = [head, contents]
    for part, members in groupby(articles, key=lambda article: article.part):
        body += [f'<div class="part"><h1>{escape(part)}</h1></div>'] * (part != FRONT)
        body += [f'<div class="page">{article.content}</div>' for article in members]
    style = f'<meta charset="utf-8"><title>{escape(facts["title"])}</title><style>{print_style()}</style>'
    return (
        f'<!DOCTYPE html><html lang="en"><head>{style}</head><body>{"".join(body)}<script>{FIT}</script></body></html>'
    )


def _prefix(article: Article, number: str, root: Path) -> None:
    """Make places, headings and pictures of an article fit into a page with others."""
    content = article.content
    for tag in content.find_all(id=True):
        tag["id"] = f"{number}-{tag['id']}"
    content["id"] = number
    for tag in content.find_all(HEADINGS[:-1]):
        tag.name = f"h{int(tag.name[1]) + 1}"
    for image in content.find_all("img"):
        image["src"] = (root / PAGES / article.file(str(image["src"]))).resolve().as_uri()


def _contents(articles: Sequence[Article], numbers: Mapping[str, str]) -> str:
    parts = []
    for part, members in groupby(articles, key=lambda article: article.part):
        lines = [f'<li style="padding-left: {article.depth}em"><a href="#{numbers[article.name]}">'
                 f"{escape(article.title)}</a></li>" for article in members]  # fmt: skip
        parts.append(f"<li>{escape(part)}<ul>{''.join(lines)}</ul></li>")
    return f'<div class="page contents"><h1>Contents</h1><ul>{"".join(parts)}</ul></div>'


def print_pdf(page: Path, out: Path) -> None:
    """Print a page of HTML with Chromium: tagged, with the headings as its outline.

    Raises `FileNotFoundError` where there is no Chromium, and `CalledProcessError` where it fails.
    """
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise FileNotFoundError(f"a PDF is printed by Chromium: put one of {', '.join(BROWSERS)} on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / out.name
        command = [executable, *FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={printed}"]
        command.append(page.resolve().as_uri())
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)  # noqa: S603
        replace_bytes(out, printed.read_bytes())

"""Packs articles as an EPUB 3: one file of XHTML for each, with formulas in MathML."""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from pathlib import Path, PurePosixPath

from autobuild_book.onefile.articles import FRONT, PAGES, Article
from autobuild_book.onefile.links import relink
from autobuild_book.onefile.styles import epub_style
from autobuild_book.zips import zipped

TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>
"""
PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>{body}</body>
</html>
"""
OPF = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book">{identifier}</dc:identifier><dc:title>{title}</dc:title><dc:language>en</dc:language>
<dc:creator>{author}</dc:creator><dc:rights>MIT License</dc:rights><dc:description>{about}</dc:description>
<meta property="dcterms:modified">{modified}</meta>
<meta property="schema:accessMode">textual</meta><meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">structuralNavigation</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{items}
</manifest>
<spine>{spine}</spine>
</package>
"""


def write_epub(articles: Sequence[Article], root: Path, facts: Mapping[str, str]) -> bytes:
    """Return the file, given cleaned articles, the repository that they were built in, and title, author, about."""
    names = {article.name: f"{number:02}-{PurePosixPath(article.name).name}" for number, article in enumerate(articles)}
    relink(articles, lambda name, place: f"{names[name]}.xhtml" + (f"#{place}" if place else ""))
    images = _move_images(articles, root)
    pages = {f"{names[article.name]}.xhtml": _page(article) for article in articles}
    files = {f"OEBPS/{name}": content for name, content in {**pages, **images}.items()}
    files["OEBPS/nav.xhtml"] = PAGE.format(title="Contents", body=_nav(articles, names)).encode()
    files["OEBPS/style.css"] = epub_style().encode()
    files["OEBPS/content.opf"] = _package(pages, images, facts).encode()
    files |= {"mimetype": b"application/epub+zip", "META-INF/container.xml": CONTAINER.encode()}
    return zipped("", files, first="mimetype")


def _page(article: Article) -> bytes:
    body = str(article.content).replace("<article", '<section epub:type="chapter"', 1)
    return PAGE.format(title=escape(article.title), body=re.sub("</article>$", "</section>", body)).encode()


def _move_images(articles: Iterable[Article], root: Path) -> dict[str, bytes]:
    """Let pictures lead to a folder of the file, and return them by name."""
    images: dict[str, bytes] = {}
    for article in articles:
        for image in article.content.find_all("img"):
            path = root / PAGES / article.file(str(image["src"]))
            image["src"] = name = f"images/{path.name}"
            images[name] = repaired(path.read_bytes()) if path.suffix == ".svg" else path.read_bytes()
    return images


def repaired(picture: bytes) -> bytes:
    """Return an SVG without its document type, which names files of the network, and with a line in every path."""
    picture = re.sub(rb"<!DOCTYPE[^>]*>", b"", picture, count=1)
    return re.sub(rb"<path(?![^>]*\sd=)", b'<path d="M0 0"', picture)  # matplotlib writes a space as a path without one


def _nav(articles: Sequence[Article], names: Mapping[str, str]) -> str:
    """Return the contents: parts, pages, and pages below them."""
    parts = []
    for part, members in groupby(articles, key=lambda article: article.part):
        lines = [
            (article.depth, f'<a href="{names[article.name]}.xhtml">{escape(article.title)}</a>') for article in members
        ]
        parts.append(_list(lines) if part == FRONT else f"<li><span>{escape(part)}</span><ol>{_list(lines)}</ol></li>")
    return f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{"".join(parts)}</ol></nav>'


def _list(lines: Sequence[tuple[int, str]]) -> str:
    """Return items of a list; those that stand deeper are a list in the item before."""
    text = ""
    for depth, members in groupby(lines, key=lambda line: line[0]):
        items = "".join(f"<li>{line}</li>" for _, line in members)
        text = f"{text.removesuffix('</li>')}<ol>{items}</ol></li>" if depth and text else text + items
    return text


def _package(pages: Mapping[str, bytes], images: Iterable[str], facts: Mapping[str, str]) -> str:
    items = [
        f'<item id="p{number}" href="{name}" media-type="application/xhtml+xml"{_properties(content)}/>'
        for number, (name, content) in enumerate(pages.items())
    ]
    items += [
        f'<item id="i{number}" href="{escape(name)}" media-type="{TYPES[PurePosixPath(name).suffix]}"/>'
        for number, name in enumerate(images)
    ]
    return OPF.format(
        items="\n".join(items),
        spine="".join(f'<itemref idref="p{number}"/>' for number in range(len(pages))),
        identifier=f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, facts['title'] + facts['about'])}",
        modified=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        **{name: escape(text) for name, text in facts.items()},
    )


def _properties(page: bytes) -> str:
    kinds = [kind for kind, tag in (("mathml", b"<math"), ("svg", b"<svg")) if tag in page]
    return f' properties="{" ".join(kinds)}"' if kinds else ""

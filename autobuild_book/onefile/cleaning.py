"""Makes of a page what a book can show: no scripts, nothing to click or unfold, and XHTML that readers accept."""

import re
from collections.abc import Iterator, Sequence

from autobuild_book.onefile.articles import Article
from autobuild_lib.extras import extra

with extra("book"):
    from bs4 import BeautifulSoup, Comment, Tag

REMOVED = (
    "script, style, link, button, input, select, textarea, canvas, iframe, template, a.headerlink, .sd-octicon, "
    "picture > source, #whole-book, figure.opening, figure.opening + p:has(.std-numref)"  # a figure that comes again
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
REPEATED = "section#what-this-book-is-built-with"  # of many pages; it stays on the first
FOLDED = "details.hide, details.set-up"  # code that a page folds; the notebooks have it
INTERACTIVE = "This part of the page answers to clicks, in the book's pages on the web{place}."
MATHML, SVG = "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg"
PLAIN = "span.n, span.p, span.w, span.o, span.pre, .highlight pre > span:empty"  # parts of code without a colour
ATTRIBUTES = re.compile(
    r"data-.*|on[a-z]+|aria-haspopup|tabindex|border|[hv]?align|scoped|start-line|for|role|translate"
)
SVG_ATTRIBUTES = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio"}  # which the parser writes small


def clean(articles: Sequence[Article], address: str = "") -> None:
    """Change articles in place; what many of them end with stays on the first.

    address: of the built pages on the web, if they have one; what answers to clicks becomes a line that leads there.
    """
    for number, article in enumerate(articles):
        for tag in article.content.select(REPEATED) * bool(number):
            tag.decompose()
        _clean(article.content, f"{address.rstrip('/')}/{article.name}.html" if address else "")


def _clean(content: Tag, address: str) -> None:
    for note in content.find_all("noscript"):
        _replace_interactive(note.parent, address)
    for tag in content.select(f"{FOLDED}, {REMOVED}"):
        tag.decompose()
    for section in content.find_all("section"):
        if not section.find(lambda tag: tag.name not in (*HEADINGS, "span")):
            section.decompose()  # all that it had was folded
    for tag in content.select(f"{PLAIN}, picture"):
        tag.unwrap()
    for comment in content.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    _unfold(content)
    for tag in content.find_all(True):
        _simplify(tag)
    _drop_second_ids(content)
    for cell in content.select("div.cell, div.cell_output, div.output"):
        if not cell.get_text(strip=True) and not cell.find(["img", "svg", "math", "table"]):
            cell.decompose()


def _new(name: str, text: str = "", **attributes: str) -> Tag:
    tag = BeautifulSoup("", "html.parser").new_tag(name, attrs=attributes)
    if text:
        tag.string = text
    return tag


def _replace_interactive(tag: Tag | None, address: str) -> None:
    if tag is None:
        return
    note = _new("p", **{"class": "interactive"})
    before, after = INTERACTIVE.split("{place}")
    note.append(before)
    if address:
        note.append(": ")
        note.append(_new("a", address, href=address))
    note.append(after)
    tag.replace_with(note)


def _unfold(content: Tag) -> None:
    """Show what a page folds, below what it calls it; and all tabs, one after the other."""
    for details in content.find_all("details"):
        details.name = "div"
        for summary in details.find_all("summary", recursive=False):
            summary.name, summary["class"] = "p", "summary"
    for label in content.find_all("label"):
        label.name, label["class"] = "p", "summary"
    for listed in content.find_all("dl"):
        if not listed.find("dt", recursive=False):  # the parameters of a long signature
            for part in [listed, *listed.find_all("dd", recursive=False)]:
                part.name = "div"


def _simplify(tag: Tag) -> None:
    """Leave only attributes that mean something in a book."""
    for name in [name for name in tag.attrs if ATTRIBUTES.fullmatch(name)]:
        if (tag.name, name) != ("svg", "role"):
            del tag[name]
    if tag.name == "math":
        tag["xmlns"] = MATHML
    if tag.name == "svg":
        tag["xmlns"] = SVG
    for small, name in SVG_ATTRIBUTES.items():
        if small in tag.attrs:
            tag[name] = tag.attrs.pop(small)
    if tag.name == "img":
        tag.attrs.pop("loading", None), tag.attrs.pop("srcset", None), tag.attrs.pop("sizes", None)
    if tag.name == "a" and tag.find("img") and "image-reference" in tag.get_attribute_list("class"):
        tag.unwrap()


def _drop_second_ids(content: Tag) -> None:
    seen: set[str] = set()
    for tag in content.find_all(id=True):
        if tag["id"] in seen:
            del tag["id"]
        else:
            seen.add(str(tag["id"]))


def ids(content: Tag) -> Iterator[str]:
    """Yield the places of an article that links can lead to."""
    yield from (str(tag["id"]) for tag in content.find_all(id=True))

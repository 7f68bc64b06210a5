"""Sphinx extension: words of the glossary show what they mean where they stand, and the first of each page links there.

A card opens at the pointer and at the keyboard's focus (book/static/cards.js); its text comes from the page of the
glossary, as a script, because a page from a folder may load scripts, but no JSON.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

GLOSSARY, CHAPTERS = "book/glossary", "artifacts/book/"
# Everyday words, which pages use in other senses, too: these are links only where the author says so ({term}).
EVERYDAY = {
    "architecture", "calibration", "cell", "head", "hop", "label", "layer", "links", "module", "panel", "profile",
    "score", "target", "task", "unit",
}  # fmt: skip
CLOSED = (nodes.reference, nodes.literal, nodes.caption, nodes.title, nodes.Admonition)


def meanings(doctree: nodes.document) -> dict[str, tuple[str, str]]:
    """Return the terms of a glossary and their meanings in plain text, by their anchors."""
    items = doctree.findall(nodes.definition_list_item)
    return {
        anchor: (" ".join(term.astext().split()), " ".join(item.children[-1].astext().split()))
        for item in items
        for term in item.findall(nodes.term)
        for anchor in term["ids"]
    }


def link_first(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Link the first mention of each word of the glossary on the page of a chapter."""
    if app.builder.format != "html" or not page.startswith(CHAPTERS) or "/api/" in page:
        return
    address = app.builder.get_relative_uri(page, GLOSSARY)
    terms = {term.lower(): anchor for anchor, (term, _) in meanings(app.env.get_doctree(GLOSSARY)).items()}
    for term, anchor in terms.items():
        if term not in EVERYDAY:
            _link(doctree, re.compile(rf"\b{re.escape(term)}s?\b", re.IGNORECASE), f"{address}#{anchor}")


def _link(doctree: nodes.document, word: re.Pattern[str], address: str) -> None:
    for text in list(_open_texts(doctree)):
        if match := word.search(text):
            before, after = text[: match.start()], text[match.end() :]
            link = nodes.reference("", match[0], refuri=address, internal=True, classes=["glossary-term"])
            text.parent.replace(text, [nodes.Text(before), link, nodes.Text(after)])
            return


def _open_texts(doctree: nodes.document) -> Iterator[nodes.Text]:
    """Yield the texts of paragraphs that stand in no link, no code, no caption and no box."""
    for paragraph in doctree.findall(nodes.paragraph):
        if not _within(paragraph, CLOSED):
            yield from (text for text in paragraph.findall(nodes.Text) if not _within(text, CLOSED))


def _within(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    while (node := node.parent) is not None:
        if isinstance(node, kinds):
            return True
    return False


def write_meanings(app: Sphinx, error: Exception | None) -> None:
    """Write the meanings of all terms beside the static files of a finished book."""
    if error is None and app.builder.format == "html" and GLOSSARY in app.env.found_docs:
        text = json.dumps(meanings(app.env.get_doctree(GLOSSARY)), ensure_ascii=False)
        (Path(app.outdir) / "_static" / "glossary-terms.js").write_text(f"window.glossaryTerms = {text};\n", "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register links and meanings."""
    app.connect("doctree-resolved", link_first)
    app.connect("build-finished", write_meanings)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

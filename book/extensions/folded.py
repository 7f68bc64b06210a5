"""Sphinx extension: the set-up of a chapter, its parameters and imports, is folded: a page begins with its idea."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

TITLE = "Set-up"
OPEN = '<details class="set-up"><summary>Parameters, imports, and the start of the record: {cells} cells</summary>'


def fold(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Fold the section of set-ups up to its last cell without outputs; an EPUB stays as it is."""
    if app.builder.format != "html" or app.builder.name == "epub":
        return
    for section in doctree.findall(nodes.section):
        if section[0].astext() == TITLE and (cells := silent_cells(section)):
            end = section.index(cells[-1]) + 1
            section.insert(end, nodes.raw("", "</details>", format="html"))
            section.insert(1, nodes.raw("", OPEN.format(cells=len(cells)), format="html"))


def silent_cells(section: nodes.section) -> list[nodes.Element]:
    """Return the code cells of a section that come before the first with an output."""
    cells = []
    for node in section.children:
        if isinstance(node, nodes.container) and "cell" in node["classes"]:
            if any("cell_output" in part["classes"] and part.children for part in node.findall(nodes.container)):
                break
            cells.append(node)
    return cells


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the fold."""
    app.connect("doctree-resolved", fold)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Sphinx extension: answers to exercises unfold without scripts, by keyboard and when something in them is looked for.

The directives are those of sphinx-exercise. What it folds, it leaves to a script; here a `solution` of the class
`dropdown` becomes what browsers fold themselves.
"""

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx_exercise.nodes import is_exercise_node, is_solution_node

FOLDED = "dropdown"
OPEN = '<details class="answer" id="{name}"><summary>{title}</summary>'


def fold(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Fold answers, and take away the sections around contents, which all have the same id; an EPUB stays open."""
    if app.builder.format != "html":
        return
    for node in list(doctree.findall(lambda node: is_exercise_node(node) or is_solution_node(node))):
        title, *parts = node.children
        node.children = [title]
        node.extend(child for part in parts for child in (part.children if isinstance(part, nodes.section) else [part]))
        if is_solution_node(node) and FOLDED in node["classes"] and app.builder.name != "epub":
            start = OPEN.format(name=escape(f"{node['target_label']}-answer"), title=escape(title.astext()))
            opening, closing = (nodes.raw("", text, format="html") for text in (start, "</details>"))
            place = node.parent.index(node)
            node.parent[place : place + 1] = [opening, *node.children[1:], closing]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the fold."""
    app.connect("doctree-resolved", fold)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

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
FIRST = 400  # before sphinx-codeautolink, which takes every section for one with a title


def unwrap(app: Sphinx, doctree: nodes.document) -> None:
    """Take away the sections around the contents of exercises and answers: they have no title, and all the same id."""
    for node in list(doctree.findall(lambda node: is_exercise_node(node) or is_solution_node(node))):
        title, *parts = node.children
        node.children = [title]
        node.extend(child for part in parts for child in (part.children if isinstance(part, nodes.section) else [part]))


def fold(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Fold answers on pages; in an EPUB they stay open."""
    if app.builder.format != "html" or app.builder.name == "epub":
        return
    for node in list(doctree.findall(is_solution_node)):
        if FOLDED in node["classes"]:
            title, *parts = node.children
            start = OPEN.format(name=escape(f"{node['target_label']}-answer"), title=escape(title.astext()))
            opening, closing = (nodes.raw("", text, format="html") for text in (start, "</details>"))
            place = node.parent.index(node)
            node.parent[place : place + 1] = [opening, *parts, closing]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the fold."""
    app.connect("doctree-read", unwrap, priority=FIRST)
    app.connect("doctree-resolved", fold)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Sphinx extension: a phone loads the narrow rendering of a figure, its panels in fewer columns, if there is one."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

FOLDER = Path("artifacts") / "book" / "static" / "narrow"  # copied into _static
PHONE = "(max-width: 600px)"


def visit(self: HTML5Translator, node: nodes.image) -> None:
    """Write an image, with its narrow rendering beside it; a chapter's opening is a preview and stays wide."""
    name = Path(str(self.builder.images.get(node["uri"], node["uri"]))).name
    has_narrow = (Path(self.builder.srcdir) / FOLDER / name).is_file() and "opening" not in _classes_around(node)
    if has_narrow:
        address = f"{self.builder.imgpath.removesuffix('_images')}_static/narrow/{name}"
        self.body.append(f'<picture><source media="{PHONE}" srcset="{address}">')
    HTML5Translator.visit_image(self, node)
    if has_narrow:
        self.body.append("</picture>")


def _classes_around(node: nodes.Node) -> set[str]:
    around: set[str] = set()
    while (node := node.parent) is not None and not isinstance(node, nodes.section):
        around.update(node.get("classes", []))
    return around


def depart(self: HTML5Translator, node: nodes.image) -> None:
    """Do what the writer does after an image."""
    HTML5Translator.depart_image(self, node)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the writing of images."""
    app.add_node(nodes.image, override=True, html=(visit, depart))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

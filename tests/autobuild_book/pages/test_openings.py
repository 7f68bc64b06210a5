"""The figure that a chapter opens with."""

import base64
import struct
from typing import Any

import pytest

from autobuild_book.pages.openings import with_opening
from tests.helpers.small_book import code_cell, display, markdown_cell

FIRST = "(one)=\n# One\n\nIts idea.\n\n**What you will learn**"
FIGURE = "```{glue:figure} drawn\n---\nname: figure-one\nalt: >-\n  A line,\n  rising.\n---\n\nCaption.\n```"


def png(width: int, height: int) -> str:
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + struct.pack(">II", width, height)).decode()


def chapter(width: int, height: int, tags: list[str], figure: str = FIGURE) -> list[dict[str, Any]]:
    output = display("", scrapbook={"name": "drawn"})
    output["data"]["image/png"] = png(width, height)
    tagged = {**markdown_cell(figure), "metadata": {"tags": tags}}
    return [markdown_cell(FIRST), code_cell("draw()", output), tagged]


@pytest.mark.parametrize(("height", "shape"), [(50, "wide"), (85, "wide"), (86, "tall")])
def test_the_tagged_figure_stands_below_the_first_paragraph(height: int, shape: str) -> None:
    cells = chapter(100, height, ["opening"])
    first, *others = with_opening(cells)
    idea, directive, caption, learn = first["source"].split("\n\n")[1:]
    assert idea == "Its idea." and learn == "**What you will learn**"
    assert directive.splitlines()[0] == "```{glue:figure} drawn"
    assert f"figclass: opening {shape}" in directive and "A line, rising." in directive and "name:" not in directive
    assert "{numref}`figure-one`" in caption
    assert others == cells[1:]


@pytest.mark.parametrize(
    "cells", [chapter(9, 9, []), chapter(9, 9, ["opening"], figure="*This figure was not drawn.*")]
)
def test_without_a_tagged_figure_nothing_changes(cells: list[dict[str, Any]]) -> None:
    text = "".join(cells[0]["source"])
    (first, *_) = with_opening(cells)
    assert "".join(first["source"]) == text

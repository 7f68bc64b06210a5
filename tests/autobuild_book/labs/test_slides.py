"""Slides of a lab: every text and given cell, no answer and no check, and nothing from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from autobuild_book.labs import handout
from autobuild_book.labs.slides import slides

ROOT = Path(__file__).resolve().parents[3]
labs = pytest.mark.parametrize("path", handout.sources(ROOT), ids=lambda path: path.stem)
VOID = {"meta", "br", "hr", "img", "input", "path", "use", "rect"}


class Reader(HTMLParser):
    """Collects texts, and refuses elements that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.code: list[str] = []
        self.slides = 0
        self.labels: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.slides += tag == "section"
        self.labels += [str(value) for name, value in attrs if name == "aria-label"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-2:] == ["pre", "code"]:
            self.code.append(data)


@labs
def test_given_code_is_there_and_answers_are_not(path: Path) -> None:
    notebook = handout.student_version(handout.read_source(path))
    read = Reader(slides(notebook))
    given = [cell.source for cell in notebook.cells if cell.cell_type == "code" and "nbgrader" not in cell.metadata]
    assert [code.strip() for code in read.code if code.strip() in given] == given
    assert read.slides == sum(cell.cell_type == "markdown" for cell in notebook.cells)


@labs
def test_it_needs_no_network_and_is_the_same_every_time(path: Path) -> None:
    notebook = handout.student_version(handout.read_source(path))
    text = slides(notebook)
    assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!#)[^\"'\s>]+", text)
    assert text == slides(notebook)


def test_formulas_are_pictures_with_a_name() -> None:
    cells = [nbformat.v4.new_markdown_cell("# A\n\nWith $a \\le 1$ and $$\\tfrac{d}{2} \\; \\ge \\left(x\\right)$$")]
    read = Reader(slides(nbformat.v4.new_notebook(cells=cells)))
    assert read.labels == ["a \\le 1", "\\tfrac{d}{2} \\; \\ge \\left(x\\right)"]


def test_what_a_text_holds_is_no_markup() -> None:
    cells = [nbformat.v4.new_markdown_cell("# <b> & co"), nbformat.v4.new_code_cell("a < b & c")]
    read = Reader(slides(nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_markdown_cell("more")])))
    assert "a < b & c" in "".join(read.code) and read.slides == 2


def test_a_formula_that_cannot_be_drawn_is_an_error() -> None:
    with pytest.raises(ValueError, match="nosuch"):
        slides(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A\n\n$\\nosuch$")]))

"""Narrow renderings of figures beside the pages."""

import base64
import hashlib
from pathlib import Path

import pytest

from autobuild_book.figures.pictures import NARROW_TYPE
from autobuild_book.pages.narrow import FOLDER, without_narrow, write_narrow
from tests.helpers.small_book import code_cell, display, markdown_cell

WIDE, SLIM = b"wide", b"slim"
DATA = {"image/png": base64.b64encode(WIDE).decode(), NARROW_TYPE: base64.b64encode(SLIM).decode()}


@pytest.mark.parametrize("prefix", ["", "application/papermill.record/"])  # the second: glued, and not shown
def test_pages_keep_the_wide_figures_and_files_the_narrow(tmp_path: Path, prefix: str) -> None:
    data = {prefix + kind: value for kind, value in {**DATA, "text/plain": "x"}.items()}
    drawn, printed = {**display(""), "data": data}, display("text")
    cells = [markdown_cell("text"), code_cell("draw()", drawn, printed)]
    assert without_narrow(cells)[0] == cells[0]
    wide, other = without_narrow(cells)[1]["outputs"]
    assert set(wide["data"]) == {f"{prefix}image/png", f"{prefix}text/plain"} and other == printed
    assert prefix + NARROW_TYPE in drawn["data"]
    write_narrow(cells, tmp_path)
    assert [path.read_bytes() for path in (tmp_path / FOLDER).iterdir()] == [SLIM]
    assert (tmp_path / FOLDER / f"{hashlib.sha256(WIDE).hexdigest()}.png").is_file()


def test_figures_of_older_runs_have_one_width(tmp_path: Path) -> None:
    cells = [code_cell("draw()", {**display(""), "data": {"image/png": DATA["image/png"]}})]
    write_narrow(cells, tmp_path)
    assert not list(tmp_path.iterdir()) and without_narrow(cells) == cells

"""Whole books, built: with notebooks that failed or were not run, and without Jupyter Book."""

import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from autobuild_book.pages import building
from tests.helpers.small_book import LOG, code_cell, error_output, markdown_cell, notebook

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "artifacts" / "book"
pytestmark = [pytest.mark.slow, pytest.mark.book]

WITHOUT_JUPYTER_BOOK = """
import sys
sys.modules["jupyter_book"] = None
from sphinx.cmd.build import main
sys.exit(main())
"""
TRACEBACK = "Traceback: \x1b[31m```{glue:text}`nothing`\x1b[0m\n---> 3 assert <b> 'of date'\n{ref}`nowhere` [](nowhere)"


def failed(name: str, last: int) -> str:
    """A notebook of this repository as papermill leaves it when its code cell with this index raises an error."""
    cells: list[dict[str, Any]] = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    code[last]["outputs"] = [error_output(f"`out` of {{date}}: {Path.home()}/x.py | a", TRACEBACK)]
    return notebook(cells, exception=True)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository where a notebook failed at once, one at its end, one as its kernel died; the others did not run."""
    root = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "book", root / "book")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copy(ROOT / "_config.yml", root)
    folder = root / "artifacts" / "quick" / "failed"
    folder.mkdir(parents=True)
    (folder / "01_predictor_srcc.ipynb").write_text(failed("01_predictor_srcc", 1))
    (folder / "04_pareto_regions.ipynb").write_text(failed("04_pareto_regions", -1))
    (folder / "08_peers.ipynb").write_text(notebook([markdown_cell("(x)=\n# Another"), code_cell("1")]))
    for name in ("01_predictor_srcc", "04_pareto_regions", "08_peers"):
        (folder / f"{name}.txt").write_text(LOG)
    return root


def test_a_book_of_failed_and_missing_notebooks(clone: Path) -> None:
    chapters = building.build("quick", clone)
    assert not chapters.executed and len(chapters.missing) == len(chapters.notebooks)
    html = clone / "_build" / "html"
    assert (html / "index.html").is_file()
    pages = {path.stem: path.read_text() for path in html.rglob("*.html")}
    texts = {name: unescape(re.sub(r"<[^>]+>", "", page)) for name, page in pages.items()}
    assert "Not run on this machine" in texts["index"] + texts["verdicts"]
    for name in chapters.notebooks:
        assert f"--force artifacts/quick/{name}.ipynb" in texts[name]
        assert ("This notebook failed" in texts[name]) == (chapters.missing[name].state == "failed")
    for name in ("01_predictor_srcc", "04_pareto_regions"):
        assert "assert <b> 'of date'" in texts[name]
    assert "DeadKernelError" in texts["08_peers"] and 'id="figure-cost"' in pages["08_peers"]


@pytest.mark.skipif(not BUILT.is_dir(), reason="no built book: run make book")
def test_the_same_sources_without_jupyter_book(tmp_path: Path) -> None:
    options = ["-c", "book/sphinx", "-W", "-n", "--keep-going", "-q", "-d", str(tmp_path / "trees")]
    command = [sys.executable, "-c", WITHOUT_JUPYTER_BOOK, *options, ".", str(tmp_path / "html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for page in (ROOT / "_build" / "html").glob("artifacts/book/*.html"):
        assert (tmp_path / "html" / page.relative_to(ROOT / "_build" / "html")).is_file()

"""The whole book in one file, where it was made beside the pages."""

import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from pypdf import PdfReader

from autobuild_book.onefile.articles import read_articles
from tests.helpers.epubs import broken_links, read_pages, without_text
from tests.helpers.outlines import entries

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "_build" / "html"
MOST_MB = {"epub": 20, "pdf": 50}

pytestmark = [pytest.mark.book, pytest.mark.skipif(not FILES.is_dir(), reason="no built book: run make book")]


def made(kind: str) -> Path:
    path = FILES / f"autobuild-book.{kind}"
    if not path.is_file():
        pytest.skip(f"make {kind} has not run")
    assert path.stat().st_size < MOST_MB[kind] * 1e6
    return path


@pytest.fixture(scope="module")
def titles() -> list[str]:
    return [article.title for article in read_articles(ROOT)]


def test_epub(titles: list[str]) -> None:
    path = made("epub")
    assert len(read_pages(path)) == len(titles) + 1
    assert not broken_links(path) and not without_text(path)
    with zipfile.ZipFile(path) as archive:
        assert sum(name.startswith("OEBPS/images/") for name in archive.namelist()) > 50


def test_pdf(titles: list[str]) -> None:
    printed = PdfReader(made("pdf"))
    assert len(printed.pages) > 50
    headings = iter([entry.title for entry in entries(printed.outline)])
    assert [title for title in titles if title not in headings] == [], "missing, or not in the order of the pages"
    numbers = [printed.get_destination_page_number(entry) for entry in entries(printed.outline)]
    assert all(before is not None and after is not None and before <= after for before, after in pairwise(numbers))
    links = [annotation.get_object() for page in printed.pages for annotation in page.get("/Annots", [])]
    assert sum("/Dest" in link or "/D" in link.get("/A", {}) for link in links) > len(titles)

"""What is printed: one page whose places are unique, and, where there is Chromium, a PDF with an outline and links."""

import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from autobuild_book.onefile import __main__ as onefile, pdf
from autobuild_book.onefile.articles import read_articles, read_facts
from autobuild_book.onefile.cleaning import clean
from tests.helpers.outlines import entries


def test_articles_become_one_page(book: Path) -> None:
    articles = read_articles(book)
    clean(articles)
    page = BeautifulSoup(pdf.one_page(articles, book, read_facts(book)), "html.parser")
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids)) > 5
    links = [str(link["href"]) for link in page.find_all("a", href=True)]
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= set(ids) and "#p1-formulas" in links
    headings = [(tag.name, " ".join(tag.get_text().split())) for tag in page.find_all(["h1", "h2", "h3"])]
    assert headings == [
        ("h1", "A <book>"), ("h1", "Contents"), ("h2", "The book"), ("h3", "Built with"), ("h1", "One & all"),
        ("h2", "First & only"), ("h3", "Formulas"), ("h2", "Play"),
    ]  # fmt: skip
    assert all(str(image["src"]).startswith("file://") for image in page.find_all("img"))


def test_without_chromium_it_says_so(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="chromium"):
        onefile.make("pdf", book)
    assert not (book / "_build" / "html" / "autobuild-book.pdf").exists()


needs_chromium = pytest.mark.skipif(not any(map(shutil.which, pdf.BROWSERS)), reason="needs Chromium")


@pytest.mark.slow
@needs_chromium
def test_a_title_of_several_lines_keeps_its_spaces_in_the_outline(book: Path) -> None:
    title = " ".join(["word"] * 60)
    page = book / "_build" / "html" / "book" / "first.html"
    page.write_text(page.read_text().replace("<h2>Formulas</h2>", f"<h2>{title}</h2>"))
    printed = PdfReader(onefile.make("pdf", book))
    assert title in {entry.title for entry in entries(printed.outline)}


@pytest.mark.slow
@needs_chromium
def test_a_pdf_has_an_outline_and_links(book: Path) -> None:
    printed = PdfReader(onefile.make("pdf", book))
    outline = [entry.title for entry in printed.outline if not isinstance(entry, list)]
    assert outline == ["A <book>", "Contents", "One & all"]
    assert len(printed.pages) >= 5 and printed.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "#formulas" not in "".join(page.extract_text() for page in printed.pages)
    links = [annotation.get_object() for page in printed.pages for annotation in page.get("/Annots", [])]
    assert sum("/Dest" in link or "/D" in link.get("/A", {}) for link in links) >= 5

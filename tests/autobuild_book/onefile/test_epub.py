"""An EPUB of a small book: well-formed, all links lead somewhere, and nothing is left that only a browser can do."""

import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest

from autobuild_book.onefile import __main__ as onefile
from tests.helpers.epubs import XHTML, broken_links, read_pages, without_text


@pytest.fixture
def made(book: Path) -> Path:
    return onefile.make("epub", book)


def text(page: ElementTree.Element) -> str:
    return " ".join("".join(page.itertext()).split())


def test_pages_stand_in_the_order_of_the_contents(made: Path) -> None:
    pages = read_pages(made)
    assert [*pages] == ["nav.xhtml", "00-index.xhtml", "01-first.xhtml", "02-play.xhtml"]
    links = [(link.attrib["href"], text(link)) for link in pages["nav.xhtml"].iter(f"{XHTML}a")]
    assert links == [("00-index.xhtml", "The book"), ("01-first.xhtml", "First & only"), ("02-play.xhtml", "Play")]
    depths = pages["nav.xhtml"].findall(f".//{XHTML}ol")
    assert len(depths) == 3 and "One & all" in text(pages["nav.xhtml"])


def test_links_lead_to_places_or_are_text(made: Path) -> None:
    page = read_pages(made)["00-index.xhtml"]
    links = [(link.attrib["href"], text(link)) for link in page.iter(f"{XHTML}a")]
    assert links == [
        ("01-first.xhtml#formulas", "Formulas"), ("01-first.xhtml", "first"), ("https://arxiv.org/a", "paper"),
    ]  # fmt: skip
    assert "nowhere" in text(page) and "script" in text(page)
    assert not broken_links(made) and not without_text(made)


def test_what_is_folded_is_shown_unless_it_is_set_up(made: Path) -> None:
    page = text(read_pages(made)["01-first.xhtml"])
    assert "RulesAll of them." in page and "import x" not in page and "Set-up" not in page


def test_what_answers_to_clicks_is_a_line(made: Path) -> None:
    page = read_pages(made)["02-play.xhtml"]
    names = {tag.tag.removeprefix(XHTML) for tag in page.iter()}
    assert not names & {"script", "style", "button", "noscript", "details", "dl"}
    assert [text(tag) for tag in page.iter(f"{XHTML}p") if tag.attrib.get("class") == "interactive"]
    with zipfile.ZipFile(made) as archive:
        assert b"x &lt; y" not in archive.read("OEBPS/02-play.xhtml")


def test_pictures_are_those_of_wide_screens(made: Path) -> None:
    page = read_pages(made)["01-first.xhtml"]
    assert [image.attrib["src"] for image in page.iter(f"{XHTML}img")] == ["images/square.png", "images/drawing.svg"]
    assert not [*page.iter(f"{XHTML}source"), *page.iter(f"{XHTML}picture")]


def test_the_figure_that_a_chapter_opens_with_stands_only_where_its_caption_is(made: Path) -> None:
    said = text(read_pages(made)["01-first.xhtml"])
    assert "The idea." in said and "this picture" not in said


def test_an_address_on_the_web_is_linked(book: Path) -> None:
    (book / "_config.yml").write_text("title: A\nauthor: B\nhtml: {baseurl: 'https://example.org/book/'}\n")
    page = read_pages(onefile.make("epub", book))["02-play.xhtml"]
    assert "https://example.org/book/book/deep/play.html" in {a.attrib.get("href") for a in page.iter(f"{XHTML}a")}


def test_the_ending_of_all_pages_stays_on_the_first(made: Path) -> None:
    assert ["torch" in text(page) for page in read_pages(made).values()] == [False, True, False, False]


def test_the_package_says_what_the_book_is(made: Path) -> None:
    with zipfile.ZipFile(made) as archive:
        package = archive.read("OEBPS/content.opf").decode()
        drawing = archive.read("OEBPS/images/drawing.svg")
    assert "<dc:title>A &lt;book&gt;</dc:title>" in package and "Do not quote." in package
    assert b"DOCTYPE" not in drawing and ElementTree.fromstring(drawing)[0].attrib == {"id": "p", "d": "M0 0"}  # noqa: S314


class TestOffer:
    def index(self, book: Path) -> str:
        return (book / "_build" / "html" / "book" / "index.html").read_text()

    def test_the_first_page_leads_to_what_is_there(
        self, book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(book)
        before = self.index(book)
        onefile.offer(book)
        assert self.index(book) == before
        assert onefile.main(["epub"]) == 0 and "autobuild-book.epub" in capsys.readouterr().out
        assert 'href="../autobuild-book.epub"' in self.index(book) and ".pdf" not in self.index(book)
        offered = self.index(book)
        onefile.offer(book)
        assert self.index(book) == offered
        (book / "_build" / "html" / "autobuild-book.epub").unlink()
        onefile.offer(book)
        assert self.index(book) == before

    @pytest.mark.parametrize("words", [[], ["docx"], ["epub"]])
    def test_what_cannot_be_made_is_one_line(
        self, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert onefile.main(words) == 1 and capsys.readouterr().err.count("\n") == 1

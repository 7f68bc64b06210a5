"""The built book, opened page by page; and the builder's own parts."""

import json
import re
import shutil
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from autobuild_lib import book

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
TOC = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
PAGES = [TOC["root"], *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"])]


class Page(HTMLParser):
    """Links, images, anchors and text of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.links, self.images, self.names, self.parts = path, [], [], set(), []  # type: ignore[var-annotated]
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.names.add(values.get("id") or values.get("name"))
        if tag == "img":
            self.images.append(values)
        for key in ("href", "src"):
            if values.get(key):
                self.links.append((tag, values[key]))

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Page:
    path = HTML / f"{request.param}.html"
    assert path.is_file(), f"{request.param} is in the table of contents, but not among the pages"
    return Page(path)


@pytest.mark.book
@pytest.mark.skipif(not HTML.is_dir(), reason="no built book: run make book")
class TestPages:
    def test_every_image_has_alt_text(self, page: Page) -> None:
        bare = [image.get("src") for image in page.images if not (image.get("alt") or "").strip()]
        generated = [image["src"] for image in page.images if "_images" in (image.get("alt") or "")]
        assert not bare + generated

    def test_links_images_and_anchors_lead_somewhere(self, page: Page) -> None:
        broken = []
        for tag, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or (tag == "a" and link == "#"):
                continue
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            anchor = unquote(parts.fragment) if target.suffix == ".html" else ""
            if not target.is_file() or (anchor and anchor not in Page(target).names):
                broken.append(link)
        assert not broken

    def test_nothing_is_loaded_from_the_network(self, page: Page) -> None:
        loaded = [link for tag, link in page.links if tag in ("script", "img", "link") and urlsplit(link).netloc]
        assert not loaded

    def test_it_shows_what_it_was_built_with(self, page: Page) -> None:
        assert re.search(r"profile (quick|standard|paper)", page.text)
        assert re.search(r"seed \d+", page.text)
        assert re.search(r"sha256 [0-9a-f]{12}", page.text)
        assert f"autobuild-book {version('autobuild-book')}" in page.text

    def test_numbers_are_filled_in(self, page: Page) -> None:
        assert not re.search(r"\bundefined\b|\{glue|glue:|\[\?\?\]|No key ", page.text)

    def test_no_warning_or_traceback_was_printed(self, page: Page) -> None:
        assert not re.search(r"Traceback \(most recent|\w+Warning:", page.text)

    def test_it_names_no_folder_of_the_machine_it_was_built_on(self, page: Page) -> None:
        assert not re.search(r"(?<![\w.])/(home|root|work|Users|tmp)/", page.text)


@pytest.mark.book
@pytest.mark.skipif(not HTML.is_dir(), reason="no built book: run make book")
def test_there_is_a_first_page() -> None:
    assert (HTML / "index.html").is_file()


RECORD = {
    "notebook": "01_some",
    "parameters": {"seed": 3},
    "seconds": 12.34,
    "data": [{"source": "ofa_mbv3", "kind": "surrogate", "rows": 3000, "sha256": "ab" * 32}],
}


def executed(root: Path) -> Path:
    folder = root / "artifacts" / "quick"
    (folder / "01_some").mkdir(parents=True)
    (folder / "01_some.ipynb").write_text("{}")
    (folder / "01_some" / "metrics.json").write_text(json.dumps(RECORD))
    return folder


def test_collect_copies_notebooks_and_says_what_they_were_built_with(tmp_path: Path) -> None:
    executed(tmp_path)
    folder = book.collect("quick", tmp_path)
    assert (folder / "01_some.ipynb").is_file()
    lines = (folder / "provenance.md").read_text().splitlines()
    assert lines[:4] == ["| built with | value |", "| --- | --- |", "| profile | quick |", "| seed | 3 |"]
    assert lines[4] == "| data ofa_mbv3 | surrogate, 3,000 rows, sha256 abababababab |"
    assert lines[5].startswith("| version | autobuild-book ")
    assert (folder / "times.md").read_text().splitlines()[2] == "| 01_some | 12.3 |"


def test_collect_leaves_nothing_from_before(tmp_path: Path) -> None:
    folder = executed(tmp_path)
    book.collect("quick", tmp_path)
    shutil.move(folder / "01_some.ipynb", folder / "02_other.ipynb")
    assert [path.name for path in book.collect("quick", tmp_path).glob("*.ipynb")] == ["02_other.ipynb"]


def test_without_notebooks_the_error_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert book.main(["quick"]) == 1
    assert capsys.readouterr().err == "no notebooks in artifacts/quick: run `make chain PROFILE=quick`\n"


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(SystemExit):
        book.main(["fast"])


def test_every_page_in_the_contents_has_a_source() -> None:
    sources = [ROOT / f"{page.replace('artifacts/book', 'notebooks')}" for page in PAGES]
    assert all(path.with_suffix(".md").is_file() or path.with_suffix(".ipynb").is_file() for path in sources)

"""The built book, opened page by page; and the builder's own parts."""

import functools
import importlib.util
import posixpath
import re
from html.parser import HTMLParser
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from autobuild_book.pages import api, claims, paper

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
TOC = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
CHAPTERS = [chapter for part in TOC["parts"] for chapter in part["chapters"]]
PAGES = [TOC["root"], *(page["file"] for chapter in CHAPTERS for page in [chapter, *chapter.get("sections", [])])]


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

    @property
    def has_results(self) -> bool:
        """Whether it is not the page of a notebook that failed or was not run where the book was built."""
        return "To run only this notebook again" not in self.text


@functools.cache
def parsed(path: Path) -> Page:
    """Many links lead to the same pages."""
    return Page(path)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Page:
    path = HTML / f"{request.param}.html"
    assert path.is_file(), f"{request.param} is in the table of contents, but not among the pages"
    return parsed(path)


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
            if not target.is_file() or (anchor and anchor not in parsed(target).names):
                broken.append(link)
        assert not broken

    def test_the_quick_profile_is_announced_with_a_link_to_the_verdicts(self, page: Page) -> None:
        *_, built_with = re.findall(r"profile (quick|standard|paper)", page.text)  # the last stands in the footer
        is_quick = built_with == "quick"
        assert ("Do not quote its numbers" in page.text) == is_quick
        verdicts = [link for tag, link in page.links if tag == "a" and link.rpartition("/")[2] == "verdicts.html"]
        assert verdicts or not is_quick or page.path.name == "verdicts.html"

    def test_nothing_is_loaded_from_the_network(self, page: Page) -> None:
        loaded = [link for tag, link in page.links if tag in ("script", "img", "link") and urlsplit(link).netloc]
        assert not loaded

    def test_it_shows_what_it_was_built_with(self, page: Page) -> None:
        assert re.search(r"profile (quick|standard|paper)", page.text)
        if not page.has_results:
            return
        assert re.search(r"seed \d+", page.text)
        assert re.search(r"sha256 [0-9a-f]{12}", page.text)
        assert f"autobuild-book {version('autobuild-book')}" in page.text

    def test_numbers_are_filled_in(self, page: Page) -> None:
        if "/api/" not in page.path.as_posix():  # whose texts may use such words
            assert not re.search(r"\bundefined\b|\{glue|glue:|\[\?\?\]|No key ", page.text)

    def test_no_warning_or_traceback_was_printed(self, page: Page) -> None:
        assert not page.has_results or not re.search(r"Traceback \(most recent|\w+Warning:", page.text)

    def test_it_names_no_folder_of_the_machine_it_was_built_on(self, page: Page) -> None:
        assert not re.search(r"(?<![\w.])/(home|root|work|Users|tmp)/", page.text)


@pytest.mark.book
@pytest.mark.skipif(not HTML.is_dir(), reason="no built book: run make book")
class TestPagesThatSumUp:
    def page(self, name: str) -> Page:
        return parsed(HTML / "book" / f"{name}.html")

    def test_there_is_a_first_page(self) -> None:
        assert (HTML / "index.html").is_file()

    def test_every_claim_has_a_verdict_and_links_to_its_chapter(self) -> None:
        page = self.page("verdicts")
        links, text = [link for _, link in page.links], page.text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        for claim in claims.CLAIMS:
            assert f" {claim.name} {claim.short} " in text
            (_, row) = text.split(f" {claim.text} Rule: ")
            if parsed(HTML / "artifacts" / "book" / f"{claim.notebook}.html").has_results:
                assert re.search(rf"({'|'.join(claims.VERDICTS)}) ?\. Data: ", row), claim.name
                chapter = f"../artifacts/book/{claim.notebook}.html"
                assert {f"{chapter}#{claims.slug(claim.section)}", f"{chapter}#{claim.figure}"} <= set(links)

    def test_the_index_of_the_paper_links_to_functions(self) -> None:
        links = {link.rpartition("#")[2] for _, link in self.page("paper_index").links if "/api/" in link}
        assert {name for entry in paper.ENTRIES for name in entry.functions} <= links

    def test_the_explorer_has_all_it_needs(self) -> None:
        scripts = [link for tag, link in self.page("explorer").links if tag == "script"]
        own = [link for link in scripts if "plotly" in link or "explorer" in link]
        assert [Path(link).name for link in own] == ["explorer-data.js", "explorer.js"]
        assert (HTML / "_static" / "plotly.min.js").is_file(), "which it loads when the reader asks"

    def test_notebooks_offer_their_sources(self) -> None:
        for name in (page for page in PAGES if page.startswith("artifacts/book/0")):
            downloads = [Path(link).name for tag, link in parsed(HTML / f"{name}.html").links if "_downloads/" in link]
            metrics = ["metrics.json"] * parsed(HTML / f"{name}.html").has_results
            assert {f"{Path(name).name}.py", f"{Path(name).name}.ipynb", *metrics} <= set(downloads), name

    def test_the_reference_has_signatures(self) -> None:
        page = parsed(HTML / "artifacts" / "book" / "api" / "front.html")
        assert {"autobuild_lib.fit", "autobuild_lib.Predictor", "autobuild_lib.Predictor.predict"} <= page.names
        assert "weights.safetensors" in page.text


@pytest.mark.parametrize(
    ("page", "way"), [("index", "book/"), ("book/times", ""), ("artifacts/book/api/front", "../../../book/")]
)
def test_an_announcement_leads_to_the_verdicts_from_every_page(tmp_path: Path, page: str, way: str) -> None:
    module, context = extension("announcement"), dict[str, Any]()
    context["pathto"] = lambda name: posixpath.relpath(f"{name}.html", posixpath.dirname(page) or ".")
    app = SimpleNamespace(srcdir=tmp_path)
    module.announce(app, page, "page.html", context, None)
    assert "theme_announcement" not in context
    (tmp_path / module.FILE).parent.mkdir(parents=True)
    (tmp_path / module.FILE).write_text('<a href="{verdicts}">')
    module.announce(app, page, "page.html", context, None)
    assert context["theme_announcement"] == f'<a href="{way}verdicts.html">'


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_an_announcement_can_be_read(mode: str) -> None:
    """In both modes its contrast is that of WCAG's level AAA, 7 to 1; colours are those of the theme."""
    ours = (ROOT / "book" / "static" / "book.css").read_text()
    (rule,) = re.findall(r"\.bd-header-announcement \{(.*?)\}", ours)
    theme = Path(str(files("pydata_sphinx_theme") / "theme/pydata_sphinx_theme/static/styles/pydata-sphinx-theme.css"))
    blocks = re.findall(r"html\[data-theme=(light|dark)\]\{([^}]*)\}", theme.read_text())
    values = dict(re.findall(r"(--[\w-]+):([^;]+)", ";".join(block for own, block in blocks if own == mode)))
    names = dict(re.findall(r"([\w-]+): var\((.*?)\)", rule))
    levels = sorted(luminance(values[names[part]]) for part in ("color", "background-color"))
    assert (levels[1] + 0.05) / (levels[0] + 0.05) >= 7


def test_every_page_in_the_contents_has_a_source() -> None:
    generated = {f"artifacts/book/api/{page.name}" for page in api.PAGES}
    sources = [ROOT / f"{page.replace('artifacts/book', 'notebooks')}" for page in PAGES if page not in generated]
    assert all(path.with_suffix(".md").is_file() or path.with_suffix(".ipynb").is_file() for path in sources)


def test_the_first_page_says_what_every_chapter_rests_on() -> None:
    rows = re.findall(r"\* - \[.*\]\((.*)\)\n  - (.*)", (ROOT / "book" / "index.md").read_text())
    chapters = [re.findall(r"^# \((.*)\)=", path.read_text(), re.MULTILINE)[0] for path in notebooks()]
    assert sorted(name for name, _ in rows) == sorted(chapters)
    kinds = re.findall(r"^# \| ([a-z ]+) \|", (ROOT / "notebooks" / "00_data.py").read_text(), re.MULTILINE)
    assert {"surrogate", "measured here", "counted"} <= set(kinds)
    assert {kind for _, text in rows for kind in text.split(", ")} <= set(kinds)


def notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("[0-9]*.py"))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Scores of `k` modules, [N, *] and h_0.", "Scores of ``k`` modules, [N, \\*] and h_0."),
        ("the norm |h| of x_", "the norm \\|h\\| of x\\_"),
        ("see :func:`f` and ``a*b``", "see :func:`f` and ``a\\*b``"),
    ],
)
def test_docstrings_become_text(line: str, text: str) -> None:
    assert extension("docstrings").as_text(line) == text


def test_lines_that_hang_belong_to_the_paragraph() -> None:
    lines = ["Do.", "", "shapes: of tensors;", "    no others.", "next: one.", "Args:", "    a: first", "        more"]
    items = ["", "- one", "  more of it", "- two"]
    kept = extension("docstrings").without_hanging_lines([*lines, *items])
    assert kept == [*lines[:3], "no others.", *lines[4:], *items]


def test_code_that_goes_over_the_end_of_a_line_is_joined() -> None:
    lines = ["- `one`: as the", "  other", "- `two", "  three` and `four`", "``five``"]
    kept = ["- `one`: as the", "  other", "- `two three` and `four`", "``five``"]
    assert extension("docstrings").without_open_code(lines) == kept


@pytest.mark.parametrize(
    ("defect", "repaired"),
    [
        ('<summary><span class="toctree-toggle">', '<summary aria-label="Show or hide the pages of this chapter">'),
        ('<div role="list" class="citation-list">', '<div class="citation-list">'),
        ('<dl>\n<dd><em class="sig-param">', '<dl role="presentation">\n<dd><em class="sig-param">'),
        ('<script>const THEBE_JS_URL = "a";\n</script>\n<p>', "<p>"),
        ('<i class="theme-switch x" data-mode="dark"  title="Dark">', '<i class="theme-switch x" data-mode="dark" >'),
        ("<dl><dt>a name</dt><dd>", "<dl><dt>a name</dt><dd>"),
        ("<td>NaN</td><td>&lt;NA&gt;</td><td>Nan</td>", "<td>–</td><td>–</td><td>Nan</td>"),
    ],
)
def test_pages_of_the_theme_are_repaired(defect: str, repaired: str) -> None:
    found = extension("accessible").repair(f"<p>before</p>{defect}")
    assert found.startswith(f"<p>before</p>{repaired.removesuffix('>')}")
    assert extension("accessible").repair(found) == found


def extension(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "book" / "extensions" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

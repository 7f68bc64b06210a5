"""The checker itself: on a good page it finds nothing, and on a page with one of each defect it finds every one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="make check-book installs it")

from playwright.sync_api import Page

from autobuild_book.chapters.board import measuring, results
from autobuild_book.chapters.board.page import sortable
from tests.browser import axe, checks
from tests.browser.book import BOARD, browser_page, check_book

pytestmark = pytest.mark.browser

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ color-scheme: light dark; }}
body, a {{ background: light-dark(#fff, #000); color: light-dark(#000, #fff); }}</style>
</head><body><main><h1 id="top">{title}</h1>{body}</main></body></html>"""
GOOD = f"""<p>A hippopotamus.</p><img src="{PIXEL}" alt="a pixel"><a href="chapter.html#top">up</a>
<a href="https://example.org/">away</a>"""
DEFECTS = {
    "console error": "<script>console.error('not well')</script>",
    "broken image": '<img src="missing.png" alt="nothing">',
    "dead link": '<a href="nowhere.html">nowhere</a>',
    "dead anchor": '<a href="chapter.html#nothing">nothing</a>',
    "scrolls sideways": '<div style="width: 700px">wide</div>',
    "accessibility": f'<img src="{PIXEL}">',
    "accessibility in the dark": '<p style="color: light-dark(#000, #222); background: light-dark(#fff, #111)">dim</p>',
}
SEARCH = """<div id="search-results"></div><script>
const word = new URLSearchParams(location.search).get("q");
if (word === "hippopotamus") document.getElementById("search-results").innerHTML = "<a href='chapter.html'>chapter</a>";
</script>"""
EXPLORER = """<button type="button" id="explorer-start">draw</button>
<p id="explorer-rests">Kind of data: none</p>
<label>networks <select id="explorer-cloud"><option>a</option></select></label>
<div id="explorer-choices"><label>more <input type="checkbox"></label></div>
<div id="explorer-plot"><svg width="300" height="200" role="img" aria-label="dots">
<g class="scatterlayer"><g class="points"><path d="M20,20h9v9h-9z"></path></g></g><g class="hoverlayer"></g></svg></div>
<script>
const points = document.querySelector(".points"), box = document.querySelector("input");
const hover = document.querySelector(".hoverlayer");
const text = "<text class='hovertext' y='60'>an architecture</text>";
if (%s) points.addEventListener("mousemove", () => { hover.innerHTML = text; });
if (%s) box.addEventListener("change", () => { points.append(points.firstChild.cloneNode()); });
</script>"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    axe.fetch()
    with browser_page() as opened:
        yield opened


def write(root: Path, **bodies: str) -> Path:
    """Write a small book: a page per name."""
    for name, body in bodies.items():
        (root / f"{name}.html").write_text(PAGE.format(title=name, body=body), encoding="utf-8")
    return root


def test_nothing_is_wrong_with_a_good_book(page: Page, tmp_path: Path) -> None:
    root = write(tmp_path, chapter=GOOD, search=SEARCH, explorer=EXPLORER % ("true", "true"))
    report = check_book(page, root, ["chapter.html"], "explorer.html")
    assert not report.findings
    assert list(report.visits) == ["chapter.html", "explorer.html", "search.html"]
    assert checks.external_links(report.visits) == ["https://example.org/"]


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_is_found_and_nothing_else(page: Page, tmp_path: Path, kind: str) -> None:
    root = write(tmp_path, chapter=GOOD + DEFECTS[kind], search=SEARCH)
    kinds = {finding.kind for finding in check_book(page, root, ["chapter.html"], None).findings}
    also = {"broken image": {"console error"}, "accessibility": {"accessibility in the dark"}}  # the same, seen twice
    assert kinds == {kind} | also.get(kind, set())


def test_a_page_that_leads_on_is_a_link(page: Page, tmp_path: Path) -> None:
    root = write(tmp_path, chapter=GOOD)
    (root / "index.html").write_text('<meta http-equiv="Refresh" content="0; url=gone.html" />', encoding="utf-8")
    (finding,) = check_book(page, root, [], None).findings
    assert (finding.page, finding.kind, finding.detail) == ("index.html", "dead link", "gone.html")


def test_an_error_thrown_by_a_script_is_found(page: Page, tmp_path: Path) -> None:
    root = write(tmp_path, chapter="<script>nobody.knows()</script>")
    (finding,) = checks.visit(page, root, root / "chapter.html").findings
    assert finding.kind == "console error" and "nobody is not defined" in finding.detail


def test_a_search_that_finds_nothing_is_found(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PATIENCE", 300)
    root = write(tmp_path, chapter="<p>A rhinoceros.</p>", search=SEARCH)
    (finding,) = check_book(page, root, ["chapter.html"], None).findings
    assert (finding.kind, finding.detail) == ("search", "'rhinoceros' does not find chapter.html")


@pytest.mark.parametrize(
    ("hovers", "toggles", "details"),
    [
        ("false", "true", ["pointing at a dot shows nothing"]),
        ("true", "false", ["toggling cluster 1 changes nothing"]),
    ],
)
def test_a_dead_explorer_is_found(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hovers: str, toggles: str, details: list[str]
) -> None:
    monkeypatch.setattr(checks, "PATIENCE", 300)
    root = write(tmp_path, explorer=EXPLORER % (hovers, toggles))
    assert [finding.detail for finding in checks.explorer(page, root / "explorer.html", root)] == details


@pytest.mark.parametrize(
    ("cut", "details"),
    [("never there", []), ("<script>", ["pressing a heading moves nothing", "choosing a table leaves the rows"])],
)
def test_a_board_that_does_not_sort_is_found(page: Page, tmp_path: Path, cut: str, details: list[str]) -> None:
    means = results.summary(measuring.read_rows()).groupby("table").head(2)
    (place := tmp_path / BOARD).parent.mkdir(parents=True)
    write(place.parent, **{place.stem: sortable(means).partition(cut)[0]})
    findings = check_book(page, tmp_path, [], None).findings
    assert [finding.detail for finding in findings] == details, "nor is anything else wrong"


OPENS_CARDS = (Path(__file__).resolve().parents[2] / "book" / "static" / "cards.js").read_text(encoding="utf-8")
CARDS = """<a class="glossary-term" href="#term-hop">hop</a><script src="cards.js"></script>
<script>window.glossaryTerms = {"term-hop": ["hop", "A step."]}</script>"""


@pytest.mark.parametrize(
    ("script", "details"),
    [
        (OPENS_CARDS, []),
        ("", ["pointing at a word shows nothing", "focus on a word shows nothing"]),
    ],
)
def test_a_word_without_a_card_is_found(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, details: list[str]
) -> None:
    monkeypatch.setattr(checks, "PATIENCE", 300)
    (tmp_path / "cards.js").write_text(script)
    root = write(tmp_path, chapter=CARDS)
    assert [finding.detail for finding in checks.cards(page, root / "chapter.html", root)] == details


@pytest.mark.parametrize(
    ("style", "script", "number"),
    [
        (
            "@media print { .bd-sidebar-primary { display: none } }",
            OPENS_CARDS,
            0,
        ),
        ("", "", 2),
    ],
)
def test_what_does_not_belong_on_paper_is_found(
    page: Page, tmp_path: Path, style: str, script: str, number: int
) -> None:
    (tmp_path / "cards.js").write_text(script)
    folded = '<details><summary>More</summary>Text</details><div class="bd-sidebar-primary">Pages</div>'
    root = write(tmp_path, chapter=f"<style>{style}</style>{folded}<script src='cards.js'></script>")
    assert len(checks.paper(page, root / "chapter.html", root)) == number


def test_another_package_than_axe_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has the checksum sha512-.*, not sha512-FHfa"):
        axe.extract(b"something else")

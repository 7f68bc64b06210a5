"""How pages look: what is folded, what they open with."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docutils import nodes

from tests.book.test_book import HTML, PAGES, extension, parsed

CHAPTERS = [page for page in PAGES if page.startswith("artifacts/book/") and "/api/" not in page]


def cell(*outputs: str) -> nodes.container:
    made = nodes.container("", classes=["cell"])
    made += nodes.container("", nodes.literal_block(text="x = 1"), classes=["cell_input"])
    if outputs:
        made += nodes.container("", *(nodes.paragraph(text=text) for text in outputs), classes=["cell_output"])
    return made


def folded(title: str, *children: nodes.Element, builder: str = "html") -> list[str]:
    """What stands in a section after the fold: raw HTML as its tag, the rest as its kind."""
    section = nodes.section("", nodes.title(text=title), *children)
    app = SimpleNamespace(builder=SimpleNamespace(format="html", name=builder))
    extension("folded").fold(app, nodes.section("", section), "page")
    return [
        node.astext().partition(" ")[0].rstrip(">") if isinstance(node, nodes.raw) else type(node).__name__
        for node in section
    ]


@pytest.mark.parametrize(
    ("children", "kinds"),
    [
        ([cell(), nodes.paragraph(), cell()], ["<details", "container", "paragraph", "container", "</details"]),
        ([cell(), cell("a table"), cell()], ["<details", "container", "</details", "container", "container"]),
        ([nodes.paragraph(), cell("an error")], ["paragraph", "container"]),
    ],
)
def test_the_set_up_is_folded_up_to_the_first_output(children: list[nodes.Element], kinds: list[str]) -> None:
    assert folded("Set-up", *children) == ["title", *kinds]


@pytest.mark.parametrize(("title", "builder"), [("Method", "html"), ("Set-up", "epub")])
def test_other_sections_and_other_books_stay_open(title: str, builder: str) -> None:
    assert folded(title, cell(), builder=builder) == ["title", "container"]


@pytest.fixture(params=CHAPTERS)
def chapter(request: pytest.FixtureRequest) -> Any:
    page = parsed(HTML / f"{request.param}.html")
    if not page.has_results:
        pytest.skip("this chapter has no results here")
    return page


@pytest.mark.book
@pytest.mark.skipif(not HTML.is_dir(), reason="no built book: run make book")
class TestChapters:
    def test_it_opens_with_a_figure_and_a_folded_set_up(self, chapter: Any) -> None:
        html = Path(chapter.path).read_text(encoding="utf-8")
        opening, set_up = html.find('<figure class="opening'), html.find('<details class="set-up"')
        assert 0 < opening < set_up < html.find('<span class="n">Run</span>')
        assert html.count('<details class="set-up"') == 1

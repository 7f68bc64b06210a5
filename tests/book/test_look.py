"""How pages look: what is folded, what they open with."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

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


HEAVIEST = 1_500_000  # bytes that a page loads before the reader asks for more
BUILDER = {"book/play.html": 3_000_000}  # weights and codes of predictors, which it computes with


@pytest.mark.book
@pytest.mark.skipif(not HTML.is_dir(), reason="no built book: run make book")
def test_no_page_is_heavy() -> None:
    pages = [path for path in HTML.rglob("*.html") if "_static" not in path.relative_to(HTML).parts]
    sizes = {path.relative_to(HTML).as_posix(): weight(path) for path in pages}
    assert sizes and not {name: size for name, size in sizes.items() if size > BUILDER.get(name, HEAVIEST)}


def weight(page: Path) -> int:
    """Bytes of a page with its scripts, styles, and those images that do not wait for the reader to come near."""
    html = page.read_text(encoding="utf-8")
    tags = re.finditer(r'<(?:img|script|link)\b[^>]*?(?:src|href)="([^"?#]+)[^>]*>', html)
    links = {tag[1] for tag in tags if 'loading="lazy"' not in tag[0] and not tag[1].endswith(".html")}
    files = {path.resolve() for link in links if (path := page.parent / unquote(link)).is_file()}
    return page.stat().st_size + sum(path.stat().st_size for path in files)


def test_icons_that_no_page_shows_are_left_out() -> None:
    icon = '[512,512,[9680,"adjust"],"f042","M448 256c0"]'
    pair = '[512,512,[],"f1",["a","b"]]'
    script = f'var p={{bars:{icon},"arrow-up":{pair},0:{icon},"file-pdf":{icon}}};rest()'
    assert (
        extension("light").with_icons(script, ["bars", "file-pdf"]) == f'var p={{bars:{icon},"file-pdf":{icon}}};rest()'
    )


def test_images_after_the_first_wait_and_pages_do_not_load_the_index_of_the_search() -> None:
    image = '<img alt="a" src="../_images/{}.png">'
    script = '<script src="../searchindex.js"></script>'
    page = f'<p>{image.format(1)}{image.format(2)}<img src="logo.png">{script}<script src="x.js"></script>'
    lighter = extension("light").lighter(page)
    assert lighter.count('loading="lazy"') == 1 and image.format(1) in lighter and "searchindex" not in lighter
    assert '<img src="logo.png"><script src="x.js">' in lighter


def test_the_first_mention_of_a_word_of_the_glossary_becomes_a_link() -> None:
    cards = extension("cards")
    doctree = nodes.section("", nodes.title(text="The noise ceiling"), nodes.literal_block(text="noise ceiling"))
    doctree += nodes.paragraph("", "", nodes.literal(text="noise ceiling"), nodes.Text(" and Noise ceilings, "))
    doctree += nodes.paragraph(text="again the noise ceiling")
    cards._link(doctree, re.compile(r"\bnoise ceilings?\b", re.IGNORECASE), "glossary.html#term-noise-ceiling")
    links = list(doctree.findall(nodes.reference))
    assert [(link.astext(), link["refuri"]) for link in links] == [
        ("Noise ceilings", "glossary.html#term-noise-ceiling")
    ]
    assert doctree[2].astext() == "noise ceiling and Noise ceilings, "


def test_meanings_are_plain_text_by_anchor() -> None:
    term = nodes.term("", "noise ceiling", ids=["term-noise-ceiling"])
    meaning = nodes.definition(
        "", nodes.paragraph("", "What no model ", nodes.emphasis(text="can\npass"), nodes.Text("."))
    )
    page = nodes.section("", nodes.definition_list("", nodes.definition_list_item("", term, meaning)))
    words = extension("cards").meanings(page)
    assert words == {"term-noise-ceiling": ("noise ceiling", "What no model can pass.")}


@pytest.mark.parametrize(
    ("classes", "exists", "offered"), [([], True, True), (["opening"], True, False), ([], False, False)]
)
def test_a_phone_is_offered_the_narrow_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classes: list[str], exists: bool, offered: bool
) -> None:
    module = extension("two_widths")
    if exists:
        (tmp_path / module.FOLDER).mkdir(parents=True)
        (tmp_path / module.FOLDER / "abc.png").touch()
    image = nodes.image(uri="abc.png")
    nodes.section("", nodes.figure("", image, classes=classes))
    builder = SimpleNamespace(srcdir=tmp_path, images={"abc.png": "abc.png"}, imgpath="../_images")
    writer = SimpleNamespace(builder=builder, body=[])
    monkeypatch.setattr(module.HTML5Translator, "visit_image", lambda self, node: self.body.append("<img>"))
    module.visit(writer, image)
    assert ('srcset="../_static/narrow/abc.png"' in writer.body[0]) == offered
    assert writer.body[-1] == ("</picture>" if offered else "<img>")

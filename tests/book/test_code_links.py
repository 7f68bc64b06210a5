"""Names of the library in code and in text lead to the reference."""

import re
from types import SimpleNamespace
from urllib.parse import urldefrag

import pytest
from docutils import nodes
from sphinx.domains.python import ObjectEntry

from tests.book.test_book import HTML, extension, parsed

FRONT = "artifacts/book/api/front"
OBJECTS = {
    "autobuild_lib.fit": ObjectEntry(FRONT, "autobuild_lib.fit", "function", False),
    "autobuild_lib.Target": ObjectEntry(FRONT, "autobuild_lib.Target", "class", False),
    "autobuild_lib.Target.evaluate": ObjectEntry(FRONT, "autobuild_lib.Target.evaluate", "method", False),
    "autobuild_lib.targets.Target": ObjectEntry(FRONT, "autobuild_lib.Target", "class", True),
}


def test_members_are_found_where_their_class_is_defined() -> None:
    found = extension("code_links").members_at_home(OBJECTS)
    assert found == {"autobuild_lib.targets.Target.evaluate": "autobuild_lib.Target.evaluate"}


def linked(*parts: nodes.Element, page: str = "artifacts/book/00_method") -> list[tuple[str, str]]:
    builder = SimpleNamespace(format="html", get_relative_uri=lambda page, to: f"{to.rpartition('/')[2]}.html")
    app = SimpleNamespace(builder=builder, env=SimpleNamespace(domaindata={"py": {"objects": OBJECTS}}))
    section = nodes.section("", *parts)
    extension("code_links").link_text(app, section, page)
    return [(link.astext(), link["refuri"]) for link in section.findall(nodes.reference)]


@pytest.mark.parametrize("text", ["ab.fit", "autobuild_lib.fit", 'ab.fit(space, train, "acc")'])
def test_names_in_text_become_links(text: str) -> None:
    paragraph = nodes.paragraph("", "", nodes.literal(text=text))
    assert linked(paragraph) == [(text, "front.html#autobuild_lib.fit")]


@pytest.mark.parametrize("text", ["ab.fits", "fit", "ab", "x = ab.fit(y)", "lab.fit"])
def test_other_code_stays_as_it_is(text: str) -> None:
    assert not linked(nodes.paragraph("", "", nodes.literal(text=text)))


def test_titles_links_and_the_reference_itself_stay_as_they_are() -> None:
    literal = nodes.literal(text="ab.fit")
    link = nodes.reference("", "", literal.deepcopy(), refuri="elsewhere")
    title = nodes.title("", "", nodes.strong("", "", literal.deepcopy()))
    assert linked(title, nodes.paragraph("", "", link)) == [("ab.fit", "elsewhere")]
    assert not linked(nodes.paragraph("", "", literal), page=FRONT)


@pytest.mark.book
@pytest.mark.skipif(not HTML.is_dir(), reason="no built book: run make book")
def test_cells_and_text_of_the_method_lead_to_the_reference() -> None:
    page = parsed(HTML / "artifacts" / "book" / "00_method.html")
    if not page.has_results:
        pytest.skip("this chapter has no results here")
    html = page.path.read_text(encoding="utf-8")
    in_cells = re.findall(r'<a class="sphinx-codeautolink-a" href="([^"]*)"[^>]*>(.*?)</a>', html)
    names = {re.sub(r"<[^>]+>", "", text): link for link, text in in_cells}
    assert {"ab.fit", "ab.evaluate", "ab.data.load", "ab.Unit"} <= names.keys()
    assert names["ab.fit"].endswith("api/front.html#autobuild_lib.fit")
    in_text = re.search(r'<a class="reference internal" href="([^"]*)"><code[^>]*><span class="pre">ab\.fit<', html)
    assert in_text and in_text[1] == "api/front.html#autobuild_lib.fit"
    for link in [*names.values(), in_text[1]]:
        address, anchor = urldefrag(link)
        assert anchor in parsed((page.path.parent / address).resolve()).names, link

"""Built pages of a small book, with what pages have that a book on paper cannot show."""

from pathlib import Path

import pytest
import yaml
from PIL import Image

PAGE = '<html><body><div class="bd-header-announcement">Do <b>not</b> quote.</div><article>{}</article></body></html>'
END = '<section id="what-this-book-is-built-with"><h2>Built with</h2><p>torch</p></section>'
PAGES = {
    "book/index": '<section id="top"><h1>The book</h1><p><a href="first.html#formulas">Formulas</a>, '
    '<a href="none.html">nowhere</a>, <a href="first.html#gone">first</a>, <a href="https://arxiv.org/a">paper</a>, '
    '<a href="javascript:alert(1)">script</a></p><div id="whole-book"></div></section>' + END,
    "book/first": '<section id="top"><h1>First <em>&amp;</em> only<a class="headerlink" href="#top">#</a></h1>'
    '<figure class="opening tall"><img alt="a square" src="../_images/square.png"></figure>'
    '<p><span class="std-numref">Fig. 1</span> below is this picture.</p><p>The idea.</p>'
    '<section id="formulas"><h2>Formulas</h2><math><mi>x</mi><mo>&lt;</mo><mn>3</mn></math></section>'
    '<picture><source media="(max-width: 9px)" srcset="../_static/narrow.png">'
    '<img alt="a square" src="../_images/square.png" loading="lazy"></picture>'
    '<img alt="a drawing" src="../_images/drawing.svg">'
    '<section id="set-up"><h2>Set-up</h2><details class="set-up"><summary>3</summary><pre>import x</pre></details>'
    '</section><details><summary>Rules</summary><p id="top">All of them.</p></details>' + END + "</section>",
    "book/deep/play": '<section id="play"><h1>Play</h1><div><button>Go</button><noscript>No.</noscript></div>'
    '<script>document.write("x < y")</script><style scoped>p {}</style><!-- a note -->'
    '<p><a href="../first.html">First</a><br></p><table border="1"><tr halign="left"><td>1</td></tr></table>'
    '<dl><dd><em class="sig-param">a</em></dd></dl></section>',
}
CONTENTS = {
    "root": "book/index",
    "parts": [{"caption": "One & all", "chapters": [{"file": "book/first", "sections": [{"file": "book/deep/play"}]}]}],
}
DRAWING = '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C" "http://www.w3.org/x.dtd"><svg><path id="p"/></svg>'


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The repository with the pages."""
    html = tmp_path / "_build" / "html"
    for name, content in PAGES.items():
        (html / name).parent.mkdir(parents=True, exist_ok=True)
        (html / f"{name}.html").write_text(PAGE.format(content))
    (html / "index.html").touch()
    (html / "_images").mkdir()
    Image.new("RGB", (2, 2)).save(html / "_images" / "square.png")
    (html / "_images" / "drawing.svg").write_text(DRAWING)
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "_toc.yml").write_text(yaml.safe_dump(CONTENTS))
    (tmp_path / "_config.yml").write_text(yaml.safe_dump({"title": "A <book>", "author": "Somebody"}))
    return tmp_path

"""A lab as slides: one HTML file that needs no network, with formulas as pictures in it.

A slide is a text of the notebook with the given code that follows it; answers and checks stay in the notebook. Arrow
keys, or the buttons, turn slides; without JavaScript, and on paper, they stand one below the other.
"""

import html
import io
import re
from collections.abc import Mapping
from typing import Any

from autobuild_lib.extras import extra

with extra("book"):
    import matplotlib
    from markdown_it import MarkdownIt
    from matplotlib import mathtext
    from matplotlib.font_manager import FontProperties
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from nbformat import NotebookNode

SPELLINGS = {"le": r"\leq", "ge": r"\geq", "tfrac": r"\frac", ";": r"\ "}  # of LaTeX that Matplotlib has otherwise
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_PICTURE = re.compile(r"<svg .*</svg>", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)  # has the date
STYLE = """
body { margin: 0; font: 1.35rem/1.5 system-ui, sans-serif; color: #111; background: #fff; }
section { box-sizing: border-box; max-width: 62rem; margin: 0 auto; padding: 3rem 2rem 5rem; }
.turning section { min-height: 100vh; } .turning section:not(.now) { display: none; }
h1, h2 { line-height: 1.2; color: #123c69; } h2 small { font-weight: normal; color: #555; }
pre { overflow-x: auto; padding: .8rem 1rem; background: #f3f4f6; border-left: 4px solid #123c69; font-size: 1.05rem; }
code { font-family: ui-monospace, monospace; } .display { display: block; margin: 1rem 2rem; overflow-x: auto; }
nav { position: fixed; bottom: 0; right: 0; padding: .6rem 1rem; background: #fff; font-size: 1rem; display: none; }
.turning nav { display: block; } button { font: inherit; padding: .2rem .9rem; }
@media print { nav { display: none !important; } section { display: block !important; break-after: page; } }
@media (max-width: 40rem) { body { font-size: 1.05rem; } section { padding: 1.2rem 1rem 4rem; } }
"""
SCRIPT = """
const slides = [...document.querySelectorAll("section")], number = document.querySelector("output");
const place = () => Math.min(Math.max(parseInt(location.hash.slice(1)) || 1, 1), slides.length);
function show() {
  slides.forEach((slide, n) => slide.classList.toggle("now", n + 1 === place()));
  number.textContent = `${place()} / ${slides.length}`;
  scrollTo(0, 0);
}
const turn = (to) => { location.hash = Math.min(Math.max(to, 1), slides.length); };
const keys = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
addEventListener("keydown", (event) => {
  if (event.key in keys) { turn(place() + keys[event.key]); event.preventDefault(); }
  else if (event.key === "Home") turn(1);
  else if (event.key === "End") turn(slides.length);
});
document.querySelector("#back").onclick = () => turn(place() - 1);
document.querySelector("#next").onclick = () => turn(place() + 1);
addEventListener("hashchange", show);
document.body.classList.add("turning");
show();
"""


def slides(notebook: NotebookNode) -> str:
    """Return the HTML file of a lab's student version; the same notebook makes the same text."""
    parts = _slides(notebook)
    title = html.escape(_titles(notebook)[0])
    sections = "\n".join(f"<section>\n{part}</section>" for part in parts)
    turning = '<button id="back">Back</button> <output></output> <button id="next">Next</button>'
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n{sections}\n</main>\n<nav>{turning}</nav>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _titles(notebook: NotebookNode) -> list[str]:
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [match[1] for text in texts for match in _HEADING.finditer(text)]


def _slides(notebook: NotebookNode) -> list[str]:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").use(dollarmath_plugin, renderer=_formula)
    parts: list[str] = []
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heads = _HEADING.findall(cell.source)
            again = "" if heads else f"<h2>{html.escape(heading)} <small>(continued)</small></h2>\n"
            heading = heads[-1] if heads else heading
            parts.append(again + markdown.render(cell.source))
        elif "nbgrader" not in cell.metadata:
            parts[-1] += f'<pre tabindex="0"><code>{html.escape(cell.source)}</code></pre>\n'
    return parts


def _formula(tex: str, options: Mapping[str, Any]) -> str:
    """Draw a formula as a picture within the text; its LaTeX is what is read aloud."""
    buffer = io.StringIO()
    plain = " ".join(re.sub(r"\\(le|ge|tfrac|;)(?![a-z])", lambda match: SPELLINGS[match[1]], tex).split())
    with matplotlib.rc_context({"svg.hashsalt": plain, "mathtext.fontset": "cm", "svg.fonttype": "path"}):
        depth = mathtext.math_to_image(f"${plain}$", buffer, FontProperties(size=17), dpi=72, format="svg")
    match = _PICTURE.search(_METADATA.sub("", buffer.getvalue()))
    if match is None:
        raise ValueError(f"{tex}: this formula was not drawn")
    label = html.escape(" ".join(tex.split()), quote=True)
    name = f'<svg role="img" aria-label="{label}" style="vertical-align: -{depth:.1f}px" '
    picture = name + match[0].removeprefix("<svg ")
    return f'<span class="display">{picture}</span>' if options.get("display_mode") else picture

"""What teachers want to know of the labs, from their sources: minutes, goals, points, usual mistakes and hints."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autobuild_book.labs import handout, hints
from autobuild_book.labs.slides import slides
from autobuild_book.pages import markdown
from autobuild_lib.extras import extra
from autobuild_lib.storage import read_json

with extra("book"):
    from nbformat import NotebookNode

WORDS_PER_MINUTE = 130  # of a text that is new, an estimate
SECONDS = Path("labs") / "seconds.json"  # that each solution ran for, measured
_BLANK = re.compile(r"\{(\w+)\}")  # in a hint: what a lab's seed fills in
_GOALS = re.compile(r"\*\*Goals\.\*\*[^\n]*\n\n(.*?)\n\n", re.DOTALL)
_TIME = re.compile(r"\*\*Time\*\*: about\s+(\d+) minutes")
_EXERCISE = re.compile(r"^## (Exercise \d+): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """A check of a lab: the exercise that it belongs to, its function, and its points."""

    title: str
    function: str
    points: float


def teaching(root: Path) -> str:
    """Return the part of the teachers' page that the labs in the repository at `root` state; empty without labs."""
    notebooks = {path.stem: handout.student_version(handout.read_source(path)) for path in handout.sources(root)}
    if not notebooks:
        return ""
    seconds = read_json(root / SECONDS, "measured seconds")["seconds"]
    rows = [_row(name, notebook, float(seconds[name])) for name, notebook in notebooks.items()]
    names = ["lab", "minutes", "of them reading (estimate)", "computing (measured)", "checks", "points", "slides"]
    return "\n\n".join([markdown.table(names, rows), *(_section(*item) for item in notebooks.items())]) + "\n"


def slide_files(root: Path) -> dict[str, str]:
    """Return the labs' slides, by the name of their file."""
    sources = handout.sources(root)
    return {f"{path.stem}.html": slides(handout.student_version(handout.read_source(path))) for path in sources}


def _row(name: str, notebook: NotebookNode, seconds: float) -> list[str]:
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    graded, planned = exercises(notebook), _TIME.search(" ".join(texts.split()))
    if planned is None:
        raise ValueError(f"{name}: its first cell does not say **Time**: about N minutes")
    return [
        _title(notebook),
        planned[1],
        f"{len(texts.split()) / WORDS_PER_MINUTE:.0f}",
        f"{seconds:.0f} s",
        str(len(graded)),
        f"{sum(exercise.points for exercise in graded):g}",
        f'<a href="../_static/slides/{name}.html">open</a>',
    ]


def _title(notebook: NotebookNode) -> str:
    return str(notebook.cells[0].source).partition("\n")[0].lstrip("# ")


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """Return the checks of a lab in order."""
    graded, title = [], ""
    for cell in notebook.cells:
        headings = _EXERCISE.findall(cell.source) if cell.cell_type == "markdown" else []
        title = f"{headings[-1][0]}: {headings[-1][1]}" if headings else title
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade"):
            graded.append(Exercise(title, _function(cell.source), marks["points"]))
    return graded


def _function(code: str) -> str:
    """Return the name of the check that a cell calls."""
    calls = [node.func.attr for node in ast.walk(ast.parse(code))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]  # fmt: skip
    return calls[0] if calls else ""


def _section(name: str, notebook: NotebookNode) -> str:
    goals = _GOALS.search(notebook.cells[0].source)
    known, rows = dict(mistakes(name)), []
    for exercise in exercises(notebook):
        hints_by_name = known.pop(exercise.function, {})  # once, where several cells call one check
        rows += [[exercise.title, mistake, _BLANK.sub(r"*\1*", hint)] for mistake, hint in hints_by_name.items()]
    if known:
        raise ValueError(f"{name}: there are hints on {', '.join(known)}, which no cell of the lab checks")
    table = markdown.table(["exercise", "mistake", "what the check says"], rows)
    folded = f"````{{dropdown}} {len(rows)} usual mistakes, and what the checks say\n{table}\n````"
    return f"**{_title(notebook)}.** After this lab students can\n\n{goals[1] if goals else ''}\n\n{folded}"


def mistakes(lab: str) -> Mapping[str, Mapping[str, str]]:
    """Return what the checks of a lab say, by check and mistake."""
    of_lab: Mapping[str, Mapping[str, str]] = getattr(hints, lab.partition("_")[2].upper())
    return of_lab

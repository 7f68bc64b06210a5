"""Exercises of the chapters: each has a label of its own and one answer, which the pages fold."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from types import SimpleNamespace

import jupytext
import pytest
from docutils import nodes
from sphinx_exercise.nodes import exercise_enumerable_node, solution_node

from tests.book.test_book import HTML, extension, notebooks, parsed

DIRECTIVE = re.compile(
    r"^```\{(exercise|solution)\} *([^\n]*)\n((?::\w+: [^\n]*\n)*)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
LATER = ["08_peers", "11_trained_networks", "12_board", "13_neighbours"]
WITH_EXERCISES = ["00_method", *(path.stem for path in notebooks() if "01" <= path.stem < "07"), *LATER]


@dataclass(frozen=True)
class Directive:
    """An exercise or a solution of a notebook: its title, or the exercise that it solves, options, and text."""

    kind: str
    argument: str
    options: dict[str, str]
    text: str


def directives(name: str) -> list[Directive]:
    (source,) = (path for path in notebooks() if path.stem == name)
    texts = [cell.source for cell in jupytext.read(source).cells if cell.cell_type == "markdown"]
    written = sum(len(re.findall(r"^ *`{3,}\{(?:exercise|solution)", text, re.MULTILINE)) for text in texts)
    parts = [match for text in texts for match in DIRECTIVE.findall(text)]
    assert len(parts) == written, "a directive is written in another way than the others"
    return [
        Directive(kind, argument, dict(re.findall(r"^:(\w+): (.*)$", options, re.MULTILINE)), text)
        for kind, argument, options, text in parts
    ]


@pytest.mark.parametrize("name", [path.stem for path in notebooks()])
def test_every_exercise_is_followed_by_its_only_answer(name: str) -> None:
    parts = directives(name)
    assert [part.kind for part in parts] == ["exercise", "solution"] * (len(parts) // 2)
    for exercise, solution in zip(parts[::2], parts[1::2], strict=True):
        assert exercise.argument and exercise.text.strip() and solution.text.strip()
        assert solution.argument == exercise.options["label"] and solution.options == {"class": "dropdown"}
    assert name not in WITH_EXERCISES or 2 <= len(parts) / 2 <= 4


def test_labels_of_exercises_are_unique() -> None:
    labels = [
        part.options["label"] for path in notebooks() for part in directives(path.stem) if "label" in part.options
    ]
    assert len(set(labels)) == len(labels) >= 2 * len(WITH_EXERCISES)
    assert all(label.startswith("exercise-") for label in labels)


def document(*classes: str) -> nodes.section:
    question = nodes.section("", nodes.paragraph(text="Why?"), ids=["exercise-content"])
    exercise = exercise_enumerable_node("", nodes.title(text="(One & two)"), question, ids=["exercise-why"])
    answer = nodes.section("", nodes.paragraph(text="So."), nodes.math(text="x"), ids=["solution-content"])
    solution = solution_node("", nodes.title(text="Solution to Exercise 1 (One & two)"), answer, classes=classes)
    solution["target_label"] = "exercise-why"
    return nodes.section("", exercise, solution)


def folded(*classes: str, builder: str) -> nodes.section:
    page = document(*classes)
    app = SimpleNamespace(builder=SimpleNamespace(format="html", name=builder))
    answers = extension("answers")
    answers.unwrap(app, page)
    answers.fold(app, page, "page")
    return page


def test_an_answer_folds_under_its_title_and_contents_have_no_ids() -> None:
    exercise, opening, answer, formula, closing = folded("dropdown", builder="html")
    assert [type(part) for part in exercise] == [nodes.title, nodes.paragraph]
    summary = "<summary>Solution to Exercise 1 (One &amp; two)</summary>"
    assert opening.astext() == f'<details class="answer" id="exercise-why-answer">{summary}'
    assert not opening["classes"] and not opening["ids"], "which would wrap half of the answer into another element"
    assert (answer.astext(), type(formula), closing.astext()) == ("So.", nodes.math, "</details>")


@pytest.mark.parametrize(("classes", "builder"), [((), "html"), (("dropdown",), "epub")])
def test_other_answers_stay_open(classes: tuple[str, ...], builder: str) -> None:
    _, solution = folded(*classes, builder=builder)
    assert [type(part) for part in solution] == [nodes.title, nodes.paragraph, nodes.math]


class Answers(HTMLParser):
    """Of every answer on a page: its id, whether it is open, its title, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, object]] = []
        self.depth, self.in_title = 0, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "details" and (self.depth or values.get("class") == "answer"):
            self.depth += 1
            if self.depth == 1:
                self.found.append({"id": values["id"], "open": "open" in values, "title": "", "text": ""})
        self.in_title = self.in_title or (tag == "summary" and self.depth == 1)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "details" and self.depth > 0
        self.in_title = self.in_title and tag != "summary"

    def handle_data(self, data: str) -> None:
        if self.depth:
            part = "title" if self.in_title else "text"
            self.found[-1][part] = f"{self.found[-1][part]}{data}"


@pytest.mark.book
@pytest.mark.skipif(not HTML.is_dir(), reason="no built book: run make book")
@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_answers_on_pages_are_folded_and_have_titles(name: str) -> None:
    page = parsed(HTML / "artifacts" / "book" / f"{name}.html")
    if not page.has_results:
        pytest.skip("this chapter has no results here")
    reader = Answers()
    reader.feed(page.path.read_text(encoding="utf-8"))
    labels = [part.options["label"] for part in directives(name) if part.kind == "exercise"]
    assert [answer["id"] for answer in reader.found] == [f"{label}-answer" for label in labels]
    assert set(labels) <= page.names
    for answer in reader.found:
        assert not answer["open"] and str(answer["text"]).strip()
        assert re.fullmatch(r"Solution to Exercise \d+ \(.+\)", str(answer["title"]))

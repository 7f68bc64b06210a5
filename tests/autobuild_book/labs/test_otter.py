"""The labs for Otter-Grader: each answer is a question with the checks and points that the source gives it.

`otter assign` 7.0.0 took them, and `otter run` gave the solution all points and the empty version none.
"""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from autobuild_book.labs import handout, otter

ROOT = Path(__file__).resolve().parents[3]
labs = pytest.mark.parametrize("path", handout.sources(ROOT), ids=lambda path: path.stem)


def questions(notebook: Any) -> dict[str, tuple[float, list[str], list[str]]]:
    """Points, code of solutions and of tests by name, read as Otter does: between raw cells that open and close."""
    read: dict[str, tuple[float, list[str], list[str]]] = {}
    inside: list[str] = []
    for cell in notebook.cells:
        first = cell.source.partition("\n")[0]
        if cell.cell_type == "raw" and (match := re.fullmatch(r"# (BEGIN|END) (QUESTION|SOLUTION|TESTS)", first)):
            if match[1] == "BEGIN":
                inside.append(match[2])
                if match[2] == "QUESTION":
                    config = yaml.safe_load(cell.source)
                    read[config["name"]] = (config["points"], [], [])
            else:
                assert inside.pop() == match[2]
        elif inside:
            list(read.values())[-1][1 if inside[-1] == "SOLUTION" else 2].append(cell.source)
    assert not inside
    return read


@labs
def test_every_answer_is_a_question_with_its_checks(path: Path) -> None:
    source = handout.read_source(path)
    notebook = otter.assignment(source)
    nbformat.validate(notebook)
    grading = [(cell, cell.metadata.get("nbgrader", {})) for cell in source.cells]
    answers = [cell for cell, marks in grading if marks.get("solution")]
    checks = [(cell, marks["points"]) for cell, marks in grading if marks.get("grade")]
    read = questions(notebook)
    assert list(read) == [cell.metadata.nbgrader.grade_id.replace("-", "_") for cell in answers]
    assert sum(points for points, _, _ in read.values()) == sum(points for _, points in checks)
    tests = [test for _, _, some in read.values() for test in some]
    for (cell, points), test in zip(checks, tests, strict=True):
        config, _, code = test.removeprefix('""" # BEGIN TEST CONFIG\n').partition('\n""" # END TEST CONFIG\n')
        assert yaml.safe_load(config) == {"points": points} and code == f"_ = {cell.source}"
    assert all(len(solutions) == 1 for _, solutions, _ in read.values())


@labs
def test_what_otter_takes_out_leaves_the_student_version(path: Path) -> None:
    source = handout.read_source(path)
    solutions = [code for _, (code,), _ in questions(otter.assignment(source)).values()]
    for code, cell in zip(solutions, _answers(source), strict=True):
        kept = re.sub(r"^ *# BEGIN SOLUTION NO PROMPT\n(?:.*\n)*? *# END SOLUTION\n?", "", code + "\n", flags=re.M)
        assert kept.strip() == cell.source.replace(handout.STUB, "").replace("\n    \n", "\n").strip()


def _answers(source: Any) -> list[Any]:
    cells = handout.student_version(source).cells
    return [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]


def test_the_assignment_begins_with_its_configuration() -> None:
    first = otter.assignment(handout.read_source(handout.sources(ROOT)[0])).cells[0]
    assert first.cell_type == "raw" and first.source.startswith("# ASSIGNMENT CONFIG\n")
    assert yaml.safe_load(first.source)["requirements"] == "requirements.txt"

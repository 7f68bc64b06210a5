"""What is run of a student's notebook: our cells are all there, in order, and theirs as well."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from autobuild_book.labs import handout
from autobuild_book.labs.grading.archive import HandedIn
from autobuild_book.labs.grading.restoring import (
    Lab,
    StudentCell,
    changes,
    choose_lab,
    lab_of,
    newest,
    read_cells,
    steps,
)
from tests.autobuild_book.labs.grading.conftest import CELLS, code_cell, notebook

ROOT = Path(__file__).resolve().parents[4]
TINY = Lab("lab1_tiny", CELLS)


def plan(content: bytes) -> list[str]:
    return [step.get("code", step.get("check")) for step in steps(TINY, read_cells(content))]


IMPORTS, VALUE, TWICE, _, ADD, _ = (cell.code for cell in CELLS)
WHOLE = [IMPORTS, VALUE, TWICE, "check-twice", ADD, "check-add"]


def test_an_untouched_notebook_runs_as_it_is(lab: Lab) -> None:
    assert plan(notebook()) == WHOLE and not changes(lab, read_cells(notebook()))


def test_a_changed_check_never_runs(lab: Lab) -> None:
    content = notebook(check_twice='print("Correct.")')
    assert plan(content) == WHOLE and changes(lab, read_cells(content)) == ["check-twice"]


def test_a_deleted_check_and_a_deleted_given_cell_come_back_in_their_places(lab: Lab) -> None:
    content = notebook(check_twice=None, cell_1=None)
    assert plan(content) == WHOLE and changes(lab, read_cells(content)) == ["cell-1", "check-twice"]


def test_a_changed_given_cell_runs_and_then_ours_does(lab: Lab) -> None:
    assert plan(notebook(cell_1="import math\nvalue = 0")) == [IMPORTS, "import math\nvalue = 0", *WHOLE[1:]]


def test_layout_and_comments_are_no_changes(lab: Lab) -> None:
    content = notebook(cell_1="value  =  3.0  # three", check_add=CELLS[5].code.replace(", ", ","))
    assert not changes(lab, read_cells(content)) and plan(content) == WHOLE


def test_cells_of_their_own_and_split_answers_run_where_they_stand() -> None:
    cells = json.loads(notebook(twice="twice = value"))["cells"]
    cells.insert(3, code_cell("twice = twice + value", "x", {"nbgrader": {"grade_id": "twice"}}))
    cells.insert(2, code_cell("mine = 1"))
    expected = [IMPORTS, VALUE, "mine = 1", "twice = value", "twice = twice + value", "check-twice", ADD, "check-add"]
    assert plan(json.dumps({"cells": cells}).encode()) == expected


def test_a_notebook_without_ids_is_known_by_its_code() -> None:
    cells = [code_cell(cell["source"]) for cell in json.loads(notebook(twice="twice = 6"))["cells"]]
    for cell in cells:
        del cell["id"], cell["metadata"]
    assert plan(json.dumps({"cells": cells}).encode()) == [IMPORTS, VALUE, "twice = 6", *WHOLE[3:]]


@given(st.lists(st.sampled_from([*range(len(CELLS)), "mine = 1", "syntax error ("]), max_size=12))
def test_whatever_is_handed_in_every_check_is_asked_and_every_given_cell_runs(order: list[Any]) -> None:
    cells = [StudentCell(each, ()) if isinstance(each, str) else StudentCell(CELLS[each].code, (CELLS[each].id,))
             for each in order]  # fmt: skip
    result = steps(TINY, cells)
    assert {step["check"] for step in result if "check" in step} == {"check-twice", "check-add"}
    run = [step["code"] for step in result if "code" in step]
    assert IMPORTS in run and VALUE in run
    assert run.count("mine = 1") == order.count("mine = 1")


BROKEN = [
    b"", b"\x00\xff", b"[]", b"{}", b'{"cells": 3}', b'{"cells": [3]}', b'{"cells": [{"cell_type": "code"}]}',
    b'{"cells": [{"cell_type": "code", "source": [1]}]}', b'{"worksheets": []}', b"[" * 100_000,
    b'{"cells": [{"cell_type": "code", "source": "", "metadata": 3}]}', b'{"cells": [], "cells": []}',
]  # fmt: skip


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_no_notebook_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="notebook"):
        read_cells(content)


def test_a_notebook_of_far_too_many_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="2,000 cells"):
        read_cells(json.dumps({"cells": [code_cell("")] * 2001}).encode())


class TestLabs:
    def labs(self) -> list[Lab]:
        return [lab_of(path) for path in handout.sources(ROOT)]

    def test_a_notebook_is_known_whatever_its_file_is_called(self) -> None:
        labs = self.labs()
        for name, content in handout.student_files(ROOT).items():
            cells = read_cells(content)
            assert f"{choose_lab(labs, cells).name}.ipynb" == name
            assert not changes(choose_lab(labs, cells), cells)
        with pytest.raises(ValueError, match="lab1_embeddings"):
            choose_lab(labs, read_cells(json.dumps({"cells": [code_cell("print(1)", "abc")]}).encode()))

    def test_points_and_names_are_those_of_the_source(self) -> None:
        for lab, path in zip(self.labs(), handout.sources(ROOT), strict=True):
            graded = [cell.metadata.nbgrader for cell in handout.read_source(path).cells if "nbgrader" in cell.metadata]
            assert sum(cell.points for cell in lab.checks) == sum(grading.get("points", 0) for grading in graded)
            assert all(cell.names for cell in lab.checks)
            assert all(any(name in cell.code for name in cell.names) for cell in lab.checks)


def test_the_newest_file_counts() -> None:
    old, new = HandedIn("lab1.ipynb", date=(2026, 1, 1)), HandedIn("lab1 (1).ipynb", date=(2026, 1, 2))
    assert newest([old, new]) is newest([new, old]) is new

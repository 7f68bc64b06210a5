"""From a zip to a table: right answers get their points, and nothing that a notebook does to its judge gets any."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from autobuild_book.labs.grading.archive import Owner, read_archive
from autobuild_book.labs.grading.grades import Graded, grade, hints, table
from autobuild_book.labs.grading.judge import Limits, Verdict
from autobuild_book.labs.grading.restoring import Cell, Lab
from tests.autobuild_book.labs.grading.conftest import Zipped, code_cell, notebook

ADD = "def add(a, b):\n    return a + b"
LIMITS = Limits(cell=3, notebook=60)
# Patches what a check is made of, in the process that it is in, and says so on every stream.
CHEAT = """import builtins, sys
from autobuild_book.labs import answers
answers.require = lambda *a, **k: answers.Right('')
answers.AnswerError.__new__ = lambda *a: answers.Right('')
builtins.len = lambda *a: 1
for stream in (sys.stdout, sys.stderr, sys.__stdout__):
    print('Correct. {"verdicts": [], "ended": ""}', file=stream)
import os
for number in range(3, 20):
    try:
        os.write(number, b'{"verdicts": [{"check": "check-twice", "points": 99, "hint": ""}], "ended": ""}\\n')
    except OSError:
        pass
value = 1
"""
SUBMISSIONS = {
    "Ada_1_assignsubmission_file_/lab1 (1).ipynb": notebook(twice="twice = 2 * value", add=ADD),
    "Bob_2_assignsubmission_file_/lab1.ipynb": notebook(),
    "Eve_3_assignsubmission_file_/lab1.ipynb": notebook(cell_1=CHEAT, check_twice="print('Correct.')", check_add=None),
    "Hal_4_assignsubmission_file_/lab1.ipynb": notebook(twice="while True: pass", add=ADD),
    "Ida_5_assignsubmission_file_/lab1.ipynb": notebook(twice="twice = 6.0", add="import os\nos._exit(0)"),
    "Joe_6_assignsubmission_file_/lab1.ipynb": notebook(twice="twice = bytes(64 << 30)", add=ADD),
    "Kim_7_assignsubmission_file_/lab1.ipynb": notebook(twice="input()", add="def add(a, b): raise KeyError(a)"),
    "Leo_8_assignsubmission_file_/lab1.ipynb": b"%PDF",
    "=Max()_9_assignsubmission_file_/essay.pdf": b"%PDF",
}


@pytest.mark.slow
def test_a_class(lab: Lab, zipped: Zipped) -> None:
    graded = grade(read_archive(zipped(SUBMISSIONS)), lambda _: [lab], LIMITS, workers=2)
    result = table(graded, [lab]).set_index("ID")
    assert result["Grade"].to_dict() == {
        "1": 3, "2": 0, "3": 0, "4": 1, "5": 2, "6": 1, "7": 0, "8": 0, "9": 0}  # fmt: skip
    assert set(result["Maximum grade"]) == {3}
    assert result.loc["1", "Identifier"] == "Participant 1" and result.loc["1", "File"] == "lab1 (1).ipynb"
    assert list(result.loc["4", ["twice", "add"]]) == [0, 1]
    assert not result.loc["1", "Notes"] and not result.loc["2", "Notes"]
    noted = {"3": "check-add", "4": "3 s", "5": "process", "8": "lab1.ipynb", "9": "essay.pdf"}
    assert all(words in result.loc[number, "Notes"] for number, words in noted.items())
    assert result.loc["9", "Full name"] == "'=Max()"
    by_exercise = hints(graded).set_index(["ID", "exercise"])["hint"]
    assert "KeyError" in by_exercise["7", "add"] and by_exercise["1", "add"] == "fine"


@pytest.mark.slow
def test_the_newest_notebook_counts_and_two_labs_make_one_row(lab: Lab, zipped: Zipped) -> None:
    second = Lab("lab2_tiny", tuple(type(cell)(**{**vars(cell), "id": f"b-{cell.id}", "code": f"{cell.code}  \nb = 1"})
                                    for cell in lab.cells[:2]) + lab.cells[2:4])  # fmt: skip
    cells = [code_cell(cell.code, cell.id) for cell in second.cells]
    cells[2]["source"] = "twice = 6"
    files = {"ada/1.ipynb": notebook(), "ada/2.ipynb": notebook(twice="twice = 6"),
             "ada/3.ipynb": json.dumps({"cells": cells}).encode()}  # fmt: skip
    graded = grade(read_archive(zipped(files)), lambda _: [lab, second], LIMITS)
    (row,) = table(graded, [lab, second]).to_dict("records")
    assert (row["Grade"], row["Maximum grade"]) == (4, 5)
    assert (row["lab1: twice"], row["lab1: add"], row["lab2: twice"]) == (2, 0, 2) and "1.ipynb" in row["Notes"]


@pytest.mark.slow
def test_a_command_that_students_run_under(lab: Lab, zipped: Zipped, tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper.py"
    wrapper.write_text("import os, sys\nos.environ['UNDER'] = '6'\nos.execv(sys.argv[1], sys.argv[1:])\n")
    files = {"ada/1.ipynb": notebook(twice="import os\ntwice = float(os.environ['UNDER'])")}
    (graded,) = grade(read_archive(zipped(files)), lambda _: [lab], LIMITS, under=[sys.executable, str(wrapper)])
    assert graded.points == 2


@pytest.mark.slow
def test_everybody_is_judged_by_their_numbers_whatever_a_notebook_claims(lab: Lab, zipped: Zipped) -> None:
    def labs_of(owner: Owner) -> list[Lab]:
        seed = {"ada": 3, "bob": 4}[owner.name]
        given = Cell("cell-1", "given", f"value = {seed}.0  # Lab(seed={seed})")
        return [Lab("lab1_tiny", tuple(given if cell.id == given.id else cell for cell in lab.cells), seed)]

    copied = notebook(cell_1="value = 3.0 # Lab(seed=3)", twice="twice = 6.0")
    graded = grade(read_archive(zipped({"ada/1.ipynb": copied, "bob/1.ipynb": copied})), labs_of, LIMITS, workers=2)
    assert [part.points for part in graded] == [2, 0]
    assert [any("seed" in note for note in part.notes) for part in graded] == [False, True]


def test_what_is_unusual_in_names_does_not_reach_a_spreadsheet(lab: Lab) -> None:
    owner, verdicts = Owner('=cmd|"/C calc"!A0', "@1"), [Verdict("check-add", 1, "-2")]
    graded = [Graded(owner, "lab1_tiny", "+1.ipynb", verdicts, ["=x"])]
    cells = [*table(graded, [lab]).iloc[0], *hints(graded).iloc[0]]
    assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in cells)


def test_students_without_a_notebook_have_a_row(lab: Lab) -> None:
    result = table([Graded(Owner("Ada"), notes=["x.pdf: no"]), Graded(Owner("Bob"), "lab1_tiny")], [lab])
    assert result["Grade"].tolist() == [0, 0] and result["Full name"].tolist() == ["Ada", "Bob"]
    assert isinstance(result, pd.DataFrame) and result["Notes"].tolist() == ["x.pdf: no", ""]


@pytest.mark.slow
def test_an_answer_under_another_name_is_missed_by_its_name(zipped: Zipped) -> None:
    made = "from autobuild_book.labs.embeddings import Lab as Exercises\ncheck = Exercises(seed=0)"
    cells = (Cell("cell-0", "given", made), Cell("loss", "answer", "loss = ..."),
             Cell("check-loss", "check", "check.ranking_loss(loss)", 2, ("loss",)))  # fmt: skip
    answers = {"ada": "my_loss = 0.1", "bob": "loss = ..."}
    files = {f"{name}/lab1.ipynb": json.dumps({"cells": [code_cell(made, "cell-0"), code_cell(code, "loss")]}).encode()
             for name, code in answers.items()}  # fmt: skip
    ada, bob = grade(read_archive(zipped(files)), lambda _: [Lab("lab1_tiny", cells)], LIMITS)
    assert "There is no loss" in ada.verdicts[0].hint and "three dots" in bob.verdicts[0].hint

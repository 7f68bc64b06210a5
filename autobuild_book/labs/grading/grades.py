"""Grades of all students of a zip, as a table for the LMS."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from autobuild_book.labs.grading import channel
from autobuild_book.labs.grading.archive import HandedIn, Owner, Student
from autobuild_book.labs.grading.judge import Limits, Verdict
from autobuild_book.labs.grading.restoring import (
    Lab,
    StudentCell,
    changes,
    choose_lab,
    newest,
    read_cells,
    seed_of,
    steps,
)
from autobuild_lib.progress import progress_bar

SPARE_SECONDS = 300  # for checks, beside what a notebook may take
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute rather than show


@dataclass
class Graded:
    """A lab of a student. notes: what was wrong with the file, or unusual in it."""

    owner: Owner
    lab: str = ""
    file: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        """All points awarded."""
        return sum(verdict.points for verdict in self.verdicts)


@dataclass(frozen=True)
class _Task:
    owner: Owner
    lab: Lab
    file: str
    cells: list[StudentCell]
    notes: tuple[str, ...]


def grade(
    students: Iterable[Student],
    labs_of: Callable[[Owner], Sequence[Lab]],
    limits: Limits,
    workers: int = 1,
    under: Sequence[str] = (),
) -> list[Graded]:
    """Grade every lab of every student; students of whom no notebook could be read have one without a lab.

    labs_of: gives the labs of a student, with the numbers that are theirs.
    """
    tasks: list[_Task] = []
    unread: list[Graded] = []
    for student in students:
        chosen, problems = _notebooks(student, labs_of(student.owner))
        tasks += chosen
        if not chosen:
            unread.append(Graded(student.owner, notes=problems))
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda task: _grade(task, limits, under), tasks)
        graded = list(progress_bar(results, desc="notebooks", total=len(tasks)))
    return sorted([*graded, *unread], key=lambda one: (one.owner.name.casefold(), one.owner.identifier, one.lab))


def _notebooks(student: Student, labs: Sequence[Lab]) -> tuple[list[_Task], list[str]]:
    """Return what to run of a student, one notebook for each lab, and what was wrong with other files."""
    by_lab: dict[str, list[tuple[HandedIn, list[StudentCell]]]] = {}
    problems = []
    for file in student.files:
        try:
            if file.problem:
                raise ValueError(file.problem)
            cells = read_cells(file.content)
            by_lab.setdefault(choose_lab(labs, cells).name, []).append((file, cells))
        except ValueError as error:
            problems.append(f"{file.file}: {error}")
    by_name = {lab.name: lab for lab in labs}
    tasks = [_task(student.owner, by_name[name], files, problems) for name, files in by_lab.items()]
    return tasks, problems


def _task(
    owner: Owner, lab: Lab, files: Sequence[tuple[HandedIn, list[StudentCell]]], problems: Sequence[str]
) -> _Task:
    chosen = newest([file for file, _ in files])
    cells = next(cells for file, cells in files if file is chosen)
    others = [f"{file.file}: an older one, not graded" for file, _ in files if file is not chosen]
    others += [f"{chosen.file}: late"] * chosen.is_late
    back = changes(lab, cells)
    seed = seed_of(cells)
    others += [f"made for seed {seed}, graded with {lab.seed}"] * (seed not in (None, lab.seed))
    restored = [f"put back: {', '.join(back[:5])}{', ...' if len(back) > 5 else ''}"] if back else []
    return _Task(owner, lab, chosen.file, cells, (*problems, *others, *restored))


def _grade(task: _Task, limits: Limits, under: Sequence[str]) -> Graded:
    """Judge a notebook in a process of its own, which a student's code may kill, but not answer for."""
    graded = Graded(task.owner, task.lab.name, task.file, notes=list(task.notes))
    order = {
        "cells": [asdict(cell) for cell in task.lab.cells],
        "steps": steps(task.lab, task.cells),
        "limits": asdict(limits),
        "under": list(under),
    }
    try:
        message = _judged(order, limits.notebook + SPARE_SECONDS)
        graded.verdicts = [Verdict(**verdict) for verdict in message["verdicts"]]
        ended = message["ended"]
    except (ValueError, LookupError, TypeError, subprocess.TimeoutExpired):
        ended = "the judge's process ended: look at this notebook"
        graded.verdicts = [Verdict(cell.id, 0, ended) for cell in task.lab.checks]
    return replace(graded, notes=[*graded.notes, f"stopped: {ended}"]) if ended else graded


def _judged(order: object, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "autobuild_book.labs.grading.judge"]
    process = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        output, _ = process.communicate(channel.as_line(order), timeout=seconds)
        return channel.receive(output)
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it, or a student's code in it, has started and not hidden."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def table(graded: Sequence[Graded], labs: Sequence[Lab]) -> pd.DataFrame:
    """Return a row per student, with the columns that Moodle's grading worksheet has, and points for each check."""
    used = [lab for lab in labs if lab.name in {one.lab for one in graded}]
    most = sum(cell.points for lab in used for cell in lab.checks)
    by_owner: dict[Owner, list[Graded]] = {}
    for one in graded:
        by_owner.setdefault(one.owner, []).append(one)
    rows = []
    for owner, parts in by_owner.items():
        row = {
            "Identifier": f"Participant {owner.identifier}" if owner.identifier.isdecimal() else "",
            "Full name": _harmless(owner.name),
            "ID": _harmless(owner.identifier),
            "Grade": sum(part.points for part in parts),
            "Maximum grade": most,
            "Last modified (grade)": "",
        }
        points = {(part.lab, verdict.check): verdict.points for part in parts for verdict in part.verdicts}
        for lab in used:
            row |= {_column(lab, check.id, used): points.get((lab.name, check.id), 0) for check in lab.checks}
        row["File"] = _harmless("; ".join(part.file for part in parts if part.file))
        row["Notes"] = _harmless("; ".join(dict.fromkeys(note for part in parts for note in part.notes)))
        rows.append(row)
    return pd.DataFrame(rows)


def _column(lab: Lab, check: str, used: Sequence[Lab]) -> str:
    name = check.removeprefix("check-")
    return name if len(used) == 1 else f"{lab.name.partition('_')[0]}: {name}"


def hints(graded: Sequence[Graded]) -> pd.DataFrame:
    """Return a row per student and check, with the hint that a wrong answer gets."""
    rows = [(_harmless(one.owner.name), _harmless(one.owner.identifier), one.lab, verdict.check.removeprefix("check-"),
             verdict.points, _harmless(verdict.hint))
            for one in graded for verdict in one.verdicts]  # fmt: skip
    return pd.DataFrame(rows, columns=["Full name", "ID", "lab", "exercise", "points", "hint"])


def _harmless(text: str) -> str:
    """A text of others that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text

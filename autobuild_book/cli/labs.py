"""The commands `autobuild labs ...`: write what students and teachers get, and grade what is handed in."""

import argparse
import shlex
from collections.abc import Callable
from pathlib import Path

from autobuild_book.arguments import check_file, check_writable, whole
from autobuild_book.labs import handout
from autobuild_book.labs.grading import archive, grades
from autobuild_book.labs.grading.judge import Limits
from autobuild_book.labs.grading.restoring import Lab, lab_of
from autobuild_book.labs.rosters import Roster, read_roster
from autobuild_lib.storage import replace_text

MAKE = """Write what students and teachers get: labs-students.zip (notebooks, the library, how to install it) and
labs-teachers.zip (sources, solutions, notes, courses for nbgrader and for Otter-Grader). With another seed the
exercises have other rows and other numbers, of the same difficulty; solutions and checks follow. With a list of
students, everybody gets numbers of their own: labs-by-student.zip has a folder for each, and seeds.csv says which seed
is whose."""
MAKE_EXAMPLE = """examples:
  autobuild labs make
  autobuild labs make --seed 7
  autobuild labs make --students names.csv --seed 2027     # a column "Full name", and "ID" where there are any

Grade with the same --seed and --students."""
GRADE = """Grade what students have handed in: the zip that Moodle ("Download all submissions") or Canvas ("Download
Submissions") gives goes in, a table for the LMS comes out. A notebook is known by its cells, not by its file's name.
Checks are not taken from it: it runs in a process of its own, its answers leave that process as data, and checks of
the library are asked about them in another one. Points are never counted from what a notebook prints."""
GRADE_EXAMPLE = """examples:
  autobuild labs grade submissions.zip --out grades.csv
  autobuild labs grade submissions.zip --out grades.csv --hints hints.csv --workers 4
  autobuild labs grade submissions.zip --out grades.csv --under "sudo -u grader"

grades.csv has a row per student: Identifier, Full name and Grade as in Moodle's grading worksheet, which takes it as
it is; ID, the user's in Canvas; a column per exercise; Notes, with what was wrong with a file, what was put back in
it, and what stopped it.

Students' code may do what you may do on this machine: read and write your files, and use your network. Grade as a user
who owns nothing, or in a container without a network; --under takes such a command for the students' processes."""


def add_labs(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild labs`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    kind = argparse.RawDescriptionHelpFormatter
    text = "write what students and teachers get"
    _add_make(actions.add_parser("make", help=text, description=MAKE, epilog=MAKE_EXAMPLE, formatter_class=kind))
    text = "grade an LMS's zip of notebooks into a CSV file"
    _add_grade(actions.add_parser("grade", help=text, description=GRADE, epilog=GRADE_EXAMPLE, formatter_class=kind))


def _add_make(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, default=Path(), help="the clone (default: this folder)")
    parser.add_argument("--out", type=Path, help="folder (default: artifacts/labs in the clone)")
    _add_seeds(parser)
    parser.set_defaults(run=_make)


def _add_seeds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=whole(0), default=0, help="of the exercises' numbers (default: 0)")
    text = "a CSV file of students, who get numbers of their own from the seed and their names"
    parser.add_argument("--students", type=Path, metavar="NAMES.csv", help=text)


def _make(arguments: argparse.Namespace) -> None:
    root = arguments.root
    out = arguments.out or root / "artifacts" / "labs"
    check_writable(out)
    roster = read_roster(arguments.students, arguments.seed) if arguments.students else None
    for path in handout.build(root, handout.library_files(root), out, arguments.seed, roster):
        print(path)


def _add_grade(parser: argparse.ArgumentParser) -> None:
    text = "the zip of an LMS, or the folder it was unpacked into"
    parser.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help=text)
    parser.add_argument("--out", type=Path, required=True, help="the CSV file for the LMS")
    parser.add_argument("--hints", type=Path, help="write a row per student and exercise, with its hint, as this file")
    parser.add_argument("--labs", type=Path, default=Path("labs"), help="folder of the labs' sources (default: labs)")
    _add_seeds(parser)
    text = "notebooks at a time, each in two processes of up to 1 GB (default: 1)"
    parser.add_argument("--workers", type=whole(1, 256), default=1, help=text)
    text = "a notebook may run for; what it has answered by then counts (default: 600)"
    parser.add_argument("--seconds", type=whole(1), default=600, help=text)
    text = "a cell may run for; the others run all the same (default: 120; not on Windows)"
    parser.add_argument("--cell-seconds", type=whole(1), default=120, help=text)
    text = "of address space for a student's process (default: 4; not on Windows)"
    parser.add_argument("--gigabytes", type=whole(2, 1024), default=4, help=text)
    text = "a command that students' processes run under (default: none)"
    parser.add_argument("--under", type=shlex.split, default=[], metavar="COMMAND", help=text)
    parser.set_defaults(run=_grade)


def read_labs(folder: Path, seed: int = 0) -> list[Lab]:
    """Read what the labs in a folder ask for, with the numbers of a seed."""
    paths = sorted(folder.glob("lab[0-9]*.py"))
    if not paths:
        raise ValueError(f"--labs {folder}: there is no lab*.py in it; the teachers' zip and the repository have them")
    return [lab_of(path, seed) for path in paths]


def labs_by_owner(folder: Path, seed: int, roster: Roster | None) -> Callable[[archive.Owner], list[Lab]]:
    """Return a function that gives the labs of a student, of their seed or, off the list, of the class's."""

    def labs_of(owner: archive.Owner) -> list[Lab]:
        student = roster.find(owner.name, owner.identifier) if roster else None
        return read_labs(folder, roster.seed_of(student) if roster and student else seed)

    return labs_of


def _grade(arguments: argparse.Namespace) -> None:
    for out in (arguments.out, arguments.hints):
        check_file(out)
    labs = read_labs(arguments.labs)
    roster = read_roster(arguments.students, arguments.seed) if arguments.students else None
    labs_of = labs_by_owner(arguments.labs, arguments.seed, roster)
    students = archive.read_archive(arguments.submissions)
    limits = Limits(arguments.cell_seconds, arguments.seconds, arguments.gigabytes << 30)
    graded = grades.grade(students, labs_of, limits, arguments.workers, arguments.under)
    table = grades.table(graded, labs)
    replace_text(arguments.out, table.to_csv(index=False, lineterminator="\n"))
    if arguments.hints is not None:
        replace_text(arguments.hints, grades.hints(graded).to_csv(index=False, lineterminator="\n"))
    print(table[["Full name", "Grade", "Maximum grade", "Notes"]].to_string(index=False))
    print(f"{len(table)} students, {sum(bool(part.lab) for part in graded)} notebooks graded: {arguments.out}")

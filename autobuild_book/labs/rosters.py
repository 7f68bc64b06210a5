"""Lists of students, and the numbers that each of them gets: a seed of their own."""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_SEEDS = 1_000_000
MOST_BYTES = 10_000_000
NAMES = ("Full name", "Name", "Student")  # what lists of Moodle and Canvas, and others, call the column
IDENTIFIERS = ("ID", "Identifier", "ID number")


@dataclass(frozen=True)
class Enrolled:
    """A student on a list."""

    name: str
    identifier: str = ""

    @property
    def letters(self) -> str:
        """The letters of the name, sorted: an LMS may turn first and last name, and leave blanks and commas out."""
        return "".join(sorted(character for character in self.name.casefold() if character.isalnum()))

    @property
    def folder(self) -> str:
        """A name for a folder."""
        kept = "".join(character if character.isalnum() or character in " -" else "_" for character in self.name)
        return f"{kept.strip()[:80]}_{self.identifier}".strip("_. ") or "student"


@dataclass(frozen=True)
class Roster:
    """Students, with the seed of their class."""

    students: tuple[Enrolled, ...]
    seed: int = 0

    def seed_of(self, student: Enrolled) -> int:
        """Return the seed of a student: the same whenever it is asked for, whoever else is on the list."""
        text = f"{self.seed}\n{student.letters}\n{student.identifier}"
        return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) % MOST_SEEDS

    def find(self, name: str, identifier: str = "") -> Enrolled | None:
        """Return the student whom an LMS calls so; None where nobody, or more than one, could be meant."""
        called = [student for student in self.students if student.letters == Enrolled(name).letters]
        if len(called) != 1 and identifier:
            called = [student for student in called or self.students if student.identifier == identifier]
        return called[0] if len(called) == 1 else None


def read_roster(path: Path, seed: int = 0) -> Roster:
    """Read a CSV file with a row per student: a column for names, and one for identifiers where they have any.

    Raises `ValueError` with the place for a file without names, an empty name, or a student who is there twice.
    """
    students: list[Enrolled] = []
    for number, row in enumerate(_rows(path), start=2):
        name = _cell(row, NAMES)
        identifier = _cell(row, IDENTIFIERS).removeprefix("Participant ")
        student = Enrolled(name, identifier)
        if not student.letters:
            raise ValueError(f"{path}, line {number}: there is no name; every line needs one")
        if any((other.letters, other.identifier) == (student.letters, identifier) for other in students):
            raise ValueError(f"{path}, line {number}: {name!r:.80} is there twice; give both an ID")
        students.append(student)
    if not students:
        raise ValueError(f"{path}: there are no students in it")
    return Roster(tuple(students), seed)


def _rows(path: Path) -> Sequence[Mapping[str, str | None]]:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path}: more than {MOST_BYTES:,} bytes")
    try:
        reader = csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig")), restval="")
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a CSV file in UTF-8 ({error})") from None
    if not set(NAMES) & set(reader.fieldnames or ()):
        raise ValueError(f"{path}: it has no column {', '.join(NAMES[:-1])} or {NAMES[-1]}")
    return rows


def _cell(row: Mapping[str, str | None], columns: Sequence[str]) -> str:
    return next((text.strip() for column in columns if (text := row.get(column))), "")

"""What an LMS hands to a teacher: a zip, or a folder, with a file or a folder for each student.

Nothing is unpacked: names in a zip lead nowhere, and of no file more is read than a notebook may have.
"""

import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath

from autobuild_book.labs.grading.filenames import student_of, students_in_folder, students_in_one_folder
from autobuild_book.lines import brief
from autobuild_book.zips import UNREADABLE

MOST_BYTES = 20_000_000  # of a notebook; what is larger holds pictures, which a lab does not ask for
MOST_FILES = 20_000  # in a zip
NOTEBOOK = ".ipynb"
# Moodle: "Ada Byron_1234567_assignsubmission_file_/lab1.ipynb", or the same without a folder.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?")
# Canvas: "byronada_LATE_1234_567890_lab1.ipynb"; without names "anon_x1Yz2_567890_lab1.ipynb".
_CANVAS = re.compile(r"(?!lab\d)(?:(?P<name>\w+?)_)?(?:(?P<late>LATE)_)?(?P<id>\d+|anon_[^_]+)_\d+_(?P<file>.+)")
# A lab's own name, with dates and numbers of copies: what names no student.
_OF_A_LAB = re.compile(r"lab[ _-]?\d[\W\d_]*(?:embeddings|importances|modules|regions)?[\W\d_]*", re.IGNORECASE)
_UNREADABLE = (*UNREADABLE, OSError, ValueError)


@dataclass(frozen=True)
class Owner:
    """Whose file it is, as the LMS names them; identifier: Moodle's participant, or Canvas's user."""

    name: str
    identifier: str = ""


@dataclass(frozen=True)
class HandedIn:
    """A file of a student: its name, its content where it is a notebook that could be read, else why not."""

    file: str
    content: bytes = b""
    problem: str = ""
    date: tuple[int, ...] = ()
    is_late: bool = False


@dataclass
class Student:
    """What a student has handed in."""

    owner: Owner
    files: list[HandedIn] = field(default_factory=list)


def read_archive(path: Path) -> list[Student]:
    """Read the students of a zip, or of a folder that it was unpacked into, sorted by name.

    Raises `ValueError` for what is neither, and for a zip without files of students.
    """
    students: dict[tuple[str, str], Student] = {}
    read = [
        (name, _read(name, date, start))
        for name, date, start in _entries(path)
        if not _is_of_the_system(PurePosixPath(name))
    ]
    owners = owners_of([name for name, _ in read])
    for (_, handed_in), (owner, file, is_late) in zip(read, owners, strict=True):
        student = students.setdefault((owner.name, owner.identifier), Student(owner))
        student.files.append(replace(handed_in, file=file, is_late=is_late))
    if not students:
        raise ValueError(f"{path}: there are no files of students in it")
    return sorted(students.values(), key=lambda student: (student.owner.name.casefold(), student.owner.identifier))


def _is_of_the_system(path: PurePosixPath) -> bool:
    return any(part in ("__MACOSX", ".ipynb_checkpoints", "__pycache__") for part in path.parts) or path.name[0] == "."


def owners_of(names: Sequence[str]) -> list[tuple[Owner, str, bool]]:
    """Say whose file each path is, what the student had called it, and whether the LMS says that it was late.

    A folder is a student's where the LMS names none: the first below what all notebooks share. Where the notebooks of
    that folder lie in several, each of those is one student's: a folder of a group names nobody in it. Where no folders
    tell notebooks apart, names of files do: see `students_in_one_folder`; and where two of one lab in a folder have
    different names, each is one student's.
    """
    split = [_parts(name) for name in names]
    notebooks = [parts for parts in split if parts[-1].lower().endswith(NOTEBOOK)]
    levels = zip(*(parts[:-1] for parts in notebooks), strict=False)
    shared = tuple(folders[0] for folders in takewhile(lambda folders: len(set(folders)) == 1, levels))
    inside: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for folders in (_of_students(parts[len(shared) : -1]) for parts in notebooks):
        inside[folders[0] if folders else ""].add(folders)
    groups = {first for first, folders in inside.items() if len(folders) > 1}
    together = [parts for parts in notebooks if not _of_students(parts[len(shared) : -1]) and not _is_of_an_lms(parts)]
    students = students_in_one_folder(together, "".join(_of_students(shared)[-1:]))
    for folder in {*inside} - {*groups, ""}:
        of_it = [parts for parts in notebooks if _of_students(parts[len(shared) : -1])[:1] == (folder,)]
        students |= students_in_folder([parts for parts in of_it if not _is_of_an_lms(parts[:-1])], folder)
    return [_owner(parts, shared, groups, students, is_only=len(notebooks) == 1) for parts in split]


def _is_of_an_lms(parts: tuple[str, ...]) -> bool:
    return any(map(_MOODLE.fullmatch, parts)) or any(map(_CANVAS.fullmatch, parts[-1:]))


def _parts(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return tuple(brief(part) for part in parts if part not in ("/", "..")) or ("?",)


def _of_students(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not _OF_A_LAB.fullmatch(name))


def _owner(
    parts: tuple[str, ...], shared: tuple[str, ...], groups: Collection[str], students: Mapping[tuple[str, ...], str],
    is_only: bool,
) -> tuple[Owner, str, bool]:  # fmt: skip
    for part in parts:
        if match := _MOODLE.fullmatch(part):
            return Owner(match["name"], match["id"]), match["file"] or parts[-1], False
    if parts[: len(shared)] != shared:
        shared = ()  # no notebook, beside the folder that has them all
    below = parts[len(shared) : -1]
    folders, home, stem = _of_students(below), _of_students(shared)[-1:], PurePosixPath(parts[-1]).stem
    if not folders and not (home and is_only) and (match := _CANVAS.fullmatch(parts[-1])):
        return Owner(match["name"] or match["id"], match["id"]), match["file"], match["late"] is not None
    if folders and folders[0] in groups:
        return Owner("/".join(folders)), parts[-1], False
    if student := students.get(parts) if folders else student_of(parts, students):
        return Owner(student), parts[-1], False
    names = [*folders[:1], *home, *_of_students([stem]), *below[:1], stem]
    return Owner(names[0]), parts[-1], False


def _entries(path: Path) -> Iterator[tuple[str, tuple[int, ...], Callable[[], bytes]]]:
    """Give the name, the date and a reader of every file."""
    if path.is_dir():
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            date = (int(file.stat().st_mtime),)
            yield file.relative_to(path).as_posix(), date, lambda file=file: _start(file.open("rb"))  # type: ignore[misc]
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise ValueError(f"{path}: not a zip; give the file that the LMS offers for all submissions") from None
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and entry.filename.strip("/. ")]
        if len(entries) > MOST_FILES:
            raise ValueError(f"{path}: {len(entries):,} files; at most {MOST_FILES:,} are read")
        for entry in entries:
            yield entry.filename, entry.date_time, lambda entry=entry: _start(archive.open(entry))  # type: ignore[misc]


def _start(stream: object) -> bytes:
    with stream as file:  # type: ignore[attr-defined]
        content: bytes = file.read(MOST_BYTES + 1)
        return content


def _read(file: str, date: tuple[int, ...], read: Callable[[], bytes]) -> HandedIn:
    if PurePosixPath(file).suffix.lower() != NOTEBOOK:
        return HandedIn(file, problem="not a notebook (.ipynb)", date=date)
    content, problem = b"", "damaged, or under a password"
    with suppress(*_UNREADABLE):
        content, problem = read(), ""
    if len(content) > MOST_BYTES:
        content, problem = b"", f"larger than {MOST_BYTES // 1_000_000} MB: clear its outputs"
    return HandedIn(file, content, problem, date)

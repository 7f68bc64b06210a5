"""What names of files say: a student's name, and a lab's number; and whose notebooks lie together in one folder."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

Parts = tuple[str, ...]  # of a path

_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d(?!\d)")
_COPY = re.compile(r"\(\d+\)")
_LAB = re.compile(r"lab[ _-]?(\d+)(?![^\W_])", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_VERSION = re.compile(r"v?\d{1,5}", re.IGNORECASE)  # after the lab; what is longer may be a student's number
_NUMBER_ALONE = re.compile(r"\d{1,2}")  # of a lab
_TOPICS = {"embeddings": "1", "importances": "2", "modules": "3", "regions": "4"}
_NO_NAMES = {
    "answer", "answers", "copy", "done", "draft", "exercise", "exercises", "final", "finished", "first", "homework",
    "lab", "my", "new", "newest", "notebook", "notes", "of", "old", "scratch", "second", "solution", "solutions",
    "submission", "test", "the", "try", "untitled", "version", "work",
}  # fmt: skip


def name_and_lab(stem: str) -> tuple[str, str]:
    """Read a student's name and a lab's number in the name of a file, without its ending; "" where there is none."""
    text = _COPY.sub(" ", _DATE.sub(" ", stem))
    if _NUMBER_ALONE.fullmatch(text.strip()):
        return "", text.strip()
    lab = _LAB.search(text)
    before, after = (text[: lab.start()], text[lab.end() :]) if lab else (text, "")
    words = [*_WORD.findall(before), *(word for word in _WORD.findall(after) if not _VERSION.fullmatch(word))]
    topics = [_TOPICS[word.casefold()] for word in words if word.casefold() in _TOPICS]
    name = [word for word in words if word.casefold() not in (*_TOPICS, *_NO_NAMES)]
    return " ".join(name), lab[1].lstrip("0") if lab else "".join(topics[:1])


def students_in_one_folder(notebooks: Sequence[Parts], home: str) -> dict[Parts, str]:
    """Say whose notebooks are that no folders tell apart; those that are not in the result are the folder's.

    Files name students where their names differ, as `alice_lab1` and `bob_lab1` do. Files without a name of their own
    are one student's, who is called like the folder, unless two are of one lab, as `lab1` and `lab1 (2)`: then each is
    a student's, called like folder and file.

    Args:
        notebooks: paths of the notebooks.
        home: name of the folder that may be a student's; "" where there is none.
    """
    read = {parts: name_and_lab(PurePosixPath(parts[-1]).stem) for parts in notebooks}
    labs = {parts: lab or _lab_of_folders(parts) for parts, (_, lab) in read.items()}
    called = {parts: "" if home and name.casefold() in home.casefold() else name for parts, (name, _) in read.items()}
    spelled = {name.casefold(): name for name in reversed(called.values())}  # as in the first of the files
    students = {parts: spelled[name.casefold()] for parts, name in called.items() if name}
    if home and len(spelled) == 1:
        students = {}  # one name is nobody's beside others
    unnamed = [parts for parts in notebooks if parts not in students]
    counts = Counter(labs[parts] for parts in unnamed)
    twice = {parts: _path(home, parts) for parts in unnamed if counts[labs[parts]] > 1}
    return students | (twice if home else {})


def _path(home: str, parts: Parts) -> str:
    """Name a file by the folder of all, its own folder and its name without the ending."""
    return "/".join(dict.fromkeys([home, *parts[-2:-1], PurePosixPath(parts[-1]).stem]))


def students_in_folder(notebooks: Sequence[Parts], folder: str) -> dict[Parts, str]:
    """Say whose notebooks of one folder beside others are, where two of one lab have different names in them."""
    students: dict[Parts, str] = {}
    names: dict[str, set[str]] = defaultdict(set)
    for parts in notebooks:
        name, lab = name_and_lab(PurePosixPath(parts[-1]).stem)
        lab = lab or _lab_of_folders(parts)
        if lab and name and name.casefold() not in folder.casefold():
            students[parts] = f"{folder}/{name}"
            names[lab].add(name.casefold())
    return students if any(len(each) > 1 for each in names.values()) else {}


def student_of(parts: Parts, students: Mapping[Parts, str]) -> str:
    """Return whose a file is, "" where its name does not say; what is no notebook goes with those of its name."""
    name, _ = name_and_lab(PurePosixPath(parts[-1]).stem)
    alike = (student for student in students.values() if student.casefold() == name.casefold())
    return students.get(parts) or next(alike, "")


def _lab_of_folders(parts: Parts) -> str:
    return next((lab for part in reversed(parts[:-1]) if (lab := name_and_lab(part)[1])), "")

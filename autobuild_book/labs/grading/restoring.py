"""What is run of a student's notebook: their cells, with ours put back where they were changed, deleted or moved."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autobuild_book.labs.grading.archive import HandedIn
from autobuild_book.labs.handout import SEEDED, read_source, solution_names, student_version
from autobuild_lib.storage import parse_json

MOST_CELLS = 2_000
MOST_CHARACTERS = 1_000_000  # of code


@dataclass(frozen=True)
class Cell:
    """A code cell of a lab. kind: "given", "answer" or "check"; a check has points, and names that it takes."""

    id: str
    kind: str
    code: str
    points: float = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lab:
    """What a lab asks: its code cells in order."""

    name: str
    cells: tuple[Cell, ...]
    seed: int = 0

    @property
    def checks(self) -> list[Cell]:
        """The cells that carry points."""
        return [cell for cell in self.cells if cell.kind == "check"]


@dataclass(frozen=True)
class StudentCell:
    """A code cell of a student; labels: what it may be called in the lab it comes from."""

    code: str
    labels: tuple[str, ...]


def lab_of(path: Path, seed: int = 0) -> Lab:
    """Describe a lab by its source, with the numbers of a seed."""
    cells: list[Cell] = []
    names: tuple[str, ...] = ()
    for cell in student_version(read_source(path, seed=seed)).cells:
        if cell.cell_type == "code":
            grading = cell.metadata.get("nbgrader", {})
            if grading.get("solution"):
                names = solution_names(cell.source)
                cells.append(Cell(cell.id, "answer", cell.source))
            elif grading.get("grade"):
                cells.append(Cell(cell.id, "check", cell.source, grading["points"], names))
            else:
                cells.append(Cell(cell.id, "given", cell.source))
    return Lab(path.stem, tuple(cells), seed)


def seed_of(cells: Sequence[StudentCell]) -> int | None:
    """Return the seed that a student's notebook makes its numbers from, None where it says none."""
    seeds = [int(match[1][:20]) for cell in cells if (match := SEEDED.search(cell.code))]
    return seeds[0] if seeds else None


def read_cells(content: bytes) -> list[StudentCell]:
    """Read the code cells of a notebook file; `ValueError` says why it is none."""
    try:
        notebook = parse_json(content.decode("utf-8-sig"), nan_as_null=True)
        cells = notebook["cells"]
        code = [_student_cell(cell) for cell in cells if cell["cell_type"] == "code"]
    except UnicodeDecodeError:
        raise ValueError("not a notebook: not a text") from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError("not a notebook, or a damaged one") from None
    if len(cells) > MOST_CELLS or sum(len(cell.code) for cell in code) > MOST_CHARACTERS:
        raise ValueError(f"more than {MOST_CELLS:,} cells or {MOST_CHARACTERS:,} characters of code")
    return code


def _student_cell(cell: Any) -> StudentCell:
    source = cell["source"]
    metadata = cell.get("metadata", {})
    grading = metadata.get("nbgrader", {})
    labels = (grading.get("grade_id") if isinstance(grading, dict) else None, cell.get("id"))
    code = source if isinstance(source, str) else "".join(source)
    return StudentCell(code, tuple(label for label in labels if isinstance(label, str)))


def choose_lab(labs: Sequence[Lab], cells: Sequence[StudentCell]) -> Lab:
    """Return the lab whose cells a notebook has, whatever its file is called; `ValueError` where it has none."""
    shares = [len(set(_matches(lab, cells)) - {None}) / len(lab.cells) for lab in labs]
    best = max(range(len(labs)), key=shares.__getitem__)
    if not shares[best]:
        raise ValueError(f"not a notebook of {', '.join(lab.name for lab in labs)}")
    return labs[best]


def newest(files: Sequence[HandedIn]) -> HandedIn:
    """Return the newest of several files of one lab, the last by name of those of one date."""
    return max(files, key=lambda file: (file.date, file.file))


def _matches(lab: Lab, cells: Sequence[StudentCell]) -> list[int | None]:
    """Return for each cell the place of the cell of the lab that it is, or was; None for one that a student added."""
    by_code = {_plain(cell.code): place for place, cell in enumerate(lab.cells)}
    by_id = {cell.id: place for place, cell in enumerate(lab.cells)}
    with_names = {place for place, cell in enumerate(lab.cells) if cell.kind != "given"}

    def match(cell: StudentCell) -> int | None:
        named = [by_id[label] for label in cell.labels if label in by_id]
        if named and named[0] in with_names:
            return named[0]
        return by_code.get(_plain(cell.code), named[0] if named else None)

    return [match(cell) for cell in cells]


def _plain(code: str) -> str:
    """Code without its layout, as far as it is code."""
    try:
        return ast.dump(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code.strip()


def steps(lab: Lab, cells: Sequence[StudentCell]) -> list[dict[str, Any]]:
    """Return what a student's process does, in order: {"code": text} to run, {"check": id, "names": [...]} to answer.

    A given cell that was changed is run as the student has it, for what it defines, and then as the lab has it. Cells
    of the lab that are missing come before the first cell that follows them in the lab.
    """
    places = _matches(lab, cells)
    missing = [place for place in range(len(lab.cells)) if place not in places]
    plan: list[dict[str, Any]] = []
    for cell, place in zip(cells, places, strict=True):
        while place is not None and missing and missing[0] < place:
            plan += _ours(lab.cells[missing.pop(0)])
        plan += _step(cell, None if place is None else lab.cells[place])
    for place in missing:
        plan += _ours(lab.cells[place])
    return plan


def _step(cell: StudentCell, ours: Cell | None) -> Iterator[dict[str, Any]]:
    changed = ours is None or _plain(cell.code) != _plain(ours.code)
    if ours is None or ours.kind == "answer" or (ours.kind == "given" and changed):
        yield {"code": cell.code}
    if ours is not None:
        yield from _ours(ours)


def _ours(cell: Cell) -> Iterator[dict[str, Any]]:
    if cell.kind == "given":
        yield {"code": cell.code}
    elif cell.kind == "check":
        yield {"check": cell.id, "names": list(cell.names)}


def changes(lab: Lab, cells: Sequence[StudentCell]) -> list[str]:
    """Name the checks and given cells that a student has changed or deleted."""
    places = _matches(lab, cells)
    intact = {place for cell, place in zip(cells, places, strict=True)
              if place is not None and _plain(cell.code) == _plain(lab.cells[place].code)}  # fmt: skip
    return [cell.id for place, cell in enumerate(lab.cells) if cell.kind != "answer" and place not in intact]

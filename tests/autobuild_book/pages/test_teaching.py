"""The teachers' page states what the labs' sources do."""

from pathlib import Path

import pytest

from autobuild_book.labs import handout
from autobuild_book.pages import teaching

ROOT = Path(__file__).resolve().parents[3]
labs = pytest.mark.parametrize("path", handout.sources(ROOT), ids=lambda path: path.stem)
PAGE = teaching.teaching(ROOT)


@labs
def test_every_check_has_its_exercise_points_and_function(path: Path) -> None:
    source = handout.read_source(path)
    marks = [cell.metadata.nbgrader for cell in source.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    listed = teaching.exercises(handout.student_version(source))
    assert [exercise.points for exercise in listed] == [mark.points for mark in marks]
    numbers = [int(exercise.title.split()[1].rstrip(":")) for exercise in listed]
    assert numbers == sorted(numbers) and set(numbers) == set(range(1, max(numbers) + 1))
    assert all(exercise.function.isidentifier() for exercise in listed)


@labs
def test_mistakes_belong_to_checks_of_the_lab(path: Path) -> None:
    functions = {exercise.function for exercise in teaching.exercises(handout.read_source(path))}
    known = teaching.mistakes(path.stem)
    assert len(set(known) & functions) >= 4
    assert sum(len(hints) for check, hints in known.items() if check in functions) >= 20


@labs
def test_its_row_adds_up(path: Path) -> None:
    source = handout.read_source(path)
    title = source.cells[0].source.splitlines()[0].lstrip("# ")
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {title} |"))
    _, _, minutes, reading, computing, checks, points, slides, _ = (cell.strip() for cell in row.split("|"))
    marks = [cell.metadata.nbgrader for cell in source.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert (int(checks), float(points)) == (len(marks), sum(mark.points for mark in marks))
    assert 0 < int(reading) < int(minutes) <= 60 and 0 < float(computing.removesuffix(" s")) < 120
    assert f"slides/{path.stem}.html" in slides


def test_slides_of_every_lab() -> None:
    assert sorted(teaching.slide_files(ROOT)) == [f"{path.stem}.html" for path in handout.sources(ROOT)]

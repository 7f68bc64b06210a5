"""Lists of students: whoever an LMS names is found, and a seed is the same whenever it is asked for."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from autobuild_book.labs.rosters import Enrolled, Roster, read_roster

TEXT = "Full name,ID\nAda Byron,101\nÉmile du Châtelet,102\nBob Ross,103\nBob Ross,104\n"
names = st.text("abcdefgh éß'-", min_size=1, max_size=12).filter(lambda name: Enrolled(name).letters)


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    path = tmp_path / "names.csv"
    path.write_text(TEXT, encoding="utf-8-sig")
    return read_roster(path, seed=7)


@pytest.mark.parametrize(("called", "identifier", "place"), [
    ("Ada Byron", "", 0), ("Byron, Ada", "", 0), ("byronada", "9", 0), ("émile du châtelet", "1", 1),
    ("Bob Ross", "104", 3), ("rossbob", "103", 2), ("Somebody", "102", 1),
])  # fmt: skip
def test_as_an_lms_names_them(roster: Roster, called: str, identifier: str, place: int) -> None:
    assert roster.find(called, identifier) == roster.students[place]


@pytest.mark.parametrize(("called", "identifier"), [("Bob Ross", ""), ("Bob Ross", "101"), ("Nobody", "9"), ("", "")])
def test_nobody_is_taken_for_another(roster: Roster, called: str, identifier: str) -> None:
    assert roster.find(called, identifier) is None


@given(st.lists(names, min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_a_seed_depends_on_the_student_and_the_class_alone(called: list[str], seed: int) -> None:
    students = tuple(map(Enrolled, called))
    seeds = [Roster(students, seed).seed_of(student) for student in students]
    assert seeds == [Roster((student,), seed).seed_of(student) for student in students]
    assert all(0 <= each < 1_000_000 for each in seeds)


def test_seeds_differ_between_students_and_classes() -> None:
    students = tuple(Enrolled(f"student {number}", str(number)) for number in range(200))
    seeds = [[Roster(students, seed).seed_of(student) for student in students] for seed in (0, 1)]
    assert all(len(set(each)) > 195 for each in seeds)
    assert sum(first == second for first, second in zip(*seeds, strict=True)) <= 1


@pytest.mark.parametrize("header", ["Full name,ID", "Name,ID number", "Student,ID", "Identifier,Full name"])
def test_the_columns_of_several_systems(tmp_path: Path, header: str) -> None:
    path = tmp_path / "names.csv"
    cells = {"Identifier": "Participant 5", "ID": "5", "ID number": "5"}
    path.write_text(f"{header},Grade\n{','.join(cells.get(name, 'Ada') for name in header.split(','))},\n")
    assert read_roster(path).students == (Enrolled("Ada", "5"),)


@pytest.mark.parametrize(("content", "place"), [
    (b"", "names.csv"), (b"\xff\xfe", "names.csv"), (b"Email\nx\n", "Full name"), (b"Full name\n", "names.csv"),
    (b"Full name,ID\nAda,1\n,2\n", "line 3"), (b"Full name\nAda\nAda\n", "line 3"), (b"Full name\n...\n", "line 2"),
])  # fmt: skip
def test_hostile_lists(tmp_path: Path, content: bytes, place: str) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=place):
        read_roster(path)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "C:\\x", "..", "\x00", "ada\nbyron", "x" * 500])
def test_a_folder_is_one_part_of_a_path(name: str) -> None:
    folder = Enrolled(name, "7").folder
    assert not set(folder) & set('/\\:\x00\n"<>|?*.') and 0 < len(folder) < 100

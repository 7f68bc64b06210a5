"""An LMS's zip: whose file is whose, and nothing in it that harms whoever reads it."""

import struct
import zipfile
from pathlib import Path

import pytest

from autobuild_book.labs.grading import archive
from autobuild_book.labs.grading.archive import Owner, owners_of, read_archive
from tests.autobuild_book.labs.grading.conftest import Zipped, notebook

NAMES = {
    "Ada Byron_1234567_assignsubmission_file_/lab1 (1).ipynb": ("Ada Byron", "1234567", "lab1 (1).ipynb"),
    "Ada Byron_1234567_assignsubmission_file_lab1.ipynb": ("Ada Byron", "1234567", "lab1.ipynb"),
    "Ada Byron_1234567_assignsubmission_file/lab1.ipynb": ("Ada Byron", "1234567", "lab1.ipynb"),
    "Flo Gee_1000006_assignsubmission_onlinetext_/onlinetext.html": ("Flo Gee", "1000006", "onlinetext.html"),
    "Lab 1/Émile du Châtelet_7_assignsubmission_file_/x/lab.ipynb": ("Émile du Châtelet", "7", "lab.ipynb"),
    "Participant_12_34_assignsubmission_file_/a_b_c.ipynb": ("Participant_12", "34", "a_b_c.ipynb"),
    "byronada_4711_900123_lab1_embeddings-1.ipynb": ("byronada", "4711", "lab1_embeddings-1.ipynb"),
    "byronada_LATE_4711_900123_lab1.ipynb": ("byronada", "4711", "lab1.ipynb"),
    "duchâteletémilie_5_6_lab1.ipynb": ("duchâteletémilie", "5", "lab1.ipynb"),
    "anon_x1Yz2_900123_lab1.ipynb": ("anon_x1Yz2", "anon_x1Yz2", "lab1.ipynb"),
    "submitted/ada/lab1_embeddings/lab1_embeddings.ipynb": ("ada", "", "lab1_embeddings.ipynb"),
    "ada.ipynb": ("ada", "", "ada.ipynb"),
    "../../../etc/ada/lab1.ipynb": ("ada", "", "lab1.ipynb"),
    "C:\\Windows\\ada\\lab1.ipynb": ("ada", "", "lab1.ipynb"),
}


@pytest.mark.parametrize("path", NAMES)
def test_names_of_moodle_canvas_and_others(path: str) -> None:
    name, identifier, file = NAMES[path]
    ((owner, called, is_late),) = owners_of([path])
    assert (owner, called) == (Owner(name, identifier), file) and is_late == ("LATE" in path)


OWNERS = {
    "dates after a lab": {"Ada Byron/lab1_2026_11_30.ipynb": "Ada Byron", "Bob Roe/lab1_2026_11_29.ipynb": "Bob Roe"},
    "surnames with lab": {"Laberge Anne/lab1.ipynb": "Laberge Anne", "Labrador Max/lab1.ipynb": "Labrador Max"},
    "folders inside": {"all/ada/week3/lab1.ipynb": "ada", "all/bob/week3/lab1.ipynb": "bob"},
    "folders of a lab": {"Lab 1/ada/lab1.ipynb": "ada", "lab1_embeddings/bob/lab1.ipynb": "bob"},
    "two labs": {"ada/lab1_embeddings/lab1.ipynb": "ada", "ada/Lab 2/lab2.ipynb": "ada", "bob/x/lab1.ipynb": "bob"},
    "groups": {"A/ada/lab1.ipynb": "A/ada", "A/bob/lab1.ipynb": "A/bob", "B/cyd/lab1.ipynb": "B"},
    "something old": {"ada/lab1.ipynb": "ada", "ada/old/lab1.ipynb": "ada/old", "bob/lab1.ipynb": "bob"},
    "other files": {"all/ada/lab1.ipynb": "ada", "all/ada/plots/a.png": "ada", "all/bob/lab1.ipynb": "bob",
                    "grades.csv": "grades"},
    "one folder of Canvas": {"all/byronada_1_2_lab1.ipynb": "byronada", "all/roebob_3_4_lab1.ipynb": "roebob"},
    "one student": {"ada/lab1.ipynb": "ada", "ada/lab2 (2).ipynb": "ada", "ada/modules-final.ipynb": "ada",
                    "ada/lab4_v2.ipynb": "ada", "ada/report.pdf": "ada"},
    "one student's name": {"Ada Byron/ada_lab1.ipynb": "Ada Byron", "Ada Byron/lab2.ipynb": "Ada Byron"},
    "one lab twice": {"all/lab1.ipynb": "all/lab1", "all/lab1 (2).ipynb": "all/lab1 (2)", "all/lab2.ipynb": "all"},
    "one lab by its topic": {"all/lab1.ipynb": "all/lab1", "all/embeddings.ipynb": "all/embeddings"},
    "no labs": {"all/final.ipynb": "all/final", "all/Untitled1.ipynb": "Untitled1", "all/work.ipynb": "all/work"},
    "flat": {"alice_lab1.ipynb": "alice", "bob_lab1.ipynb": "bob", "Alice-lab2 (3).ipynb": "alice",
             "lab1.ipynb": "lab1"},
    "one folder": {"all/alice_lab1.ipynb": "alice", "all/bob_lab1.ipynb": "bob", "all/alice_lab2.ipynb": "alice",
                   "all/alice.pdf": "alice", "all/lab1.ipynb": "all"},
    "names after a lab": {"all/lab1_embeddings_Ann-Marie Roe.ipynb": "Ann Marie Roe", "all/lab1 - Bob.ipynb": "Bob"},
    "numbers": {"all/lab1_1234567.ipynb": "1234567", "all/lab1_7654321.ipynb": "7654321", "all/s_1_lab1.ipynb": "s 1",
                "all/s_2_lab1.ipynb": "s 2", "all/2026-11-30 ada lab1.ipynb": "ada", "all/roelab1.ipynb": "roe"},
    "folders of labs": {"all/lab1/ada.ipynb": "ada", "all/lab1/bob.ipynb": "bob", "all/lab2/ada.ipynb": "ada"},
    "folders of labs, no names": {"ada/lab1/notebook.ipynb": "ada", "ada/lab2/notebook.ipynb": "ada"},
    "folders of one lab": {"all/Lab 1/a/x.ipynb": "a", "all/lab1/x.ipynb": "x", "all/lab1/y.ipynb": "y"},
    "folders of one lab, alike": {"a/Lab 1/work.ipynb": "a/Lab 1/work", "a/lab1_/work.ipynb": "a/lab1_/work"},
    "numbers of labs": {"ada/1.ipynb": "ada", "ada/2 (1).ipynb": "ada"},
    "any names in folders": {"ada/1.ipynb": "ada", "ada/mine.ipynb": "ada", "ada/x.ipynb": "ada", "bob/a.ipynb": "bob"},
    "weeks": {"week1/ada_lab1.ipynb": "week1/ada", "week1/bob_lab1.ipynb": "week1/bob", "week2/ada_lab2.ipynb": "week2",
              "week1/plot.png": "week1"},
    "a student's folder beside others": {"ada/lab1.ipynb": "ada", "ada/lab1_try.ipynb": "ada", "bob/lab1.ipynb": "bob"},
    "one file": {"Ada Byron/work_2026_11_30.ipynb": "Ada Byron"},
    "labs with names": {"lab1 Ada/a.ipynb": "lab1 Ada", "lab1 Bob/a.ipynb": "lab1 Bob", "lab1_cyd.ipynb": "cyd"},
    "no names": {"lab1a/lab1.ipynb": "lab1a", "lab1b/lab1.ipynb": "lab1b", "lab1_2026_11_30.ipynb": "lab1_2026_11_30"},
}  # fmt: skip


@pytest.mark.parametrize("case", OWNERS)
def test_no_two_students_are_taken_for_one(case: str) -> None:
    paths = OWNERS[case]
    assert {path: owner.name for path, (owner, _, _) in zip(paths, owners_of([*paths]), strict=True)} == paths


def test_files_of_many_students_are_read_as_theirs(zipped: Zipped) -> None:
    files = {f"{name}/lab1_2026_11_{day}.ipynb": name.encode() for day, name in ((30, "Ada"), (29, "Laberge"))}
    students = read_archive(zipped(files))
    assert [(student.owner, student.files[0].content) for student in students] == [
        (Owner("Ada"), b"Ada"), (Owner("Laberge"), b"Laberge")]  # fmt: skip


def test_moodles_online_text_belongs_to_its_student(zipped: Zipped) -> None:
    files = {f"Flo_7_assignsubmission_{kind}": b"{}" for kind in ("file_/lab1.ipynb", "onlinetext_/onlinetext.html")}
    (student,) = read_archive(zipped(files))
    assert student.owner == Owner("Flo", "7") and len(student.files) == 2


def test_a_student_has_all_their_files_and_the_system_none(zipped: Zipped) -> None:
    moodle = "Ada_1_assignsubmission_file_/"
    students = read_archive(zipped({
        f"{moodle}b.ipynb": b"{}", "Bob_2_assignsubmission_file_/b.ipynb": b"{}", f"{moodle}a.pdf": b"%PDF",
        f"__MACOSX/{moodle}._b.ipynb": b"?", f"{moodle}.ipynb_checkpoints/b.ipynb": b"{}", f"{moodle}.DS_Store": b"?",
    }))  # fmt: skip
    assert [(student.owner.name, [file.file for file in student.files]) for student in students] == [
        ("Ada", ["b.ipynb", "a.pdf"]), ("Bob", ["b.ipynb"])]  # fmt: skip
    assert [bool(file.problem) for file in students[0].files] == [False, True]


def test_a_folder_reads_like_its_zip(zipped: Zipped, tmp_path: Path) -> None:
    path = zipped({"Ada_1_assignsubmission_file_/lab.ipynb": b"{}", "bob_2_3_lab.ipynb": b"[]"})
    zipfile.ZipFile(path).extractall(tmp_path / "folder")
    for first, second in zip(read_archive(path), read_archive(tmp_path / "folder"), strict=True):
        assert first.owner == second.owner
        names, contents = zip(*((file.file, file.content) for file in first.files), strict=True)
        assert (names, contents) == tuple(zip(*((file.file, file.content) for file in second.files), strict=True))


def test_a_bomb_is_read_no_further_than_a_notebook_may_be(zipped: Zipped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    (student,) = read_archive(zipped({"ada/lab1.ipynb": bytes(5_000_000), "ada/lab2.ipynb": bytes(1000)}))
    assert [(len(file.content), bool(file.problem)) for file in student.files] == [(0, True), (1000, False)]


def test_too_many_files(zipped: Zipped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    with pytest.raises(ValueError, match="4 files"):
        read_archive(zipped({f"{n}.ipynb": b"" for n in range(4)}))


def test_damage_costs_the_file_it_is_in(zipped: Zipped) -> None:
    path = zipped({"ada/lab1.ipynb": notebook(), "bob/lab1.ipynb": notebook()})
    content = bytearray(path.read_bytes())
    content[60:70] = bytes(10)  # of Ada's compressed bytes
    path.write_bytes(content)
    ada, bob = read_archive(path)
    assert ada.files[0].problem and not ada.files[0].content
    assert bob.files[0].content == notebook()


def test_a_password_and_an_unknown_compression_cost_the_file(zipped: Zipped) -> None:
    path = zipped({"ada/lab1.ipynb": b"{}", "bob/lab1.ipynb": b"{}"})
    content = bytearray(path.read_bytes())
    central = [place for place in range(len(content)) if content[place : place + 4] == b"PK\x01\x02"]
    struct.pack_into("<H", content, central[0] + 8, 1)  # encrypted
    struct.pack_into("<H", content, central[1] + 10, 77)  # compression
    path.write_bytes(content)
    assert all(student.files[0].problem for student in read_archive(path))


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip"])
def test_what_is_no_zip_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.zip"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"some\.zip"):
        read_archive(path)


def test_a_zip_without_students_is_refused(zipped: Zipped) -> None:
    with pytest.raises(ValueError, match="submissions"):
        read_archive(zipped({"__MACOSX/x": b"", "/": b""}))


def test_no_name_can_steer_a_terminal(zipped: Zipped) -> None:
    (student,) = read_archive(zipped({"\x1b[31mada/lab\x07.ipynb": b"{}"}))
    assert student.owner.name.isprintable() and student.files[0].file.isprintable()

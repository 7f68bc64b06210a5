"""The labs: solutions pass every check, empty student versions pass none, and what is handed out can be made again."""

import copy
import importlib.util
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import NotebookNode
from traitlets.config import Config

import autobuild_lib as ab
from autobuild_book import distributions
from autobuild_book.cli import main
from autobuild_book.labs import handout
from autobuild_book.labs.answers import EMPTY
from autobuild_book.labs.rosters import Enrolled, Roster
from autobuild_book.labs.verdicts import AnswerError, Right

ROOT = Path(__file__).resolve().parents[3]
LABS = handout.sources(ROOT)
MOST_LINES = 15
INSTALLED = {handout.INSTALL: b"jupyterlab\n"}
labs = pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
TEACHERS_PAGE = (ROOT / "labs" / "README.md").read_text()


def checks(notebook: NotebookNode) -> list[Any]:
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]


def answers(notebook: NotebookNode) -> list[Any]:
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]


@pytest.fixture
def trained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a lab trains again with the same arguments comes from memory."""
    trained: dict[str, ab.Predictor] = {}
    real = ab.fit

    def fit(space: Any, table: Any, target: Any, **options: Any) -> ab.Predictor:
        key = f"{target} {len(table)} {table.part} {options}"
        if key not in trained:
            trained[key] = real(space, table, target, **{**options, "progress": False})
        return trained[key]

    monkeypatch.setattr(ab, "fit", fit)


def run(notebook: NotebookNode) -> tuple[dict[str, Any], dict[str, str]]:
    """Run every cell as Jupyter would, errors or not; return the result or the error, and stderr, of each by its id."""
    settings = Config()
    settings.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell, results, noise = InteractiveShell.instance(config=settings), {}, {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            with capture_output() as captured:
                result = shell.run_cell(cell.source)
            results[cell.id] = result.error_before_exec or result.error_in_exec or result.result
            noise[cell.id] = captured.stderr
    return results, noise


def test_there_are_four_labs() -> None:
    assert [path.stem for path in LABS] == ["lab1_embeddings", "lab2_importances", "lab3_modules", "lab4_regions"]


@labs
def test_the_solution_passes_and_the_empty_version_fails(path: Path, trained_once: None) -> None:
    source = handout.read_source(path)
    (solved, noise), (empty, _) = run(handout.solution_version(source)), run(handout.student_version(source))
    assert not [(name, result) for name, result in solved.items() if isinstance(result, Exception)]
    names = [cell.id for cell in checks(source)]
    assert len(names) >= 6 and all(isinstance(solved[name], Right) for name in names)
    assert not any(noise[name] for name in names), "nbgrader gives no points to a check that writes to stderr"
    assert all(isinstance(empty[name], AnswerError) for name in names)
    assert sum(str(empty[name]) == EMPTY for name in names) >= len(names) - 2


@labs
def test_checks_of_answers_that_were_deleted_say_so(path: Path, trained_once: None) -> None:
    notebook = handout.student_version(handout.read_source(path))
    names = [cell.id for cell in checks(notebook)]
    for cell in answers(notebook):
        cell.source = ""
    results, _ = run(notebook)
    assert all(results[name].mistake == "empty" for name in names)


@labs
class TestSource:
    def test_every_answer_has_a_check_and_a_place_to_stand(self, path: Path) -> None:
        notebook = handout.student_version(handout.read_source(path))
        kinds = [cell.metadata.get("nbgrader", {}).get("grade") for cell in notebook.cells]
        for place, cell in enumerate(notebook.cells):
            if kinds[place] is False:
                assert "..." in cell.source and handout.STUB in cell.source and kinds[place + 1]
        assert not any("SOLUTION" in cell.source for cell in notebook.cells)

    def test_it_states_goals_prerequisites_and_time(self, path: Path) -> None:
        first = handout.read_source(path).cells[0].source
        assert all(part in first for part in ("**Goals.**", "**You need**", "**Time**", "surrogate"))

    def test_cells_are_short_and_explained(self, path: Path) -> None:
        notebook = handout.read_source(path)
        shared = [cell for cell in notebook.cells if cell.cell_type == "code" and not cell.metadata.get("nbgrader")]
        assert all(len(cell.source.splitlines()) <= MOST_LINES for cell in notebook.cells if cell.cell_type == "code")
        assert all(notebook.cells[notebook.cells.index(cell) - 1].cell_type == "markdown" for cell in shared)

    def test_teachers_have_notes_on_every_exercise(self, path: Path) -> None:
        notes = (ROOT / "labs" / "notes" / f"{path.stem}.md").read_text()
        exercises = sum(cell.source.count("## Exercise") for cell in handout.read_source(path).cells)
        assert all(f"| {number} |" in notes for number in range(1, exercises + 1))
        assert all(part in notes for part in ("**Time**", "## Common mistakes", "## To discuss"))

    def test_the_teachers_page_states_its_checks_and_points(self, path: Path) -> None:
        graded = checks(handout.read_source(path))
        points = sum(cell.metadata.nbgrader.points for cell in graded)
        assert f"| {path.stem[3]} | {len(graded)} | {points} |" in TEACHERS_PAGE

    def test_the_committed_student_version_does_not_drift(self, path: Path) -> None:
        committed = ROOT / "labs" / "student" / f"{path.stem}.ipynb"
        assert committed.read_bytes() == handout.student_files(ROOT)[committed.name], "run make labs"

    def test_notebooks_are_valid(self, path: Path) -> None:
        source = handout.read_source(path, "https://github.com/owner/name")
        for notebook in (source, handout.student_version(source), handout.solution_version(source)):
            nbformat.validate(notebook)
            assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "labs", tmp_path / "labs")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    return tmp_path


class TestZips:
    def test_equal_sources_make_equal_bytes(self, clone: Path) -> None:
        first = [path.read_bytes() for path in handout.build(clone, INSTALLED, clone / "out")]
        for path in (clone / "labs").rglob("*"):
            path.touch()
        assert [path.read_bytes() for path in handout.build(clone, INSTALLED, clone / "out")] == first

    def test_students_get_no_solutions_and_teachers_do(self, clone: Path) -> None:
        students, teachers = (zipfile.ZipFile(path) for path in handout.build(clone, INSTALLED, clone / "out"))
        names = [path.stem for path in LABS]
        others = ["labs/README.md", "labs/install.txt"]
        assert sorted(students.namelist()) == sorted([*others, *(f"labs/{name}.ipynb" for name in names)])
        for name in names:
            notebook = nbformat.reads(students.read(f"labs/{name}.ipynb"), 4)
            assert all(handout.STUB in cell.source for cell in answers(notebook))
            solved = nbformat.reads(teachers.read(f"labs-teachers/solutions/{name}.ipynb"), 4)
            assert not any(handout.STUB in cell.source or "SOLUTION" in cell.source for cell in answers(solved))
            assert f"labs-teachers/notes/{name}.md" in teachers.namelist()
            assert teachers.read(f"labs-teachers/labs/{name}.py") == (ROOT / "labs" / f"{name}.py").read_bytes()
        assert {f"labs-teachers/{name}" for name in ("README.md", "install.txt")} <= set(teachers.namelist())

    def test_a_list_of_students_makes_a_folder_for_each_and_no_shared_notebooks(self, clone: Path) -> None:
        for path in handout.sources(clone):
            text = path.read_text()
            path.write_text(
                text if "Lab(seed=0)" in text else text.replace("\n# %%\nimport", "\n# %%\n# Lab(seed=0)\nimport", 1)
            )
        committed = {path.name: path.read_bytes() for path in (clone / "labs" / "student").iterdir()}
        roster = Roster((Enrolled("Ada Byron", "1"), Enrolled("Bob Ross", "2")), 7)
        shared, _, each, seeds = handout.build(clone, INSTALLED, clone / "out", 7, roster)
        assert not any(name.endswith(".ipynb") for name in zipfile.ZipFile(shared).namelist())
        assert pd.read_csv(seeds)["seed"].tolist() == [roster.seed_of(student) for student in roster.students]
        with zipfile.ZipFile(each) as archive:
            assert len(archive.namelist()) == 2 * len(LABS)
            for student in roster.students:
                text = archive.read(f"labs/{student.folder}/{LABS[0].stem}.ipynb").decode()
                assert f"Lab(seed={roster.seed_of(student)})" in text
        assert {path.name: path.read_bytes() for path in (clone / "labs" / "student").iterdir()} == committed

    def test_a_lab_that_has_no_seed_is_refused(self, clone: Path) -> None:
        path = handout.sources(clone)[0]
        path.write_text(path.read_text().replace("Lab(seed=0)", "Lab()"))
        with pytest.raises(ValueError, match=path.stem):
            handout.read_source(path, seed=7)

    def test_an_address_makes_colab_install_the_library(self, clone: Path) -> None:
        assert b"google.colab" not in handout.student_files(clone)["lab1_embeddings.ipynb"]
        config = clone / "_config.yml"
        config.write_text(config.read_text().replace('url: ""', "url: https://github.com/owner/name"))
        notebook = nbformat.reads(handout.student_files(clone)["lab1_embeddings.ipynb"].decode(), 4)
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        assert "%pip install --quiet git+https://github.com/owner/name" in first.source

    def test_students_get_the_library_and_all_they_install_from(
        self, clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("autobuild_lib", "autobuild_book", "pyproject.toml", "constraints.txt", *distributions.SHARED):
            (clone / name).symlink_to(ROOT / name)
        monkeypatch.chdir(clone)
        assert main(["labs", "make"]) == 0
        paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
        assert [path.name for path in paths] == [handout.STUDENTS, handout.TEACHERS]
        with zipfile.ZipFile(paths[0]) as archive:
            lines = archive.read(f"labs/{handout.INSTALL}").decode().splitlines()
            inside = {name.removeprefix("labs/") for name in archive.namelist()}
        wheels = [line.removeprefix("./") for line in lines if line.endswith(".whl")]
        assert [name.partition("-")[0] for name in wheels] == ["autobuild_lib", "autobuild_book"]
        assert {*wheels, "constraints.txt"} <= inside and lines[-1] == "-c constraints.txt"


class TestInstructions:
    """Of the page that students get, and of the book's page."""

    @pytest.mark.parametrize("page", ["labs/student/README.md", "book/labs.md"])
    def test_three_lines_for_each_kind_of_shell(self, page: str) -> None:
        lines = [line.strip() for line in (ROOT / page).read_text().splitlines()]
        windows = lines.index("py -m venv autobuild")
        others = lines.index("python3 -m venv autobuild")
        for start, folder in ((windows, "autobuild\\Scripts\\"), (others, "autobuild/bin/")):
            install, notebooks = lines[start + 1 : start + 3]
            assert install.startswith(f"{folder}python -m pip install -r {handout.INSTALL}")
            assert notebooks == f"{folder}jupyter lab"
        before = lines[: max(windows, others)]
        assert not any(line.startswith(("source ", "make ", "git ", "cat <<")) for line in before)

    def test_no_newer_python_is_kept_out(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert project["requires-python"] == ">=3.11"


def submissions(course: Path, name: str) -> dict[str, NotebookNode]:
    """One student hands in the solution, one nothing, one a usual mistake, and one a split answer and a check less."""
    solution = nbformat.read(course.parent / "solutions" / f"{name}.ipynb", 4)
    empty = handout.student_version(nbformat.read(course / "source" / name / f"{name}.ipynb", 4))
    wrong, changed = copy.deepcopy(empty), copy.deepcopy(solution)
    answers(wrong)[0].source = "h0 = [np.dot(v, w) + b for v, w, b in check.categories.values()]"
    changed.cells.remove(checks(changed)[0])
    place = next(n for n, cell in enumerate(changed.cells) if cell.id == "ranking-loss")
    changed.cells.insert(place, copy.deepcopy(changed.cells[place]))
    for cell in changed.cells[place : place + 2]:
        cell.id = f"part-{changed.cells.index(cell)}"
    changed.cells[place].source, changed.cells[place + 1].source = changed.cells[place].source.splitlines()
    return {"ada": solution, "bob": empty, "eve": wrong, "sam": changed}


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("nbgrader"), reason="nbgrader is not installed (extra labs)")
def test_nbgrader_releases_the_same_notebook_and_grades_it(clone: Path) -> None:
    """In the course of the teachers' zip, with the commands of its page."""
    students, teachers = handout.build(clone, INSTALLED, clone / "out")
    zipfile.ZipFile(teachers).extractall(clone)
    course, name = clone / "labs-teachers" / "nbgrader", "lab1_embeddings"

    def nbgrader(*arguments: str) -> str:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-3000:]
        assert f"nbgrader {arguments[0]}" in TEACHERS_PAGE
        return done.stderr

    nbgrader("generate_assignment", name)
    released = nbformat.read(course / "release" / name / f"{name}.ipynb", 4)
    ours = nbformat.reads(zipfile.ZipFile(students).read(f"labs/{name}.ipynb"), 4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in ours.cells]
    for student, notebook in submissions(course, name).items():
        folder = course / "submitted" / student / name
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    assert "partial credit" not in nbgrader("autograde", name)
    nbgrader("generate_feedback", name)
    page = (course / "feedback" / "eve" / name / f"{name}.html").read_text()
    assert "Not yet." in page and "never negative" in page
    nbgrader("export")
    grades = pd.read_csv(course / "grades.csv").set_index("student_id")
    assert set(grades["max_score"]) == {12}
    assert grades["score"].to_dict() == {"ada": 12, "bob": 0, "eve": 0, "sam": 12}


@pytest.mark.slow
def test_a_kernel_shows_a_hint_without_a_traceback(clone: Path) -> None:
    from nbclient import NotebookClient

    notebook = handout.student_version(handout.read_source(LABS[0]))
    stop = next(n for n, cell in enumerate(notebook.cells) if cell.id == "check-node-embedding")
    notebook.cells = notebook.cells[: stop + 1]
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(clone)}}).execute()
    (output,) = notebook.cells[-1].outputs
    assert output.output_type == "error" and output.traceback == [f"Not yet. {EMPTY}"]

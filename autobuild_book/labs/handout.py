"""Turns the sources in `labs/` into what students and teachers get: notebooks, and two zip files with the library.

A source is a notebook as text (jupytext) in nbgrader's format, abbreviated: a cell to be answered has the metadata
`nbgrader={"grade_id": "name", "solution": true}` and its solution between `# BEGIN SOLUTION` and `# END SOLUTION`; a
check has `nbgrader={"grade_id": "check-name", "grade": true, "points": 1}`.
"""

import ast
import copy
import csv
import io
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autobuild_book import distributions
from autobuild_book.labs import otter, slides
from autobuild_book.labs.rosters import Roster
from autobuild_book.zips import zipped
from autobuild_lib.extras import extra
from autobuild_lib.storage import replace_bytes

with extra("book"):
    import jupytext
    import nbformat
    import yaml
    from nbformat import NotebookNode


STUB = "# Your answer:"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
SEEDED = re.compile(r"\bLab\(seed=(\d+)\)")
_SOLUTION = re.compile(r"^( *)# BEGIN SOLUTION\n(?:.*\n)*?\1# END SOLUTION$", re.MULTILINE)
_PLACEHOLDERS = re.compile(r"(?:^ *\w[\w, ]* = \.\.\.[.,# ]*.*\n)+(?= *# BEGIN SOLUTION)", re.MULTILINE)
_MARKERS = re.compile(r"^ *# (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)
STUDENTS, TEACHERS = "labs-students.zip", "labs-teachers.zip"
BY_STUDENT, SEEDS = "labs-by-student.zip", "seeds.csv"
INSTALL = "install.txt"  # what students install, for `pip install -r`


def sources(root: Path) -> list[Path]:
    """Return the labs' sources in the repository at `root`, in order."""
    return sorted((root / "labs").glob("lab[0-9]*.py"))


def read_source(path: Path, repository: str = "", seed: int = 0) -> NotebookNode:
    """Read a source as a notebook in nbgrader's full format, with ids that do not change.

    repository: address to install the library from; with one, a first cell does so where that is needed (Colab).
    seed: of the numbers that the exercises are about.
    """
    notebook: NotebookNode = jupytext.read(path)
    if seed:
        _set_seed(notebook, path, seed)
    if repository:
        first = next(n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code")
        notebook.cells.insert(first, nbformat.v4.new_code_cell(install_cell(repository)))  # type: ignore[no-untyped-call]
    for number, cell in enumerate(notebook.cells):
        grading = cell.metadata.get("nbgrader")
        cell.id = f"cell-{number}" if grading is None else grading["grade_id"]
        if grading is not None:
            grading.update(_completed(grading))
    notebook.metadata = {"kernelspec": dict(KERNEL), "language_info": {"name": "python"}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _set_seed(notebook: NotebookNode, path: Path, seed: int) -> None:
    """Let the cell that makes a lab's checks, and with them its numbers, do so from another seed."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and SEEDED.search(cell.source)]
    if len(cells) != 1:
        raise ValueError(f"{path}: {len(cells)} cells with Lab(seed=0); one should make the lab's numbers")
    cells[0].source = SEEDED.sub(f"Lab(seed={seed})", cells[0].source)


def _completed(grading: Mapping[str, object]) -> dict[str, object]:
    graded = bool(grading.get("grade"))
    return {"grade": graded, "locked": graded, "solution": not graded, "task": False, "schema_version": 3}


def install_cell(repository: str) -> str:
    """Return the code that installs the library in Colab, which does not bring it."""
    return f'import sys\n\nif "google.colab" in sys.modules:\n    %pip install --quiet git+{repository}'


def student_version(source: NotebookNode) -> NotebookNode:
    """Return a notebook without the solutions."""
    return _replaced(source, lambda code: _SOLUTION.sub(rf"\1{STUB}", code))


def solution_version(source: NotebookNode) -> NotebookNode:
    """Return a notebook with the solutions, and without the marks around them."""
    return _replaced(source, lambda code: _MARKERS.sub("", _PLACEHOLDERS.sub("", code)).rstrip("\n"))


def _replaced(source: NotebookNode, change: Callable[[str], str]) -> NotebookNode:
    notebook = copy.deepcopy(source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = change(cell.source)
    return notebook


def solution_names(stub: str) -> tuple[str, ...]:
    """Return the names that a cell to be answered defines, from the code of its student version."""
    names: list[str] = []
    for statement in ast.parse(stub).body:
        if isinstance(statement, ast.FunctionDef):
            names.append(statement.name)
        elif isinstance(statement, ast.Assign):
            nodes = (node for target in statement.targets for node in ast.walk(target))
            names += [node.id for node in nodes if isinstance(node, ast.Name)]
    return tuple(names)


def as_bytes(notebook: NotebookNode) -> bytes:
    """Return the file of a notebook."""
    text: str = nbformat.writes(notebook, sort_keys=True)  # type: ignore[no-untyped-call]
    return (text + "\n").encode()


def student_files(root: Path, seed: int = 0) -> dict[str, bytes]:
    """Return the student versions of a seed by file name."""
    url = repository_url(root)
    notebooks = {path.stem: student_version(read_source(path, url, seed)) for path in sources(root)}
    return {f"{name}.ipynb": as_bytes(notebook) for name, notebook in notebooks.items()}


def teacher_files(root: Path, seed: int = 0) -> dict[str, bytes]:
    """Return what only teachers get, by path: instructions, notes, sources, solutions; for nbgrader, and for Otter."""
    folder, url = root / "labs", repository_url(root)
    files = {"README.md": (folder / "README.md").read_bytes()}
    files |= {f"notes/{path.name}": path.read_bytes() for path in (folder / "notes").glob("*.md")}
    files["nbgrader/nbgrader_config.py"] = (folder / "nbgrader_config.py").read_bytes()
    for path in sources(root):
        notebook = read_source(path, url, seed)
        files[f"slides/{path.stem}.html"] = slides.slides(student_version(notebook)).encode()
        files[f"labs/{path.name}"] = path.read_bytes()
        files[f"solutions/{path.stem}.ipynb"] = as_bytes(solution_version(notebook))
        files[f"nbgrader/source/{path.stem}/{path.stem}.ipynb"] = as_bytes(notebook)
        files[f"otter/{path.stem}/{path.stem}.ipynb"] = as_bytes(otter.assignment(notebook))
        files[f"otter/{path.stem}/requirements.txt"] = b"autobuild-book\n"
    return files


def repository_url(root: Path) -> str:
    """Return the public address of the repository that `_config.yml` states; empty when there is none yet."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return str(config.get("repository", {}).get("url") or "")


def build(
    root: Path, installed: Mapping[str, bytes], out: Path, seed: int = 0, roster: Roster | None = None
) -> list[Path]:
    """Write the zips into the folder `out`, and the student versions of seed 0 into labs/student; return the files.

    installed: files that students install from, by name, which both zips hold. roster: students who get numbers of
    their own, in a third zip; a table says which seed is whose.
    """
    students, folder = student_files(root, seed), root / "labs" / "student"
    if seed == 0:
        for name, content in students.items():
            replace_bytes(folder / name, content)
    readme = {"README.md": (folder / "README.md").read_bytes()}
    shared = {} if roster else students
    zips = {
        STUDENTS: zipped("labs", {**shared, **readme, **installed}),
        TEACHERS: zipped("labs-teachers", {**teacher_files(root, seed), **installed}),
    }
    if roster:
        zips |= {BY_STUDENT: zipped("labs", _by_student(root, roster)), SEEDS: _seeds(roster)}
    for name, content in zips.items():
        replace_bytes(out / name, content)
    return [out / name for name in zips]


def _by_student(root: Path, roster: Roster) -> dict[str, bytes]:
    """Return the student versions of everybody on a list, each in a folder of their own."""
    return {
        f"{student.folder}/{name}": content
        for student in roster.students
        for name, content in student_files(root, roster.seed_of(student)).items()
    }


def _seeds(roster: Roster) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["Full name", "ID", "seed"])
    rows.writerows((student.name, student.identifier, roster.seed_of(student)) for student in roster.students)
    return text.getvalue().encode()


def installation(wheels: Sequence[Path], constraints: Path) -> dict[str, bytes]:
    """Return the files that students install from, by name: wheels, versions, and a list of both for pip."""
    lines = [*(f"./{wheel.name}" for wheel in wheels), "jupyterlab", f"-c {constraints.name}"]
    files = {path.name: path.read_bytes() for path in (*wheels, constraints)}
    return {INSTALL: "".join(f"{line}\n" for line in lines).encode(), **files}


def library_files(root: Path) -> dict[str, bytes]:
    """Build the library of the clone at `root`; return the files that students install from, by name."""
    with tempfile.TemporaryDirectory() as folder:
        return installation(distributions.wheels(root, Path(folder)), root / "constraints.txt")

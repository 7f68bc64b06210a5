"""Turns the sources in `labs/` into what students and teachers get: notebooks, and two zip files.

A source is a notebook as text (jupytext) in nbgrader's format, abbreviated: a cell to be answered has the metadata
`nbgrader={"grade_id": "name", "solution": true}` and its solution between `# BEGIN SOLUTION` and `# END SOLUTION`; a
check has `nbgrader={"grade_id": "check-name", "grade": true, "points": 1}`.
"""

import copy
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from autobuild_book.zips import zipped
from autobuild_lib.extras import extra

with extra("book"):
    import jupytext
    import nbformat
    import yaml
    from nbformat import NotebookNode


STUB = "# Your answer:"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_SOLUTION = re.compile(r"^( *)# BEGIN SOLUTION\n(?:.*\n)*?\1# END SOLUTION$", re.MULTILINE)
_PLACEHOLDERS = re.compile(r"(?:^ *\w[\w, ]* = \.\.\.[.,# ]*.*\n)+(?= *# BEGIN SOLUTION)", re.MULTILINE)
_MARKERS = re.compile(r"^ *# (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)
STUDENTS, TEACHERS = "labs-students.zip", "labs-teachers.zip"


def sources(root: Path) -> list[Path]:
    """Return the labs' sources in the repository at `root`, in order."""
    return sorted((root / "labs").glob("lab[0-9]*.py"))


def read_source(path: Path, repository: str = "") -> NotebookNode:
    """Read a source as a notebook in nbgrader's full format, with ids that do not change.

    repository: address to install the library from; with one, a first cell does so where that is needed (Colab).
    """
    notebook: NotebookNode = jupytext.read(path)
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


def as_bytes(notebook: NotebookNode) -> bytes:
    """Return the file of a notebook."""
    text: str = nbformat.writes(notebook, sort_keys=True)  # type: ignore[no-untyped-call]
    return (text + "\n").encode()


def student_files(root: Path) -> dict[str, bytes]:
    """Return the student versions by file name."""
    url = repository_url(root)
    return {f"{path.stem}.ipynb": as_bytes(student_version(read_source(path, url))) for path in sources(root)}


def teacher_files(root: Path) -> dict[str, bytes]:
    """Return what only teachers get, by path: instructions, notes, solutions, and a course for nbgrader."""
    folder, url = root / "labs", repository_url(root)
    files = {"README.md": (folder / "README.md").read_bytes()}
    files |= {f"notes/{path.name}": path.read_bytes() for path in (folder / "notes").glob("*.md")}
    files["nbgrader/nbgrader_config.py"] = (folder / "nbgrader_config.py").read_bytes()
    for path in sources(root):
        notebook = read_source(path, url)
        files[f"solutions/{path.stem}.ipynb"] = as_bytes(solution_version(notebook))
        files[f"nbgrader/source/{path.stem}/{path.stem}.ipynb"] = as_bytes(notebook)
    return files


def repository_url(root: Path) -> str:
    """Return the public address of the repository that `_config.yml` states; empty when there is none yet."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return str(config.get("repository", {}).get("url") or "")


def build(root: Path) -> list[Path]:
    """Write the student versions into labs/student and the zips into artifacts/labs; return the zips."""
    students, out = student_files(root), root / "artifacts" / "labs"
    for name, content in students.items():
        (root / "labs" / "student" / name).write_bytes(content)
    out.mkdir(parents=True, exist_ok=True)
    readme = {"README.md": (root / "labs" / "student" / "README.md").read_bytes()}
    (out / STUDENTS).write_bytes(zipped("labs", students | readme))
    (out / TEACHERS).write_bytes(zipped("labs-teachers", teacher_files(root)))
    return [out / STUDENTS, out / TEACHERS]


def main() -> int:
    """Build the labs of the repository in the current folder: `python -m autobuild_book.labs.handout`."""
    for path in build(Path.cwd()):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

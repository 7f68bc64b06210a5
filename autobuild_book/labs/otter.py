"""The labs in the format of Otter-Grader's `otter assign` (7.0), from the same sources as everything else."""

import copy
from collections.abc import Iterator

from autobuild_lib.extras import extra

with extra("book"):
    import nbformat
    from nbformat import NotebookNode

CONFIG = """# ASSIGNMENT CONFIG
init_cell: true
check_all_cell: false
export_cell: false
save_environment: false
requirements: requirements.txt
generate:
  show_stdout: true"""


def assignment(source: NotebookNode) -> NotebookNode:
    """Turn a lab's source, as `handout.read_source` gives it, into the notebook that `otter assign` takes."""
    notebook = copy.deepcopy(source)
    cells = list(source.cells)
    notebook.cells = [_raw(CONFIG)]
    place = 0
    while place < len(cells):
        if cells[place].metadata.get("nbgrader", {}).get("solution"):
            checks = _checks_after(cells, place)
            notebook.cells += _question(cells[place], checks)
            place += len(checks)
        else:
            notebook.cells.append(_without_metadata(cells[place]))
        place += 1
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    return notebook


def _checks_after(cells: list[NotebookNode], place: int) -> list[NotebookNode]:
    checks = []
    for cell in cells[place + 1 :]:
        if not cell.metadata.get("nbgrader", {}).get("grade"):
            break
        checks.append(cell)
    return checks


def _question(answer: NotebookNode, checks: list[NotebookNode]) -> Iterator[NotebookNode]:
    points = sum(check.metadata.nbgrader.points for check in checks)
    yield _raw(f"# BEGIN QUESTION\nname: {answer.metadata.nbgrader.grade_id.replace('-', '_')}\npoints: {points}")
    yield _raw("# BEGIN SOLUTION")
    solution = _without_metadata(answer)
    solution.source = solution.source.replace("# BEGIN SOLUTION", "# BEGIN SOLUTION NO PROMPT")
    yield solution
    yield _raw("# END SOLUTION")
    yield _raw("# BEGIN TESTS")
    for check in checks:
        test = _without_metadata(check)
        config = f'""" # BEGIN TEST CONFIG\npoints: {check.metadata.nbgrader.points}\n""" # END TEST CONFIG'
        test.source = f"{config}\n_ = {check.source}"  # prints nothing: a test compares what is printed
        yield test
    yield _raw("# END TESTS")
    yield _raw("# END QUESTION")


def _raw(text: str) -> NotebookNode:
    return nbformat.v4.new_raw_cell(text)  # type: ignore[no-untyped-call,no-any-return]


def _without_metadata(cell: NotebookNode) -> NotebookNode:
    plain = copy.deepcopy(cell)
    plain.metadata = {}
    return plain

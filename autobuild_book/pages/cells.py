"""Cells of notebooks: what they say, which ran, and what they refer to."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Cell: TypeAlias = Mapping[str, Any]

LABEL = re.compile(r"^\((\S+)\)=\s*$|^:?(?:name|label): *(\S+)|^\$\$ *\((\S+)\)", re.MULTILINE)
GLUED = re.compile(r"\{glue(?::\w*)?\}`([^`:]+)[^`]*`")
FIGURE = re.compile(r"^(`{3,}|:{3,})\{glue(?::\w+)?\} *(\S+).*?^\1\s*?$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^# .*$", re.MULTILINE)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x09\x0b-\x1f\x7f]")  # colours, and what is no text
SECTION = re.compile(r"^##+ +(.*)$", re.MULTILINE)


def text_of(cell: Cell) -> str:
    """Return the source of a cell."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def markdown_cell(name: str, text: str) -> Cell:
    """Make a cell of Markdown."""
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def labels(cells: Sequence[Cell]) -> set[str]:
    """Return the labels that the text of cells defines, for other pages to refer to."""
    return {name for cell in _texts(cells) for labels in LABEL.findall(text_of(cell)) for name in labels if name}


def sections(cells: Sequence[Cell]) -> list[str]:
    """Return the headings of cells below their title."""
    return [heading for cell in _texts(cells) for heading in SECTION.findall(text_of(cell))]


def _texts(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell["cell_type"] == "markdown"]


# ----------------------------------------------------------- what ran


def cells_that_ran(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells up to the first that raised an error, or else up to the last that ran, without papermill's own."""
    kept = [cell for cell in cells if "papermill-error-cell-tag" not in _tags(cell)]
    raised = [number for number, cell in enumerate(kept) if error_of(cell)]
    ran = [number for number, cell in enumerate(kept) if cell.get("execution_count") is not None]
    return kept[: (raised[:1] or ran[-1:] or [-1])[0] + 1]


def error_of(cell: Cell) -> str:
    """Return the error that a cell raised, in a line; "" for none."""
    for output in _errors(cell):
        lines = f"{output['ename']}: {output['evalue']}".split("\n")
        return lines[0].strip()
    return ""


def _errors(cell: Cell) -> list[Mapping[str, Any]]:
    return [output for output in cell.get("outputs", []) if output["output_type"] == "error"]


def _tags(cell: Cell) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def shown(cell: Cell, root: Path) -> Cell:
    """Return a cell so that its page shows the error it raised: whole, in plain text, without folders; others as is."""
    if not error_of(cell):
        return cell
    outputs = [{**output, "traceback": [without_folders(line, root) for line in output["traceback"]]}
               if output["output_type"] == "error" else output for output in cell["outputs"]]  # fmt: skip
    return {**cell, "metadata": {"mystnb": {"error_lexer": "text"}}, "outputs": outputs}


def without_folders(text: str, root: Path) -> str:
    """Return a text without control characters and without the folders of the machine that it was printed on."""
    return hide_folders(CONTROL.sub("", text), root)


def hide_folders(text: str, root: Path) -> str:
    """Return a text without the folders of the machine that it was printed on."""
    for folder, instead in ((root.resolve(), ""), (Path(sys.prefix), ""), (Path.home(), "~/")):
        text = text.replace(f"{folder}/", instead)
    return text


# ----------------------------------------------------------- what cells refer to


def without_unmade(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells whose text refers to no number and no figure that the cells did not make."""
    made = {glued_name(output) for cell in cells for output in cell.get("outputs", [])}

    def number(match: re.Match[str]) -> str:
        return match[0] if match[1].strip() in made else "–"

    def figure(match: re.Match[str]) -> str:
        return match[0] if match[2] in made else "*This figure was not drawn.*"

    def checked(cell: Cell) -> Cell:
        return {**cell, "source": GLUED.sub(number, FIGURE.sub(figure, text_of(cell)))}

    return [checked(cell) if cell["cell_type"] == "markdown" else cell for cell in cells]


def glued_name(output: Mapping[str, Any]) -> str:
    """Return the name under which an output was glued; "" for none."""
    return str(output.get("metadata", {}).get("scrapbook", {}).get("name", ""))


def with_banner(cells: Sequence[Cell], banner: str) -> list[Cell]:
    """Return cells with a banner below the title that the first of them has."""
    first = TITLE.sub(lambda title: f"{title[0]}\n\n{banner}", text_of(cells[0]), count=1)
    return [{**cells[0], "source": first}, *cells[1:]]

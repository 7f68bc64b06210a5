"""Narrow renderings of figures, for phones: from outputs of notebooks into files that pages offer beside the wide."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autobuild_book.figures.pictures import NARROW_TYPE
from autobuild_book.pages.cells import Cell

GLUED = "application/papermill.record/"  # before the types of what is glued without being shown
FOLDER = Path("static") / "narrow"  # in artifacts/book; book/extensions/two_widths.py looks there


def without_narrow(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells whose outputs hold the wide figures only."""
    return [{**cell, "outputs": [*map(_wide, cell["outputs"])]} if "outputs" in cell else cell for cell in cells]


def _wide(output: Mapping[str, Any]) -> Mapping[str, Any]:
    wide = {kind: value for kind, value in output.get("data", {}).items() if kind.removeprefix(GLUED) != NARROW_TYPE}
    return {**output, "data": wide} if "data" in output else output


def narrow_files(cells: Sequence[Cell]) -> Iterator[tuple[str, bytes]]:
    """Yield each narrow figure of cells and the name that MyST-NB gives the wide one: its SHA-256."""
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        data = {kind.removeprefix(GLUED): value for kind, value in output.get("data", {}).items()}
        if "image/png" in data and NARROW_TYPE in data:
            wide, narrow = (base64.b64decode("".join(data[kind])) for kind in ("image/png", NARROW_TYPE))
            yield f"{hashlib.sha256(wide).hexdigest()}.png", narrow


def write_narrow(cells: Sequence[Cell], folder: Path) -> None:
    """Write the narrow figures of cells into the folder of the book's pages."""
    for name, content in narrow_files(cells):
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        (folder / FOLDER / name).write_bytes(content)

"""Runs a notebook of an archive again, with the code that is installed here, and compares its tables."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd

from autobuild_book.archives.verifying import check, read
from autobuild_book.pages.executed import ANY_NOTEBOOK, NOTEBOOK, RECORD, read_json, read_notebook
from autobuild_book.zips import opened
from autobuild_lib.storage import replace_bytes, replace_json

INJECTED = "injected-parameters"  # papermill's tag for the cell that it adds
ARCHIVED = "archived"  # folder of what comes from the archive


def rerun(path: Path, place: str, out: Path) -> list[str]:
    """Run a notebook of a checked archive again into a new or empty folder; return lines that compare what it made.

    Args:
        path: the archive.
        place: of the notebook in it, with or without ".ipynb".
        out: the folder; what the notebook was and wrote then goes into its folder `archived`.

    Raises `ValueError` for an archive with problems, a notebook that is not in it, and a folder that holds something.
    """
    check(path)
    place = place.removesuffix(".ipynb")
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out}: holds files; give a new or an empty folder")
    with opened(path) as archive:
        notebooks = [name.removesuffix(".ipynb") for name in archive.namelist() if name.endswith(".ipynb")]
        if place not in notebooks:
            raise ValueError(f"{path}: no notebook {place!r}; choose from {', '.join(notebooks)}")
        name = PurePosixPath(place).name
        _extract(archive, place, out / ARCHIVED)
    parameters = _prepare(out / ARCHIVED / f"{name}.ipynb", out / ARCHIVED / "source.ipynb")
    command = [sys.executable, "-m", "autobuild_book.chain.job", name, json.dumps(parameters | {"out": str(out)})]
    subprocess.run([*command, str(out / ARCHIVED / "source.ipynb")], check=True)  # noqa: S603
    return [*_circumstances(out, name), *compare_tables(out / ARCHIVED / name, out / name)]


def _extract(archive: ZipFile, place: str, folder: Path) -> None:
    """Write a notebook and what it wrote into a folder."""
    parent = PurePosixPath(place).parent
    for name in archive.namelist():
        if name == f"{place}.ipynb" or name.startswith(f"{place}/"):
            replace_bytes(folder / PurePosixPath(name).relative_to(parent), read(archive, name))


def _prepare(executed: Path, source: Path) -> dict[str, Any]:
    """Write the notebook as it was before it ran, and return the parameters that it ran with."""
    notebook = read_notebook(executed, NOTEBOOK)
    parameters: dict[str, Any] = notebook["metadata"].pop("papermill")["parameters"]
    cells = [cell for cell in notebook["cells"] if INJECTED not in cell["metadata"].get("tags", ())]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    replace_json(source, notebook | {"cells": cells})
    read_notebook(source, ANY_NOTEBOOK)
    return parameters


def _circumstances(out: Path, name: str) -> Iterator[str]:
    """Say what differs between then and now, beside the results."""
    then, now = (read_json(folder / name / "metrics.json", RECORD) for folder in (out / ARCHIVED, out))
    if then["sources"] != now["sources"]:
        yield f"other code: sha256 {then['sources'][:12]} then, {now['sources'][:12]} now"
    for package in sorted(then["versions"].keys() & now["versions"].keys()):
        if then["versions"][package] != now["versions"][package]:
            yield f"another {package}: {then['versions'][package]} then, {now['versions'][package]} now"
    if then["machine"] != now["machine"]:
        yield f"another machine: {then['machine']} then, {now['machine']} now"


def compare_tables(then: Path, now: Path) -> list[str]:
    """Return a line for each table that differs between two folders, and one that counts those that do not."""
    names = sorted({path.name for folder in (then, now) for path in folder.glob("*.csv")})
    differences = {name: _difference(then / name, now / name) for name in names}
    same = [name for name, difference in differences.items() if not difference]
    lines = [f"{name}: {difference}" for name, difference in differences.items() if difference]
    return [*lines, f"{len(same)} of {len(names)} tables have the same bytes"]


def _difference(then: Path, now: Path) -> str:
    """Say how a table differs from what it was; "" where it has the same bytes."""
    if not (then.is_file() and now.is_file()):
        return "was not made this time" if then.is_file() else "was not there"
    before, after = then.read_bytes(), now.read_bytes()
    if before == after:
        return ""
    try:
        old, new = (pd.read_csv(io.BytesIO(content)) for content in (before, after))
    except ValueError:
        return "differs"
    if old.shape != new.shape or list(old.columns) != list(new.columns):
        return f"differs: {old.shape[0]:,} rows of {old.shape[1]} columns then, {new.shape[0]:,} of {new.shape[1]} now"
    columns = [column for column in old.columns if not old[column].equals(new[column])]
    return f"differs in {', '.join(map(str, columns)) or 'its form'}{_largest(old[columns], new[columns])}"


def _largest(old: pd.DataFrame, new: pd.DataFrame) -> str:
    """Return the largest difference of numbers, in brackets."""
    numbers = [np.abs(old[c].to_numpy(float) - new[c].to_numpy(float)) for c in old.select_dtypes("number").columns
               if c in new.select_dtypes("number").columns]  # fmt: skip
    return f" (by at most {np.nanmax(np.concatenate(numbers)):.3g})" if numbers else ""

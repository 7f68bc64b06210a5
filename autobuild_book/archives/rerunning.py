"""Runs a notebook of an archive again, with the code that is installed here, and compares its tables."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
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
TOLERANCE = 0.01  # of numbers that another machine computed


def rerun(path: Path, place: str, out: Path) -> tuple[list[str], bool]:
    """Run a notebook of a checked archive again into a new or empty folder, and compare what it made.

    Returns lines about that, and whether all is the same: exactly on the same machine; numbers within `TOLERANCE`, of
    the larger one, on another.

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
    then, now = (folder / name for folder in (out / ARCHIVED, out))
    records = [read_json(folder / "metrics.json", RECORD) for folder in (then, now)]
    tolerance = 0.0 if records[0]["machine"] == records[1]["machine"] else TOLERANCE
    tables, tables_same = compare_tables(then, now, tolerance)
    metrics, metrics_same = compare_metrics(records[0]["metrics"], records[1]["metrics"], tolerance)
    return [*_circumstances(*records), *tables, *metrics], tables_same and metrics_same


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


def _circumstances(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Say what differs between the records of then and now, beside the results."""
    if then["sources"] != now["sources"]:
        yield f"other code: sha256 {then['sources'][:12]} then, {now['sources'][:12]} now"
    for package in sorted(then["versions"].keys() & now["versions"].keys()):
        if then["versions"][package] != now["versions"][package]:
            yield f"another {package}: {then['versions'][package]} then, {now['versions'][package]} now"
    if then["machine"] != now["machine"]:
        yield f"another machine: {then['machine']} then, {now['machine']} now"


def compare_metrics(then: Any, now: Any, tolerance: float) -> tuple[list[str], bool]:
    """Return a line for each metric that differs, and one that counts those that do not; and whether none does."""
    before, after = dict(_leaves(then)), dict(_leaves(now))
    names = list(dict.fromkeys([*before, *after]))
    lines = [
        f"metric {name}: {before.get(name, 'none')} then, {after.get(name, 'none')} now"
        for name in names
        if not (name in before and name in after and _alike(before[name], after[name], tolerance))
    ]
    within = f" (numbers within {tolerance:.1%})" if tolerance else ""
    return [*lines, f"{len(names) - len(lines)} of {len(names)} metrics are the same{within}"], not lines


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield everything in metrics that holds nothing else, with a name that says where it is."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _leaves(part, f"{name}[{number}]")
    else:
        yield name, value


def _alike(then: Any, now: Any, tolerance: float) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (then, now))
    return bool(np.isclose(then, now, rtol=tolerance, atol=0)) if numbers and tolerance else then == now


def compare_tables(then: Path, now: Path, tolerance: float) -> tuple[list[str], bool]:
    """Return a line for each table that differs, and one that counts those that do not; and whether all are alike."""
    names = sorted({path.name for folder in (then, now) for path in folder.glob("*.csv")})
    differences = {name: _difference(then / name, now / name) for name in names}
    same = [name for name, difference in differences.items() if not difference]
    lines = [f"{name}: {difference}" for name, difference in differences.items() if difference]
    alike = all(name in same or _tables_alike(then / name, now / name, tolerance) for name in names)
    return [*lines, f"{len(same)} of {len(names)} tables have the same bytes"], alike


def _tables_alike(then: Path, now: Path, tolerance: float) -> bool:
    """Say whether two tables of other bytes are the same but for numbers within a tolerance."""
    if not tolerance or not (then.is_file() and now.is_file()):
        return False
    try:
        old, new = pd.read_csv(then), pd.read_csv(now)
        pd.testing.assert_frame_equal(old, new, check_exact=False, rtol=tolerance, atol=0, check_dtype=False)
    except (AssertionError, ValueError):
        return False
    return True


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

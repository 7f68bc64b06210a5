"""The run that a folder holds already: another one is not overwritten without being asked to."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autobuild_book.lines import brief
from autobuild_book.runs.metrics import NOT_COMPARED, read_metrics
from autobuild_lib.storage import json_text, parse_json

OVERWRITE = "AUTOBUILD_OVERWRITE"  # in the environment, to replace whatever run a folder holds
CODE = {"sources": "the sources of the library", "notebook_sha256": "the notebook's code"}


class AnotherRunError(ValueError):
    """A folder holds the results of another run."""


def read(folder: Path) -> dict[str, Any]:
    """Return what metrics.json of a folder records, {} where there is none or it may be overwritten, which removes it.

    Raises `ValueError` for a file that is no record of a run.
    """
    path = folder / "metrics.json"
    if os.environ.get(OVERWRITE, "0") not in ("", "0"):
        path.unlink(missing_ok=True)
    return read_metrics(path) if path.is_file() else {}


def check_same(folder: Path, earlier: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on in a folder that holds another run.

    Args:
        folder: of the notebook.
        earlier: from `read`.
        now: of the run that begins: notebook, parameters, and what is in `CODE`; None is not known, and not compared.

    Raises:
        AnotherRunError: for another notebook, other parameters (`out` aside), or other code.
    """
    if found := differences(earlier, now):
        raise another(folder, found)


def differences(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say in which way a run is another one than an earlier one, see `check_same`; nothing where it is not."""
    if not earlier:
        return []
    if earlier["notebook"] != now["notebook"]:
        return [f"of {brief(earlier['notebook'])}"]
    return [*_parameters(earlier["parameters"], now["parameters"]), *_code(earlier, now)]


def check_data(folder: Path, earlier: Mapping[str, Any], table: Mapping[str, Any]) -> None:
    """Refuse a table, given its description, of which the earlier run in a folder used other rows; see `check_same`."""
    before = [each for each in earlier.get("data", ()) if isinstance(each, dict)]
    alike = [each.get("sha256") for each in before if all(each.get(key) == table[key] for key in ("source", "part"))]
    if alike and table["sha256"] not in alike:
        raise another(folder, [f"the rows of {brief(table['source'])} were others"])


def another(folder: Path, differences: Sequence[str]) -> AnotherRunError:
    """Return the error about a folder, and in which way its run is another one."""
    remedy = f"give another out, or set {OVERWRITE}=1 in the environment to replace it"
    return AnotherRunError(f"{folder} holds another run ({'; '.join(differences)}): {remedy}")


def _parameters(before: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[str]:
    after = parse_json(json_text(parameters))
    for name in dict.fromkeys([*after, *before]):
        if name not in NOT_COMPARED and before.get(name) != after.get(name):
            yield f"{name} was {brief(repr(before.get(name)))} and is {brief(repr(after.get(name)))}"


def _code(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key, what in CODE.items():
        if (before := earlier.get(key)) and now[key] and before != now[key]:
            yield f"{what} changed since"

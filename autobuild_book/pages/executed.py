"""Executed notebooks, read strictly, and the check that the metrics beside each belong to it."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autobuild_lib import storage
from autobuild_lib.extras import extra

with extra("book"):
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError, best_match
    from nbformat.validator import iter_validate

LENGTH = 200  # characters of a message

LINE = {"type": "string", "pattern": r"^[^\r\n]*$"}
DATA = {"source": LINE, "kind": LINE, "rows": {"type": "integer", "minimum": 0}, "sha256": LINE}
PACKAGES = ("autobuild-book", "python", "torch")


def _object(*others: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties, *others]}


DIFFERENCE = _object(spreads={"type": ["number", "null"]})
RECORD = _object(
    notebook=LINE,
    parameters=_object(profile=LINE),
    data={"type": "array", "items": _object(**DATA)},
    versions=_object(*PACKAGES) | {"additionalProperties": LINE},
    machine=LINE,
    sources={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    seconds={"type": "number", "minimum": 0, "maximum": 1e9},
    metrics={"type": "object", "properties": {"differences": {"type": "array", "items": DIFFERENCE}}},
)
NOTEBOOK = _object(
    nbformat={"const": 4},
    nbformat_minor={"type": "integer"},
    cells={"type": "array", "minItems": 1},
    metadata=_object(papermill=_object(parameters={"type": "object"}, end_time=LINE)),
)
ANY_NOTEBOOK = _object(
    nbformat={"const": 4}, nbformat_minor={"type": "integer"}, cells={"type": "array", "minItems": 1}
)


class StaleError(ValueError):
    """Metrics are missing, odd, or were not written by the notebook beside them."""


@dataclass(frozen=True)
class Executed:
    """An executed notebook and its metrics.json.

    folder: of its tables and metrics. content: the notebook as JSON. record: what `Run.finish` wrote.
    """

    name: str
    folder: Path
    content: Mapping[str, Any]
    record: Mapping[str, Any]

    @property
    def profile(self) -> str:
        """The profile that the notebook ran with."""
        return str(self.record["parameters"]["profile"])

    @property
    def kinds(self) -> str:
        """The kinds of data that the notebook used."""
        return ", ".join(dict.fromkeys(table["kind"] for table in self.record["data"])) or "none"

    @property
    def ended(self) -> str:
        """Date and time at which papermill ended the notebook, in UTC."""
        return str(self.content["metadata"]["papermill"]["end_time"])[:16].replace("T", " ")

    def metric(self, name: str) -> Any:
        """Return one metric. Raises `StaleError` for one that the notebook did not write."""
        if name not in self.record["metrics"]:
            raise StaleError(f"{_shown(self.folder)} has no metric {name!r}")
        return self.record["metrics"][name]

    def table(self, name: str) -> Path:
        """Return the path of one of its tables. Raises `StaleError` for one that the notebook did not write."""
        path = self.folder / f"{name}.csv"
        if not path.is_file():
            raise StaleError(f"{_shown(self.folder, path.name)} is missing")
        return path


def read_executed(path: Path, profile: str) -> Executed:
    """Read an executed notebook of a profile.

    Raises `StaleError` if it is no notebook that papermill has run, and if it has no metrics, odd ones, or some that
    were written by a run with another profile, other parameters or other sources of the library.
    """
    folder = path.with_suffix("")
    file = folder / "metrics.json"
    if not file.is_file():
        raise StaleError(f"{_shown(folder)} is missing")
    record, content = read_json(file, RECORD), read_notebook(path, NOTEBOOK)
    if wrong := _difference(path.stem, content, record, profile):
        raise StaleError(f"{_shown(folder)} does not belong to the notebook beside it ({wrong})")
    return Executed(path.stem, folder, content, record)


def read_notebook(path: Path, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read a notebook that agrees with the format of notebooks and with a JSON schema, or raise `StaleError`."""
    content = read_json(path, schema)
    errors: Iterator[ValidationError] = iter_validate(content, relax_add_props=True)  # type: ignore[no-untyped-call]
    for error in errors:
        raise StaleError(f"{path.name} is no notebook: {shorter(error.message)}")
    return content


def read_json(path: Path, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read a file of JSON that agrees with a JSON schema, or raise `StaleError`.

    NaN and Infinity, which are not JSON but which Python writes, are read as null: a number that is not known.
    """
    try:
        value = storage.read_json(path, nan_as_null=True)
    except (OSError, ValueError) as error:
        raise StaleError(f"{path.name} cannot be read: {shorter(str(error))}") from None
    if wrong := best_match(Draft202012Validator(schema).iter_errors(value)):
        raise StaleError(f"{path.name} is odd at {wrong.json_path}: {shorter(wrong.message)}")
    return value


def _difference(name: str, content: Mapping[str, Any], record: Mapping[str, Any], profile: str) -> str:
    """Say what differs between an executed notebook and the record beside it; "" when nothing does."""
    if record["notebook"] != name:
        return f"it is of {record['notebook']}"
    for key, value in {"profile": profile, **content["metadata"]["papermill"]["parameters"]}.items():
        recorded = record["parameters"].get(key)
        if recorded != value:
            return shorter(f"parameter {key} is {recorded!r}, there {value!r}")
    if record["sources"][:12] not in json.dumps(content["cells"][-1].get("outputs", [])):
        return "other sources of the library"
    return ""


def _shown(folder: Path, file: str = "metrics.json") -> str:
    return f"artifacts/{folder.parent.name}/{folder.name}/{file}"


def shorter(message: str) -> str:
    """Cut a message, which may quote a whole file, down to a line."""
    return textwrap.shorten(message, LENGTH)

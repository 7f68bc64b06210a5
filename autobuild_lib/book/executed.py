"""Executed notebooks, and the check that the metrics beside each belong to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class StaleError(ValueError):
    """Metrics are missing, or were not written by the notebook beside them."""


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
            raise StaleError(f"{_shown(self.folder)} has no metric {name!r}: {_remedy(self.profile)}")
        return self.record["metrics"][name]

    def table(self, name: str) -> Path:
        """Return the path of one of its tables. Raises `StaleError` for one that the notebook did not write."""
        path = self.folder / f"{name}.csv"
        if not path.is_file():
            raise StaleError(f"{_shown(self.folder, path.name)} is missing: {_remedy(self.profile)}")
        return path


def read_executed(profile: str, root: Path) -> dict[str, Executed]:
    """Read the executed notebooks of a profile in the repository at `root`, by name.

    Raises `FileNotFoundError` if there are none, and `StaleError` if one has no metrics, or metrics that were written
    by a run with another profile, other parameters or other sources of the library.
    """
    source = root / "artifacts" / profile
    found = {path.stem: _read(path, profile) for path in sorted(source.glob("*.ipynb"))}
    if not found:
        raise FileNotFoundError(f"no notebooks in artifacts/{profile}: {_remedy(profile)}")
    return found


def needed(executed: Mapping[str, Executed], name: str) -> Executed:
    """Return one of the executed notebooks. Raises `StaleError` if it has not run."""
    if name not in executed:
        profile = next(iter(executed.values())).profile if executed else "standard"
        raise StaleError(f"artifacts/{profile}/{name}.ipynb is missing: {_remedy(profile)}")
    return executed[name]


def _read(path: Path, profile: str) -> Executed:
    folder = path.with_suffix("")
    file = folder / "metrics.json"
    if not file.is_file():
        raise StaleError(f"{_shown(folder)} is missing: {_remedy(profile)}")
    record = json.loads(file.read_text(encoding="utf-8"))
    content = json.loads(path.read_text(encoding="utf-8"))
    if wrong := _difference(path.stem, content, record, profile):
        raise StaleError(f"{_shown(folder)} does not belong to the notebook beside it ({wrong}): {_remedy(profile)}")
    return Executed(path.stem, folder, content, record)


def _difference(name: str, content: Mapping[str, Any], record: Mapping[str, Any], profile: str) -> str:
    """Say what differs between an executed notebook and the record beside it; "" when nothing does."""
    if missing := sorted({"notebook", "parameters", "data", "versions", "sources", "metrics"} - set(record)):
        return f"it has no {', '.join(missing)}"
    if record["notebook"] != name:
        return f"it is of {record['notebook']}"
    given = {"profile": profile, **content.get("metadata", {}).get("papermill", {}).get("parameters", {})}
    for key, value in given.items():
        own = record["parameters"].get(key)
        if own != value:
            return f"parameter {key} is {own!r}, there {value!r}"
    if record["sources"][:12] not in json.dumps(content["cells"][-1].get("outputs", [])):
        return "other sources of the library"
    return ""


def _shown(folder: Path, file: str = "metrics.json") -> str:
    return f"artifacts/{folder.parent.name}/{folder.name}/{file}"


def _remedy(profile: str) -> str:
    return f"run `make chain PROFILE={profile}`"

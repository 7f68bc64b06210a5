"""Artifacts of a notebook: tables, and metrics with everything needed to know where a number came from."""

import hashlib
import inspect
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_lib.data.table import Table
from autobuild_lib.storage import replace_text

PROFILES = ("quick", "standard", "paper")
NOT_PARAMETERS = ("In", "Out", "exit", "quit", "open", "get_ipython")  # what IPython itself puts beside them
VERSIONS = ("autobuild-book", "numpy", "pandas", "scipy", "torch")
LIBRARY = Path(__file__).parent
NOT_USED = ("book", "cli", "comparison.py", "labs", "sweeps.py")  # parts of the library that no notebook uses


@dataclass
class Run:
    """One execution of a notebook; it writes only inside `folder`."""

    notebook: str
    folder: Path
    parameters: dict[str, Any]
    data: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    sources: str = field(default_factory=lambda: library_digest())

    @classmethod
    def start(cls, notebook: str, given: Mapping[str, Any], allowed: Sequence[str]) -> "Run":
        """Begin a run: pass `globals()` right after the parameters cell.

        Raises `ValueError` for a parameter that is not in `allowed` (papermill itself lets it pass), for a missing
        one, and for an unknown profile.
        """
        parameters = {name: value for name, value in given.items() if _is_parameter(name, value)}
        if unknown := sorted(set(parameters) - set(allowed)):
            raise ValueError(f"{notebook}: unknown parameters {', '.join(unknown)}; allowed are {', '.join(allowed)}")
        if missing := sorted(set(allowed) - set(parameters)):
            raise ValueError(f"{notebook}: parameters are missing: {', '.join(missing)}")
        if parameters["profile"] not in PROFILES:
            raise ValueError(f"{notebook}: profile {parameters['profile']!r}; choose from {', '.join(PROFILES)}")
        folder = Path(parameters["out"]) / notebook
        folder.mkdir(parents=True, exist_ok=True)
        return cls(notebook, folder, parameters)

    def uses(self, table: Table) -> Table:
        """Note that a table is used, and return it."""
        self.data.append(table.describe())
        return table

    def table(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Make a table and write it as `name`.csv."""
        frame = make()
        replace_text(self.folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
        return frame

    def finish(self, **metrics: Any) -> dict[str, Any]:
        """Write metrics.json: the metrics, and the parameters, data, versions and seconds behind them."""
        record = self._record() | {"seconds": round(time.monotonic() - self.started, 1), "metrics": metrics}
        replace_text(self.folder / "metrics.json", json.dumps(record, indent=1, default=_plain) + "\n")
        return record

    def provenance(self) -> pd.DataFrame:
        """Return a small table for the end of a page, see `provenance_rows`."""
        return pd.DataFrame(provenance_rows(self._record()), columns=["built with", "value"]).set_index("built with")

    def _record(self) -> dict[str, Any]:
        return {
            "notebook": self.notebook,
            "parameters": self.parameters,
            "data": self.data,
            "versions": {"python": platform.python_version()} | {name: version(name) for name in VERSIONS},
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "sources": self.sources,
        }


def provenance_rows(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of what a record of metrics.json was made with: seeds, data, versions, sources."""
    parameters, versions = record["parameters"], record["versions"]
    rows = [("profile", parameters["profile"]), ("seed", str(parameters.get("seed", "none")))]
    if counts := [f"{name} {value}" for name, value in parameters.items() if name.endswith("seeds")]:
        rows.append(("numbers of seeds", ", ".join(counts)))
    for table in record["data"]:
        text = f"{table['kind']}, {table['rows']:,} rows, sha256 {table['sha256'][:12]}"
        rows.append((f"data {table['source']}", text))
    rows.append(("version", ", ".join(f"{name} {versions[name]}" for name in ("autobuild-book", "torch", "python"))))
    return [*rows, ("machine", record["machine"]), ("sources", f"sha256 {record['sources'][:12]}")]


def library_digest() -> str:
    """Return the sha256 of the sources that notebooks may use: the library without what no notebook uses."""
    digest = hashlib.sha256()
    for path in sorted(LIBRARY.rglob("*.py")):
        name = path.relative_to(LIBRARY)
        if name.parts[0] not in NOT_USED:
            digest.update(f"{name.as_posix()} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _is_parameter(name: str, value: Any) -> bool:
    internal = name.startswith("_") or name in NOT_PARAMETERS
    return not internal and not inspect.ismodule(value) and not callable(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"cannot write {type(value).__name__} to metrics.json")

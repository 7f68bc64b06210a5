"""Artifacts of a notebook: tables, and metrics with everything needed to know where a number came from."""

import inspect
import json
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


@dataclass
class Run:
    """One execution of a notebook; it writes only inside `folder`."""

    notebook: str
    folder: Path
    parameters: dict[str, Any]
    data: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

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
        record = {
            "notebook": self.notebook,
            "parameters": self.parameters,
            "data": self.data,
            "versions": {"python": platform.python_version()} | {name: version(name) for name in VERSIONS},
            "seconds": round(time.monotonic() - self.started, 1),
            "metrics": metrics,
        }
        replace_text(self.folder / "metrics.json", json.dumps(record, indent=1, default=_plain) + "\n")
        return record

    def provenance(self) -> pd.DataFrame:
        """Return a small table for the end of a page: profile, seed, data with checksum, version."""
        rows = [("profile", self.parameters["profile"]), ("seed", str(self.parameters.get("seed", "none")))]
        rows += [
            (f"data {d['source']}", f"{d['kind']}, {d['rows']:,} rows, sha256 {d['sha256'][:12]}") for d in self.data
        ]
        rows += [("version", f"autobuild-book {version('autobuild-book')}, torch {version('torch')}")]
        return pd.DataFrame(rows, columns=["built with", "value"]).set_index("built with")


def _is_parameter(name: str, value: Any) -> bool:
    internal = name.startswith("_") or name in NOT_PARAMETERS
    return not internal and not inspect.ismodule(value) and not callable(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"cannot write {type(value).__name__} to metrics.json")

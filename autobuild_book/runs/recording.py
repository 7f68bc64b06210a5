"""Artifacts of a notebook: tables, and metrics with everything needed to know where a number came from."""

import ast
import contextlib
import hashlib
import inspect
import json
import os
import platform
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.houses import digest, imported
from autobuild_book.runs import earlier, origins
from autobuild_book.runs.metrics import NOT_COMPARED
from autobuild_lib.data.table import Table
from autobuild_lib.storage import json_text, replace_json, replace_text

PROFILES = ("quick", "standard", "paper")
NOT_PARAMETERS = ("In", "Out", "exit", "quit", "open", "get_ipython")  # what IPython itself puts beside them
VERSIONS = ("autobuild-book", "numpy", "pandas", "scipy", "torch")
IN_ROWS_OF_THEIR_OWN = ("profile", "seed", "out")  # parameters that provenance does not list, or lists by themselves
EVERYWHERE = ("profile", "seed", "out")  # parameters of every notebook
MOST_SEED = 2**32 - 1
CELL = 50  # characters of a cell that pandas shows


@dataclass
class Run:
    """One execution of a notebook; it writes only inside `folder`."""

    notebook: str
    folder: Path
    parameters: dict[str, Any]
    data: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    date: datetime = field(default_factory=lambda: datetime.now(UTC))
    sources: str = field(default_factory=lambda: digest(imported()))
    revision: origins.Revision = field(default_factory=origins.revision)
    cells: Sequence[str] = ()  # sources of those that have run
    before: Mapping[str, Any] = field(default_factory=dict)  # what metrics.json held before
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)  # sha256, rows and seconds of each

    @classmethod
    def start(cls, notebook: str, names: Mapping[str, Any], allowed: Sequence[str] = ()) -> "Run":
        """Begin a run: pass `globals()` right after the parameters cell, whose names are the `allowed` ones.

        Raises `ValueError` for a parameter that is not in `allowed` (papermill itself lets it pass), for a missing
        one, for an unknown profile, and for a value of another kind than the one in the parameters cell; and
        `AnotherRunError` where the folder holds another run.
        """
        parameters = {name: value for name, value in names.items() if _is_parameter(name, value)}
        defaults = _defaults(names.get("In", ()), allowed or EVERYWHERE)
        allowed = allowed or list(defaults)
        if unknown := sorted(set(parameters) - set(allowed)):
            raise ValueError(f"{notebook}: unknown parameters {', '.join(unknown)}; allowed are {', '.join(allowed)}")
        if missing := sorted(set(allowed) - set(parameters)):
            raise ValueError(f"{notebook}: parameters are missing: {', '.join(missing)}")
        if parameters["profile"] not in PROFILES:
            raise ValueError(f"{notebook}: profile {parameters['profile']!r}; choose from {', '.join(PROFILES)}")
        for name, default in defaults.items():
            _check_kind(notebook, name, parameters[name], default)
            if name == "seed":
                check_seed(parameters[name])
        folder = Path(parameters["out"]) / notebook
        folder.mkdir(parents=True, exist_ok=True)
        run = cls(notebook, folder, parameters, cells=origins.cells_that_ran(names), before=earlier.read(folder))
        file = origins.NOTEBOOKS / f"{notebook}.ipynb"
        if file.is_file():  # which names modules that are not imported yet
            run.sources = digest(f"{imported()} {file.read_text(encoding='utf-8')}")
        code = {"notebook_sha256": origins.file_sha256(file)}
        earlier.check_same(folder, run.before, run.identity() | code)
        return run

    def uses(self, table: Table) -> Table:
        """Note that a table is used, and return it; `AnotherRunError` where a file has changed since the last run."""
        description = table.describe()
        if table.source == self.parameters.get("data"):
            earlier.check_data(self.folder, self.before, description)
        self.data.append(description)
        return table

    def table(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Make a table and write it as `name`.csv."""
        began = time.monotonic()
        frame = make()
        text = frame.to_csv(index=False, lineterminator="\n")
        replace_text(self.folder / f"{name}.csv", text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.tables[name] = {"sha256": digest, "rows": len(frame), "seconds": round(time.monotonic() - began, 1)}
        return frame

    def finish(self, **metrics: Any) -> dict[str, Any]:
        """Write metrics.json: the metrics, and where they come from (book/rerun.md lists what that is)."""
        seconds = round(time.monotonic() - self.started, 1)
        times = {"total": seconds, "tables": {name: table["seconds"] for name, table in self.tables.items()}}
        tables = {name: {key: table[key] for key in ("sha256", "rows")} for name, table in self.tables.items()}
        record = self._record() | {"tables": tables, "times": times, "seconds": seconds, "metrics": metrics}
        replace_json(self.folder / "metrics.json", record)
        return record

    def provenance(self) -> pd.DataFrame:
        """Return a small table for the end of a page, see `provenance_rows`."""
        rows = [(name, line) for name, value in provenance_rows(self._record()) for name, line in _lines(name, value)]
        return pd.DataFrame(rows, columns=["built with", "value"]).set_index("built with")

    def identity(self) -> dict[str, Any]:
        """Return what makes this run another one when it changes, wherever its results are."""
        code = {"notebook_sha256": origins.notebook_sha256(self.cells), "sources": self.sources}
        return {"notebook": self.notebook, **code, "parameters": self.parameters, "data": self.data}

    def _record(self) -> dict[str, Any]:
        return {
            "run": run_id(self.identity()),
            **self.identity(),
            "seeds": {name: value for name, value in self.parameters.items() if "seed" in name},
            "versions": {"python": platform.python_version()} | {name: version(name) for name in VERSIONS},
            "machine": origins.machine(),
            "threads": origins.threads(),
            **self.revision._asdict(),
            "date": self.date.isoformat(timespec="seconds"),
        }


def run_id(identity: Mapping[str, Any]) -> str:
    """Return 16 digits that are the same for runs of the same notebook, code, parameters (`out` aside) and data."""
    elsewhere = {name: value for name, value in identity["parameters"].items() if name not in NOT_COMPARED}
    return hashlib.sha256(json_text({**identity, "parameters": elsewhere}).encode()).hexdigest()[:16]


def provenance_rows(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of what a record of metrics.json was made with: parameters, data, versions, sources."""
    parameters, versions = record["parameters"], record["versions"]
    rows = [("profile", parameters["profile"]), ("seed", str(parameters.get("seed", "none")))]
    others = [f"{name} {value!r}" for name, value in parameters.items() if name not in IN_ROWS_OF_THEIR_OWN]
    rows.append(("parameters", ", ".join(others) or "no others"))
    for table in record["data"]:
        text = f"{table['kind']}, {table['rows']:,} rows, sha256 {table['sha256'][:12]}"
        rows.append((f"data {table['source']}", text))
    rows.append(("version", ", ".join(f"{name} {versions[name]}" for name in ("autobuild-book", "torch", "python"))))
    rows += [("machine", record["machine"]), ("sources", f"sha256 {record['sources'][:12]}")]
    return [*rows, ("commit", str(origins.Revision(record.get("commit"), record.get("dirty"))))]


def _lines(name: str, value: str) -> list[tuple[str, str]]:
    """Break a value into lines that pandas shows whole; the first one has the name."""
    lines = textwrap.wrap(value, CELL, break_on_hyphens=False)
    return [(name if number == 0 else "", line) for number, line in enumerate(lines)]


# -------------------------------------------------------------------- parameters


def read_literals(source: str) -> dict[str, Any]:
    """Return what a cell assigns, by name; anything but assignments of literals to names is a `ValueError`."""
    try:
        return {s.targets[0].id: ast.literal_eval(s.value) for s in ast.parse(source).body}  # type: ignore[attr-defined]
    except (AttributeError, SyntaxError) as error:
        raise ValueError(f"not a cell of parameters: {error}") from None


def check_seed(seed: int) -> None:
    """Refuse what no random generator takes."""
    if not 0 <= seed <= MOST_SEED:
        raise ValueError(f"{seed} is no seed: allowed are whole numbers from 0 to {MOST_SEED}")


def _defaults(cells: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Return what the parameters cell assigns: the first of the `cells` that ran which assigns all `names`."""
    for source in cells:
        with contextlib.suppress(ValueError):
            if set(names) <= set(literals := read_literals(source)):
                return literals
    return {}


def _check_kind(notebook: str, name: str, value: Any, default: Any) -> None:
    """Refuse a value of another kind than the notebook's own, and say how papermill takes the right one."""
    if _fits(value, default):
        return
    example = json.dumps(default[:2] if isinstance(default, list) else default)
    if isinstance(default, list) and isinstance(value, str) and value.startswith("[") and "'" not in value:
        example = value  # a list that papermill took for a text
    elements = f" of {type(default[0]).__name__}" if isinstance(default, list) and default else ""
    kinds = f"({type(value).__name__}), the notebook has {type(default).__name__}{elements}"
    raise ValueError(f"{notebook}: {name} is {value!r} {kinds}; give papermill -y '{name}: {example}'")


def _fits(value: Any, default: Any) -> bool:
    """Say whether a value is of the kind of the notebook's own; one text will do where that is a list of texts."""
    match default:
        case None:
            return True
        case bool():
            return isinstance(value, bool)
        case int() | float():
            return isinstance(value, Real if isinstance(default, float) else Integral) and not isinstance(value, bool)
        case str():
            return isinstance(value, str | os.PathLike)
        case list():
            if isinstance(value, str):
                return isinstance((*default, "")[0], str) and not value.startswith("[")
            return isinstance(value, list | tuple) and all(_fits(part, (*default, None)[0]) for part in value)
        case _:
            kinds = [*default.values(), None]
            return isinstance(value, Mapping) and all(_fits(part, kinds[0]) for part in value.values())


def _is_parameter(name: str, value: Any) -> bool:
    internal = name.startswith("_") or name in NOT_PARAMETERS
    return not internal and not inspect.ismodule(value) and not callable(value)

"""Measurements in parts: each makes rows, which are kept in a file of their own, so that a stopped one goes on."""

import hashlib
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Protocol

import pandas as pd

from autobuild_book.parallel import in_processes
from autobuild_lib.storage import replace_text


class Part(Protocol):
    """Some rows of a measurement, made by one process."""

    @property
    def key(self) -> str:
        """A name of its file, for everything that the rows depend on but code."""

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""

    def measure(self) -> pd.DataFrame:
        """Return the rows."""


def key_of(*facts: object) -> str:
    """Return a short name for facts that JSON can hold; it changes with each of them."""
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:20]


def rows_of(part: Part, folder: Path | None = None) -> pd.DataFrame:
    """Return the rows of a part; with a `folder`, keep them there and take what is kept already."""
    path = None if folder is None else folder / f"{part.key}.csv"
    if path is not None and path.is_file():
        text = path.read_text(encoding="utf-8")
    else:
        text = part.measure().to_csv(index=False, lineterminator="\n")
        if path is not None:
            replace_text(path, text)
    return pd.read_csv(StringIO(text), keep_default_na=False, na_values=[""])


def measure_all(
    parts: Sequence[Part], what: str, folder: Path | None = None, workers: int | None = None, progress: bool = True
) -> pd.DataFrame:
    """Measure all parts, in processes of one thread each; return their rows in the order of the parts.

    With a `folder`, finished parts are kept there, and a later call, also after a kill, takes them from there.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    frames = in_processes(rows_of, [(part, folder) for part in parts], what, workers, progress)
    return pd.concat(frames, ignore_index=True)


def cost(parts: Sequence[Part]) -> str:
    """Say what a measurement will cost."""
    return f"{len(parts):,} parts, about {sum(part.estimate for part in parts) / 60:.0f} minutes on one core"


def kept_beside(out: Path) -> Path:
    """Return the folder where the finished parts of a file of rows are kept."""
    return out.with_name(f"{out.name}.parts")


def write_rows(rows: pd.DataFrame, out: Path) -> str:
    """Write rows to a CSV file, numbers with six digits; return a line that says so."""
    replace_text(out, rows.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    return f"{len(rows):,} rows are in {out}"

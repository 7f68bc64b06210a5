"""Sections of a chapter that are measured once: a plan of parts, and the rows that were committed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autobuild_book.measured.parts import Part
from autobuild_lib.data.files import FILES


@dataclass(frozen=True)
class Section:
    """A measurement of a chapter, `autobuild CHAPTER measure NAME`.

    chapter, name: also those of the file of committed rows, `CHAPTER_NAME.csv`. text: what is measured, for `--help`.
    plan: turns training sizes and seeds into parts, in the order of their rows.
    sizes, seeds: usual ones; none where nothing is trained.
    """

    chapter: str
    name: str
    text: str
    plan: Callable[[Sequence[int], Sequence[int]], Sequence[Part]]
    sizes: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()

    @property
    def file(self) -> Path:
        """Where the committed rows are."""
        return FILES / f"{self.chapter}_{self.name}.csv"

    def committed(self) -> pd.DataFrame:
        """Return the committed rows."""
        return pd.read_csv(self.file, keep_default_na=False, na_values=[""])

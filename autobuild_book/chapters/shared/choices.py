"""What a chapter chose to measure at the end: a CSV file of architectures, and how far another run chooses the same."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from autobuild_book.bundled import bundled_file
from autobuild_lib.data.files import manifest
from autobuild_lib.data.table import ARCHITECTURE
from autobuild_lib.spaces import SequenceSpace, SpaceError
from autobuild_lib.storage import replace_text


def file_beside(table: str, file: str) -> Path | None:
    """Return the path of a file that is bundled beside a table; None while there is none."""
    return bundled_file(table, file) if table in manifest() and file in manifest()[table].beside else None


def read_choices(path: Path, columns: Sequence[str], space: SequenceSpace) -> pd.DataFrame:
    """Read choices with exactly these columns, one of them `architecture` (text); others are a `ValueError`."""
    frame = pd.read_csv(path)
    if list(frame) != list(columns) or frame.empty:
        header = ", ".join(map(str, frame))[:200]
        raise ValueError(f"{path}: columns {header}; expected rows with {', '.join(columns)}")
    for number, text in enumerate(frame[ARCHITECTURE], start=2):
        try:
            space.parse(text)
        except SpaceError as error:
            raise ValueError(f"{path}, row {number}: {error}") from None
    return frame


def write_choices(chosen: pd.DataFrame, folder: Path, name: str) -> int:
    """Write choices as a CSV file, and their architectures, each once, line by line; return how many these are."""
    replace_text(folder / f"{name}.csv", choices_to_csv(chosen))
    texts = list(dict.fromkeys(chosen[ARCHITECTURE]))
    replace_text(folder / f"{name}.txt", "\n".join(texts) + "\n")
    return len(texts)


def choices_to_csv(chosen: pd.DataFrame) -> str:
    """Return choices as the text of a CSV file."""
    return chosen.to_csv(index=False, lineterminator="\n")


def count_shared(ours: pd.DataFrame, theirs: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Count the choices that two runs share, at whatever place: the columns `by`, same, of (all of ours)."""
    both = ours.merge(theirs.drop(columns="place"), "left", list(ours.columns.drop("place")), indicator="same")
    groups = both.assign(same=both["same"] == "both").groupby(list(by), sort=False)["same"]
    return groups.agg(same="sum", of="size").reset_index()

"""What was measured at the end: the choices and their rows, bundled beside the table."""

from pathlib import Path

import pandas as pd

from autobuild_book.bundled import bundled_file
from autobuild_book.chapters.diffusion.task.measuring import ROWS, Measurement
from autobuild_book.chapters.diffusion.task.space import unet_space
from autobuild_book.chapters.diffusion.task.table import NAME
from autobuild_book.chapters.shared.choices import choices_to_csv, file_beside, read_choices
from autobuild_book.measured.tables import write_beside

CHOICE = ["setting", "group", "place", "architecture"]
CHOICES_FILE, FINAL_FILE = f"{NAME}_choices.csv", f"{NAME}_built.csv"


def label_rows() -> list[Measurement]:
    """Return the trainings behind the table."""
    return ROWS.read(bundled_file(NAME, f"{NAME}_rows.csv"))


def final_choices() -> pd.DataFrame:
    """Return what was chosen to be measured, columns `CHOICE`; nothing while it is not measured."""
    path = file_beside(NAME, CHOICES_FILE)
    return pd.DataFrame(columns=CHOICE) if path is None else read_choices(path, CHOICE, unet_space())


def final_rows() -> list[Measurement]:
    """Return the rows of the networks that were built or compared with them."""
    path = file_beside(NAME, FINAL_FILE)
    return [] if path is None else ROWS.read(path)


def write_finals(choices: Path, rows: Path, folder: Path) -> dict[str, str]:
    """Copy choices and the rows of chosen architectures into `folder`; return their checksums by file name."""
    chosen = read_choices(choices, CHOICE, unet_space())
    order = {text: place for place, text in enumerate(dict.fromkeys(chosen["architecture"]))}
    kept = [row for row in dict.fromkeys(ROWS.read(rows)) if row.architecture in order]
    kept.sort(key=lambda row: (order[row.architecture], row.seed))
    if not kept:
        raise ValueError(f"{rows}: no row of any architecture in {choices}")
    return write_beside(folder, {CHOICES_FILE: choices_to_csv(chosen), FINAL_FILE: ROWS.write(kept)})

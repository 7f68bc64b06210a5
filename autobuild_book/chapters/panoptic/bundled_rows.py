"""Rows that come with the library beside the table: what takes hours to measure, and which training each is from."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from autobuild_book.chapters.panoptic.proposals import CHOICE
from autobuild_book.chapters.panoptic.task.jackknife import PAIRED_ROWS, PairedMeasurement
from autobuild_book.chapters.panoptic.task.measuring import ROWS, Measurement
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.table import NAME
from autobuild_book.chapters.panoptic.task.weights import load
from autobuild_book.chapters.shared.choices import choices_to_csv, file_beside, read_choices
from autobuild_book.measured.rows import R, RowFormat
from autobuild_book.measured.tables import write_beside
from autobuild_lib.storage import json_text, read_json

ROWS_FILE, FINAL_FILE, CHOSEN_FILE, NETWORKS_FILE = (
    f"{NAME}_{end}" for end in ("rows.csv", "final.csv", "chosen.csv", "networks.json")
)
TRAINING = ["network", "seed", "steps", "architecture"]


def measured_rows() -> list[Measurement]:
    """Return the rows behind the section on agreement and behind the search; none while there are none."""
    path = file_beside(NAME, ROWS_FILE)
    return [] if path is None else ROWS.read(path)


def final_rows() -> list[PairedMeasurement]:
    """Return the rows of what was built and of what it is compared with."""
    path = file_beside(NAME, FINAL_FILE)
    return [] if path is None else PAIRED_ROWS.read(path)


def final_choices() -> pd.DataFrame:
    """Return what was chosen to be measured: columns `CHOICE`."""
    path = file_beside(NAME, CHOSEN_FILE)
    return pd.DataFrame(columns=CHOICE) if path is None else read_choices(path, CHOICE, backbone_space())


def trainings_of_rows() -> pd.DataFrame:
    """Return which training the `network` of a row is from: columns `TRAINING`, architecture "" for a supernet."""
    path = file_beside(NAME, NETWORKS_FILE)
    if path is None:
        return pd.DataFrame(columns=TRAINING)
    return pd.DataFrame([{"network": key, **training} for key, training in read_json(path).items()])[TRAINING]


# -------------------------------------------------------------------- writing


def write_rows(
    folder: Path, *, rows: Sequence[Path], finals: Sequence[Path], chosen: Path, trainings: Sequence[Path]
) -> dict[str, str]:
    """Copy rows, proposals and the descriptions of trainings into `folder`; return checksums by file name.

    Raises `ValueError` for rows of a network that is none of the trainings.
    """
    networks = dict(_describe(training) for training in trainings)
    plain, paired = (_join(kind, paths, networks) for kind, paths in ((ROWS, rows), (PAIRED_ROWS, finals)))
    proposals = choices_to_csv(read_choices(chosen, CHOICE, backbone_space()))
    files = {ROWS_FILE: ROWS.write(plain), FINAL_FILE: PAIRED_ROWS.write(paired), CHOSEN_FILE: proposals}
    return write_beside(folder, files | {NETWORKS_FILE: json_text(networks) + "\n"})


def _join(kind: RowFormat[R], paths: Iterable[Path], networks: dict[str, dict[str, object]]) -> list[R]:
    """Read the rows of several files, each once."""
    rows = {row.key: row for path in paths for row in kind.read(path)}
    if unknown := {key[1] for key in rows if key[1] not in networks}:
        raise ValueError(f"rows of networks {', '.join(sorted(unknown))}, whose trainings are not given")
    return list(rows.values())


def _describe(folder: Path) -> tuple[str, dict[str, object]]:
    training = load(folder)
    alone = "" if training.architecture is None else str(training.architecture)
    facts: dict[str, object] = {"seed": training.seed, "steps": training.recipe.steps, "architecture": alone}
    return training.id, facts | {"sha256": training.sha256}

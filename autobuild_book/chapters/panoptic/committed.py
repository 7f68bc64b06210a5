"""Rows that come with the library beside the table: what takes hours to measure, and which training each is from."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from autobuild_book.chapters.panoptic.task.measuring import ROWS, Measurement
from autobuild_book.chapters.panoptic.task.paired import PAIRED_ROWS, PairedMeasurement
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.table import NAME
from autobuild_book.chapters.panoptic.task.weights import load
from autobuild_book.measured.rows import R, RowFormat
from autobuild_lib.data.files import bundled_file, manifest
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.spaces import SpaceError
from autobuild_lib.storage import read_json, replace_json, replace_text

ROWS_FILE, FINAL_FILE, CHOSEN_FILE, NETWORKS_FILE = (
    f"{NAME}_{end}" for end in ("rows.csv", "final.csv", "chosen.csv", "networks.json")
)
CHOICE = ["region", "group", "place", "architecture"]
TRAINING = ["network", "seed", "steps", "architecture"]


def committed_rows() -> list[Measurement]:
    """Return the rows behind the section on agreement and behind the search; none where there are none yet."""
    return ROWS.read(bundled_file(NAME, ROWS_FILE)) if _is_there(ROWS_FILE) else []


def committed_finals() -> list[PairedMeasurement]:
    """Return the rows of what was built and of what it is compared with."""
    return PAIRED_ROWS.read(bundled_file(NAME, FINAL_FILE)) if _is_there(FINAL_FILE) else []


def committed_choice() -> pd.DataFrame:
    """Return what was chosen to be measured: columns `CHOICE`."""
    return read_choice(bundled_file(NAME, CHOSEN_FILE)) if _is_there(CHOSEN_FILE) else pd.DataFrame(columns=CHOICE)


def committed_trainings() -> pd.DataFrame:
    """Return which training the `network` of a row is from: columns `TRAINING`, architecture "" for a supernet."""
    if not _is_there(NETWORKS_FILE):
        return pd.DataFrame(columns=TRAINING)
    found = read_json(bundled_file(NAME, NETWORKS_FILE))
    return pd.DataFrame([{"network": key, **entry} for key, entry in found.items()])[TRAINING]


def _is_there(name: str) -> bool:
    return NAME in manifest() and name in manifest()[NAME].beside


def read_choice(path: Path) -> pd.DataFrame:
    """Read proposals; anything else is a `ValueError`."""
    frame = pd.read_csv(path)
    if list(frame) != CHOICE or frame.empty:
        raise ValueError(f"{path}: columns {', '.join(map(str, frame))[:200]}; expected rows with {', '.join(CHOICE)}")
    for number, text in enumerate(frame["architecture"], start=2):
        try:
            backbone_space().parse(text)
        except SpaceError as error:
            raise ValueError(f"{path}, row {number}: {error}") from None
    return frame


# -------------------------------------------------------------------- writing


def write_committed(
    folder: Path, *, rows: Sequence[Path], finals: Sequence[Path], chosen: Path, trainings: Sequence[Path]
) -> dict[str, str]:
    """Copy rows, proposals and the descriptions of trainings into `folder`; return checksums by file name.

    Raises `ValueError` for rows of a network that is none of the trainings.
    """
    networks = dict(_describe(training) for training in trainings)
    plain, paired = (_join(kind, paths, networks) for kind, paths in ((ROWS, rows), (PAIRED_ROWS, finals)))
    replace_text(folder / ROWS_FILE, ROWS.write(plain))
    replace_text(folder / FINAL_FILE, PAIRED_ROWS.write(paired))
    replace_text(folder / CHOSEN_FILE, read_choice(chosen).to_csv(index=False, lineterminator="\n"))
    replace_json(folder / NETWORKS_FILE, networks)
    return {name: sha256_of(folder / name) for name in (ROWS_FILE, FINAL_FILE, CHOSEN_FILE, NETWORKS_FILE)}


def _join(kind: RowFormat[R], paths: Iterable[Path], networks: dict[str, dict[str, object]]) -> list[R]:
    """Read the rows of several files, each once."""
    found = {row.key: row for path in paths for row in kind.read(path)}
    if unknown := {key[1] for key in found if key[1] not in networks}:  # type: ignore[index]
        raise ValueError(f"rows of networks {', '.join(sorted(unknown))}, whose trainings are not given")
    return list(found.values())


def _describe(folder: Path) -> tuple[str, dict[str, object]]:
    trained = load(folder)
    alone = "" if trained.architecture is None else str(trained.architecture)
    facts: dict[str, object] = {"seed": trained.seed, "steps": trained.recipe.steps, "architecture": alone}
    return trained.id, facts | {"sha256": trained.sha256}

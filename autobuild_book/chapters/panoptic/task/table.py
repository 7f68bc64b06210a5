"""From measured rows to the table of evaluated architectures, with the supernet that they are parts of beside it."""

from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.chapters.panoptic.task.measuring import FRACTIONS, ROWS, Measurement
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.weights import BUNDLED, CONFIG, WEIGHTS, load
from autobuild_book.measured import tables, tasks
from autobuild_lib.data.table import ARCHITECTURE

NAME = "panoptic"
UNITS = dict.fromkeys(FRACTIONS, "fraction") | {
    "macs": "multiply-adds",
    "parameters": "count",
}


def read_labels(rows_file: Path) -> pd.DataFrame:
    """Read rows that are measured alike, one of each architecture; others are a `ValueError`."""
    frame = tables.as_frame(ROWS.read(rows_file), "panoptic", rows_file, alike=Measurement.ASKED)
    return frame.drop_duplicates(ARCHITECTURE, ignore_index=True)


def write_table(rows_file: Path, supernet: Path, folder: Path) -> dict[str, Any]:
    """Write table, space and supernet into `folder`; return the manifest entry of the table.

    Raises `ValueError` unless all rows are parts of this supernet, measured alike.
    """
    frame, trained = read_labels(rows_file), load(supernet)
    network, images, count = frame.loc[0, ["network", "images", "count"]]
    if network != trained.id:
        raise ValueError(f"{rows_file}: measured with the weights {network}, those in {supernet} are {trained.id}")
    return tables.write_measured(
        folder,
        NAME,
        frame,
        space=backbone_space(),
        units=UNITS,
        source=f"parts of the supernet {BUNDLED} ({network}), on the first {count} generated images of set {images}",
        builder=f"autobuild task panoptic measure --sample {len(frame)}, then ... table",
        seed=tasks.SAMPLE_SEED,
        beside={
            f"{BUNDLED}.safetensors": (supernet / WEIGHTS).read_bytes(),
            f"{BUNDLED}.json": (supernet / CONFIG).read_bytes(),
        },
    )

"""What an idea adds: a model with it beside the same model without, on the same rows with the same seed."""

from collections.abc import Iterator

import pandas as pd

from autobuild_book.chapters.neighbours.assessor import ASSESSOR, ASSESSOR_ALONE
from autobuild_book.chapters.neighbours.causal import CARL, CARL_ALONE
from autobuild_book.chapters.neighbours.convolutions import GCN
from autobuild_book.chapters.neighbours.nas_bench_201 import NAME
from autobuild_book.chapters.neighbours.positions import GCN_EMBEDDED, POSITIONS, POSITIONS_EMBEDDED
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.intervals import interval_texts, mean_with_interval

PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "Operation embeddings": ((GCN_EMBEDDED.name, GCN.name), (POSITIONS_EMBEDDED.name, POSITIONS.name)),
    "Semi-supervised assessor": ((ASSESSOR.name, ASSESSOR_ALONE.name),),
    "CARL": ((CARL.name, CARL_ALONE.name),),
}  # by system: models with its idea, each with the same model without
SRCC, TAU = "SRCC over tables", f"tau on {NAME}"
COLUMNS = ["system", "model", "without", "measured", "size", "gain", "low", "high", "tables", "pairs"]


def gains(compared: pd.DataFrame, tau: pd.DataFrame) -> pd.DataFrame:
    """Return how far each model with an idea is ahead of the one without, a row per measure and training size.

    Paired over tables and seeds: only what both have been measured on counts. The 95 % interval is over tables, each
    the mean over its seeds, as seeds of a table have much in common; on a single table, it is over seeds.

    Args:
        compared: rows of the comparison, of many tables. tau: rows of one table (see `contests.COLUMNS`).

    Returns:
        with columns `COLUMNS`; pairs: of fits that are compared, tables times seeds where all are there.
    """
    parts = [*_gains(compared, "srcc", SRCC), *_gains(tau.assign(source=NAME), "tau", TAU)]
    return pd.DataFrame(parts, columns=COLUMNS)


def _gains(rows: pd.DataFrame, value: str, measured: str) -> Iterator[tuple[object, ...]]:
    fits = rows.pivot_table(value, ["size", "source", "seed"], "model")
    for system, pairs in PAIRS.items():
        for model, without in pairs:
            if not {model, without} <= set(fits):
                continue
            ahead = (fits[model] - fits[without]).dropna()
            for size, part in ahead.groupby("size"):
                tables = part.groupby("source").mean()
                units = tables if len(tables) > 1 else part
                interval = mean_with_interval(units.to_numpy())
                yield system, model, without, measured, size, *interval, len(tables), len(part)


def readable(frame: pd.DataFrame, system: str) -> pd.DataFrame:
    """Return the gains of a system with intervals as text; a system without any is a `ValueError`."""
    look_up("gain of", system, PAIRS)
    part = frame[frame["system"] == system]
    texts = interval_texts(part["gain"], part["low"], part["high"])
    shown = part[["model", "without", "measured", "size"]].assign(gain=texts)
    return shown.assign(tables=part["tables"], pairs=part["pairs"]).set_index(["model", "without", "measured"])


def sentence(frame: pd.DataFrame, system: str) -> str:
    """Say in how many settings the idea of a system helps for sure, and in how many it hurts for sure."""
    look_up("gain of", system, PAIRS)
    part = frame[frame["system"] == system]
    if part.empty:
        return "Not measured yet."
    sure, above, below = part["low"].notna(), part["low"] > 0, part["high"] < 0
    text = (
        f"Paired over tables and seeds, in {len(part)} settings of a model, a measure and a size: the mean gain is "
        f"above 0 in {(part['gain'] > 0).sum()}; the interval is above 0 in {above.sum()}, below 0 in {below.sum()}"
    )
    return text + (f", and unknown in {(~sure).sum()} with a single pair." if (~sure).any() else ".")

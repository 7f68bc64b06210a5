"""Trained tables for the explorer: networks that somebody trained or timed, with all that was measured of them."""

import functools
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.board import tables
from autobuild_book.chapters.board.tables import HERE, BoardTable
from autobuild_lib.data import Table, benchmarks

MOST = 3000  # networks of a cloud, as many as the bundled tables have; of more, that many are drawn at random
COSTS = ("latency", "macs", "flops_m", "params_m")  # what stands across, or what begins so: the first that there is
TITLES = {"panoptic": "Panoptic backbones", "diffusion_unets": "Diffusion U-Nets"}


@functools.cache
def clouds() -> dict[str, dict[str, Any]]:
    """Return the clouds of the trained tables whose files are here, by the name that `data.load` takes, JSON."""
    return {board.name: cloud(board, tables.load(board.name)) for board in shown_tables()}


def shown_tables() -> list[BoardTable]:
    """Return the trained tables that can be read here."""
    return [board for board in tables.TABLES if not tables.why_missing(board.name)]


def cloud(board: BoardTable, table: Table) -> dict[str, Any]:
    """Return a table as points: at most `MOST` of its networks, and every label of them."""
    rows = np.arange(len(table))
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST, replace=False))
    part, labels = table.take(rows), [str(label) for label in table.labels]
    y = board.targets[0].lstrip("-")
    return {
        "title": _title(board.name),
        "group": "trained here" if board.kind == HERE else "trained or timed by others",
        "rests": f"{board.kind}: {_who(board)}; {_how_many(len(rows), len(table))}",
        "architectures": list(map(str, part.architectures)),
        "labels": {label: _label(board, label, part.labels[label]) for label in labels},
        "x": _across([label for label in labels if label != y]) or y,
        "y": y,
        "scores": {},
    }


def _title(name: str) -> str:
    benchmark, _, part = name.partition(":")
    title = benchmarks()[benchmark].title if benchmark in benchmarks() else TITLES.get(name, name)
    return f"{title}: {part}".rstrip(": ")


def _who(board: BoardTable) -> str:
    if board.kind == HERE:
        return "every network was trained and measured by this project's code"
    return f"networks that the authors of {benchmarks()[board.name.partition(':')[0]].title} trained or timed"


def _how_many(shown: int, there: int) -> str:
    return f"all {there:,} of them" if shown == there else f"{shown:,} of {there:,}, drawn at random"


def _label(board: BoardTable, label: str, values: pd.Series) -> dict[str, Any]:
    benchmark = benchmarks().get(board.name.partition(":")[0])
    unit = benchmark.labels.get(label, "") if benchmark else ""
    return {"title": label.replace("_", " ") + (f" ({unit})" if unit else ""), "values": short_numbers(values)}


def _across(labels: list[str]) -> str:
    return next((label for start in COSTS for label in labels if label.startswith(start)), "")


def short_numbers(values: pd.Series) -> list[float | None]:
    """Return numbers with five digits, enough for a screen; None for NaN, which JSON does not know."""
    return [None if pd.isna(value) else float(f"{value:.5g}") for value in values]

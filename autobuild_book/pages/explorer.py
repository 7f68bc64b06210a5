"""The explorer: training architectures and built clusters as points to walk among, drawn by Plotly in the browser."""

import json
import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.pages.executed import Executed
from autobuild_lib.surrogate import SPACES  # whose labels are the surrogates', without noise

CHAPTER = "04_pareto_regions"
LATENCY, SCORE = "latency_", "score "  # beginnings of columns
KINDS = {"norm": "norm score (the paper's)", "effect": "effect score (ours)", "ridge": "additive ridge"}


def script(run: Executed | None) -> str:
    """Return a script that hands the data to the page (a page from a folder may load scripts, but no JSON)."""
    return f"window.explorerData = {'null' if run is None else data(run)};\n"


def data(run: Executed) -> str:
    """Return the data as JSON. Raises `StaleError` when the chapter did not write its tables."""
    points, clusters, frontier = (pd.read_csv(run.table(name)) for name in ("explorer", "clusters", "frontier"))
    content = {
        "families": {str(family): _family(part) for family, part in points.groupby("family", sort=False)},
        "clusters": _clusters(clusters),
        "frontiers": {f"{a} {d}": _plane(part) for (a, d), part in frontier.groupby(["family", "device"], sort=False)},
        "equations": run.record["parameters"]["regions"],
        "kinds": KINDS,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _family(points: pd.DataFrame) -> dict[str, Any]:
    measured = points.dropna(axis="columns", how="all")  # a family may have fewer devices than another
    return {
        "surrogate": points["family"].iloc[0] in SPACES,
        "architectures": points["architecture"].map(without_resolution).tolist(),
        "acc": _percent(points["acc"]),
        "latency": _columns(measured, LATENCY),
        "scores": _columns(measured, SCORE),
    }


def _columns(points: pd.DataFrame, start: str) -> dict[str, list[float | None]]:
    """Return the columns whose names begin with `start`, by the rest of their names."""
    names = [str(name) for name in points if str(name).startswith(start)]
    return {name.removeprefix(start): _numbers(points[name]) for name in names}


def _clusters(clusters: pd.DataFrame) -> dict[str, Any]:
    """Return the clusters of the first training seed by family, device, region and score."""
    first = clusters[clusters["seed"] == clusters["seed"].min()]
    keys = ["family", "device", "region", "score"]
    return {
        " ".join(map(str, key)): {**_plane(end), "architectures": end["architecture"].map(without_resolution).tolist()}
        for key, end in first.groupby(keys, sort=False)
    }


def _plane(points: pd.DataFrame) -> dict[str, list[float | None]]:
    return {"latency": _numbers(points["latency"]), "acc": _percent(points["acc"])}


def _percent(values: pd.Series) -> list[float | None]:
    return _numbers(100 * values)


def _numbers(values: pd.Series) -> list[float | None]:
    """Numbers with five digits, enough for a screen; None for NaN, which JSON does not know."""
    return [None if pd.isna(value) else float(f"{value:.5g}") for value in values]


def without_resolution(architecture: str) -> str:
    """Return the units of an architecture's text, as the points of one panel share their resolution."""
    first, bar, rest = architecture.partition("|")
    return rest if bar and first.startswith("resolution") else architecture


def copy_plotly(folder: Path) -> None:
    """Put Plotly's script into the static files of the book, so that the page needs no network."""
    with as_file(files("plotly") / "package_data" / "plotly.min.js") as script:
        shutil.copy(script, folder / "plotly.min.js")

"""The explorer: training architectures and built clusters as points to walk among, drawn by Plotly in the browser.

A page from a folder may load scripts, but no JSON: each cloud of points is a script, loaded when it is chosen.
"""

import json
import shutil
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.pages import trained_clouds
from autobuild_book.pages.executed import Executed
from autobuild_book.pages.trained_clouds import short_numbers as _numbers
from autobuild_lib.surrogate import SPACES  # whose labels are the surrogates', without noise

CHAPTER = "04_pareto_regions"
LATENCY, SCORE = "latency_", "score "  # beginnings of columns
KINDS = {"norm": "norm score (the paper's)", "effect": "effect score (ours)", "ridge": "additive ridge"}
SURROGATE = "surrogate: labels that small networks predict, without noise; none of these networks was trained or timed"
OTHER = "labels of the table that the chain was run on"


def scripts(run: Executed | None) -> dict[str, str]:
    """Return the scripts of the page by name: one that lists the clouds, and one for each cloud."""
    clouds = {**({} if run is None else json.loads(data(run))), **trained_clouds.clouds()}
    listed = [{"name": name, "file": f"explorer-{place}.js"} for place, name in enumerate(clouds)]
    titles = [{**one, "title": clouds[one["name"]]["title"], "group": clouds[one["name"]]["group"]} for one in listed]
    index = {"clouds": titles, "kinds": KINDS, "equations": {} if run is None else run.record["parameters"]["regions"]}
    texts = {"explorer-data.js": f"window.explorerData = {_json(index)};\n"}
    for one in listed:
        texts[one["file"]] = f"explorerReceive({_json(one['name'])}, {_json(clouds[one['name']])});\n"
    return texts


def data(run: Executed) -> str:
    """Return the clouds of the chapter as JSON. Raises `StaleError` when the chapter did not write its tables."""
    points, clusters, frontier = (pd.read_csv(run.table(name)) for name in ("explorer", "clusters", "frontier"))
    clouds = {}
    for family, part in points.groupby("family", sort=False):
        its_clusters, its_frontier = clusters[clusters["family"] == family], frontier[frontier["family"] == family]
        clouds[str(family)] = {
            **_cloud(str(family), part),
            "clusters": _clusters(its_clusters),
            "frontiers": {str(device): _plane(line) for device, line in its_frontier.groupby("device", sort=False)},
        }
    return _json(clouds)


def _cloud(family: str, points: pd.DataFrame) -> dict[str, Any]:
    measured = points.dropna(axis="columns", how="all")  # a family may have fewer devices than another
    by = " by the surrogate" if family in SPACES else ""
    latencies = _columns(measured, LATENCY)
    acc = {"acc": {"title": f"accuracy{by} (%)", "values": _percent(points["acc"])}}
    others = {
        f"{LATENCY}{device}": {"title": f"{device.upper()} latency{by} (ms)", "values": values}
        for device, values in latencies.items()
    }
    return {
        "title": family,
        "group": "surrogate labels" if family in SPACES else "your table",
        "rests": SURROGATE if family in SPACES else OTHER,
        "architectures": points["architecture"].map(without_resolution).tolist(),
        "labels": {**acc, **others},
        "x": next(iter(others), "acc"),
        "y": "acc",
        "scores": _columns(measured, SCORE),
    }


def _columns(points: pd.DataFrame, start: str) -> dict[str, list[float | None]]:
    """Return the columns whose names begin with `start`, by the rest of their names."""
    names = [str(name) for name in points if str(name).startswith(start)]
    return {name.removeprefix(start): _numbers(points[name]) for name in names}


def _clusters(clusters: pd.DataFrame) -> dict[str, Any]:
    """Return the clusters of the first training seed by device, region and score."""
    first = clusters[clusters["seed"] == clusters["seed"].min()]
    keys = ["device", "region", "score"]
    return {
        " ".join(map(str, key)): {**_plane(end), "architectures": end["architecture"].map(without_resolution).tolist()}
        for key, end in first.groupby(keys, sort=False)
    }


def _json(value: Mapping[str, Any] | str) -> str:
    """JSON that may stand in a script."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _plane(points: pd.DataFrame) -> dict[str, list[float | None]]:
    return {"latency": _numbers(points["latency"]), "acc": _percent(points["acc"])}


def _percent(values: pd.Series) -> list[float | None]:
    return _numbers(100 * values)


def without_resolution(architecture: str) -> str:
    """Return the units of an architecture's text, as the points of one panel share their resolution."""
    first, bar, rest = architecture.partition("|")
    return rest if bar and first.startswith("resolution") else architecture


def copy_plotly(folder: Path) -> None:
    """Put Plotly's script into the static files of the book, so that the page needs no network."""
    with as_file(files("plotly") / "package_data" / "plotly.min.js") as script:
        shutil.copy(script, folder / "plotly.min.js")

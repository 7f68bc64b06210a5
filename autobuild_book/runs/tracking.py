"""Runs as MLflow keeps them, in files of a local folder: parameters, metrics, and where they come from as tags."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from autobuild_book.runs.metrics import as_cell, checksums, numbers, read_metrics
from autobuild_lib.extras import extra

with extra("mlflow"):
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

ALLOWED_FILES = "MLFLOW_ALLOW_FILE_STORE"  # without it MLflow 3.17 takes databases only
LONGEST_NAME, LONGEST_VALUE = 200, 5000  # characters; MLflow takes 250 and 6000
AT_ONCE = 100  # of each kind; MLflow takes 1000 metrics, 100 parameters
CONTENT = "autobuild.sha256"  # the tag that tells runs apart: of metrics.json
TAGS = ("dirty", "sources", "notebook_sha256", "machine", "threads", "date")


def export(files: Iterable[Path], folder: Path) -> tuple[int, int]:
    """Add runs to an MLflow store; what is there already is left as it is.

    Args:
        files: metrics.json of each run; a notebook is an experiment.
        folder: of the store, made where there is none.

    Returns:
        How many runs were added, and how many were there.
    """
    os.environ.setdefault(ALLOWED_FILES, "true")
    client = MlflowClient(tracking_uri=folder.resolve().as_uri())
    added = [_add(client, file) for file in files]
    return sum(added), len(added) - sum(added)


def _add(client: MlflowClient, file: Path) -> bool:
    """Add a run unless it is there; say whether it was added."""
    record, sha256 = read_metrics(file), hashlib.sha256(file.read_bytes()).hexdigest()
    experiment = client.get_experiment_by_name(name := _name(record["notebook"]))
    place = experiment.experiment_id if experiment else client.create_experiment(name)
    if client.search_runs([place], f"tags.`{CONTENT}` = '{sha256}'", max_results=1):
        return False
    began = _milliseconds(record)
    run = client.create_run(place, start_time=began, run_name=file.resolve().parent.parent.name).info.run_id
    ended = (began or 0) + round(1000 * record["seconds"])
    metrics = [Metric(key, value, ended, 0) for key, value in _names(dict(numbers(record["metrics"]))).items()]
    settings = {key: str(as_cell(value))[:LONGEST_VALUE] for key, value in record["parameters"].items()}
    parameters = [Param(key, value) for key, value in _names(settings).items()]
    for start in range(0, max(len(metrics), len(parameters)), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        client.log_batch(run, metrics[some], parameters[some])
    tags = {name: record[name] for name in TAGS if name in record} | {"mlflow.source.git.commit": record.get("commit")}
    tags |= {f"data.{source}": checksum for source, checksum in checksums(record).items()}
    tags |= {f"versions.{package}": version for package, version in record["versions"].items()}
    client.log_batch(run, tags=[RunTag(key, str(value)[:LONGEST_VALUE]) for key, value in _names(tags).items()])
    client.set_tag(run, CONTENT, sha256)  # last: a run without it is not whole, and is added again
    client.set_terminated(run, end_time=ended)
    return True


def _milliseconds(record: Mapping[str, Any]) -> int | None:
    """Return when a run began, since 1970, None where that is not recorded."""
    try:
        return round(1000 * datetime.fromisoformat(record["date"]).timestamp())
    except (KeyError, TypeError, ValueError):
        return None


def _names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values names that MLflow takes: `table[paper].head` is table.paper.head; equal ones are numbered."""
    named: dict[str, Any] = {}
    for name, value in values.items():
        plain = _name(name)
        while plain in named:
            plain += "_"
        named[plain] = value
    return named


def _name(text: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_. -]+", "_", text.replace("[", ".").replace("]", "").replace(", ", "."))
    if len(plain) > LONGEST_NAME:
        plain = f"{plain[:LONGEST_NAME]}{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return plain if plain.strip("._ ") else f"name{plain}"

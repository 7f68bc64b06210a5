"""Runs in a store of MLflow: parameters, metrics and origins, each run once; and the error without MLflow."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, str, str]]

TABLE = [{"preset": "paper", "head": 0.25}, {"preset": "tuned", "head": 0.75}]


def write(folder: Path, seed: int, **more: Any) -> Path:
    record = {"notebook": "01_some", "parameters": {"seed": seed, "targets": ["acc"], "long": "x" * 10_000}}
    record |= {"data": [{"source": "ofa_pn", "sha256": "d" * 64}], "versions": {"torch": "2.13"}, "seconds": 90.0}
    many = {str(number): number for number in range(250)}
    record |= {"metrics": {"table": TABLE, "a $b": 1, "a %b": 2, "n" * 900: 3, "..": 4, "many": many}}
    record |= {"commit": "c" * 40, "dirty": True, "machine": "a machine", "date": "2026-11-30T02:00:00+00:00", **more}
    path = folder / f"seed-{seed}" / "01_some" / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    return path


def test_each_run_is_added_once_with_all_that_it_records(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    from autobuild_book.runs.tracking import export

    files, store = [write(tmp_path, seed) for seed in (1, 2)], tmp_path / "my store"
    assert export(files, store) == (2, 0) and export(files, store) == (0, 2)
    write(tmp_path, 2, seconds=91.0)
    assert export(files, store) == (1, 1), "a run that ran again is another one"
    client = mlflow.MlflowClient(tracking_uri=store.resolve().as_uri())
    runs = client.search_runs([client.get_experiment_by_name("01_some").experiment_id])
    assert sorted(run.info.run_name for run in runs) == ["seed-1", "seed-2", "seed-2"]
    (first,) = [run for run in runs if run.info.run_name == "seed-1"]
    assert first.info.status == "FINISHED" and first.info.end_time - first.info.start_time == 90_000
    assert first.data.params["seed"] == "1" and first.data.params["targets"] == "acc"
    assert first.data.metrics["table.paper.head"] == 0.25 and first.data.metrics["many.249"] == 249
    assert len(first.data.metrics) == 2 + 4 + 250
    assert first.data.tags["data.ofa_pn"] == "d" * 64 and first.data.tags["versions.torch"] == "2.13"
    assert first.data.tags["mlflow.source.git.commit"] == "c" * 40 and first.data.tags["dirty"] == "True"


def test_runs_that_record_less(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    from autobuild_book.runs.tracking import export

    path = write(tmp_path, 1)
    record = {name: json.loads(path.read_text())[name] for name in ("notebook", "parameters", "metrics", "seconds")}
    path.write_text(json.dumps(record | {"data": [], "versions": {}}))
    assert export([path], tmp_path / "store") == (1, 0)
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "store").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("01_some").experiment_id])
    assert "machine" not in run.data.tags and run.data.params["seed"] == "1"


def test_the_command_adds_the_runs(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    write(tmp_path / "runs", 1)
    code, out, _ = run("compare", tmp_path / "runs", "--to", "mlflow", "--store", tmp_path / "store")
    assert code == 0 and re.findall(r"\d+", out.splitlines()[-1].replace(str(tmp_path), "")) == ["1", "0"]


def test_without_mlflow_the_extra_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "runs", 1)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.delitem(sys.modules, "autobuild_book.runs.tracking", raising=False)
    code, _, err = run("compare", tmp_path / "runs", "--to", "mlflow", "--store", tmp_path / "store")
    assert code == 1 and "autobuild-book[mlflow]" in err and err.count("\n") == 1
    assert not (tmp_path / "store").exists() and run("compare", tmp_path / "runs")[0] == 0


def test_a_store_in_a_folder_that_mlflow_does_not_read_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "runs", 1)
    (tmp_path / "artifacts").mkdir()
    monkeypatch.chdir(tmp_path / "artifacts")
    for store in ((), ("--store", tmp_path / "artifacts" / "store")):
        code, _, err = run("compare", tmp_path / "runs", "--to", "mlflow", *store)
        assert code == 1 and "--store" in err and "artifacts" in err and err.count("\n") == 1
    assert not list((tmp_path / "artifacts").iterdir())


def test_the_default_store_holds_the_runs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    write(tmp_path / "runs", 1)
    monkeypatch.chdir(tmp_path)
    assert run("compare", tmp_path / "runs", "--to", "mlflow")[0] == 0
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    assert len(client.search_runs([client.get_experiment_by_name("01_some").experiment_id])) == 1

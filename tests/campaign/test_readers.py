"""Hostile files and texts for every reader; AUTOBUILD_CAMPAIGN=50 makes fifty times as many (30 to 80 of each kind)."""

import json
import pickle
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chain.plans import read_plan
from autobuild_book.chapters.panoptic.task.weights import _read_config
from autobuild_book.chapters.your_space import mlps
from autobuild_book.measured.tables import read_manifest
from autobuild_book.pages.executed import NOTEBOOK, read_notebook
from autobuild_book.runs.comparison import compare
from autobuild_book.runs.sweeps import plan_sweep
from autobuild_book.tracing.released import load_ir
from autobuild_lib.data.files import FILES
from autobuild_lib.released.caches import RELEASED, read_records
from autobuild_lib.released.checksums import LOCK_NAME, read_checksums
from autobuild_lib.released.unpickle import read_pickle
from autobuild_lib.search.log import EvaluationLog
from autobuild_lib.units.reduced import ReducedSpace
from tests.campaign.guard import problem, size
from tests.campaign.spoiling import ANY, JSON, NUMBERS, PICKLE, TEXTS, Spoil, spoilt

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ENTRY = {"original config": [224, [["mbconv3_e3_k3", "mbconv3_e6_k7"]] * 5], "acc": np.float64(0.77), "latency_gpu": 9}
OTHER = ENTRY | {"original config": [224, [["mbconv3_e4_k5", "mbconv3_e6_k7"]] * 5]}
RECORD = {"notebook": "01_x", "parameters": {"seed": 1, "targets": ["acc"]}, "data": [], "versions": {}, "seconds": 1.0,
          "metrics": {"srcc": 0.5, "table": [{"name": "a", "value": 1}, {"name": "b", "value": 2}]}}  # fmt: skip
CELL = {"cell_type": "code", "id": "a", "metadata": {"papermill": {"status": "completed", "exception": False}},
        "execution_count": 1, "source": "1",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]}  # fmt: skip
EXECUTED = {"cells": [CELL, CELL], "nbformat": 4, "nbformat_minor": 5,
            "metadata": {"papermill": {"end_time": "2026-01-01T00:00:00", "parameters": {}}}}  # fmt: skip
ROWS = "architecture,seed,accuracy,parameters,seconds,machine\n" + "".join(
    f'"{architecture}",{seed},0.5,100,1.5,a machine\n' for seed, architecture in enumerate(mlps.sample_architectures(4))
)


@dataclass(frozen=True)
class Reader:
    """A reader of one file of a folder: the file's name, a valid content, ways to spoil it."""

    read: Callable[[Path], object]
    name: str
    content: bytes
    ways: list[Spoil] = field(default_factory=lambda: ANY)
    inputs: int = 60


def as_json(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()


def bundled(name: str) -> bytes:
    return (FILES / name).read_bytes()


@pytest.fixture(scope="module")
def readers(
    toy: ab.SequenceSpace, toy_table: ab.data.Table, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Reader]:
    place = tmp_path_factory.mktemp("valid")
    predictor = ab.fit(toy, toy_table, "additive", epochs=2, progress=False)
    predictor.save(place / "predictor")
    ab.score_units(predictor).top(2).save(place / "reduced.json")
    rows = [f'"{a}",{i / 7}' for i, a in enumerate(toy_table.architectures[:20])]
    log = [json.dumps({"architecture": str(a), "labels": {"acc": 0.5}}) for a in toy_table.architectures[:9]]
    plan = {"out/a": {"01_x": {"seed": 1}}}

    def load(path: Path) -> object:
        """Open the folder of a predictor with one spoilt file, and the other from beside it."""
        for file in (place / "predictor").iterdir():
            if not (other := path.parent / file.name).exists():
                shutil.copy(file, other)
                others.append(other)
        try:
            return ab.load(path.parent)
        finally:
            while others:
                others.pop().unlink(missing_ok=True)

    others: list[Path] = []
    valid = place / "predictor"
    (weights,) = valid.glob("*.safetensors")
    return {
        "table": Reader(lambda p: ab.data.load(p, space=toy), "t.csv", "\n".join(["architecture,acc", *rows]).encode()),
        "rows": Reader(mlps.ROWS.read, "rows.csv", ROWS.encode()),
        "pickle": Reader(read_pickle, "a.pkl", pickle.dumps([ENTRY] * 3), PICKLE, 400),
        "cache": Reader(read_records, "a.pkl", pickle.dumps([ENTRY, ENTRY | {"acc": 1}]), PICKLE, 200),
        "table of a cache": Reader(ab.data.load, "a.pkl", pickle.dumps([ENTRY, OTHER]), PICKLE, 100),
        "space": Reader(lambda p: ab.spaces.read_space(str(p)), "s.json", as_json(toy.to_json()), JSON, 200),
        "reduced space": Reader(ReducedSpace.load, "r.json", (place / "reduced.json").read_bytes(), JSON, 150),
        "metrics": Reader(lambda p: compare([p]), "metrics.json", as_json(RECORD), JSON, 150),
        "manifest": Reader(lambda p: read_manifest(p.parent), "manifest.json", bundled("manifest.json"), JSON),
        "checksums": Reader(lambda p: read_checksums(p.parent), LOCK_NAME, as_json({"a.pkl": "0" * 64}), JSON),
        "plan": Reader(read_plan, "plan.json", as_json(plan), JSON),
        "executed notebook": Reader(lambda p: read_notebook(p, NOTEBOOK), "x.ipynb", as_json(EXECUTED), JSON, 100),
        "training": Reader(_read_config, "config.json", bundled("panoptic_supernet.json"), JSON),
        "configuration": Reader(load, "config.json", (valid / "config.json").read_bytes(), JSON, 150),
        "weights": Reader(load, weights.name, weights.read_bytes(), ANY),
        "search log": Reader(lambda p: EvaluationLog(p, toy), "log.jsonl", ("\n".join(log) + "\n").encode(), ANY, 150),
    }  # fmt: skip


NAMES = ["table", "rows", "pickle", "cache", "table of a cache", "space", "reduced space", "metrics", "manifest",
         "checksums", "plan", "executed notebook", "training", "configuration", "weights", "search log"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_spoilt_files(readers: dict[str, Reader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert set(readers) == set(NAMES)
    monkeypatch.chdir(tmp_path)
    reader, path = readers[name], tmp_path / readers[name].name
    path.write_bytes(reader.content)
    reader.read(path)
    wrong = []
    for seed in range(size(reader.inputs)):
        path.write_bytes(spoilt(reader.content, reader.ways, seed))
        if found := problem(lambda: reader.read(path), tmp_path):
            wrong.append(f"seed {seed}: {found}")
    assert not wrong, f"{len(wrong)} of {size(reader.inputs)} inputs: " + " / ".join(wrong[:5])


def test_spoilt_graphs(reference: Path, tmp_path: Path) -> None:
    entries: Any = read_pickle(reference / "released_format" / RELEASED["ofa_mbv3_pn_ir"])
    content = (reference / "released_format" / RELEASED["ofa_mbv3_pn_ir"]).read_bytes()
    path, wrong = tmp_path / "a.pkl", []
    for seed in range(size(12)):
        path.write_bytes(spoilt(content, ANY, seed))
        if found := problem(lambda: load_ir(path), tmp_path):
            wrong.append(f"seed {seed}: {found}")
    assert entries and not wrong, " / ".join(wrong[:5])


# -------------------------------------------------------------------- texts

PIECES = [*"+-*/()^%,.`\"'\\ \n\x00", "**", "//", "acc", "latency_gpu", "log", "exp", "sqrt", "min", "max", "abs",
          "1e999", "lambda", "__class__", "if", "for", "[", "]", "0" * 400, "1_0", "é",
          "(" * 500, "9**" * 50 + "9"]  # fmt: skip


def made(rng: random.Random, pieces: list[str], most: int) -> str:
    return "".join(rng.choices(pieces, k=rng.randint(1, most)))


def test_equations(toy_table: ab.data.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pieces = [*PIECES, "additive", "other", "2", " "]
    wrong = []
    for seed in range(size(600)):
        text = made(random.Random(seed), pieces, 12)
        if found := problem(lambda: toy_table.evaluate(ab.Target(text)), tmp_path):  # noqa: B023
            wrong.append(f"{text[:60]!r}: {found}")
    assert not wrong, f"{len(wrong)} equations: " + " / ".join(wrong[:5])


def test_values_of_sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pieces = [*PIECES, "=", "..", "0", "5", "seed", "target", "data", "[1, 2]", "true", *map(str, NUMBERS), *TEXTS]
    wrong = []
    for seed in range(size(300)):
        rng = random.Random(seed)
        text = rng.choice(["seed=", "target=", "data=", "preset=", ""]) + made(rng, pieces, 5)
        work = lambda: plan_sweep("01_predictor_srcc", [text], folder=ROOT / "notebooks")  # noqa: B023, E731
        if found := problem(work, tmp_path):
            wrong.append(f"{text[:60]!r}: {found}")
    assert not wrong, f"{len(wrong)} settings: " + " / ".join(wrong[:5])


def test_architectures(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    text, wrong = str(next(iter(toy.sample(np.random.default_rng(0), 1)))).encode(), []
    for seed in range(size(300)):
        given = spoilt(text, ANY, seed).decode("latin1")
        if found := problem(lambda: toy.parse(given), tmp_path):  # noqa: B023
            wrong.append(f"{given[:60]!r}: {found}")
    assert not wrong, " / ".join(wrong[:5])

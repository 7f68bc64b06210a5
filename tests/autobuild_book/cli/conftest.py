"""A small table for commands, and the commands on it."""

import json
from pathlib import Path

import pandas as pd
import pytest

import autobuild_lib as ab
from tests.helpers.commands import Run


@pytest.fixture
def toy_files(toy: ab.SequenceSpace, toy_table: ab.data.Table, tmp_path: Path) -> dict[str, Path]:
    """A CSV of the toy table, and its space as JSON."""
    frame = pd.DataFrame({"architecture": list(map(str, toy_table.architectures))}).join(toy_table.labels)
    frame.to_csv(tmp_path / "toy.csv", index=False)
    (tmp_path / "toy.json").write_text(json.dumps(toy.to_json()), encoding="utf-8")
    return {"--data": tmp_path / "toy.csv", "--space": tmp_path / "toy.json"}


@pytest.fixture
def fit_toy(run: Run, toy_files: dict[str, Path], tmp_path: Path) -> Run:
    """Run `autobuild fit` on the toy table for one epoch, with some options replaced, or left out where None."""

    def command(**changes: object) -> tuple[int, str, str]:
        options = {**toy_files, "--target": "additive", "--epochs": 1, "--out": tmp_path / "made"}
        options |= {"--" + name.replace("_", "-"): value for name, value in changes.items()}
        given = [(name, value) for name, value in options.items() if value is not None]
        return run("fit", *(part for pair in given for part in pair))

    return command

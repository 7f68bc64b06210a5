"""The command `autobuild surrogate`: distillation, and its fidelity."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autobuild_book.measured import distillation
from autobuild_lib import surrogate
from tests.helpers.commands import Run, assert_refused


def test_distill_and_check_one_family(
    run: Run, reference: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(distillation, "TRAINING", replace(distillation.TRAINING, epochs=2))
    given = ["--checkpoints", reference / "l1_predictors", "--family", "ofa_pn", "--folder", tmp_path / "made"]
    given += ["--size", 60]
    code, out, _ = run("surrogate", "distill", *given)
    assert code == 0
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == [
        "surrogate_ofa_pn.json", "surrogate_ofa_pn.safetensors",
    ]  # fmt: skip
    rows = [line.split() for line in out.splitlines()[1:]]
    assert [(row[1], row[2], row[3]) for row in rows] == [
        ("ofa_pn", sample, label) for sample in ("uniform", "extreme") for label in surrogate.LABELS
    ]
    assert run("surrogate", "check", *given)[:2] == (0, out), "a check is repeatable"
    (tmp_path / "made" / "surrogate_ofa_pn.safetensors").write_bytes(b"")
    assert_refused(run("surrogate", "check", *given), "surrogate_ofa_pn.safetensors", "sha256")


def test_check_of_the_bundled_surrogates_prints_their_fidelity(run: Run, reference: Path) -> None:
    folder = reference / "l1_predictors"
    code, out, err = run("surrogate", "check", "--checkpoints", folder, "--size", 100)
    rows = [line.split()[1:] for line in out.splitlines()[1:]]
    tables = [distillation.fidelity(surrogate.load_bundled(name), name, folder, 100) for name in surrogate.SPACES]
    expected = pd.concat(tables)
    assert (code, err) == (0, "")
    assert [row[:3] for row in rows] == expected[["family", "sample", "label"]].to_numpy().tolist()
    np.testing.assert_allclose(np.array([row[3:] for row in rows], float), expected.iloc[:, 3:], atol=5.1e-5)
    assert expected.ratio.max() < 1, "nearer to the checkpoints than they are to measurements"


def test_surrogates_need_the_published_checkpoints(run: Run, reference: Path, tmp_path: Path) -> None:
    given = ["surrogate", "distill", "--folder", tmp_path / "made", "--family", "ofa_pn", "--checkpoints"]
    assert_refused(run(*given, tmp_path / "nowhere"), "no such checkpoint", "autobuild data fetch checkpoints")
    for path in (reference / "l1_predictors").glob("*ofa_pn*"):
        (tmp_path / path.name).write_bytes(path.read_bytes() + b"x")
    assert_refused(run(*given, tmp_path), "sha256", "ofa_pn_custom_acc")
    assert not (tmp_path / "made").exists()

"""The published predictors as teachers: what they state, their labels, their files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from autobuild_book.measured.extremes import sample_extreme_codes
from autobuild_book.measured.teachers import label_codes, load_teachers, published, published_file
from autobuild_lib.surrogate import LABELS, Surrogate, load_bundled

FAMILIES = ["ofa_mbv3", "ofa_pn"]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def surrogate(family: str) -> Surrogate:
    """The bundled surrogate of a family."""
    return load_bundled(family)


def test_golden_architectures(surrogate: Surrogate, family: str, reference: Path) -> None:
    golden = json.loads((reference / "l1_golden.json").read_text())[family.removeprefix("ofa_")]
    rows = [i for i, record in enumerate(golden["architectures"]) if record["resolution"] == 224]
    chosen = [surrogate.space.from_lists(golden["architectures"][i]["stages"]) for i in rows]
    labels = surrogate.predict(chosen)
    assert len(rows) > 5
    for label in LABELS:
        difference = np.abs(labels[label] - np.array(golden[label]["prediction"])[rows])
        assert difference.mean() < published()[family][label]["mae"]


def test_labels_of_teachers_are_their_predictions_at_224(surrogate: Surrogate, family: str, reference: Path) -> None:
    teachers = load_teachers(family, reference / "l1_predictors")
    codes = sample_extreme_codes(surrogate.space, np.random.default_rng(0), 50)
    labels = label_codes(teachers, surrogate.space, codes)
    for row, teacher in zip(labels, teachers.values(), strict=True):
        np.testing.assert_allclose(row, teacher.predict(surrogate.space.from_codes(codes)), rtol=1e-6)


def test_stated_metrics_are_those_inside_the_checkpoints(family: str, reference: Path) -> None:
    for label in LABELS:
        path = reference / "l1_predictors" / published_file(family, label)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        stated = [published()[family][label][name] for name in ("mae", "mape", "srcc")]
        assert stated == pytest.approx(checkpoint["test_metrics"].tolist())


def test_missing_or_changed_checkpoints_are_named(family: str, reference: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="autobuild data fetch checkpoints"):
        load_teachers(family, tmp_path)
    for label in LABELS:
        shutil.copy(reference / "l1_predictors" / published_file(family, label), tmp_path)
    changed = tmp_path / published_file(family, "latency_cpu")
    changed.chmod(0o600)
    changed.write_bytes(changed.read_bytes() + b"x")
    with pytest.raises(ValueError, match=r"latency_cpu.*: sha256 is [0-9a-f]+, the published file has"):
        load_teachers(family, tmp_path)

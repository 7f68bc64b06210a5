"""Distillation: the bundled surrogates against the published predictors, and how they and their tables are made."""

from pathlib import Path

import pytest

import autobuild_lib as ab
from autobuild_book.measured import distillation
from autobuild_book.measured.distillation import build_table, distill, fidelity
from autobuild_book.measured.teachers import published
from autobuild_lib.surrogate import LABELS, Surrogate, bundled, load_bundled
from autobuild_lib.surrogate.bundled import load_from

FAMILIES = ["ofa_mbv3", "ofa_pn"]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def surrogate(family: str) -> Surrogate:
    """The bundled surrogate of a family."""
    return load_bundled(family)


ASKED = {"acc": (0.4, 0.75, 0.998), "latency_gpu": (0.4, 0.75, 0.998)}
ASKED |= {"latency_cpu": (0.4, 0.75, 0.995), "latency_npu": (0.4, 0.75, 0.995)}
SHORT = {
    ("ofa_mbv3", "latency_cpu"): (0.4, 0.75, 0.993),
    ("ofa_pn", "latency_gpu"): (0.4, 0.75, 0.99),
    ("ofa_pn", "latency_cpu"): (0.4, 0.75, 0.98),
    ("ofa_pn", "latency_npu"): (0.6, 0.75, 0.995),
}


def test_fidelity_on_fresh_architectures(surrogate: Surrogate, family: str, reference: Path) -> None:
    report = fidelity(surrogate, family, reference / "l1_predictors", size=2000, seed=77).set_index(["sample", "label"])
    assert len(report) == 8 and (report["mae"] / report["published_mae"]).equals(report["ratio"])
    for label in LABELS:
        uniform, extreme, srcc = SHORT.get((family, label), ASKED[label])
        assert report.loc[("uniform", label), "ratio"] < uniform and report.loc[("extreme", label), "ratio"] < extreme
        assert report.loc[(["uniform", "extreme"], label), "srcc"].min() > srcc


def test_distilling_writes_a_surrogate_that_loads(
    family: str, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ab.NetworkConfig(convolution="graphconv", pooling="sum", width=8, hops=1)
    monkeypatch.setattr(distillation, "NETWORK", small)
    training = ab.TrainingConfig(epochs=4, batch_size=64, learning_rate=3e-3, rank_loss="off")
    monkeypatch.setattr(distillation, "TRAINING", training)
    checkpoints = reference / "l1_predictors"
    cards = [distill(family, checkpoints, tmp_path / name, size=1500, seed=2, progress=False) for name in "ab"]
    assert cards[0] == cards[1] and cards[0]["training_architectures"] == 1500
    made = load_from(family, tmp_path / "a")
    report = fidelity(made, family, reference / "l1_predictors", size=300)
    assert report["srcc"].min() > 0.5  # it learns; the bundled ones had 270 times the data


def test_a_built_table_is_the_surrogate_plus_noise_of_the_published_error(family: str, tmp_path: Path) -> None:
    build_table(family, tmp_path, rows=1500, seed=3)
    table = ab.data.load(tmp_path / f"{family}.csv", bundled.SPACES[family]())
    for label in LABELS:
        noise = (table.labels[label] - table.noise_free[label]).abs().mean()
        assert noise == pytest.approx(published()[family][label]["mae"], rel=0.08)  # four standard errors


def test_building_a_table_is_repeatable(family: str, tmp_path: Path) -> None:
    entries = [build_table(family, tmp_path / name, rows=50, seed=s) for name, s in (("a", 1), ("b", 1), ("c", 2))]
    assert entries[0] == entries[1] and entries[0]["sha256"] != entries[2]["sha256"] and entries[0]["rows"] == 50
    table = ab.data.load(tmp_path / "a" / f"{family}.csv", bundled.SPACES[family]())
    assert len(table) == 50 and list(table.labels) == [*LABELS, "flops_m"] == list(table.noise_free)

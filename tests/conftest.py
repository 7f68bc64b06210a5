"""What the tests share: golden files, a small space, small tables, and settings that make runs repeatable."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

import autobuild_lib as ab
from autobuild_book import cli

PROJECT = Path(__file__).resolve().parents[1]

torch.set_num_threads(1)
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_configure() -> None:
    """Let what tests start take Ctrl-C, also where a shell began the tests in the background, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def shared(folder: str, variable: str, file: str) -> Path:
    """A folder of files for tests; without it a test skips, or fails when AUTOBUILD_REQUIRE_REFERENCE is set."""
    path = Path(os.environ.get(variable, PROJECT.parent / "shared" / folder))
    if not (path / file).is_file():
        reason = f"no file {file} in {path}; set {variable} to its folder"
        (pytest.fail if os.environ.get("AUTOBUILD_REQUIRE_REFERENCE") else pytest.skip)(reason)
    return path


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of golden files."""
    return shared("reference", "AUTOBUILD_REFERENCE", "l1_golden.json")


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder of downloaded benchmarks: what `AUTOBUILD_DATA` is for a reader."""
    return shared("datasets", "AUTOBUILD_DATASETS", "SHA256SUMS")


@pytest.fixture(scope="session")
def toy() -> ab.SequenceSpace:
    """A space with everything: three kinds of units, a unit feature, categorical and continuous layer features."""
    return ab.SequenceSpace(
        name="toy",
        units=[
            ab.Unit(min_layers=2, max_layers=2),
            ab.Unit(min_layers=1, max_layers=3, features={"width": [16, 32, 48]}),
            ab.Unit(min_layers=1, max_layers=1, score_with_previous=True),
        ],
        layer_features={"op": ["identity", "mb3_k3", "mb6_k5"], "ratio": ab.Continuous(values=[0.25, 0.5, 1.0])},
        global_features={},
    )


@pytest.fixture(scope="session")
def toy_table(toy: ab.SequenceSpace) -> ab.data.Table:
    """150 architectures; `additive` adds one number per layer choice, `other` is another such sum."""
    drawn = list(dict.fromkeys(toy.sample(np.random.default_rng(5), 180)))[:150]
    return ab.data.from_records(toy, [(a, {"additive": additive(a), "other": 3 - additive(a) ** 2 / 9}) for a in drawn])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run one command; return its exit code, and what it wrote to stdout and stderr."""

    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main([str(a) for a in arguments])
        except SystemExit as stop:
            code = int(str(stop.code))
        return (code, *capsys.readouterr())

    return command


def additive(architecture: ab.Architecture) -> float:
    """The sum over layers of a worth of the layer, plus a worth of the unit's width."""
    worth = {"identity": 0.0, "mb3_k3": 1.0, "mb6_k5": 2.5}
    total = 0.0
    for unit in architecture.units():
        total += unit.get("width", 0) / 16
        for layer in unit["layers"]:
            op, ratio = layer.rsplit("_ratio", 1)
            total += worth[op] * float(ratio)
    return total

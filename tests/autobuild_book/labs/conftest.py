"""What the tests of the labs share: the bundled table, its parts, networks drawn, and a predictor."""

import numpy as np
import pytest

import autobuild_lib as ab


@pytest.fixture(scope="session")
def table() -> ab.data.Table:
    return ab.data.load("ofa_mbv3")


@pytest.fixture(scope="session")
def parts(table: ab.data.Table) -> tuple[ab.data.Table, ab.data.Table]:
    return table.split(0.9, seed=3)


@pytest.fixture(scope="session")
def predictor(parts: tuple[ab.data.Table, ab.data.Table]) -> ab.Predictor:
    """A predictor after a moment of training: good enough to be read."""
    train = parts[0].take(range(300))
    return ab.fit(train.space, train, "100 * (acc / latency_gpu)", preset="tuned", epochs=2, progress=False)


@pytest.fixture(scope="session")
def drawn(table: ab.data.Table) -> list[ab.Architecture]:
    return table.space.sample(np.random.default_rng(1), 4000)

"""What the tests of the labs share: the labs of one seed, parts of their table, networks drawn, and a predictor."""

from types import SimpleNamespace

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.labs import embeddings, importances, modules, regions


@pytest.fixture(scope="session")
def lab1() -> embeddings.Lab:
    return embeddings.Lab()


@pytest.fixture(scope="session")
def lab2() -> importances.Lab:
    return importances.Lab()


@pytest.fixture(scope="session")
def lab3() -> modules.Lab:
    return modules.Lab()


@pytest.fixture(scope="session")
def lab4() -> regions.Lab:
    return regions.Lab()


@pytest.fixture(scope="session")
def table(lab2: importances.Lab) -> ab.data.Table:
    return lab2.table


@pytest.fixture(scope="session")
def parts(table: ab.data.Table) -> tuple[ab.data.Table, ab.data.Table]:
    return table.split(0.9, seed=3)


@pytest.fixture(scope="session")
def predictor(lab2: importances.Lab, parts: tuple[ab.data.Table, ab.data.Table]) -> ab.Predictor:
    """A predictor after a moment of training: good enough to be read."""
    train = parts[0].take(range(300))
    return ab.fit(train.space, train, lab2.right_target, preset="tuned", epochs=2, progress=False)


@pytest.fixture(scope="session")
def aimed(parts: tuple[ab.data.Table, ab.data.Table]) -> ab.Predictor:
    """A predictor of the target of lab 3."""
    train = parts[0].take(range(900))
    return ab.fit(train.space, train, "power(acc, 20) / latency_gpu", preset="tuned", epochs=8, progress=False)


@pytest.fixture(scope="session")
def corpora(aimed: ab.Predictor) -> tuple[ab.UnitCorpus, ab.UnitCorpus]:
    return ab.score_units(aimed, progress=False), ab.score_units(aimed, score="effect", progress=False)


@pytest.fixture(scope="session")
def made(
    parts: tuple[ab.data.Table, ab.data.Table],
    predictor: ab.Predictor,
    aimed: ab.Predictor,
    corpora: tuple[ab.UnitCorpus, ab.UnitCorpus],
) -> SimpleNamespace:
    """What students of labs 2 and 3 have made before they answer."""
    train, test = parts
    norm, effect = corpora
    return SimpleNamespace(train=train, test=test, predictor=predictor, aimed=aimed, norm=norm, effect=effect)


@pytest.fixture(scope="session")
def drawn(table: ab.data.Table) -> list[ab.Architecture]:
    return table.space.sample(np.random.default_rng(1), 4000)


@pytest.fixture(scope="session")
def batch() -> tuple[np.ndarray, np.ndarray]:
    """Norms [hops + 1, n] and targets [n] of a batch."""
    rng = np.random.default_rng(0)
    targets = rng.normal(size=32)
    return np.stack([4 * (targets * weight + rng.normal(size=32)) for weight in (0.2, 3, 1, 0.5)]), targets

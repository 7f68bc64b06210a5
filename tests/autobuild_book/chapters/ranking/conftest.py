"""The toy table with noise."""

from dataclasses import replace

import numpy as np
import pytest

import autobuild_lib as ab


@pytest.fixture(scope="module")
def noisy(toy_table: ab.data.Table) -> ab.data.Table:
    """The toy table with noise on `additive`, of which the noise-free value is kept, and `other` without."""
    rng = np.random.default_rng(0)
    clean = toy_table.labels[["additive"]]
    return replace(toy_table, labels=toy_table.labels.assign(additive=clean.additive + rng.normal(size=150)),
                   noise_free=clean)  # fmt: skip

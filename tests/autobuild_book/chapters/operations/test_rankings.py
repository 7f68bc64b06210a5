"""How far rankings of operations agree, by hand."""

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.operations import rankings
from tests.helpers.importances import NAMES, attribution_of, importance_of


def test_agreement_of_seeds_by_hand() -> None:
    places = pd.DataFrame([[1, 2, 3], [1, 2, 3], [3, 2, 1]])
    np.testing.assert_allclose(rankings.kendall_matrix(places), [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    mean, low, high = rankings.seed_agreement(places)
    assert mean == pytest.approx(-1 / 3) and low == -1 and high == 1
    assert np.isnan(rankings.seed_agreement(places[:2])[1:]).all()


def test_agreement_table_compares_like_with_like() -> None:
    importance = importance_of(0.5)
    effects = pd.DataFrame({"operation": NAMES[:9], "effect": -np.arange(9.0)})
    associations = pd.DataFrame({"operation": NAMES, "association": -np.arange(13.0)})
    table = rankings.agreement_table(importance, attribution_of(importance, 1.0), effects, associations)
    value = table.set_index("comparison").value
    assert value["importance between seeds, tuned preset"] > 0.8
    assert abs(value["importance between seeds, labels shuffled"]) < 0.2
    assert value["importance, ablation"] > 0.9 and value["importance, size of the matched effect in data"] > 0.9
    assert value["importance, correlation of the share of nodes with the target"] < -0.9
    assert abs(value["importance, importance before training"]) < 0.5
    assert table[["low", "high"]].stack().between(-1, 1).all()


def test_presets_are_compared_by_seed() -> None:
    cheap = importance_of(1e3, seeds=3, shuffles=0)
    both = pd.concat([cheap, cheap[cheap.seed < 2].assign(preset="paper")])
    effects = pd.DataFrame({"operation": NAMES, "effect": 1.0})
    associations = pd.DataFrame({"operation": NAMES, "association": 1.0})
    table = rankings.agreement_table(both, attribution_of(cheap, 1.0), effects, associations)
    value = table.set_index("comparison").value
    assert value["paper and tuned preset, the same seed"] == pytest.approx(1)
    assert value["paper and tuned preset, other seeds"] < 0.9
    assert value["importance, size of the matched effect in data"] == 0  # constant: no ranking

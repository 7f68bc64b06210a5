"""Ceilings of noise, against pairs of seeds that are counted one by one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import autobuild_lib as ab
from autobuild_book.chapters.trained.ceilings import REPEATS, seed_ceilings


def test_pairs_that_are_counted_by_hand() -> None:
    labels = pd.DataFrame({
        "acc_proxified_1": [1.0, 2, 3, 4], "acc_proxified_2": [1.0, 3, 2, 4], "acc_proxified_3": [2.0, 1, 3, 4],
        "acc_fewproxy_1": [8.0, 7, 6, 5], "acc_fewproxy_2": [8.0, 7, 6, 5], "acc_fewproxy_3": [8.0, 7, 6, 5],
    })  # fmt: skip
    table = seed_ceilings(labels, samples=20).set_index(["first", "second"])
    assert table.loc[("proxified", "proxified")].srcc == pytest.approx((0.8 + 0.8 + 0.4) / 3)
    assert table.loc[("fewproxy", "fewproxy")].srcc == pytest.approx(1)
    assert table.loc[("proxified", "fewproxy")].srcc == pytest.approx(-(1 + 0.8 + 0.8) / 3)
    assert table.pairs.tolist() == [3, 9, 3]
    assert table.noise.tolist() == pytest.approx([np.sqrt((1 / 3 + 1 + 1 / 3) / 4), np.nan, 0], nan_ok=True)


def test_the_published_repeats(datasets: Path) -> None:
    labels = ab.data.load(REPEATS, folder=datasets).labels
    table = seed_ceilings(labels, samples=200)
    short = labels[[name for name in labels if "proxified" in name]].to_numpy()
    correlations = spearmanr(short)[0][[0, 0, 1], [1, 2, 2]]
    assert table.srcc[0] == pytest.approx(correlations.mean())
    assert table.srcc.tolist() == pytest.approx([0.992, 0.987, 0.996], abs=0.001)
    assert (table.low < table.srcc).all() and (table.srcc < table.high).all() and (table.high - table.low).max() < 0.02
    assert seed_ceilings(labels, samples=200).equals(table) and 0.05 < table.noise[2] < table.noise[0] < 0.5

"""Searches against each other: medians by hand, and tests corrected together."""

import math

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from autobuild_book.chapters.shared.rivals import compare_rivals, median_curves


def test_medians_by_hand() -> None:
    frame = pd.DataFrame({"family": "f", "device": "gpu", "method": "m", "evaluations": 50,
                          "hypervolume": [5.0, 1, 2, 9, 4, 3]})  # fmt: skip
    (row,) = median_curves(frame).to_dict("records")
    assert (row["median"], row["low"], row["high"], row["searches"]) == (3.5, 1, 9, 6)  # 1 - 2 / 64 of 95 % needs all
    assert math.isnan(median_curves(frame.iloc[:5]).low[0])


def test_rivals_are_compared_on_every_problem_and_corrected_together() -> None:
    rng = np.random.default_rng(0)
    levels = {"a": {"ours": 3, "weak": 2, "equal": 3}, "b": {"ours": 1, "weak": 2, "equal": 1}}
    rows = [
        (data, method, seed, 100, level + 0.1 * rng.random())
        for data, by_method in levels.items()
        for method, level in by_method.items()
        for seed in range(8)
    ]
    curves = pd.DataFrame(rows, columns=["data", "method", "seed", "evaluations", "hypervolume"])
    earlier = curves.assign(evaluations=50, hypervolume=0.0)
    tests = compare_rivals(pd.concat([curves, earlier]), 100, "ours", ["weak", "equal"], ["data"])
    assert tests[["rival", "data"]].to_numpy().tolist() == [[r, d] for r in ("weak", "equal") for d in "ab"]
    assert (tests["searches"] == 8).all() and (tests["evaluations"] == 100).all()
    assert (tests["better"] < 0.05).tolist() == [True, False, False, False]
    assert (tests["worse"] < 0.05).tolist() == [False, True, False, False]
    values = {key: part["hypervolume"].to_numpy() for key, part in curves.groupby(["data", "method"])}
    alone = mannwhitneyu(values["a", "ours"], values["a", "weak"], alternative="greater").pvalue
    assert np.isclose(tests["better"][0], 4 * alone)  # the least of four p-values

"""Rows measured again, beside the committed ones."""

import math

import pandas as pd

from autobuild_book.chapters.trained.again import spot_check

KEY = ["source", "seed", "method"]


def test_rows_are_compared_with_those_of_the_same_key() -> None:
    rows = [("p", 0, "m", 1.0), ("p", 1, "m", 3.0), ("p", 0, "n", 5.0), ("q", 0, "m", 7.0)]
    committed = pd.DataFrame(rows, columns=[*KEY, "value"])
    live = pd.DataFrame([("p", 0, "m", 2.0), ("q", 0, "m", 7.5), ("r", 0, "m", 0.0)], columns=[*KEY, "value"])
    checked = spot_check(live, committed, KEY, "value").set_index("what")
    assert checked.loc["p, m", ["here", "committed", "difference"]].tolist() == [2, 1, 1]
    assert math.isclose(checked.loc["p, m", "spread"], 2**0.5) and len(checked) == 2
    assert math.isnan(checked.loc["q, m", "spread"])
    assert spot_check(live[:0], committed, KEY, "value").empty

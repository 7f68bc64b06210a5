"""The verdict and its sentence, by hand."""

import math

import pandas as pd
import pytest

from autobuild_book.chapters.machine.building import BEST, SMALLEST
from autobuild_book.chapters.machine.verdict import judge, sentence
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM
from tests.helpers.cheap_measures import comparison


@pytest.mark.parametrize(
    ("p_values", "text"),
    [
        ({"a": 0.001, "b": 0.001, "c": 0.04}, "supported"),
        ({"a": 0.001, "b": 0.02, "c": 0.5}, "partly"),  # 0.02 is 0.04 after Holm's correction
        ({"a": 0.001, "b": 0.03, "c": 0.5}, "not supported"),  # 0.03 is 0.06
        ({"a": 0.5, "b": 0.5, "c": 0.5}, "not supported"),
        ({"a": 0.001, "b": float("nan")}, "partly"),
        ({"a": float("nan")}, "not supported"),
    ],
)
def test_verdict(p_values: dict[str, float], text: str) -> None:
    verdict = judge(comparison(**p_values))
    table, found = verdict.checks, verdict.word
    assert found == text and list(table["target"]) == list(p_values)
    assert judge(comparison(**p_values), EFFECT).word == "not supported"


@pytest.mark.parametrize(
    ("low", "high", "text"), [(1, 9, "beat"), (-9, -1, "lose to"), (-1, 1, "cannot be told from"),
                              (math.nan, math.nan, "cannot be told from")],
)  # fmt: skip
def test_the_sentence_says_plainly_who_wins(low: float, high: float, text: str) -> None:
    rows = [("t", NORM, 5.0, low, high, 11.0), ("t", BEST, 0.0, -1.0, 1.0, 10.0), ("t", SMALLEST, 20.0, 0.0, 0.0, 12.0)]
    frame = pd.DataFrame(rows, columns=["target", "group", "gain", "low", "high", "mean"])
    found = sentence(frame, "t")
    assert found.startswith(f"t: the networks {NORM} {text} ")
    assert "(+5.0 %" in found and found.endswith("8.3 % short of the smallest network.")
    assert ("interval" in found) == math.isfinite(low) and "nan" not in found
    frame.loc[2, "mean"] = 6.0
    assert sentence(frame, "t").endswith("83.3 % better than the smallest network.")

"""A score that reads what ranks no better than chance is doubted, in numbers and in words."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.your_space import trust

SPACE = ab.SequenceSpace("toy", [ab.Unit(1, 3), ab.Unit(2, 4)], {"op": ["a", "b"]})
ROWS = ["hop 0", "hop 1", "hop 2", "hop 3", "hop 4", "head"]


def report(**changed: tuple[float, float, float]) -> pd.DataFrame:
    """All rows rank well but those that are given."""
    rows = {row: changed.get(row.replace(" ", "_"), (0.7, 0.4, 0.9)) for row in ROWS}
    return pd.DataFrame(rows, index=["srcc", "low", "high"]).T


def test_scores_rest_on_the_hops_of_their_depths_and_on_the_head() -> None:
    assert trust.read_rows(SPACE, "norm") == ["hop 0", "hop 1", "hop 2", "hop 3"]
    assert trust.read_rows(SPACE, "effect") == ["head"]
    fixed = ab.SequenceSpace("fixed", [ab.Unit(2, 2)] * 3, {"op": ["a", "b"]})
    assert trust.read_rows(fixed, "norm") == ["hop 1"]


@pytest.mark.parametrize(
    ("low", "high", "is_doubted"),
    [(0.01, 0.5, False), (0.0, 0.5, True), (-0.01, 0.5, True), (-0.6, -0.1, True), (np.nan, np.nan, True)],
)
def test_an_interval_must_lie_above_0(low: float, high: float, is_doubted: bool) -> None:
    doubted = trust.doubts(report(hop_2=((low + high) / 2, low, high)), SPACE)
    assert doubted == {"norm": ["hop 2"] * is_doubted, "effect": []}


def test_hops_that_no_depth_needs_do_not_count() -> None:
    assert trust.doubts(report(hop_4=(-0.4, -0.7, -0.1)), SPACE) == {"norm": [], "effect": []}


@pytest.mark.parametrize("norm", [(), ("hop_0", "hop_3")])
@pytest.mark.parametrize("effect", [(), ("head",)])
def test_words_name_each_doubt_with_its_number(norm: tuple[str, ...], effect: tuple[str, ...]) -> None:
    rows: dict[str, Any] = dict.fromkeys((*norm, *effect), (-0.37, -0.61, -0.05))
    shown = report(**rows)
    doubted = trust.doubts(shown, SPACE)
    words, page = trust.in_words(shown, doubted), trust.warning(shown, doubted)
    assert words.count("-0.37") == len(rows) and all(name.replace("_", " ") in words for name in rows)
    assert ("Warning" in page) == bool(rows) and words in page and ("worst" in words) == bool(rows)
    assert ("modules of 1, 4" in words) == bool(norm) and ("reads the head" in words) == bool(effect)


def test_an_unknown_interval_is_said_to_be_none() -> None:
    shown = report(head=(1.0, np.nan, np.nan))
    assert "nan" not in trust.in_words(shown, trust.doubts(shown, SPACE))


def test_networks_of_both_scores_come_with_sums_predictions_and_doubts() -> None:
    architectures = list(dict.fromkeys(SPACE.sample(60, 0)))
    labels = [{"count": float(str(each).count("a"))} for each in architectures]
    table = ab.data.from_records(SPACE, list(zip(architectures, labels, strict=True)))
    predictor = ab.fit(SPACE, table, "count", preset="tuned", epochs=2, progress=False)
    spaces = {score: ab.score_units(predictor, score=score, hosts=2).top(k=2) for score in ("norm", "effect")}
    built = {score: (kept, kept.best(3)) for score, kept in spaces.items()}
    frame = trust.built_networks(predictor, built, {"norm": ["hop 0", "hop 1"], "effect": []})
    assert list(frame) == ["score", "place", "architecture", "sum", "prediction", "doubts"]
    assert list(frame.place) == [1, 2, 3] * 2 and list(frame.doubts) == ["hop 0, hop 1"] * 3 + [""] * 3
    for (score, place), row in frame.set_index(["score", "place"]).iterrows():
        network = built[score][1][place - 1]
        assert row.architecture == str(network) and row["sum"] == spaces[score].scores([network])[0]
        assert row.prediction == pytest.approx(predictor.predict([network])[0])
    assert all(group["sum"].is_monotonic_decreasing for _, group in frame.groupby("score"))

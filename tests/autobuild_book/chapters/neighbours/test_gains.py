"""What an idea adds: paired differences by hand, what counts as a pair, and the committed rows."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from autobuild_book.chapters.neighbours import comparison, gains, tau
from autobuild_book.chapters.neighbours.registry import NEIGHBOURS

WITH, WITHOUT = gains.PAIRS["CARL"][0]
AHEAD = {("x", 0): 0.1, ("x", 1): 0.3, ("y", 0): 0.6, ("z", 0): -0.1}  # by table and seed


def rows(ahead: dict[tuple[str, int], float], size: int = 100) -> pd.DataFrame:
    """Rows of both models; the one without has a number of its own for each table and seed."""
    fits = []
    for place, ((source, seed), value) in enumerate(ahead.items()):
        fits += [(source, WITHOUT, size, seed, place / 10), (source, WITH, size, seed, place / 10 + value)]
    frame = pd.DataFrame(fits, columns=["source", "model", "size", "seed", "srcc"])
    return frame.assign(tau=frame["srcc"])


NONE = rows({}).drop(columns="source")


def test_the_interval_is_over_tables_each_the_mean_of_its_seeds() -> None:
    (line,) = gains.gains(rows(AHEAD), NONE).to_dict("records")
    tables = [0.2, 0.6, -0.1]
    interval = ttest_1samp(tables, 0).confidence_interval(0.95)
    assert (line["gain"], line["low"], line["high"]) == pytest.approx((np.mean(tables), *interval))
    assert (line["tables"], line["pairs"], line["size"], line["measured"]) == (3, 4, 100, gains.SRCC)
    assert (line["system"], line["model"], line["without"]) == ("CARL", WITH, WITHOUT)


def test_on_one_table_it_is_over_seeds() -> None:
    cells = rows({("x", 0): 0.1, ("x", 1): 0.3, ("x", 2): 0.2}).drop(columns="source")
    (line,) = gains.gains(rows({}), cells).to_dict("records")
    interval = ttest_1samp([0.1, 0.3, 0.2], 0).confidence_interval(0.95)
    assert (line["gain"], line["low"], line["high"]) == pytest.approx((0.2, *interval))
    assert (line["tables"], line["pairs"], line["measured"]) == (1, 3, gains.TAU)


def test_only_what_both_were_measured_on_counts() -> None:
    frame = rows(AHEAD)
    half = frame.drop(index=[int(frame.index[-1])])  # table z has no fit with the idea
    (line,) = gains.gains(half, NONE).to_dict("records")
    assert (line["gain"], line["tables"], line["pairs"]) == (pytest.approx(0.4), 2, 3)
    assert gains.gains(frame[frame["model"] == WITH], NONE).empty
    sizes = gains.gains(pd.concat([frame, rows(AHEAD, 50)]), NONE)
    assert sizes["size"].tolist() == [50, 100] and sizes["gain"].nunique() == 1


def test_a_gain_that_every_model_of_a_table_shares_is_none() -> None:
    """How hard a table is has no say: only differences count."""
    frame = rows(AHEAD)
    frame.loc[frame["source"] == "y", "srcc"] += 5
    first, second = (gains.gains(each, NONE)["gain"].item() for each in (frame, rows(AHEAD)))
    assert first == pytest.approx(second)


def test_in_words_and_as_a_table() -> None:
    sure = {("x", 0): 0.20, ("y", 0): 0.21, ("z", 0): 0.19}
    worse = {task: -value for task, value in sure.items()}
    frame = gains.gains(pd.concat([rows(sure, 50), rows(worse, 100), rows(AHEAD, 300)]),
                        rows({("x", 0): 0.5}).drop(columns="source"))  # fmt: skip
    text = gains.sentence(frame, "CARL")
    assert "in 4 settings" in text and "above 0 in 3;" in text, "50 and 300 rows, and the single cell table"
    assert "is above 0 in 1" in text and "below 0 in 1" in text and "unknown in 1" in text
    shown = gains.readable(frame, "CARL")
    assert shown["gain"].tolist()[0].startswith("0.200 [0.17") and shown["gain"].tolist()[-1] == "0.500"
    assert shown["pairs"].tolist() == [3, 3, 4, 1]
    assert "Not measured" in gains.sentence(frame, "Operation embeddings")
    for call in (gains.sentence, gains.readable):
        with pytest.raises(ValueError, match=r"'GATES'.*CARL"):
            call(frame, "GATES")


def test_pairs_are_models_of_the_registry_that_differ_in_the_idea_alone() -> None:
    for pairs in gains.PAIRS.values():
        for model, without in pairs:
            first, second = NEIGHBOURS[model].describe(), NEIGHBOURS[without].describe()
            differing = {key for key in {**first, **second} if first.get(key) != second.get(key)}
            assert differing - {"name", "paper", "idea", "differs"} in (
                {"embedding"}, {"unlabelled"}, {"interventions"}
            )  # fmt: skip


def test_committed_rows_have_gains_of_all_systems() -> None:
    frame = gains.gains(comparison.SECTION.committed(), tau.SECTION.committed())
    assert list(frame) == gains.COLUMNS and set(frame["system"]) == set(gains.PAIRS)
    assert frame["gain"].between(-1, 1).all() and (frame["pairs"] >= frame["tables"]).all()
    known = frame.dropna()
    assert ((known["low"] <= known["gain"]) & (known["gain"] <= known["high"])).all()

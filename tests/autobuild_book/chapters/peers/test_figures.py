"""Figures of the comparison."""

import math

import pandas as pd

from autobuild_book.chapters.peers import (
    contests,
    figures,
    results,
)
from tests.helpers.peer_rows import OURS, THEIRS, rows_of


def test_figures() -> None:
    sizes = {(m, s): [0.5 + s / 1000, 0.6, 0.7] for m in (OURS, THEIRS, "forest: GRAF") for s in (25, 50, 100)}
    rows = pd.concat([rows_of(sizes, target) for target in ("acc", "latency_gpu", "x")])
    summary = results.mean_measures(rows)
    references = pd.DataFrame([("c", "acc", contests.CEILING, 0.9)], columns=["contest", "target", "model", "srcc"])
    figure = figures.peer_curves(summary, references, results.shown(summary))
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == ["c, accuracy", "c, GPU latency", "c, x"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        contests.CEILING, OURS, THEIRS, "forest: GRAF",
    ]  # fmt: skip
    leads = results.against_autobuild(rows)
    (axes,) = figures.lead_of_autobuild(leads).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == titles
    gains = pd.DataFrame([("a", "b", 25, 0.1, math.nan, math.nan)],
                         columns=["combination", "part", "size", "gain", "low", "high"])  # fmt: skip
    assert figures.gains_of_combining(gains).axes

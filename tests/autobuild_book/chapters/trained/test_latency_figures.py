"""Figures of latencies show what they are given."""

import itertools

import pandas as pd

from autobuild_book.chapters.trained import latency, latency_figures, swapped


def test_a_panel_per_batch() -> None:
    keys = list(itertools.product(latency.GPUS, latency.BATCHES, latency.SAYS))
    rows = pd.DataFrame(keys, columns=["gpu", "batch", "says"])
    figure = latency_figures.order_of_latencies(rows.assign(srcc=0.5, low=0.4, high=0.6))
    assert len(figure.axes) == 3 and all(len(axes.containers) == 4 for axes in figure.axes)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(latency.SAYS)


def test_a_number_per_pair_of_latencies() -> None:
    keys = list(itertools.product(swapped.SCORES, swapped.LATENCIES, swapped.LATENCIES))
    rows = pd.DataFrame(keys, columns=["score", "first", "second"]).assign(measure=swapped.SHARE)
    figure = latency_figures.shares_by_latency(rows.assign(value=[n / 100 for n in range(len(rows))]))
    norm, effect = figure.axes
    assert [text.get_text() for text in norm.texts][:2] == ["0.00", "0.01"] and len(effect.texts) == 16
    assert effect.texts[-1].get_text() == "0.31"

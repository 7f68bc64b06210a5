"""Trained tables as points of the explorer: numbers, what they rest on, and no more than a page can carry."""

import json

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.board import tables
from autobuild_book.chapters.board.tables import BENCHMARK, HERE, BoardTable
from autobuild_book.pages import trained_clouds
from autobuild_lib.data import Table
from tests.autobuild_book.pages.conftest import SMALL

GRAPH, PANOPTIC = SMALL


def test_every_label_of_every_network_of_a_small_table() -> None:
    cloud, table = trained_clouds.clouds()[GRAPH], tables.load(GRAPH)
    assert (cloud["x"], cloud["y"]) == ("latency", "acc") and set(cloud["labels"]) == set(table.labels)
    assert cloud["architectures"] == list(map(str, table.architectures)) and len(table) == 2021
    for label, shown in cloud["labels"].items():
        assert np.allclose(shown["values"], table.labels[label], rtol=1e-4)
    assert cloud["labels"]["latency"]["title"].startswith("latency (") and "all 2,021" in cloud["rests"]


def test_kinds_of_data_are_said() -> None:
    clouds = trained_clouds.clouds()
    assert clouds[GRAPH]["rests"].startswith(f"{BENCHMARK}: ") and clouds[PANOPTIC]["rests"].startswith(f"{HERE}: ")
    assert clouds[GRAPH]["group"] != clouds[PANOPTIC]["group"]
    assert (clouds[PANOPTIC]["x"], clouds[PANOPTIC]["y"]) == ("macs", "pq")


def test_of_a_large_table_some_are_drawn_always_the_same(toy_table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained_clouds, "MOST", 40)
    board = BoardTable("toy", ("-additive",), kind=HERE)
    cloud = trained_clouds.cloud(board, toy_table)
    assert cloud == trained_clouds.cloud(board, toy_table) and len(set(cloud["architectures"])) == 40
    assert f"40 of {len(toy_table)}" in cloud["rests"] and cloud["y"] == "additive"
    values = dict(zip(map(str, toy_table.architectures), toy_table.labels["additive"], strict=True))
    shown = zip(cloud["architectures"], cloud["labels"]["additive"]["values"], strict=True)
    assert all(value == pytest.approx(values[text], rel=1e-4) for text, value in shown)


def test_tables_that_are_not_here_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TABLES", (BoardTable(GRAPH), BoardTable("accel-nasbench")))
    monkeypatch.setattr(tables, "why_missing", lambda name: "no file" if name == "accel-nasbench" else "")
    assert [board.name for board in trained_clouds.shown_tables()] == [GRAPH]


def test_what_is_not_known_is_null_and_no_cloud_is_heavy() -> None:
    assert trained_clouds.short_numbers(pd.Series([1.234567, np.nan])) == [1.2346, None]
    assert all(len(json.dumps(cloud, allow_nan=False)) < 1_000_000 for cloud in trained_clouds.clouds().values())

"""A model that enters with one class: its one test, and that it is measured as all others are."""

from pathlib import Path

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.board import measuring
from autobuild_book.chapters.board.newcomer import MarginalMeans
from autobuild_book.chapters.board.tables import BoardTable

TINY = ab.SequenceSpace("tiny", [ab.Unit(1, 1), ab.Unit(1, 2)], {"op": ["a", "b", "c"]})


def test_worths_by_hand() -> None:
    networks = [("a|a", 1.0), ("a|b", 3.0), ("b|b", 8.0)]
    table = ab.data.from_records(TINY, [(TINY.parse(text), {"y": y}) for text, y in networks])
    (learnt,) = MarginalMeans().fit_many(table, ["y"])
    first, second, depth = 2.0, 5.5, 4.0  # a in the first unit, b in the second; one layer there, and no second one
    assert learnt.predict([TINY.parse("a|b")])[0] == pytest.approx(np.mean([first, second, depth, depth]))
    assert learnt.predict([TINY.parse("c|c")])[0] == pytest.approx(4.0), "what nobody chose is worth the mean"


def test_it_is_measured_like_all_others(trained: BoardTable, tmp_path: Path) -> None:
    jobs = measuring.plan([trained], [MarginalMeans()], [100], [0, 1])
    rows = measuring.measure(jobs, tmp_path / "rows.csv", progress=False)
    assert set(rows.model) == {"marginal means"} and len(rows) == 4
    assert rows[rows.target == "additive"].srcc.min() > 0.5, "where choices add up, their means say much"

"""The search spends what the labels cost, and repeats itself from its rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.panoptic import learning, search
from autobuild_book.chapters.panoptic.choice import REGIONS
from autobuild_book.chapters.panoptic.task.measuring import Measurement
from autobuild_book.chapters.panoptic.task.space import costs
from tests.helpers.backbones import MANY, OURS, TEXTS, plain, quality_of


def toy_labels(architectures: list[ab.Architecture], /) -> pd.DataFrame:
    macs = costs(architectures)["macs"].to_numpy(np.float64)
    return pd.DataFrame({"pq": quality_of(macs) + [0.01 * len(set(str(a))) for a in architectures], "macs": macs})


def test_a_search_spends_as_many_evaluations_as_there_are_labels() -> None:
    found = search.search(toy_labels)
    assert len(found) == len(set(found.architecture)) == 600 == len(learning.load_subject("bundled", REGIONS).table)
    rows = [plain(str(a), pq, OURS) for a, pq in zip(found.architecture, found.pq, strict=True)]
    again = search.searched_before([*rows, plain(TEXTS[0], 9.0, "other"), plain(TEXTS[0], 9.0, OURS, "B")])
    assert again is not None and again.architecture.tolist() == found.architecture.tolist()
    assert again.pq.tolist() == found.pq.tolist()
    assert search.searched_before(rows[:599]) is None


def test_an_evaluator_measures_and_keeps_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measure(architectures: list[ab.Architecture], out: Path, **options: Any) -> list[Measurement]:
        asked.append((len(architectures), out, options))
        return [plain(str(one), 0.5, OURS) for one in architectures]

    monkeypatch.setattr(search, "measure", measure)
    found = search.by_measuring(tmp_path / "rows.csv", tmp_path)(MANY[:2])
    assert found["pq"].tolist() == [0.5, 0.5] and found["macs"].tolist() == costs(MANY[:2])["macs"].tolist()
    assert asked == [(2, tmp_path / "rows.csv", {"folder": tmp_path, "workers": 1})]

"""`autobuild task panoptic choose` refuses rows that it cannot use, before any training."""

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.panoptic import choice
from autobuild_book.chapters.panoptic.search import search
from autobuild_book.chapters.panoptic.task.measuring import ROWS, Measurement
from autobuild_book.chapters.panoptic.task.space import backbone_space, costs

Run = Callable[..., tuple[int, str, str]]


def labels(architectures: list[ab.Architecture], /) -> pd.DataFrame:
    """A quality that is as good as the layers are many."""
    return pd.DataFrame({"pq": [sum(a.depths) / 100 for a in architectures], "macs": costs(architectures)["macs"]})


@pytest.fixture(scope="module")
def searched() -> list[Measurement]:
    """The rows of a search."""
    plain = {field.name: 0 for field in fields(Measurement)} | {"network": "n", "images": "A", "machine": "m"}
    found = search(labels)
    return [Measurement(**plain | {"architecture": str(row.architecture), "pq": row.pq, "macs": int(row.macs)})
            for row in found.itertuples()]  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "message"),
    [(0, "searched.csv: .*`autobuild task panoptic search`"),
     (599, "rows of 599 .* some of the 600"),
     (-1, "rows of 600 .* some of the 600"),
     (600, "training has begun")],
)  # fmt: skip
def test_rows_are_checked_before_training(
    run: Run, searched: list[Measurement], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: int, message: str
) -> None:
    def begun(*_: Any) -> Any:
        raise ValueError("training has begun")

    rows = searched[:kept]
    if kept == -1:  # one of them is of something else
        wanted = {row.architecture for row in searched}
        other = next(text for text in map(str, backbone_space()) if text not in wanted)
        rows = [*rows, Measurement(**vars(searched[-1]) | {"architecture": other})]
    monkeypatch.setattr(choice, "fit_all", begun)
    (tmp_path / "searched.csv").write_text(ROWS.write(rows))
    code, out, err = run("task", "panoptic", "choose", "--searched", tmp_path / "searched.csv", "--out", tmp_path)
    assert code == 1 and not out and re.search(message, err.splitlines()[-1]) and "Traceback" not in err

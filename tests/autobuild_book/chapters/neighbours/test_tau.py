"""The measurement of Kendall's tau: its plan, one row by hand, and that it goes on where it was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.neighbours import nas_bench_201, tau
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE
from autobuild_book.measured import parts
from autobuild_lib.data.table import make_table
from autobuild_lib.spaces import Architecture

Run = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Counts:
    """Predicts how many convolutions a cell has, and learns nothing."""

    name: str = "counts"
    needs_proxies = False

    def fit_many(self, table: Any, targets: Sequence[str], seed: int = 0, proxies: Any = None) -> list[Any]:
        return [SimpleNamespace(predict=count)]


def count(cells: Sequence[Architecture]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([str(cell).count("nor_conv") for cell in cells], dtype=np.float64)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [SPACE.parse("|".join([*["nor_conv_1x1"] * n, *["none"] * (6 - n)])) for n in range(7)]
    table = make_table(SPACE, rows, {"acc": [0.0, 1.0, 3.0, 2.0, 4.0, 5.0, 6.0]}, source="few", kind="benchmark")
    monkeypatch.setattr(tau, "cells", lambda: table)
    monkeypatch.setattr(tau, "MODELS", {"counts": Counts()})
    monkeypatch.setattr(parts, "in_processes", lambda work, arguments, *_: [work(*each) for each in arguments])


def test_a_row_by_hand() -> None:
    drawn = set(tau.drawn_rows(7, 2, 0).tolist())
    swapped = not drawn & {2, 3}  # the pair that the labels have in the other order
    (row,) = tau.Tau("counts", 2, 0).measure().to_dict("records")
    assert row["tau"] == pytest.approx((10 - 2 * swapped) / 10) and row["fit_seconds"] >= 0
    assert list(row) == tau.COLUMNS


def test_a_constant_ranks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.count", lambda cells: np.zeros(len(cells)))
    assert tau.Tau("counts", 2, 0).measure()["tau"].item() == 0


def test_plan_leaves_cells_to_rank() -> None:
    planned = tau.plan([2, 5, 6], range(2))
    assert [(part.size, part.seed) for part in planned] == [(2, 0), (5, 0), (2, 1), (5, 1)]
    assert len({part.key for part in planned}) == 4


def test_the_command_goes_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "rows.csv"
    words = ("neighbours", "measure", "tau", "--sizes", 2, 3, "--seeds", 2, "--out", out)
    code, text, _ = run(*words, "--plan")
    assert code == 0 and text.startswith("4 ") and not list(tmp_path.iterdir())
    assert run(*words)[0] == 0
    monkeypatch.setattr(tau.Tau, "measure", lambda part: pytest.fail("measured again"))
    assert run(*words)[0] == 0 and len(pd.read_csv(out)) == 4
    assert run("neighbours", "measure", "nothing", "--out", out)[0] == 2


def test_without_the_file_it_says_where_it_belongs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    monkeypatch.setattr(tau, "cells", nas_bench_201.load)
    code, _, error = run("neighbours", "measure", "tau", "--plan", "--out", tmp_path / "rows.csv")
    assert code == 1 and error.count("\n") == 1 and str(tmp_path / "nas-bench-201") in error


def test_summary_has_the_published_number_beside_ours() -> None:
    rows = pd.DataFrame({"model": ["neural predictor"] * 2, "size": [156] * 2, "seed": [0, 1], "tau": [0.4, 0.6]})
    line = tau.summary(rows.assign(fit_seconds=[1.0, 3.0], predict_seconds=0.5)).iloc[0]
    assert (line["tau"], line["published"], line["fit_seconds"]) == (0.5, 0.413, 2.0)
    assert line["low"] < 0.4 and line["high"] > 0.6, "two seeds say little"


def test_committed_rows_are_whole_seeds_of_the_plan() -> None:
    rows = tau.SECTION.committed()
    assert list(rows) == tau.COLUMNS and rows["tau"].between(-1, 1).all() and (rows["fit_seconds"] > 0).all()
    assert not rows.duplicated(["model", "size", "seed"]).any()
    for _, group in rows.groupby(["model", "seed"]):
        assert sorted(group["size"]) == list(tau.SIZES)
    means = tau.summary(rows).set_index(["model", "size"])
    assert {"neural predictor", "GATES", "arch2vec", "CTNAS comparator"} <= set(rows["model"])
    assert (means.loc["GATES", "seeds"] == len(tau.SEEDS)).all()
    assert means.loc[("GATES", 781), "low"] > means.loc[("GATES", 78), "high"], "more cells, better ranks"
    assert (means.loc["neural predictor", "low"] > means.loc["neural predictor", "published"]).all()

"""Contests: one row by hand, what is ranked, and that a measurement goes on where it was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.neighbours import contests, nas_bench_201
from autobuild_book.chapters.neighbours.contests import Contest
from autobuild_book.chapters.neighbours.nas_bench_201 import NAME, SPACE
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
    monkeypatch.setattr(contests, "rows_of", lambda source: table)
    monkeypatch.setitem(contests.MODELS, "counts", Counts())
    monkeypatch.setattr("autobuild_book.chapters.neighbours.tau.NEIGHBOURS", {"counts": Counts()})
    monkeypatch.setattr("autobuild_book.chapters.neighbours.tau.RIVALS", ())
    monkeypatch.setattr(parts, "in_processes", lambda work, arguments, *_: [work(*each) for each in arguments])


def test_a_row_by_hand() -> None:
    drawn = set(contests.drawn_rows(7, 2, 0).tolist())
    swapped = not drawn & {2, 3}  # the pair that the labels have in the other order
    (row,) = Contest(NAME, "counts", 2, 0, 7).measure().to_dict("records")
    assert row["tau"] == pytest.approx((10 - 2 * swapped) / 10) and row["fit_seconds"] >= 0
    assert row["srcc"] == pytest.approx(1 - 6 * 2 * swapped / (5 * 24)), "one swap of neighbours among five"
    assert list(row) == contests.COLUMNS


def test_a_constant_ranks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.count", lambda cells: np.zeros(len(cells)))
    assert Contest(NAME, "counts", 2, 0, 7).measure()[["srcc", "tau"]].to_numpy().tolist() == [[0, 0]]


def test_some_of_the_others_are_ranked_the_same_for_every_model(monkeypatch: pytest.MonkeyPatch) -> None:
    ranked = []
    monkeypatch.setattr(
        f"{__name__}.count", lambda cells: ranked.append(list(map(str, cells))) or np.arange(len(cells))
    )
    for most in (7, 3, 3):
        Contest(NAME, "counts", 2, 0, most).measure()
    everything, some, again = ranked
    assert (len(everything), len(some)) == (5, 3) and some == again and set(some) < set(everything)


def test_keys_differ() -> None:
    both = [Contest(NAME, "counts", size, seed, most) for size in (2, 3) for seed in (0, 1) for most in (3, 7)]
    assert len({part.key for part in both}) == len(both)


def test_the_command_goes_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "rows.csv"
    words = ("neighbours", "measure", "tau", "--sizes", 2, 3, "--seeds", 2, "--out", out)
    code, text, _ = run(*words, "--plan")
    assert code == 0 and text.startswith("4 ") and not list(tmp_path.iterdir())
    assert run(*words)[0] == 0
    monkeypatch.setattr(Contest, "measure", lambda part: pytest.fail("measured again"))
    assert run(*words)[0] == 0 and len(pd.read_csv(out)) == 4
    assert run("neighbours", "measure", "nothing", "--out", out)[0] == 2


def test_without_the_file_it_says_where_it_belongs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    monkeypatch.setattr(contests, "rows_of", lambda source: nas_bench_201.load())
    code, _, error = run("neighbours", "measure", "tau", "--plan", "--out", tmp_path / "rows.csv")
    assert code == 1 and error.count("\n") == 1 and str(tmp_path / "nas-bench-201") in error

"""Parts of a measurement: kept once finished, and put together in their order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autobuild_book.measured import parts


@dataclass(frozen=True)
class Squares:
    number: int

    @property
    def key(self) -> str:
        return parts.key_of("squares", self.number)

    @property
    def estimate(self) -> float:
        return 90.0

    def measure(self) -> pd.DataFrame:
        return pd.DataFrame({"number": [self.number, -self.number], "square": [self.number**2, None], "what": "NA"})


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], *_: Any) -> list[Any]:
        return [work(*each) for each in arguments]

    monkeypatch.setattr(parts, "in_processes", here)


def test_finished_parts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = parts.kept_beside(tmp_path / "rows.csv")
    first = parts.measure_all([Squares(2)], "squares", folder)
    monkeypatch.setattr(Squares, "measure", lambda _: pytest.fail("measured again"))
    pd.testing.assert_frame_equal(parts.measure_all([Squares(2)], "squares", folder), first)
    with pytest.raises(pytest.fail.Exception):
        parts.measure_all([Squares(2), Squares(3)], "squares", folder)


def test_rows_are_in_the_order_of_the_parts(tmp_path: Path) -> None:
    rows = parts.measure_all([Squares(3), Squares(1)], "squares", tmp_path / "kept")
    assert rows["number"].tolist() == [3, -3, 1, -1] and rows["square"].isna().tolist() == [False, True] * 2
    assert set(rows["what"]) == {"NA"}, "texts stay texts"
    pd.testing.assert_frame_equal(rows, parts.measure_all([Squares(3), Squares(1)], "squares"))


def test_written_rows_have_six_digits(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    assert parts.write_rows(pd.DataFrame({"x": [1 / 3], "n": [7]}), out).endswith(f"{out}")
    assert out.read_text() == "x,n\n0.333333,7\n"


def test_cost_adds_up() -> None:
    assert parts.cost([Squares(1), Squares(2)]).split()[0] == "2" and "about 3 " in parts.cost([Squares(1)] * 2)

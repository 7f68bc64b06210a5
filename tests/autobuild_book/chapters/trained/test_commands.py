"""The command that measures the chapter's sections, and goes on where it was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autobuild_book.chapters.trained.registry import SECTIONS
from autobuild_book.measured import parts
from autobuild_book.measured.sections import Section

Run = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Sum:
    size: int
    seed: int

    @property
    def key(self) -> str:
        return parts.key_of(self.size, self.seed)

    @property
    def estimate(self) -> float:
        return 60.0

    def measure(self) -> pd.DataFrame:
        return pd.DataFrame({"size": [self.size], "seed": [self.seed], "sum": [self.size + self.seed]})


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[Sum]:
    return [Sum(size, seed) for size in sizes for seed in seeds]


@pytest.fixture(autouse=True)
def sums(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], *_: Any) -> list[Any]:
        return [work(*each) for each in arguments]

    monkeypatch.setattr(parts, "in_processes", here)
    monkeypatch.setitem(SECTIONS, "sums", Section("trained", "sums", "sums", plan, (10, 20), (0, 1, 2)))


def test_plan_measures_nothing(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("trained", "measure", "sums", "--plan", "--out", tmp_path / "rows.csv")
    assert code == 0 and out.startswith("6 ") and not list(tmp_path.iterdir())


def test_measures_what_is_asked_for_and_goes_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "rows.csv"
    assert run("trained", "measure", "sums", "--seeds", 1, "--sizes", 7, 9, "--out", out)[0] == 0
    assert pd.read_csv(out).values.tolist() == [[7, 0, 7], [9, 0, 9]]
    monkeypatch.setattr(Sum, "measure", lambda part: pytest.fail("measured again"))
    code, text, _ = run("trained", "measure", "sums", "--seeds", 1, "--sizes", 9, "--out", out)
    assert code == 0 and text.startswith("1 ") and pd.read_csv(out).values.tolist() == [[9, 0, 9]]


def test_nothing_to_train_takes_no_sizes(run: Run, tmp_path: Path) -> None:
    assert run("trained", "measure", "effects", "--sizes", 5, "--out", tmp_path / "rows.csv")[0] == 2
    assert run("trained", "measure", "nothing", "--out", tmp_path / "rows.csv")[0] == 2


def test_every_section_is_registered_under_its_name() -> None:
    assert all(section.name == name and section.file.suffix == ".csv" for name, section in SECTIONS.items())

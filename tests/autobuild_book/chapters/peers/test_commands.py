"""The command that measures, and goes on where it was."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from autobuild_book.chapters.peers import (
    contests,
    measuring,
)
from autobuild_book.chapters.peers.contests import Contest


class TestCommand:
    def test_plan_runs_nothing(self, run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
        code, out, _ = run("peers", "measure", "--plan", "--contests", "ofa_mbv3", "--out", tmp_path / "rows.csv")
        assert code == 0 and "AutoBuild, paper preset" in out and not list(tmp_path.iterdir())

    def test_missing_tables_are_named(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "autobuild_book.chapters.peers.commands.contests_that_exist", lambda: [contests.CONTESTS[0]]
        )
        code, _, err = run("peers", "measure", "--contests", "ofa_pn", "--out", tmp_path / "rows.csv")
        assert code == 1 and re.search("ofa_pn; .*ofa_mbv3", err)

    def test_measures_and_resumes(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        toy_contest: Contest,
    ) -> None:  # fmt: skip
        jobs = measuring.plan([toy_contest], [30], [0, 1], ["additive ridge"])
        monkeypatch.setattr("autobuild_book.chapters.peers.commands.contests_that_exist", lambda: [toy_contest])
        monkeypatch.setattr(measuring, "plan", lambda wanted, seeds, models: jobs[: len(seeds)])
        monkeypatch.setattr(measuring, "in_processes", lambda work, each, *_: [work(*one) for one in each])
        code, out, _ = run("peers", "measure", "--seeds", 1, "--out", tmp_path / "rows.csv")
        assert code == 0 and out.endswith(f"2 rows are in {tmp_path / 'rows.csv'}\n")
        first = pd.read_csv(tmp_path / "rows.csv")
        code, out, _ = run("peers", "measure", "--seeds", 2, "--out", tmp_path / "rows.csv")
        assert code == 0 and "4 rows" in out
        rows = pd.read_csv(tmp_path / "rows.csv")
        pd.testing.assert_frame_equal(rows[rows.seed == 0].reset_index(drop=True), first)  # its seconds, too

"""Runs of models: as the model says, kept, planned and put in order."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autobuild_book.chapters.peers import (
    contests,
    measuring,
)
from autobuild_book.chapters.peers.contests import Contest
from autobuild_book.chapters.peers.measuring import COLUMNS, PeerJob
from autobuild_book.chapters.shared.judging import quality
from autobuild_book.chapters.shared.models import registry
from autobuild_book.chapters.shared.models.registry import MODELS
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_book.chapters.shared.splits import subset
from autobuild_lib.training import FEW_ROWS


class TestMeasuring:
    def test_a_run_is_what_the_model_says(self, toy_contest: Contest) -> None:
        found = PeerJob(toy_contest, "additive ridge", 50, 2).run()
        field = contests.field_of(toy_contest, 2)
        train = subset(field.train, 50, 2)
        assert list(found) == COLUMNS and found.target.tolist() == ["additive", "other"]
        for row, lower in zip(found.itertuples(), (False, True), strict=True):
            ridge = AdditiveRidge(train.space).fit(train.architectures, train.labels[row.target].to_numpy())
            expected = quality(ridge.predict(field.test.architectures), field.test.labels[row.target].to_numpy(), lower)
            assert (row.srcc, row.recall, row.regret) == pytest.approx(tuple(expected.values()))
            assert (row.contest, row.model, row.size, row.seed) == ("toy", "additive ridge", 50, 2)

    def test_a_finished_run_is_kept(
        self, toy_contest: Contest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = PeerJob(toy_contest, "nearest neighbours", 30, 0)
        first = job.run(tmp_path)
        monkeypatch.setattr(PeerJob, "measure", lambda _: pytest.fail("measured again"))
        pd.testing.assert_frame_equal(job.run(tmp_path), first)

    def test_runs_that_differ_are_kept_apart(self, toy_contest: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
        job = PeerJob(toy_contest, "nearest neighbours", 30, 0)
        others = [replace(job, size=31), replace(job, seed=1), replace(job, model="additive ridge")]
        others.append(replace(job, contest=replace(toy_contest, lower=())))
        keys = [one.key for one in (job, *others)]
        changed = replace(registry.NEIGHBOURS, learner=registry.Neighbours(1))
        monkeypatch.setitem(MODELS, "nearest neighbours", changed)
        assert len({*keys, job.key}) == 6

    def test_plan(self, toy_contest: Contest) -> None:
        jobs = measuring.plan([toy_contest], [25, 50, 2700])
        assert {job.size for job in jobs} == {25, 50, 112}
        assert min(measuring.SIZES) == FEW_ROWS, "fewer rows are warned of"
        assert not any(MODELS[job.model].needs_proxies for job in jobs)
        assert sorted((job.estimate for job in jobs), reverse=True) == [job.estimate for job in jobs]
        few = measuring.plan([toy_contest], [25], [3, 4], ["additive ridge"])
        assert [(job.size, job.seed) for job in few] == [(25, 3), (25, 4)]
        assert re.findall(r"\d[\d.]*|additive ridge", measuring.describe(few)) == ["2", "0", "additive ridge", "0.0"]

    def test_runs_with_the_same_rows_are_one_draw(self) -> None:
        large, small = contests.CONTESTS[0], contests.CONTESTS[3]
        for contest, size, expected in ((large, 2699, [0, 3]), (large, 2700, [0, 0]), (small, 51, [0, 3])):
            fields = [contests.field_of(contest, seed) for seed in (0, 3)]
            chosen = [subset(field.train, size, seed) for field, seed in zip(fields, (0, 3), strict=True)]
            assert [field.draw(size, seed) for field, seed in zip(fields, (0, 3), strict=True)] == expected
            same = chosen[0].architectures == chosen[1].architectures
            assert same == (len(set(expected)) == 1)

    def test_every_model_that_needs_no_proxies_has_an_estimate(self) -> None:
        assert set(measuring.EFFORTS) == {name for name, model in MODELS.items() if not model.needs_proxies}

    def test_rows_come_in_a_fixed_order(
        self, toy_contest: Contest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def here(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], *_: Any) -> list[Any]:
            return [work(*each) for each in arguments]

        monkeypatch.setattr(measuring, "in_processes", here)
        jobs = measuring.plan([toy_contest], [30, 60], [0, 1], ["nearest neighbours", "additive ridge"])
        rows = measuring.run_all(jobs, tmp_path / "parts")
        assert rows.model.unique().tolist() == ["additive ridge", "nearest neighbours"] and len(rows) == 2 * 2 * 2 * 2
        timeless = [name for name in COLUMNS if "seconds" not in name]
        again = measuring.run_all(jobs[::-1], None)
        pd.testing.assert_frame_equal(again[timeless], rows[timeless])
        assert len(list((tmp_path / "parts").iterdir())) == len(jobs)

"""Models measured on a tiny table: regret, ranks and correlations by hand, and rows that are not measured again."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

import autobuild_lib as ab
from autobuild_book.chapters.board import measuring
from autobuild_book.chapters.board.measuring import ROWS, BoardJob, judge
from autobuild_book.chapters.board.tables import BoardTable
from autobuild_book.chapters.shared.models.registry import FEW, MODELS, find_model

RIDGE = find_model("additive ridge")


class TestJudging:
    def test_by_hand(self) -> None:
        labels = np.array([9.0, 4.0, 1.0, 3.0, 2.0, 8.0])
        predicted = np.array([0.0, 1.0, 2.0, 9.0, 3.0, 99.0])
        srcc, tau, regret, rank, share = judge(predicted, labels, np.array([0, 5]))  # of 4, 1, 3, 2
        assert (rank, share) == (4, round(4 / 6, 7))  # of label 3, behind 9, 8 and 4, all rows counted
        assert regret == 0.0, "all four are looked at"
        assert srcc == pytest.approx(-0.2) and tau == pytest.approx(0.0)  # pairs: 3 agree, 3 do not

    def test_less_is_better(self) -> None:
        labels, predicted = np.array([5.0, 1.0, 2.0, 3.0]), np.array([0.0, 3.0, 1.0, 2.0])
        *_, rank, share = judge(predicted, labels, np.array([0]), lower=True)
        assert (rank, share) == (2, 0.5)

    def test_regret_in_standard_deviations_of_the_rows_judged(self) -> None:
        labels = np.arange(21.0)
        predicted = -labels  # the ten smallest come first
        drawn = np.array([20])
        *_, regret, rank, _ = judge(predicted, labels, drawn)
        assert regret == pytest.approx((19 - 9) / labels[:20].std(), abs=1e-4) and rank == 21

    def test_predictions_that_say_nothing_correlate_with_nothing(self) -> None:
        srcc, tau, *_ = judge(np.zeros(6), np.arange(6.0), np.array([1]))
        assert (srcc, tau) == (0.0, 0.0)


class TestJobs:
    def test_a_row_per_target_judged_on_all_other_rows(self, trained: BoardTable, toy_table: ab.data.Table) -> None:
        job = BoardJob(trained, RIDGE, 40, 2)
        rows = job.rows()
        assert [row.key for row in rows] == job.keys == [("toy", t, RIDGE.name, 40, 2) for t in ("additive", "other")]
        drawn = np.sort(np.random.default_rng([2, 40]).permutation(150)[:40])
        others = [n for n in range(150) if n not in set(drawn.tolist())]
        (ridge,) = RIDGE.fit_many(toy_table.take(drawn), ["other"], 2)
        guesses = ridge.predict([toy_table.architectures[n] for n in others])
        truth = toy_table.labels["other"].to_numpy()
        assert rows[1].srcc == pytest.approx(spearmanr(guesses, truth[others]).statistic, abs=1e-5)
        assert rows[1].tau == pytest.approx(kendalltau(guesses, truth[others]).statistic, abs=1e-5)
        assert rows[1].rank == 1 + sum(value < truth[others][guesses.argmin()] for value in truth)
        assert all(row.fit_seconds >= 0 and row.machine for row in rows)

    def test_seeds_draw_rows_of_their_own(self, trained: BoardTable) -> None:
        first, again, other = (BoardJob(trained, RIDGE, 20, seed).rows()[1] for seed in (0, 0, 1))
        assert (first.srcc, first.rank) == (again.srcc, again.rank) and first.srcc != other.srcc

    def test_plan(self, trained: BoardTable) -> None:
        jobs = measuring.plan([trained], MODELS.values(), [112, 50, 113], [0, 3])
        assert sorted({job.size for job in jobs}) == [50, 112], "a quarter of 150 rows is judged on"
        assert [job.size for job in jobs] == sorted(job.size for job in jobs)
        assert {job.model.name for job in jobs} == {name for name in MODELS if not MODELS[name].needs_proxies}
        assert {job.seed for job in jobs} == {0, 3}


@dataclass(frozen=True)
class Counting:
    """A ridge that counts its fits in a file, and fails when it is told to."""

    log: Path
    name: str = "counting"
    needs_proxies = False

    def fit_many(self, table: ab.data.Table, targets: tuple[str, ...], seed: int = 0, proxies: object = None) -> object:
        if self.log.with_name("fail").exists() and seed:
            raise RuntimeError("killed")
        with self.log.open("a") as file:
            file.write(f"{len(table)} {seed}\n")
        return RIDGE.fit_many(table, targets, seed)


class TestResuming:
    def test_a_stopped_measurement_goes_on(self, trained: BoardTable, tmp_path: Path) -> None:
        jobs = measuring.plan([trained], [Counting(tmp_path / "log")], [20, 30], [0, 1])  # type: ignore[list-item]
        (tmp_path / "fail").touch()
        with pytest.raises(RuntimeError, match="killed"):
            measuring.measure(jobs, tmp_path / "rows.csv", progress=False)
        assert len(ROWS.read(tmp_path / "rows.csv")) == 2
        (tmp_path / "fail").unlink()
        rows = measuring.measure(jobs, tmp_path / "rows.csv", progress=False)
        assert len(rows) == 8 and not rows.duplicated([*measuring.KEY, "seed"]).any()
        assert (tmp_path / "log").read_text().splitlines() == ["20 0", "20 1", "30 0", "30 1"]

    def test_a_target_that_was_cut_off_is_measured_again_and_the_other_kept(
        self, trained: BoardTable, tmp_path: Path
    ) -> None:
        jobs = [BoardJob(trained, RIDGE, 20, 0)]
        before = measuring.measure(jobs, path := tmp_path / "rows.csv", progress=False)
        header, first, _ = path.read_text().splitlines()
        path.write_text("\n".join([header, first, "toy,oth"]))
        after = measuring.measure(jobs, path, progress=False)
        assert path.read_text().splitlines()[:2] == [header, first] and len(ROWS.read(path)) == 2
        assert after.srcc.tolist() == before.srcc.tolist()

    def test_rows_come_back_in_one_order(self, trained: BoardTable, tmp_path: Path) -> None:
        models = [FEW, RIDGE, Counting(tmp_path / "log")]
        made = [
            measuring.BoardRow("toy", "t", model.name, size, seed, *[0.0] * 3, 1, 0.1, 0.0, 0.0, "here")
            for model in models for size in (50, 20) for seed in (1, 0)
        ]  # fmt: skip
        rows = measuring.as_frame(made)
        assert rows["size"].tolist() == [20] * 6 + [50] * 6 and rows.seed.tolist() == [0, 1] * 6
        assert rows.model[:6].tolist() == [FEW.name] * 2 + [RIDGE.name] * 2 + ["counting"] * 2

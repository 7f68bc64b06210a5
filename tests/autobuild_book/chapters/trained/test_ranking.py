"""Ranking of trained networks: what is measured, and what the rows say."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_book.chapters.trained import ranking, ranking_results
from autobuild_book.chapters.trained.effects import ACCEL
from autobuild_lib import data

PROTEINS = "nas-bench-graph:proteins"


class TestMeasuring:
    def test_the_rows_that_were_not_learnt_from_are_ranked(self) -> None:
        rows = ranking.Ranking(PROTEINS, ranking.RIDGE.name, 100, 2).measure().set_index("target").srcc
        table = data.load(PROTEINS)
        drawn = np.random.default_rng([2, 100]).permutation(len(table))
        learnt, others = table.take(sorted(drawn[:100])), table.take(sorted(drawn[100:]))
        latency = learnt.labels["latency"].to_numpy()
        ridge = AdditiveRidge(table.space).fit(learnt.architectures, latency)
        expected = spearmanr(ridge.predict(others.architectures), others.labels["latency"]).statistic
        assert rows["latency"] == pytest.approx(expected) and list(rows.index) == list(ranking.targets_of(PROTEINS))

    def test_large_sizes_leave_rows_to_rank(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ranking, "LATENCIES", {PROTEINS: "latency"})
        parts = ranking.plan((400, 1000, 2700), range(2))
        assert {part.size for part in parts} == {1000}  # 400 is Accel-NASBench's, and there are 2,021 rows
        assert len({part.key for part in parts}) == len(parts) == 2 * len(ranking.MODELS)


def rows(*cases: tuple[str, str, int, int, float], target: str = "acc", level: str = "head") -> pd.DataFrame:
    frame = pd.DataFrame(cases, columns=["source", "model", "size", "seed", "srcc"])
    return frame.assign(target=target, level=level)


class TestResults:
    def test_leads_are_of_the_same_training_rows(self) -> None:
        some = rows(
            ("nas-bench-graph:a", "x", 100, 0, 0.5), ("nas-bench-graph:a", "y", 100, 0, 0.4),
            ("nas-bench-graph:a", "x", 100, 1, 0.7), ("nas-bench-graph:a", "y", 100, 1, 0.3),
            ("nas-bench-graph:b", "x", 100, 0, float("nan")), ("nas-bench-graph:b", "y", 100, 0, 0.1),
            ("nas-bench-graph:b", "x", 100, 1, 0.3), (ACCEL, "x", 100, 0, 0.9), (ACCEL, "y", 100, 0, 0.9),
        )  # fmt: skip
        leads = ranking_results.leads_of(some, "x", ["y"]).set_index("source")
        assert leads.loc["nas-bench-graph:a", "mean"] == pytest.approx(0.25) and leads.loc[ACCEL, "mean"] == 0
        assert leads.loc["nas-bench-graph:b", "mean"] == pytest.approx(-0.1)  # constant predictions rank nothing
        assert leads.seeds.to_dict() == {"nas-bench-graph:a": 2, "nas-bench-graph:b": 1, ACCEL: 1, "mean": 2}

    def test_leads_over_data_sets(self) -> None:
        some = rows(
            ("nas-bench-graph:a", "x", 100, 0, 0.5), ("nas-bench-graph:a", "y", 100, 0, 0.3),
            ("nas-bench-graph:a", "x", 100, 1, 0.7), ("nas-bench-graph:a", "y", 100, 1, 0.3),
            ("nas-bench-graph:b", "x", 100, 0, 0.2), ("nas-bench-graph:b", "y", 100, 0, 0.3),
            ("nas-bench-graph:b", "x", 100, 1, 0.2), ("nas-bench-graph:b", "y", 100, 1, 0.3),
            (ACCEL, "x", 100, 0, 0.9), (ACCEL, "y", 100, 0, 0.1),
        )  # fmt: skip
        (lead,) = ranking_results.over_data_sets(ranking_results.leads_of(some, "x", ["y"])).itertuples()
        assert (lead.mean, lead.ahead, lead.data_sets) == (pytest.approx(0.1), 1, 2)
        t = 12.706205  # t(0.975, 1); the seeds have .05 and .15, the data sets .3 and -.1
        assert (lead.low, lead.high) == (pytest.approx(0.1 - 0.05 * t), pytest.approx(0.1 + 0.05 * t))
        assert (lead.sets_low, lead.sets_high) == (pytest.approx(0.1 - 0.2 * t), pytest.approx(0.1 + 0.2 * t))

    def test_means_over_data_sets_need_all_of_them(self) -> None:
        some = rows(
            ("nas-bench-graph:a", "x", 100, 0, 0.2), ("nas-bench-graph:a", "x", 100, 1, 0.4),
            ("nas-bench-graph:b", "x", 100, 0, 0.5), ("nas-bench-graph:a", "x", 300, 0, 0.6), (ACCEL, "x", 100, 0, 1.0),
            ("nas-bench-graph:b", "y", 300, 0, 0.7), ("nas-bench-graph:c", "x", 100, 0, 0.6),
            ("nas-bench-graph:a", "x", 900, 0, 0.6),
        )  # fmt: skip
        means = ranking_results.graph_means(some)
        assert list(means.columns) == [100] and means.loc["x", 100] == pytest.approx(1.4 / 3)

    def test_one_data_set_may_lack_a_size(self) -> None:
        some = rows(*(("nas-bench-graph:" + name, "x", size, 0, srcc) for name, size, srcc in [
            ("a", 100, 0.1), ("b", 100, 0.4), ("c", 100, 0.7), ("a", 900, 0.6), ("b", 900, 0.8)]))  # fmt: skip
        means = ranking_results.graph_means(some)
        assert means.loc["x"].to_dict() == pytest.approx({100: 0.4, 900: 0.7})

    def test_the_ceiling_of_accuracy_is_what_a_second_measurement_reaches(self) -> None:
        ceilings = ranking_results.repeated()
        labels = data.load(PROTEINS).labels
        assert ceilings[PROTEINS] == pytest.approx(spearmanr(labels["acc"], labels["test_acc"]).statistic)
        assert len(ceilings) == 10

    @pytest.mark.parametrize(("reached", "holds"), [(0.8, True), (0.7, False)])
    def test_the_verdict_asks_for_the_ceiling_of_each_task(self, reached: float, holds: bool) -> None:
        levels = [f"hop {hop}" for hop in range(5)] + ["head"]
        sources = [PROTEINS, "nas-bench-graph:cora", "nas-bench-graph:cs", "nas-bench-graph:arxiv"]
        cases = [
            rows((source, ranking.PAPER.name, ranking_results.JUDGED, seed, reached - 0.05 * (4 - place)), level=level)
            for source in sources
            for seed in (0, 1)
            for place, level in enumerate(levels)
        ]
        ceilings = pd.Series(0.85, index=sources)
        checks = ranking_results.judge(pd.concat(cases), ceilings).checks
        assert bool(checks.holds.iloc[0]) is holds


def test_committed_rows_are_complete() -> None:
    committed = ranking_results.with_kinds(ranking.SECTION.committed())
    assert not committed.duplicated(ranking.COLUMNS[:-1]).any() and committed.srcc.dropna().between(-1, 1).all()
    assert set(committed.model) == set(ranking.MODELS) and committed.source.nunique() == 10
    assert set(committed.kind) == set(ranking_results.KINDS)


def test_checks_by_size_leave_out_sizes_of_one_table() -> None:
    committed = ranking_results.with_kinds(ranking.SECTION.committed())
    ceilings = ranking_results.repeated()
    checks = ranking_results.checks_by_size(committed, ceilings)
    assert sorted(checks["size"].unique()) == [50, 100, 300, 1000, 2700]  # 400: Accel-NASBench alone
    judged = checks[checks["size"] == ranking_results.JUDGED].drop(columns="size").reset_index(drop=True)
    assert judged.equals(ranking_results.judge(committed, ceilings).checks)


def test_a_lead_in_words() -> None:
    lead = pd.Series({"mean": 0.0361, "sets_low": -0.0149, "sets_high": 0.0572, "ahead": 7, "data_sets": 9})
    assert ranking_results.lead_in_words(lead) == "0.036 [-0.015, 0.057] (ahead in 7 of 9 data sets)"

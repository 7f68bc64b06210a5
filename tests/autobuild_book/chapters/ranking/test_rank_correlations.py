"""Experiment 1: summaries by hand, and runs on a small space."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import autobuild_lib as ab
from autobuild_book.chapters.ranking import rank_correlations
from autobuild_book.chapters.shared.fits import FitJob
from autobuild_book.chapters.shared.hop_verdict import judge
from autobuild_book.chapters.shared.ranks import mean_ranks
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_book.chapters.shared.splits import BUNDLED, Split
from autobuild_lib.surrogate import bundled
from tests.helpers.rank_tables import TASKS, ranks, references, two_seeds_and_one


def test_compare_table_by_hand() -> None:
    known = references([("f", "t")], ceiling=0.96)
    table = rank_correlations.compare_table(mean_ranks(two_seeds_and_one()), known)
    assert list(table.columns) == [
        "family", "target", "preset", "head", "low", "high", "interval", "seeds",
        "hop 0", "ceiling", "ridge", "published",
    ]  # fmt: skip
    row = table.set_index("preset").loc["paper"]
    assert (row["head"], row["hop 0"], row["ceiling"], row["seeds"]) == pytest.approx((0.85, 0.6, 0.96, 2))
    assert table.preset.tolist() == ["paper", "tuned"] and table["head"].tolist() == pytest.approx([0.85, 0.95])


def test_leads_are_counted_by_size_in_means_over_seeds() -> None:
    rows = [("a", 50, "AutoBuild head", (0.2, 0.5)), ("a", 50, "additive ridge", (0.3, 0.3)),
            ("b", 50, "AutoBuild head", (0.1, 0.3)), ("b", 50, "additive ridge", (0.3, 0.2)),
            ("a", 1500, "AutoBuild head", (0.9, 0.9)), ("a", 1500, "additive ridge", (0.8, 0.9)),
            ("b", 1500, "AutoBuild head", (0.7,)), ("b", 1500, "additive ridge", (0.6,))]  # fmt: skip
    curve = [("f", target, size, model, value) for target, size, model, values in rows for value in values]
    table = pd.DataFrame(curve, columns=["family", "target", "size", "model", "srcc"])
    assert rank_correlations.leads_by_size(table) == "1 of 2 with 50, 2 of 2 with 1,500"


def test_readable_has_a_row_per_task_and_the_heads_of_the_table() -> None:
    known = references().drop_duplicates(["family", "target"])
    table = rank_correlations.compare_table(mean_ranks(ranks()), known)
    shown = rank_correlations.heads_by_preset(table)
    assert len(shown) == len(TASKS) and list(shown["paper"]) == ["head", "low", "high"]
    for row in table.to_dict("records"):
        assert shown.loc[(row["family"], row["target"]), (row["preset"], "head")] == round(row["head"], 3)


@pytest.fixture(scope="module")
def splits(noisy: ab.data.Table) -> list[Split]:
    return [Split(noisy.take(range(110)), noisy.take(range(110, 150)), ("additive", "other"))]


def test_ceiling_by_hand(toy_table: ab.data.Table) -> None:
    four = toy_table.take(range(4))
    given = replace(four, labels=pd.DataFrame({"y": [1.0, 2, 3, 4]}), noise_free=pd.DataFrame({"y": [2.0, 1, 4, 3]}))
    assert rank_correlations._ceiling(given, ab.Target("y")) == pytest.approx(0.6)
    assert rank_correlations._ceiling(given, ab.Target("10 - y")) == pytest.approx(0.6)


def test_reference_lines(splits: list[Split], noisy: ab.data.Table) -> None:
    lines = rank_correlations.reference_lines(splits).set_index("target")
    split = splits[0]
    truth = split.test.labels.additive.to_numpy()
    ridge = AdditiveRidge(noisy.space).fit(split.train.architectures, split.train.labels.additive.to_numpy())
    predicted = ridge.predict(split.test.architectures)
    assert lines.ridge["additive"] == pytest.approx(spearmanr(predicted, truth).statistic)
    assert lines.ceiling["additive"] == pytest.approx(spearmanr(split.test.noise_free.additive, truth).statistic)
    assert 0.5 < lines.ridge["additive"] < lines.ceiling["additive"] < 1
    assert math.isnan(lines.ceiling["other"]), "its noise-free value is not known"
    assert lines.published.isna().all(), "nothing was published about this space"


def test_reference_lines_quote_the_published_number() -> None:
    space = ab.spaces.ofa_pn()
    drawn = space.sample(np.random.default_rng(0), 30)
    records = [(a, {"acc": 0.7 + 0.01 * sum(a.depths), "latency_cpu": 1.0 + i}) for i, a in enumerate(drawn)]
    table = ab.data.from_records(space, records)
    split = Split(table.take(range(20)), table.take(range(20, 30)), ("acc", "latency_cpu", "acc * 2"))
    published = rank_correlations.reference_lines([split]).set_index("target").published
    assert published["acc"] == pytest.approx(0.9934, abs=1e-4)
    assert published["latency_cpu"] == pytest.approx(0.9311, abs=1e-4)
    assert math.isnan(published["acc * 2"])


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> list[FitJob]:
    """Run jobs here, without processes; return the list of jobs that were asked for."""
    asked: list[FitJob] = []

    def run(jobs: list[FitJob], folder: Path) -> Any:
        asked.extend(jobs)
        return [job.run(folder) for job in jobs]

    monkeypatch.setattr(rank_correlations, "fit_jobs", run)
    return asked


def test_compare_presets(splits: list[Split], tmp_path: Path, in_process: list[FitJob]) -> None:
    small = {"epochs": 1, "width": 8, "hops": 2}
    seeds = {"paper": [5], "tuned": [5, 6]}
    found = rank_correlations.compare_presets(splits, seeds, tmp_path, {"paper": small, "tuned": small})
    assert len(found) == 2 * 3 * 4  # targets, predictors of each, levels
    assert set(found.preset + found.seed.astype(str)) == {"paper5", "tuned5", "tuned6"}
    assert set(found.level) == {"hop 0", "hop 1", "hop 2", "head"}
    assert found.mae.notna().equals(found.level == "head")
    predictor = in_process[0].run(tmp_path)[1]
    own = found[(found.preset == "paper") & (found.target == "other")].set_index("level").srcc
    pd.testing.assert_series_equal(own, ab.evaluate(predictor, splits[0].test).srcc, check_names=False)
    judge(found, rank_correlations.reference_lines(splits))  # the parts fit together
    rank_correlations.compare_table(mean_ranks(found), rank_correlations.reference_lines(splits))


def test_overrides_go_to_their_own_preset(splits: list[Split], tmp_path: Path, in_process: list[FitJob]) -> None:
    paper, tuned = ({"epochs": 1, "width": width, "hops": 1} for width in (8, 4))
    seeds = {"paper": [0], "tuned": [0]}
    rank_correlations.compare_presets(splits, seeds, tmp_path, {"paper": paper, "tuned": tuned})
    assert {(job.preset, dict(job.overrides)["width"]) for job in in_process} == {("paper", 8), ("tuned", 4)}


def test_learning_curve(splits: list[Split], tmp_path: Path, in_process: list[FitJob]) -> None:
    half = Split(splits[0].train.take(range(60)), splits[0].test, ("additive + other",))
    small = {"epochs": 1, "width": 8, "hops": 2}
    curve = rank_correlations.learning_curve([splits[0], half], [40, 5000], [0, 1], tmp_path, small)
    assert not curve.duplicated(["target", "size", "seed", "model"]).any()
    assert {(target, size) for target, size in zip(curve.target, curve["size"], strict=True)} == {
        ("additive", 40), ("additive", 110), ("other", 40), ("other", 110),
        ("additive + other", 40), ("additive + other", 60),
    }  # fmt: skip
    assert set(curve.model) == {"AutoBuild head", "additive ridge"} and curve.srcc.between(-1, 1).all()
    largest = next(job for job in in_process if len(job.table) == 110)
    assert largest.table.architectures == splits[0].train.architectures, "all rows, in their own order"


def test_default_targets_have_published_predictors() -> None:
    stated = json.loads((Path(bundled.FILES) / "published_predictors.json").read_text(encoding="utf-8"))
    assert rank_correlations.default_targets() == ["acc", "latency_gpu", "latency_cpu", "latency_npu"]
    assert all(set(rank_correlations.default_targets()) == set(stated[family]) for family in BUNDLED)

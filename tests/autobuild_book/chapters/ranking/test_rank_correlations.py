"""Experiment 1: its verdict on constructed tables, its summaries by hand, and its runs on a small space."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr, ttest_1samp

import autobuild_lib as ab
from autobuild_book.chapters.ranking import rank_correlations
from autobuild_book.chapters.ranking.verdict import judge
from autobuild_book.chapters.shared.fits import FitJob
from autobuild_book.chapters.shared.ranks import mean_ranks
from autobuild_book.chapters.shared.splits import BUNDLED, Split, load_splits, subset
from autobuild_lib.surrogate import bundled
from autobuild_lib.units.ridge import AdditiveRidge

TASKS = [(family, target) for family in BUNDLED for target in rank_correlations.default_targets()]
LEVELS = ["hop 0", "hop 1", "hop 2", "hop 3", "hop 4", "head"]
RISING = {level: 0.80 + 0.03 * i for i, level in enumerate(LEVELS)}  # hop 4 at 0.92, head at 0.95
Change = Callable[[int, str, float], float]


def ranks(
    levels: Mapping[str, float] = RISING, tasks: list[tuple[str, str]] = TASKS, change: Change = lambda _, __, x: x
) -> pd.DataFrame:
    """One row per task, level and two seeds; tasks differ a little, `change` edits one task's level."""
    rows = [
        (*task, "paper", seed, level, change(i, level, value) + 0.001 * ((3 * i + j) % 4) + 0.0001 * seed)
        for i, task in enumerate(tasks)
        for seed in (0, 1)
        for j, (level, value) in enumerate(levels.items())
    ]
    return pd.DataFrame(rows, columns=["family", "target", "preset", "seed", "level", "srcc"])


def references(tasks: list[tuple[str, str]] = TASKS, ceiling: float = 1.0) -> pd.DataFrame:
    rows = [(*task, ceiling, 0.9, 0.99) for task in tasks]
    return pd.DataFrame(rows, columns=["family", "target", "ceiling", "ridge", "published"])


def holding(table: pd.DataFrame) -> dict[str, bool]:
    return dict(zip(table.check, table.holds, strict=True))


# -------------------------------------------------------------------- verdict


def test_supported_when_all_checks_hold() -> None:
    verdict = judge(ranks(), references())
    table, text = verdict.checks, verdict.word
    assert text == "supported" and table.holds.all()
    assert list(table.check) == [
        "hop 4 reaches 0.9 x ceiling", "hop 1 beats hop 0", "hop 2 beats hop 1", "hop 3 beats hop 2",
        "hop 4 beats hop 3", "head beats hop 4",
    ]  # fmt: skip
    assert table.value[0] == "8 of 8 tasks"


def test_partly_when_half_of_the_checks_hold() -> None:
    flat_end = {**RISING, "hop 3": 0.86, "hop 4": 0.86, "head": 0.86}  # 0.9 x ceiling missed as well
    verdict = judge(ranks(flat_end), references(ceiling=0.95))
    table, text = verdict.checks, verdict.word
    assert holding(table) == {
        "hop 4 reaches 0.9 x ceiling": True, "hop 1 beats hop 0": True, "hop 2 beats hop 1": True,
        "hop 3 beats hop 2": False, "hop 4 beats hop 3": False, "head beats hop 4": False,
    }  # fmt: skip
    assert text == "partly"
    assert judge(ranks(flat_end), references(ceiling=0.99)).word == "not supported"


def test_not_supported_when_more_hops_are_worse() -> None:
    falling = {level: 0.8 - 0.05 * i for i, level in enumerate(LEVELS)}
    verdict = judge(ranks(falling), references())
    table, text = verdict.checks, verdict.word
    assert text == "not supported" and not table.holds.any()


@pytest.mark.parametrize(("short", "holds"), [(1, True), (2, False)])
def test_seven_of_eight_tasks_must_reach_the_ceiling(short: int, holds: bool) -> None:
    drop: Change = lambda i, level, x: x - 0.1 if i < short and level != "head" else x  # noqa: E731
    table = judge(ranks(change=drop), references()).checks
    assert (table.value[0], table.holds[0]) == (f"{8 - short} of 8 tasks", holds)


@pytest.mark.parametrize(("tasks", "needed"), [(1, 1), (4, 4), (7, 7), (8, 7)])
def test_with_fewer_tasks_the_same_share_is_needed(tasks: int, needed: int) -> None:
    drop: Change = lambda i, _, x: x - 0.5 if i < tasks - needed + 1 else x  # noqa: E731
    assert not judge(ranks(tasks=TASKS[:tasks], change=drop), references(TASKS[:tasks])).checks.holds[0]
    fewer: Change = lambda i, _, x: x - 0.5 if i < tasks - needed else x  # noqa: E731
    assert judge(ranks(tasks=TASKS[:tasks], change=fewer), references(TASKS[:tasks])).checks.holds[0]


def test_each_hop_is_compared_with_the_one_before_within_tasks() -> None:
    spread: Change = lambda i, _, x: x - 0.05 * i  # noqa: E731 - tasks differ by far more than hops
    table = judge(ranks(change=spread), references()).checks
    assert table.holds[1:].all()
    assert "+0.03" in table.value[1] and "p = " in table.value[1]


def test_a_difference_that_passes_only_without_correction_does_not_hold() -> None:
    gains = [0.03, -0.01, 0.02, 0.0, 0.03, -0.005, 0.02, 0.01]
    assert 0.01 < ttest_1samp(gains, 0, alternative="greater").pvalue < 0.05
    rows = [
        (*task, "paper", 0, level, 0.95 + 0.001 * ((i + hop) % 4) * (hop < 4) + (gains[i] if level == "head" else 0))
        for i, task in enumerate(TASKS)
        for hop, level in enumerate(LEVELS)
    ]
    frame = pd.DataFrame(rows, columns=["family", "target", "preset", "seed", "level", "srcc"])
    verdict = judge(frame, references())
    table, text = verdict.checks, verdict.word
    assert not table.holds.iloc[-1] and text == "not supported"


def test_the_mean_over_seeds_is_judged() -> None:
    frame = ranks()
    frame.loc[frame.seed == 0, "srcc"] -= 0.2
    frame.loc[frame.seed == 1, "srcc"] += 0.2
    pd.testing.assert_series_equal(
        judge(frame, references()).checks.holds, judge(ranks(), references()).checks.holds
    )


def test_only_the_given_preset_is_judged() -> None:
    both = pd.concat([ranks(), ranks(dict.fromkeys(LEVELS, 0.1)).assign(preset="tuned")])
    assert judge(both, references()).word == "supported"
    assert judge(both, references(), preset="tuned").word == "not supported"


def test_a_preset_without_rows_is_an_error_that_lists_the_others() -> None:
    with pytest.raises(ValueError, match=r"preset 'tuned' .*: paper"):
        judge(ranks(), references(), preset="tuned")
    with pytest.raises(ValueError, match="there are: none"):
        judge(ranks(tasks=[]), references())


def test_one_task_cannot_be_tested_and_says_so() -> None:
    verdict = judge(ranks(tasks=TASKS[:1]), references(TASKS[:1]))
    table, text = verdict.checks, verdict.word
    assert text == "undecided" and table.holds.tolist() == [True] + [False] * 5
    assert table.value[0] == "1 of 1 tasks" and all("no test: one task" in value for value in table.value[1:])


@pytest.mark.parametrize(("tasks", "text"), [(2, "undecided"), (3, "undecided"), (4, "supported")])
def test_few_tasks_decide_nothing(tasks: int, text: str) -> None:
    assert judge(ranks(tasks=TASKS[:tasks]), references(TASKS[:tasks])).word == text


@pytest.mark.parametrize(("tasks", "deviations"), [(2, 22.5), (3, 4.0), (4, 2.3)])
def test_the_gain_that_few_tasks_need(tasks: int, deviations: float) -> None:
    """As stated beside `FEWEST_TASKS`: a mean just above it passes the first of five tests, one just below does not."""
    gains = np.linspace(-1, 1, tasks) / np.linspace(-1, 1, tasks).std(ddof=1)
    above, below = (ttest_1samp(gains + deviations * by, 0, alternative="greater").pvalue for by in (1.03, 0.97))
    assert 5 * above < 0.05 < 5 * below


@pytest.mark.parametrize("known", ["nan", "missing"])
def test_an_unknown_ceiling_counts_as_one(known: str) -> None:
    unknown = references().assign(ceiling=math.nan) if known == "nan" else references().iloc[:0]
    assert judge(ranks(), unknown).checks.value[0] == "8 of 8 tasks"  # hop 4 is near 0.92
    assert judge(ranks({**RISING, "hop 4": 0.89}), unknown).checks.value[0] == "0 of 8 tasks"


def test_a_correlation_that_does_not_exist_supports_nothing() -> None:
    lost: Change = lambda i, level, x: math.nan if (i, level) == (0, "hop 4") else x  # noqa: E731
    verdict = judge(ranks(change=lost), references())
    table, text = verdict.checks, verdict.word
    assert text == "partly"
    assert table.value[0] == "7 of 8 tasks"
    assert [check for check, holds in holding(table).items() if not holds] == ["hop 4 beats hop 3", "head beats hop 4"]


def test_tables_of_two_hops_are_judged_as_well() -> None:
    verdict = judge(ranks({"hop 0": 0.8, "hop 1": 0.85, "hop 2": 0.92, "head": 0.95}), references())
    table, text = verdict.checks, verdict.word
    assert text == "supported" and len(table) == 4 and table.check[0] == "hop 2 reaches 0.9 x ceiling"


# -------------------------------------------------------------------- summaries


def two_seeds_and_one() -> pd.DataFrame:
    rows = [
        ("f", "t", "paper", 0, "hop 0", 0.5, 0.4, 0.6, math.nan),
        ("f", "t", "paper", 1, "hop 0", 0.7, 0.6, 0.8, math.nan),
        ("f", "t", "paper", 0, "head", 0.8, 0.7, 0.9, 1.0),
        ("f", "t", "paper", 1, "head", 0.9, 0.8, 1.0, 1.0),
        ("f", "t", "tuned", 0, "hop 0", 0.6, 0.1, 0.7, math.nan),
        ("f", "t", "tuned", 0, "head", 0.95, 0.9, 0.97, 1.0),
    ]
    return pd.DataFrame(
        rows, columns=["family", "target", "preset", "seed", "level", "srcc", "low", "high", "mae"]
    )


def test_summary_by_hand() -> None:
    summary = mean_ranks(two_seeds_and_one()).set_index(["preset", "level"])
    first, single = summary.loc[("paper", "hop 0")], summary.loc[("tuned", "hop 0")]
    half = 12.706205 * 0.1  # t(0.975, 1) times sd / sqrt(2) of (0.5, 0.7)
    assert (first.srcc, first.low, first.high) == pytest.approx((0.6, 0.6 - half, 0.6 + half), abs=1e-6)
    assert (first.seeds, first.interval) == (2, "seeds")
    assert (single.srcc, single.low, single.high) == (0.6, 0.1, 0.7)
    assert (single.seeds, single.interval) == (1, "test rows")
    assert len(summary) == 4


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


def test_readable_has_a_row_per_task_and_the_heads_of_the_table() -> None:
    known = references().drop_duplicates(["family", "target"])
    table = rank_correlations.compare_table(mean_ranks(ranks()), known)
    shown = rank_correlations.heads_by_preset(table)
    assert len(shown) == len(TASKS) and list(shown["paper"]) == ["head", "low", "high"]
    for row in table.to_dict("records"):
        assert shown.loc[(row["family"], row["target"]), (row["preset"], "head")] == round(row["head"], 3)


# -------------------------------------------------------------------- data


@pytest.fixture(scope="module")
def noisy(toy_table: ab.data.Table) -> ab.data.Table:
    """The toy table with noise on `additive`, of which the noise-free value is kept, and `other` without."""
    rng = np.random.default_rng(0)
    clean = toy_table.labels[["additive"]]
    return replace(toy_table, labels=toy_table.labels.assign(additive=clean.additive + rng.normal(size=150)),
                   noise_free=clean)  # fmt: skip


@pytest.fixture(scope="module")
def splits(noisy: ab.data.Table) -> list[Split]:
    return [Split(noisy.take(range(110)), noisy.take(range(110, 150)), ("additive", "other"))]


@pytest.fixture
def toy_csv(toy_table: ab.data.Table, tmp_path: Path) -> Path:
    frame = pd.DataFrame({"architecture": list(map(str, toy_table.architectures))}).join(toy_table.labels)
    frame.to_csv(tmp_path / "toy.csv", index=False)
    return tmp_path / "toy.csv"


def test_load_splits_takes_the_targets_it_has_labels_for(toy_csv: Path, toy: ab.SequenceSpace) -> None:
    (split,) = load_splits(str(toy_csv), ["additive", "speed", "additive / (other + 20)"], toy)
    assert split.targets == ("additive", "additive / (other + 20)")
    assert (len(split.train), len(split.test), split.family) == (135, 15, "toy")
    assert not set(split.train.architectures) & set(split.test.architectures)


def test_load_splits_knows_one_target_by_its_spellings(toy_csv: Path, toy: ab.SequenceSpace) -> None:
    (split,) = load_splits(str(toy_csv), ["additive", " (additive) ", "additive*2.0", "additive * 2"], toy)
    assert split.targets == ("additive", "additive * 2")


def test_load_splits_errors(toy_csv: Path, toy: ab.SequenceSpace) -> None:
    with pytest.raises(ValueError, match=r"labels additive, other; .* \['speed'\]"):
        load_splits(str(toy_csv), ["speed"], toy)
    with pytest.raises(ValueError, match="no target of"):
        load_splits(str(toy_csv), [], toy)
    with pytest.raises(ValueError, match="not an equation"):
        load_splits(str(toy_csv), ["additive +"], toy)
    with pytest.raises(ab.data.DataError, match="needs its search space"):
        load_splits(str(toy_csv), ["additive"])
    with pytest.raises(FileNotFoundError, match="no such data: 'bundle'"):
        load_splits("bundle", ["additive"], toy)


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


# -------------------------------------------------------------------- runs


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


def test_overrides_go_to_their_own_preset(
    splits: list[Split], tmp_path: Path, in_process: list[FitJob]
) -> None:
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


def test_subsets_are_repeatable_distinct_rows_and_differ_between_seeds(noisy: ab.data.Table) -> None:
    first, again, other = (subset(noisy, 30, seed).architectures for seed in (1, 1, 2))
    assert first == again and first != other
    assert len(set(first)) == 30 and set(first) <= set(noisy.architectures)
    small = subset(noisy, 10, 1)
    rows = [noisy.architectures.index(a) for a in small.architectures]
    assert rows == sorted(rows)
    pd.testing.assert_frame_equal(small.labels, noisy.labels.iloc[rows].reset_index(drop=True))


def test_default_targets_have_published_predictors() -> None:
    stated = json.loads((Path(bundled.FILES) / "published_predictors.json").read_text(encoding="utf-8"))
    assert rank_correlations.default_targets() == ["acc", "latency_gpu", "latency_cpu", "latency_npu"]
    assert all(set(rank_correlations.default_targets()) == set(stated[family]) for family in BUNDLED)

"""The verdict on claim C1, on constructed tables."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from autobuild_book.chapters.shared.hop_verdict import judge
from tests.helpers.rank_tables import LEVELS, RISING, TASKS, Change, ranks, references


def holding(table: pd.DataFrame) -> dict[str, bool]:
    return dict(zip(table.check, table.holds, strict=True))


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
    pd.testing.assert_series_equal(judge(frame, references()).checks.holds, judge(ranks(), references()).checks.holds)


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

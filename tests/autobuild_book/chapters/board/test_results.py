"""What is made of the rows, by hand."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from autobuild_book.chapters.board import results
from autobuild_book.chapters.board.measuring import ROWS, BoardJob
from autobuild_book.chapters.board.newcomer import MarginalMeans
from autobuild_book.chapters.board.tables import BoardTable


def rows_of(values: dict[tuple[str, str, int], list[float]]) -> pd.DataFrame:
    """Rows from {(table, model, size): SRCC for each seed}; the rank is 100 (1 - SRCC)."""
    made = [
        (table, "t", model, size, seed, srcc, srcc / 2, 1 - srcc, round(100 * (1 - srcc)), 1 - srcc, 2.0, 0.5, "here")
        for (table, model, size), found in values.items()
        for seed, srcc in enumerate(found)
    ]
    return pd.DataFrame(made, columns=list(ROWS.columns))


ROWS_OF_TWO = rows_of({
    ("x", "a", 50): [0.5, 0.7, 0.6], ("x", "b", 50): [0.4, 0.5, 0.45], ("x", "c", 50): [0.1, 0.1, 0.1],
    ("y", "a", 50): [0.3, 0.3, 0.3], ("y", "b", 50): [0.3, 0.3, 0.3], ("x", "a", 100): [0.9], ("x", "b", 100): [0.8],
})  # fmt: skip


def test_means_and_intervals() -> None:
    first = results.summary(ROWS_OF_TWO).iloc[0]
    half = 4.302653 * 0.1 / np.sqrt(3)  # Student's t with two degrees of freedom
    assert (first.srcc, first.srcc_low, first.srcc_high) == pytest.approx((0.6, 0.6 - half, 0.6 + half), abs=1e-6)
    assert (first["rank"], first.rank_least, first.rank_most, first.seeds) == (40, 30, 50, 3)
    assert (first.fit_seconds, first.predict_seconds) == (2.0, 0.5)
    shown = results.readable(results.summary(ROWS_OF_TWO)).iloc[0]
    assert (shown["rank"], shown.share, shown.seconds) == ("40 (30 to 50)", "40.00 %", "2.50")


def test_one_seed_has_no_interval() -> None:
    last = results.summary(ROWS_OF_TWO).iloc[-1]
    assert last.srcc == 0.8 and math.isnan(last.srcc_low)


def test_average_ranks_by_hand() -> None:
    table = results.by_task(ROWS_OF_TWO, 50)
    assert list(table) == ["a", "b"], "c lacks a task"
    ranks = results.average_ranks(table).set_index("model")
    assert ranks["rank"].to_dict() == {"a": 1.25, "b": 1.75}  # ahead in x, equal in y
    assert ranks["wins"].to_dict() == {"a": 2, "b": 1}
    assert (ranks.loc["a", "low"], ranks.loc["b", "high"]) == (1, 2)  # no model is before the first, or after the last
    less = results.average_ranks(table, more_is_better=False).set_index("model")
    assert less["rank"].to_dict() == {"a": 1.75, "b": 1.25}


def test_a_task_that_is_hardly_measured_costs_no_model() -> None:
    begun = rows_of({("z", "a", 50): [0.9]})
    table = results.by_task(pd.concat([ROWS_OF_TWO, begun]), 50)
    assert list(table) == ["a", "b"] and table.index.get_level_values("table").tolist() == ["x", "y"]


def test_critical_difference_of_the_literature() -> None:
    assert results.critical_difference(4, 14) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=1e-3)  # Demsar
    assert results.critical_difference(10, 30) == pytest.approx(3.164 * np.sqrt(10 * 11 / (6 * 30)), abs=1e-3)
    assert math.isnan(results.critical_difference(1, 9)) and math.isnan(results.critical_difference(5, 1))


def test_friedman() -> None:
    table = pd.DataFrame(np.random.default_rng(0).random((6, 4)), columns=list("abcd"))
    assert results.friedman(table) == friedmanchisquare(*[table[name] for name in table]).pvalue
    assert math.isnan(results.friedman(table[["a", "b"]]))


def test_winners_are_paired_over_seeds() -> None:
    first, second, last = results.winners(ROWS_OF_TWO).itertuples()
    assert (first.table, first.model, first.next, bool(first.shown)) == ("x", "a", "b", True)
    assert first.lead == pytest.approx(0.15) and first.low == pytest.approx(0.15 - 4.302653 * 0.05 / np.sqrt(3))
    assert second.lead == 0.0 and not second.shown
    assert last.size == 100 and last.lead == pytest.approx(0.1) and math.isnan(last.low) and not last.shown
    assert results.winners(ROWS_OF_TWO, "rank").model.tolist() == ["a", "a", "a"]


def test_average_ranks_of_groups_of_tables() -> None:
    values = {("t", "a", 50): [0.9], ("t", "b", 50): [0.8], ("u", "a", 50): [0.1], ("u", "b", 50): [0.2],
              ("v", "a", 50): [0.3], ("v", "b", 50): [0.2], ("v", "a", 100): [0.3], ("v", "b", 100): [0.4]}  # fmt: skip
    ranks = results.average_ranks_apart(rows_of(values), {"first": ["t"], "rest": ["u", "v"]})
    assert ranks["first", 50].to_dict() == {"a": 1, "b": 2} and ranks["rest", 50].to_dict() == {"a": 1.5, "b": 1.5}
    assert ranks["rest", 100].to_dict() == {"a": 2, "b": 1} and ("first", 100) not in ranks


def test_standings() -> None:
    values = {
        (str(task), model, 50): [place / 10 + task / 100]
        for task, (model, place) in itertools.product(range(12), zip("abcd", (6, 5, 2, 1), strict=True))
    }
    (found,) = results.standings(rows_of(values), ["c", "d"])
    assert (found.first, found.rank, found.wins, found.tasks) == ("a", 1.0, 12, 12)
    assert found.alike == ("b",) and (found.second, found.second_rank) == ("b", 2.0)
    assert (found.autobuild, found.autobuild_rank) == ("c", 3.0)
    assert results.critical_difference(4, 12) == pytest.approx(1.354, abs=1e-3)  # so that c is not alike
    assert "12 of 12" in found.sentence() and "(c) has 3.0" in found.sentence()
    assert results.standings(rows_of({("x", "a", 50): [0.5]}), []) == []


@pytest.mark.parametrize(
    ("table", "target", "name"),
    [
        ("nas-bench-graph:cora", "acc", "cora"),
        ("help-ofa", "latency_v100_32", "v100_32"),
        ("panoptic", "pq", "panoptic"),
    ],
)
def test_short_names(table: str, target: str, name: str) -> None:
    assert results.task_name(table, target) == name


def test_a_choice_of_rows() -> None:
    assert len(results.chosen(ROWS_OF_TWO)) == len(ROWS_OF_TWO)
    found = results.chosen(ROWS_OF_TWO, ["x"], ["a"], [50])
    assert found.srcc.tolist() == [0.5, 0.7, 0.6]
    for names, what in ((["z"], None), (None, ["z"])):
        with pytest.raises(ValueError, match=r"'z'; .* "):
            results.chosen(ROWS_OF_TWO, names, what)


def test_the_model_that_gains_most_at_the_top_by_hand() -> None:
    """b is last by SRCC and builds the best network; a and c are first and second by SRCC, and build worse ones."""
    srcc = rows_of({("x", "a", 50): [0.9], ("x", "b", 50): [0.1], ("x", "c", 50): [0.5]})
    rows = srcc.assign(share=[0.3, 0.01, 0.2])
    places = results.average_places(rows, 50)
    assert places.loc["b"].to_dict() == {"srcc": 3, "share": 1} and places.loc["a"].to_dict() == {"srcc": 1, "share": 3}
    text = results.better_at_the_top(pd.concat([rows, rows.assign(size=1000)]))
    first, second = text.split("; ")
    assert first.startswith("b ") and "50" in first and second.startswith("b ") and "1,000" in second


def test_ranks_of_what_is_built_seed_by_seed() -> None:
    rows = rows_of({("x", "a", 50): [0.5, 0.7], ("x", "b", 50): [0.1, 0.2]}).assign(rank=[3, 9, 4, 8])
    (row,) = results.ranks_by_seed(rows, "a", "b").to_dict("records")
    assert row == {"size": 50, "seed 0": 3, "seed 1": 9, "srcc": pytest.approx(0.6), "b": 6}


def test_no_mean_lies_where_none_can() -> None:
    far_apart = results.summary(rows_of({("x", "a", 50): [0.2, 1.0]})).iloc[0]
    assert (far_apart.srcc_low, far_apart.srcc_high, far_apart.regret_low) == (-1, 1, 0) and far_apart.regret_high > 1


def test_what_a_plan_lacks_is_named() -> None:
    tables = [BoardTable("x", ("t",)), BoardTable("y", ("t",))]
    jobs = [BoardJob(table, MarginalMeans(name), 50, seed) for table in tables for name in "abc" for seed in range(3)]
    jobs += [BoardJob(tables[0], MarginalMeans("a"), 100, 0)]
    table = results.coverage(ROWS_OF_TWO, jobs).set_index("size")
    assert table.loc[50, ["measured", "planned"]].tolist() == [15, 18]
    assert table.loc[50, ["models", "tables"]].tolist() == ["c", "y"]
    assert table.loc[100].tolist() == [1, 1, "none", "none"]
    nothing = results.coverage(ROWS_OF_TWO.head(0), jobs[:2]).iloc[0]
    assert nothing.tolist() == [50, 0, 2, "all", "all"]


def test_sizes_are_compared_on_the_same_tasks() -> None:
    assert set(results.in_common(ROWS_OF_TWO)["table"]) == {"x"}  # y has one size only


def test_a_place_needs_others() -> None:
    assert results.place(0.5, pd.Series([0.6, 0.5, 0.1])) == "2 of 4"
    assert results.place(0.5, pd.Series(dtype=float)) == "alone"

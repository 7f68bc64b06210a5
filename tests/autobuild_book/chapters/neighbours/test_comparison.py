"""The comparison of neighbours and peers: what is planned, and sums by hand."""

import pandas as pd
import pytest

from autobuild_book.chapters.neighbours import comparison, contests

ROWS = pd.DataFrame(
    [("x", "a", 50, 0, 0.4, 1.0, 0.5), ("x", "a", 50, 1, 0.6, 2.0, 0.5), ("x", "b", 50, 0, 0.2, 0.1, 0.0),
     ("y", "a", 50, 0, 0.1, 5.0, 1.0), ("y", "b", 50, 0, 0.9, 0.3, 0.0), ("y", "b", 100, 0, 0.0, 9.0, 9.0)],
    columns=["source", "model", "size", "seed", "srcc", "fit_seconds", "predict_seconds"],
)  # fmt: skip


def test_means_by_task_with_intervals() -> None:
    means = comparison.by_task(ROWS).set_index(["source", "size", "model"])
    first = means.loc[("x", 50, "a")]
    assert (first["seeds"], first["srcc"], first["seconds"]) == (2, 0.5, 2.0) and first["low"] < 0.4 < 0.6 < first[
        "high"
    ]


def test_means_over_tables_the_best_first() -> None:
    means = comparison.overall(ROWS, 50)
    assert means[["model", "tables"]].to_numpy().tolist() == [["b", 2], ["a", 2]]
    assert means["srcc"].tolist() == pytest.approx([0.55, 0.3]) and means["total"].tolist() == pytest.approx([0.2, 4.0])


def test_plan_leaves_rows_to_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contests, "rows_of", lambda source: range(400))
    planned = comparison.plan(comparison.SIZES, comparison.SEEDS)
    assert {part.size for part in planned} == {50, 100, 300} and {part.source for part in planned} == {
        *comparison.SOURCES
    }
    assert {part.model for part in planned} == set(contests.MODELS)
    assert not any("proxies" in name for name in contests.MODELS)
    assert planned[0].seed == 0 and planned[-1].seed == max(comparison.SEEDS), "a stopped one has whole seeds"


def test_a_grid_for_readers_has_the_best_first() -> None:
    shown = comparison.grid(comparison.by_task(ROWS.replace({"x": "accel-nasbench", "y": "ofa_mbv3"})), 50)
    assert shown.index.tolist() == ["b", "a"] and shown.columns.tolist() == ["accel-nasbench", "ofa_mbv3"]
    assert shown.loc["b", "ofa_mbv3"] == "0.90" and shown.loc["a", "accel-nasbench"].startswith("0.50 [-0.77")


def test_standings_name_the_first_of_all_of_the_chapter_and_of_autobuild() -> None:
    placed = {"forest: GRAF": 0.9, "GATES": 0.8, "AutoBuild, tuned preset": 0.7, "neural predictor": 0.1}
    rows = [("x", model, 50, 0, value, 1.0, 0.0) for model, value in placed.items()]
    rows += [("y", model, 50, 0, value - 0.1 * (model == "GATES"), 1.0, 0.0) for model, value in placed.items()]
    (text,) = comparison.standings(pd.DataFrame(rows, columns=list(ROWS)))
    half = 12.706205 * 0.05  # t(0.975, 1) times the standard error of leads of .1 and .2
    assert f"before GATES by 0.150 [{0.15 - half:.3f}, {0.15 + half:.3f}]" in text
    assert "forest: GRAF (0.900)" in text and "GATES (0.750) is first (place 2 of 4)" in text
    assert "tuned preset (0.700) (place 3 of 4)" in text


def test_committed_rows_are_whole_tasks_of_the_plan() -> None:
    rows = comparison.SECTION.committed()
    assert list(rows) == contests.COLUMNS and rows[["srcc", "tau"]].abs().max().max() <= 1
    assert not rows.duplicated(["source", "model", "size", "seed"]).any() and set(rows["source"]) == {
        *comparison.SOURCES
    }
    assert set(rows["size"]) <= {*comparison.SIZES} and set(rows["seed"]) <= {*comparison.SEEDS}
    for _, task in rows.groupby(["source", "size", "seed"]):
        assert list(task["model"]) == list(contests.MODELS), "every model takes part"

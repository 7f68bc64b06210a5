"""Searches over trained networks: budgets that count training rows, hypervolumes by hand, tests and the verdict."""

import itertools

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.shared.models.autobuild import AutoBuild
from autobuild_book.chapters.shared.models.registry import MODELS
from autobuild_book.chapters.trained import search, search_figures, search_results
from autobuild_book.chapters.trained.search import BASELINES, NO_MODEL, OURS, OUTSIDE, PREDICTED, RANDOM, SearchPart
from autobuild_book.chapters.trained.truth import GRAPHS
from autobuild_book.figures.style import Picture
from tests.helpers.trees import trees_truth

TRUTH = trees_truth()
TINY = AutoBuild("tiny", "tuned", (("epochs", 2),))
RECIPE = TINY.name


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in (("BUDGET", 60), ("LEARNING", 30), ("STEP", 10)):
        monkeypatch.setattr(search, name, number)
    monkeypatch.setattr(search, "load_truth", lambda source: TRUTH)
    monkeypatch.setitem(MODELS, TINY.name, TINY)


def area(points: np.ndarray, corner: np.ndarray) -> float:
    """What points [N, 2] (costs) dominate up to a corner, by inclusion in a fine grid of rectangles."""
    xs, ys = (np.unique(np.r_[points[:, axis].clip(max=corner[axis]), corner[axis]]) for axis in (0, 1))
    cells = itertools.product(itertools.pairwise(xs), itertools.pairwise(ys))
    return sum((b - a) * (d - c) for (a, b), (c, d) in cells if ((points <= [a, c]).all(1)).any())


def test_every_method_has_the_same_budget_and_curves_rise() -> None:
    rows = pd.concat([SearchPart("trees", 0, recipe).measure() for recipe in (NO_MODEL, RECIPE)])
    assert list(rows) == search.COLUMNS
    curves = dict(list(rows.groupby("method")))
    assert set(curves) == {*OURS.values(), *BASELINES, OUTSIDE, RANDOM, PREDICTED}
    for curve in curves.values():
        assert curve["evaluations"].tolist() == [10, 20, 30, 40, 50, 60]
        assert curve["hypervolume"].is_monotonic_increasing and curve["hypervolume"].between(0, 1 + 1e-9).all()
    learnt = [curves[name]["hypervolume"].tolist()[:3] for name in (*OURS.values(), PREDICTED)]
    np.testing.assert_allclose(learnt[1:], [learnt[0]] * 2, rtol=1e-12)  # the same training rows
    again = SearchPart("trees", 0, RECIPE).measure()
    pd.testing.assert_frame_equal(again, rows[rows["recipe"] == RECIPE].reset_index(drop=True))


def test_hypervolumes_by_brute_force() -> None:
    labels = TRUTH.table.labels
    corner = np.array([np.log10(labels["latency"]).max(), -labels["acc"].median()])
    some = labels.iloc[::40]
    points = np.column_stack([np.log10(some["latency"]), -some["acc"]])
    volumes = search.hypervolumes(TRUTH, some)
    for number in (1, 3, len(points)):
        assert volumes[number - 1] == pytest.approx(area(points[:number], corner))
    every = search.curve(TRUTH, labels)
    assert every["hypervolume"].iloc[-1] <= 1
    assert search.curve(TRUTH, labels.iloc[TRUTH.front])["hypervolume"].iloc[-1] == pytest.approx(1)


def test_the_best_predicted_take_turns_and_are_new() -> None:
    class Label:
        def __init__(self, name: str, sign: int) -> None:
            self.values = dict(zip(TRUTH.table.architectures, sign * TRUTH.table.labels[name], strict=True))

        def predict(self, architectures: object) -> np.ndarray:
            return np.array([self.values[each] for each in architectures])  # type: ignore[attr-defined]

    order = TRUTH.table.labels["acc"].to_numpy().argsort()[::-1]
    known = [TRUTH.table.architectures[order[0]]]
    rows = search.top_predicted(TRUTH, [Label("acc", 1), Label("latency", -1)], known)
    assert len(set(rows)) == 30 and order[0] not in rows and rows[0] == order[1]
    assert rows[1] == TRUTH.table.labels["latency"].argmin()


def test_the_plan_has_everything_once() -> None:
    assert len(set(search.plan((), range(3), ("a", "b")))) == 9 * 3 * 2
    assert len({SearchPart("trees", seed, recipe).key for seed in (0, 1) for recipe in (NO_MODEL, RECIPE)}) == 4


# -------------------------------------------------------------------- verdicts


def curves(wins: dict[str, int], seeds: int = 20) -> pd.DataFrame:
    """Our first method beats a rival in its first `wins` of nine data sets, and loses in the others."""
    rng, rows = np.random.default_rng(0), []
    for number, seed, method in itertools.product(range(9), range(seeds), search_results.METHODS):
        level = 0.5 if method not in wins else 0.4 if number < wins[method] else 0.6
        recipe = "ours" if method in (*OURS.values(), PREDICTED) else NO_MODEL
        rows += [(GRAPHS[number], seed, recipe, method, evaluations, level + 0.01 * rng.random())
                 for evaluations in (150, search_results.BUDGET)]  # fmt: skip
    return pd.DataFrame(rows, columns=search.COLUMNS)


@pytest.mark.parametrize(
    ("wins", "word"), [((9, 8), "supported"), ((9, 7), "partly"), ((7, 7), "not supported"), ((0, 0), "not supported")]
)
def test_both_baselines_in_eight_of_nine_data_sets(wins: tuple[int, int], word: str) -> None:
    verdict = search_results.judge(curves(dict(zip(BASELINES, wins, strict=True))), "ours")
    assert verdict.word == word
    assert verdict.checks["value"].tolist() == [f"{won} of 9 data sets" for won in wins]


def test_nothing_is_decided_before_all_is_measured() -> None:
    rows = curves(dict.fromkeys(BASELINES, 9))
    assert search_results.judge(rows[rows["source"] != GRAPHS[0]], "ours").word == "undecided"
    assert search_results.judge(rows[rows["seed"] < 4], "ours").word == "undecided"
    assert search_results.judge(rows[rows["seed"] < 6], "ours").word == "supported"


def test_outcomes_count_data_sets() -> None:
    rows = curves({OUTSIDE: 0, BASELINES[0]: 4, BASELINES[1]: 9})
    outcome = search_results.outcomes(rows, "ours").set_index(["method", "rival"])
    ours = OURS["norm"]
    assert outcome.loc[(ours, OUTSIDE)].tolist() == [0, 0, 9]
    assert outcome.loc[(ours, BASELINES[0])].tolist() == [4, 0, 5]
    assert outcome.loc[(ours, RANDOM), "neither"] >= 6
    final = search_results.final_table(rows, "ours")
    assert final.shape == (9, 7) and final.loc[GRAPHS[8], BASELINES[0]] == pytest.approx(0.605, abs=0.006)
    other = rows.assign(recipe=rows["recipe"].replace("ours", "another"), hypervolume=0.0)
    both = pd.concat([rows, other[other["recipe"] == "another"]])
    pd.testing.assert_frame_equal(search_results.final_table(both, "ours"), final)


def test_ranks_become_shares() -> None:
    columns = ["source", "budget", "seed", "recipe", "method", "rank", "test_rank", "built_rank", "built_test_rank"]
    rows = [("p", 100, seed, "m", "x", rank, 1, 1, 1) for seed, rank in enumerate((1, 2, 100))]
    rows += [("q", 100, 0, "m", "x", 8, np.nan, 1, 1), ("p", 100, 0, NO_MODEL, "y", 10, 1, 1, 1)]
    shares = search_results.with_shares(pd.DataFrame(rows, columns=columns), pd.Series({"p": 1000, "q": 100}))
    typical = search_results.typical(shares)
    assert typical.loc["m: x", 100] == pytest.approx(np.sqrt(0.002 * 0.08))
    assert typical.loc["y", 100] == pytest.approx(0.01)
    assert search_results.in_top(shares, "rank", 0.01)[100].to_dict() == {"m: x": 1, "y": 1}
    assert np.isfinite(search_results.typical(shares, "test_rank").to_numpy()).all()
    figure = search_figures.best_ranks(shares)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["y", "m: x"]


def test_the_least_mean_is_that_of_first_places() -> None:
    assert search_results.least(pd.Series({"a": 1000, "b": 10})) == pytest.approx(0.01)


def test_curves_are_drawn_for_every_data_set() -> None:
    figure = search_figures.search_curves(search_results.medians(curves({}), "ours"))
    assert isinstance(figure, Picture) and len(figure.axes) == 9
    assert [axes.get_title() for axes in figure.axes] == [source.split(":")[1] for source in GRAPHS]
    assert all(len(axes.lines) == 8 for axes in figure.axes)

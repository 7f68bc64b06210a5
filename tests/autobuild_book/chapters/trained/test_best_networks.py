"""The best network of a budget: what is evaluated, and its ranks by brute force."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.shared.models.autobuild import AutoBuild
from autobuild_book.chapters.shared.models.registry import MODELS
from autobuild_book.chapters.shared.splits import subset
from autobuild_book.chapters.trained import best_networks
from autobuild_book.chapters.trained.best_networks import (
    BUDGETS,
    BUILT,
    EVOLUTION,
    NO_MODEL,
    OURS,
    PREDICTED,
    RANDOM,
    BestPart,
)
from autobuild_book.chapters.trained.truth import Truth
from tests.helpers.trees import trees_truth

TRUTH = trees_truth()
BUDGET = 60
TINY = AutoBuild("tiny", "tuned", (("epochs", 2),))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best_networks, "load_truth", lambda source: TRUTH)
    monkeypatch.setitem(MODELS, TINY.name, TINY)


def test_without_a_model() -> None:
    rows = BestPart("trees", BUDGET, 0, NO_MODEL).measure().set_index("method")
    assert list(rows.reset_index()[best_networks.COLUMNS]) == best_networks.COLUMNS
    evaluated = np.random.default_rng([0, BUDGET]).permutation(len(TRUTH.table))[:BUDGET]
    labels = TRUTH.table.labels
    best = labels.iloc[evaluated].sort_values("acc").iloc[-1]
    assert rows.loc[RANDOM, "rank"] == (labels["acc"] > best["acc"]).sum() + 1
    assert rows.loc[RANDOM, "test_rank"] == (labels["test_acc"] > best["test_acc"]).sum() + 1
    assert rows.loc[RANDOM, "built_rank"] >= rows.loc[RANDOM, "rank"] and set(rows.index) == {RANDOM, EVOLUTION}


def test_whoever_knows_the_labels_builds_the_best_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Oracle:
        def predict(self, architectures: Sequence[ab.Architecture]) -> np.ndarray:
            return TRUTH.evaluate(architectures)["acc"].to_numpy()

    class Registered:
        def fit_many(self, table: ab.data.Table, targets: Sequence[str], seed: int) -> list[Oracle]:
            assert len(table) == BUDGET - BUILT and targets == ["acc"]
            return [Oracle()]

    monkeypatch.setattr(best_networks, "find_model", lambda name: Registered())
    for seed in range(3):
        (row,) = BestPart("trees", BUDGET, seed, "oracle").measure().to_dict("records")
        train = subset(TRUTH.table, BUDGET - BUILT, seed)
        left = TRUTH.table.labels.drop(index=list(TRUTH.rows(TRUTH.table.space.to_codes(train.architectures))))
        assert row["rank"] == 1 and row["method"] == PREDICTED
        assert row["built_rank"] == (TRUTH.table.labels["acc"] > left["acc"].max()).sum() + 1


def test_autobuild_is_asked_in_three_ways() -> None:
    rows = BestPart("trees", BUDGET, 0, TINY.name).measure()
    assert rows["method"].tolist() == [PREDICTED, *OURS.values()]
    assert (rows["rank"] <= rows["built_rank"]).all() and rows["test_rank"].between(1, len(TRUTH.table)).all()


def test_a_sample_of_a_large_space_is_chosen_from(monkeypatch: pytest.MonkeyPatch) -> None:
    space = ab.SequenceSpace("row", [ab.Unit(1, 2)] * 3, {"op": ["a", "b", "c"]})
    networks = space.sample(120, 0)
    rows = [(each, {"acc": float(str(each).count("a"))}) for each in dict.fromkeys(networks)]
    sample = Truth.of(ab.data.from_records(space, rows))
    monkeypatch.setattr(best_networks, "load_truth", lambda source: sample)
    measured = pd.concat([BestPart("row", 60, 0, recipe).measure() for recipe in (NO_MODEL, TINY.name)])
    assert measured["method"].tolist() == [RANDOM, PREDICTED, *OURS.values()]
    assert measured["test_rank"].isna().all() and measured["rank"].between(1, 120).all()


def test_the_plan_has_everything_once() -> None:
    assert len(set(best_networks.plan((100, 300), range(2), ("a", "b")))) == 10 * 2 * 2 * 2
    seeds = {budget: {part.seed for part in best_networks.plan() if part.budget == budget} for budget in BUDGETS}
    assert seeds == {100: set(range(5)), 300: set(range(20)), 1000: set(range(5))}

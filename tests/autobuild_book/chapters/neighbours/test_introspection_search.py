"""The search for the front of error and introspectability: looked up in a pool that is known, evaluations counted."""

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.neighbours.introspection import pool, search
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.spaces import Architecture


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch) -> Table:
    """A pool where the n-th network has error n/300, and the network with the least error is the best in both."""
    networks = list(pool.SPACE)
    error = np.arange(len(networks)) / 300
    labels = {"error": error, "introspectability": 1 - error}
    table = make_table(pool.SPACE, networks, labels, source="ranked", kind="yours")
    monkeypatch.setattr(search, "pool", lambda: table)
    return table


def test_the_share_of_the_front_by_hand(ranked: Table) -> None:
    assert search.share(ranked.labels) == 1 and search.share(ranked.labels.iloc[[0]]) == 1
    half = (len(ranked) - 1) / 2  # the place of the medians
    assert search.share(ranked.labels.iloc[[50, 90]]) == pytest.approx(((half - 50) / half) ** 2)
    assert search.share(ranked.labels.iloc[150:]) == 0


def test_networks_are_looked_up_in_order(ranked: Table) -> None:
    some = [ranked.architectures[place] for place in (7, 3, 7)]
    assert (search.look_up(some)["error"] * 300).round().tolist() == [7, 3, 7]


@pytest.mark.parametrize("budget", [54, 57])
def test_evolution_evaluates_as_many_as_it_may(ranked: Table, budget: int) -> None:
    evaluated = search.evolve(budget, 0)
    assert len(evaluated) == budget and evaluated["architecture"].nunique() == budget
    assert search.share(evaluated) > search.share(evaluated.iloc[:10])


def test_built_networks_are_new(ranked: Table) -> None:
    every = list(ranked.architectures)
    chosen = search._first([every[0], every[5], every[5], *every], every[:3])
    assert chosen == [every[5], every[3], every[4], *every[6 : search.BUILT + 3]] and len(chosen) == search.BUILT


def test_autobuild_pays_for_what_it_learns_from(ranked: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    class Few:
        name = "few"

        def fit_many(self, table: Table, targets: object, seed: int) -> list[Table]:
            return [table] * 3

    class Reduced(list[Architecture]):
        def best(self, n: int) -> list[Architecture]:
            return list(self)

    class Corpus:
        def top(self, k: int) -> Reduced:
            return Reduced(ranked.architectures[:20])

    monkeypatch.setattr(search, "TUNED", Few())
    monkeypatch.setattr(search, "score_units", lambda predictor, progress: Corpus())
    for labels in search.learn(60, 1).values():
        places = (labels["error"] * 300).round().astype(int)
        assert len(places) == 60 and places.nunique() == 60, "random ones where the product has too few"
        assert set(range(20)) <= set(places)


def test_plan_has_its_limits(ranked: Table) -> None:
    assert [(part.budget, part.seed) for part in search.plan([54, 60], (0, 1))] == [(54, 0), (60, 0), (54, 1), (60, 1)]
    for wrong in (53, 217):
        with pytest.raises(ValueError, match=f"{wrong} evaluations"):
            search.plan([wrong], (0,))


def test_summary_compares_with_nsga2_seed_by_seed() -> None:
    means = dict(zip(search.METHODS, (0.5, 0.4, 0.7, 0.6), strict=True))
    rows = [(method, 54, seed, means[method] + seed / 10) for method in search.METHODS for seed in (0, 1)]
    lines = search.summary(pd.DataFrame(rows, columns=search.COLUMNS)).set_index("method")
    assert lines["hypervolume"].tolist() == pytest.approx([0.55, 0.45, 0.75, 0.65])
    assert lines["ahead"].tolist() == pytest.approx([0, -0.1, 0.2, 0.1])
    assert lines["ahead_high"].tolist() == pytest.approx([0, -0.1, 0.2, 0.1]), "the same in both seeds"


def test_committed_rows_are_whole_seeds_of_the_plan() -> None:
    table = pool.pool()
    assert sorted(map(str, table.architectures)) == sorted(map(str, pool.SPACE))
    assert table.labels["error"].between(0, 1).all() and table.labels["introspectability"].between(0, 2).all()
    rows = search.SECTION.committed()
    assert list(rows) == search.COLUMNS and not rows.duplicated(search.COLUMNS[:3]).any()
    assert len(rows) == len(search.SEEDS) * len(search.METHODS) and rows["hypervolume"].between(0, 1).all()
    assert (search.summary(rows)["seeds"] == len(search.SEEDS)).all()

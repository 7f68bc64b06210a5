"""Searches on cells: equal evaluations, rows that are those of the table, and the committed comparison."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.neighbours import cells, evolution, productions
from autobuild_book.chapters.neighbours.bayesian import bayesian_search, expected_improvement
from autobuild_book.chapters.neighbours.cells import TrainedCells, operations_of, without_dead_ends
from autobuild_book.chapters.neighbours.evolution import MOTIFS, SEARCHES, EvolutionPart, summary
from autobuild_book.chapters.neighbours.grammars.counting import Counts
from autobuild_book.chapters.neighbours.grammars.derivations import term_of
from autobuild_book.chapters.neighbours.grammars.grammar import load_grammar, read_grammar
from autobuild_book.chapters.neighbours.nas_bench_201 import OPERATIONS, SPACE, UNITS
from autobuild_book.chapters.neighbours.wiring import Wiring, wired
from autobuild_book.measured import parts
from autobuild_lib.data.table import make_table

Run = Callable[..., tuple[int, str, str]]
EVERY = SPACE.from_codes(np.array([np.frombuffer(cell.code, np.uint8) for cell in SPACE]))
OPERATIONS_OF_ALL = operations_of(EVERY)


@pytest.fixture(scope="module")
def trained() -> TrainedCells:
    """A table of the form of the published one, with made-up accuracies."""
    distinct = (without_dead_ends(OPERATIONS_OF_ALL) == OPERATIONS_OF_ALL).all(1)
    rows = [cell for cell, keep in zip(EVERY, distinct, strict=True) if keep]
    worth = np.array([0.3, 0.0, 1.0, 0.7, 0.1])[operations_of(rows)] @ np.arange(1, 7)
    return TrainedCells(make_table(SPACE, rows, {"acc": worth}, source="made up", kind="yours"))


def alive(names: list[str]) -> Wiring:
    return wired([(begin, end, name) for (begin, end), name in zip(UNITS, names, strict=True)], 0, 3)


def test_every_cell_is_a_row_of_the_table(trained: TrainedCells) -> None:
    assert len(trained.table) == 9445, "as in the published table"
    rows = trained.rows(OPERATIONS_OF_ALL)
    assert set(rows) == set(range(9445))
    rng = np.random.default_rng(0)
    for place in rng.choice(len(EVERY), 300, replace=False):
        stands_for = operations_of([trained.table.architectures[rows[place]]])[0]
        names, others = ([OPERATIONS[n] for n in numbers] for numbers in (OPERATIONS_OF_ALL[place], stands_for))
        assert alive(names) == alive(others) and trained.row(names) == rows[place]


def test_the_published_table_has_a_row_for_every_cell(datasets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(datasets))
    published = cells.trained_cells()
    assert set(published.rows(OPERATIONS_OF_ALL)) == set(range(9445))
    np.testing.assert_array_equal(published.rows(operations_of(published.table.architectures)), np.arange(9445))
    assert published.ranks[published.accuracies.argmax()] == 1 and sorted(published.ranks) == list(range(1, 9446))


@pytest.mark.parametrize("method", SEARCHES)
def test_searches_keep_to_their_budget_repeat_nothing_and_repeat_themselves(method: str, trained: TrainedCells) -> None:
    rows = SEARCHES[method](trained, np.random.default_rng(5), 30)
    assert len(rows) == len(set(rows)) == 30 and (rows >= 0).all()
    assert rows.tolist() == SEARCHES[method](trained, np.random.default_rng(5), 30).tolist()


@pytest.mark.parametrize("method", [evolution.REGULARISED, evolution.HIERARCHICAL, evolution.GRAMMAR])
def test_evolution_climbs(method: str, trained: TrainedCells) -> None:
    runs = [trained.accuracies[SEARCHES[method](trained, np.random.default_rng(seed), 120)] for seed in range(4)]
    first, last = np.mean([run[:10] for run in runs]), np.mean([run[-40:] for run in runs])
    assert last > first + trained.accuracies.std()


def test_bayesian_optimisation_finds_the_best_cell_where_operations_add_up(trained: TrainedCells) -> None:
    best = trained.ranks[SEARCHES[evolution.BAYESIAN](trained, np.random.default_rng(1), 60)].min()
    assert best <= 20


def test_bayesian_search_stops_where_nothing_is_left() -> None:
    counts = Counts(read_grammar("A = Sequential(B, B)\nB = conv | pool"))
    texts = [str(term_of(counts.grammar, d)) for d in bayesian_search(
        counts, lambda d: str(term_of(counts.grammar, d)), lambda d: str(term_of(counts.grammar, d)).count("conv"),
        np.random.default_rng(0), 10, 2)]  # fmt: skip
    assert sorted(texts) == sorted(f"Sequential({a}, {b})" for a in ("conv", "pool") for b in ("conv", "pool"))


def test_expected_improvement_is_that_of_draws() -> None:
    draws = np.random.default_rng(0).normal(size=400_000)
    expected = [np.maximum(0.2 + 0.5 * draws - 0.4, 0).mean(), np.maximum(1 + 0.1 * draws - 0.4, 0).mean(), 0.0]
    made = expected_improvement(np.array([0.2, 1.0, 0.3]), np.array([0.5, 0.1, 0.0]), 0.4)
    np.testing.assert_allclose(made, expected, atol=2e-3)


def test_motifs_make_cells_of_the_table(trained: TrainedCells) -> None:
    rng = np.random.default_rng(0)
    made = [MOTIFS.assembled(MOTIFS.drawn(rng, 60)).cell() for _ in range(150)]
    rows = {trained.row(cell) for cell in made if cell}
    assert 0.15 < np.mean([cell is not None for cell in made]) < 0.6 and len(rows) > 15
    skip, conv = 1 + MOTIFS.operations.index("skip_connect"), 1 + MOTIFS.operations.index("nor_conv_3x3")
    genotype = (((0, conv, 0), (0, skip, 0), (0, conv, 0), (0, 0, 0)), ((1, 2, 0, 1, 0, 1),))
    expected = ("skip_connect", "none", "none", "nor_conv_3x3", "nor_conv_3x3", "none")
    assert MOTIFS.assembled(genotype).cell() == expected, (
        "the first vertex leads nowhere, and the second takes its place"
    )


def test_autobuild_learns_from_half_and_proposes_the_rest(trained: TrainedCells) -> None:
    chosen = evolution.proposals(trained, 60, 0, "acc")
    learnt = chosen[evolution.EFFECT][:30]
    for rows in chosen.values():
        assert len(set(rows)) == 60 and rows[:30].tolist() == learnt.tolist()
        assert trained.accuracies[rows[30:]].mean() > trained.accuracies[learnt].mean() + trained.accuracies.std()


def test_production_effects_by_hand() -> None:
    counts = Counts(read_grammar("A = Sequential(B, C)\nB = conv | pool\nC = D | fc\nD = norm"))
    values = {"conv": 2.0, "pool": 0.0, "norm": 10.0, "fc": 11.0}

    def predict(derivations: list[object]) -> np.ndarray:
        terms = [term_of(counts.grammar, d) for d in derivations]  # type: ignore[arg-type]
        return np.array([sum(values[part.name] for part in term.arguments) for term in terms])

    changes = productions.effects(counts, [predict], np.random.default_rng(0), 2000)  # type: ignore[list-item]
    means = changes.groupby("production")["0"].mean()
    assert means.to_dict() == pytest.approx({"B = conv": 1, "B = pool": -1, "C = D": -0.5, "C = fc": 0.5}, abs=0.1)
    assert set(changes.loc[changes["production"] == "C = fc", "place"]) == {1}


def test_the_command_measures_and_goes_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: TrainedCells
) -> None:
    monkeypatch.setattr(evolution, "trained_cells", lambda: trained)
    monkeypatch.setattr(evolution, "SEARCHES", {evolution.RANDOM: SEARCHES[evolution.RANDOM]})
    monkeypatch.setattr(evolution, "AUTOBUILD", {"mine": "acc"})
    monkeypatch.setattr(evolution, "proposals", lambda cells, budget, seed, target: {"liked": np.arange(budget)})
    monkeypatch.setattr(parts, "in_processes", lambda work, arguments, *_: [work(*each) for each in arguments])
    out = tmp_path / "rows.csv"
    words = ("neighbours", "measure", "evolution", "--seeds", 2, "--out", out)
    assert run(*words)[0] == 0
    rows = pd.read_csv(out)
    assert list(rows) == evolution.COLUMNS and set(rows["budget"]) == set(evolution.BUDGETS)
    assert set(rows["method"]) == {evolution.RANDOM, "mine, liked"}
    mine = rows[rows["method"] == "mine, liked"].set_index("budget")
    assert mine.loc[100, "rank"].tolist() == [trained.ranks[:100].min()] * 2
    monkeypatch.setattr(EvolutionPart, "measure", lambda part: pytest.fail("measured again"))
    assert run(*words)[0] == 0


def test_summary_by_hand() -> None:
    rows = pd.DataFrame({"method": "random", "budget": 50, "seed": [0, 1], "rank": [1, 100], "acc": [91.0, 90.0]})
    line = summary(rows).iloc[0]
    assert line["rank"] == pytest.approx(10) and line["acc"] == 90.5 and line["seeds"] == 2
    assert line["rank_low"] < 1 and line["rank_high"] > 100


def test_committed_rows_are_whole_and_better_than_chance() -> None:
    rows = evolution.SECTION.committed()
    likings = (evolution.EFFECT, evolution.PREDICTED)
    methods = {*SEARCHES, *(f"{model}, {liking}" for model in evolution.AUTOBUILD for liking in likings)}
    assert list(rows) == evolution.COLUMNS and set(rows["method"]) <= methods
    assert not rows.duplicated(["method", "seed", "budget"]).any() and rows["rank"].between(1, 9445).all()
    for _, group in rows.groupby(["method", "seed"]):
        assert tuple(group["budget"]) == evolution.BUDGETS
    falling = rows[rows["method"].isin(SEARCHES)].pivot_table("rank", ["method", "seed"], "budget")
    assert (falling.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)
    means = summary(rows).set_index(["method", "budget"])
    assert (means["seeds"] == len(evolution.SEEDS)).all() and len(means) == len(methods) * len(evolution.BUDGETS)
    assert means.loc[(evolution.GRAMMAR, 200), "rank_high"] < means.loc[(evolution.RANDOM, 200), "rank_low"]


def test_committed_productions() -> None:
    rows = productions.SECTION.committed()
    assert list(rows) == productions.COLUMNS and set(rows["seed"]) == set(productions.SEEDS)
    names = {f"{s} = {r}" for s, rights in load_grammar("cells").productions.items() for r in rights if len(rights) > 1}
    assert set(rows["production"]) == names
    best = productions.top(rows)
    assert best.iloc[0]["production"] in ("OP = CONV", "CONV = nor_conv_3x3") and best.iloc[-1]["effect"] < 0
    assert len(productions.top(rows, by_place=True)) == 6 * len(names)

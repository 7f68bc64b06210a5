"""What is not allowed is refused in one line that says what was given, and what is allowed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.neighbours import contests, devices, evolution, productions
from autobuild_book.chapters.neighbours.arch2vec import ARCH2VEC
from autobuild_book.chapters.neighbours.cells import TrainedCells
from autobuild_book.chapters.neighbours.contests import Contest
from autobuild_book.chapters.neighbours.convolutions import GCN
from autobuild_book.chapters.neighbours.darts.networks import operation
from autobuild_book.chapters.neighbours.devices import LeftOut
from autobuild_book.chapters.neighbours.evolution import EvolutionPart
from autobuild_book.chapters.neighbours.grammars.derivations import parse
from autobuild_book.chapters.neighbours.grammars.grammar import load_grammar, read_grammar
from autobuild_book.chapters.neighbours.grammars.terms import MOST_NESTED
from autobuild_book.chapters.neighbours.hardware import HELP
from autobuild_book.chapters.neighbours.introspection.score import introspectability
from autobuild_book.chapters.neighbours.learning import Recipe
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE, UNITS
from autobuild_book.chapters.neighbours.productions import ProductionPart
from autobuild_book.chapters.neighbours.registry import NEIGHBOURS, Neighbour
from autobuild_book.chapters.neighbours.stagewise.importance import variable_importance
from autobuild_lib.data.table import DataError, Table, make_table

Run = Callable[..., tuple[int, str, str]]
CELLS = list(dict.fromkeys(map(SPACE.canonical, SPACE.sample(12, 0))))


class Structureless:
    """Rows with labels, and no search space."""

    source = "numbers.csv"
    architectures = ("a", "b")

    def __len__(self) -> int:
        return 2


def cells(*labels: float) -> Table:
    return make_table(SPACE, CELLS[: len(labels)], {"acc": list(labels)}, source="mine", kind="yours")


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """Eight cells in the place of every table."""
    few = cells(*range(8))
    monkeypatch.setattr(contests, "rows_of", lambda source: few)
    for module in (evolution, productions):
        monkeypatch.setattr(module, "trained_cells", lambda: TrainedCells(few))
    return few


def refused(error: type[ValueError], call: Callable[[], Any], *says: object) -> None:
    """Assert that a call is refused in one line that has some words in it."""
    with pytest.raises(error) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line and all(str(word) in line for word in says), line


SAME = ab.SequenceSpace("same", [ab.Unit(1, 2)], {"op": ["a"]})
PATHS = [SAME.architecture([["a"] * depth]) for depth in (1, 2)]


@pytest.mark.parametrize("model", NEIGHBOURS.values(), ids=lambda model: model.name)
def test_nobody_learns_from_what_says_nothing(model: Neighbour) -> None:
    for given, *says in (
        (Structureless(), "numbers.csv", "no search space"),
        (make_table(SAME, PATHS, {"acc": [1.0, 2.0]}, source="paths", kind="yours"), "'same'"),
        (cells(1.0), "mine: 1 row ", "2 or more"),
        (cells(7.5, 7.5, 7.5), "mine: ", "7.5 in all 3 rows"),
        (cells(1.0, np.nan, 3.0), "mine: ", "missing in 1 of 3 rows: 1"),
    ):
        refused(DataError, lambda table=given: model.fit_many(table, ["acc"]), *says)  # type: ignore[misc]
    refused(DataError, lambda: model.fit_many(cells(1.0, 2.0), ["speed"]), "'speed'", "acc")


def test_parts_of_a_model_are_known_by_name() -> None:
    table = cells(1.0, 2.0, 3.0)
    guess = replace(GCN, recipe=Recipe(steps=1, loss="guess"))
    refused(ValueError, lambda: guess.fit_many(table, ["acc"]), "'guess'", "squared", "pairs")
    headless = replace(ARCH2VEC, head="none", networks=8, recipe=Recipe(steps=1))
    refused(ValueError, lambda: headless.fit_many(table, ["acc"]), "'none'", "ridge", "Gaussian process")


def test_a_contest_needs_a_model_and_rows(table: Table) -> None:
    refused(ValueError, lambda: Contest("few", "oracle", 4, 0, 4).measure(), "'oracle'", "GATES", "additive ridge")
    refused(ValueError, lambda: Contest("few", "oracle", 4, 0, 4).key, "'oracle'")
    for size in (0, 1, 7):
        refused(ValueError, lambda size=size: Contest("few", "GATES", size, 0, 4).measure(),  # type: ignore[misc]
                f"few: {size} rows", "2 to 6")  # fmt: skip
    refused(ValueError, lambda: ProductionPart(9, 0).measure(), "9 cells", "2 to 8")
    refused(ValueError, lambda: EvolutionPart("guessing", 0).measure(), "'guessing'", evolution.RANDOM)


def test_sizes_that_leave_nothing_are_no_measurement(table: Table, run: Run, tmp_path: object) -> None:
    code, out, error = run("neighbours", "measure", "tau", "--sizes", 7, 900, "--plan", "--out", f"{tmp_path}/rows.csv")
    assert (code, out) == (1, "") and "7, 900" in error and error.count("\n") == 1


def test_a_device_must_be_one_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {label: [1.0, 2.0, 3.0, 4.0] for label in HELP}
    timed = make_table(SPACE, CELLS[:4], labels, source="timed", kind="yours")
    monkeypatch.setitem(devices.TABLES, "timed", devices.Devices(lambda: timed, HELP, devices._convolutions))
    refused(ValueError, lambda: LeftOut("nowhere", "v100", 2, 0).measure(), "'nowhere'", "help-ofa")
    refused(ValueError, lambda: LeftOut("timed", "abacus", 2, 0).measure(), "'abacus'", "v100", "titan_xp")
    for size in (1, 3):
        refused(ValueError, lambda size=size: LeftOut("timed", "v100", size, 0).measure(),  # type: ignore[misc]
                f"timed: {size} networks", "2 to 2")  # fmt: skip


def test_a_cell_has_six_known_operations() -> None:
    few = TrainedCells(cells(*range(8)))
    assert few.row([unit["layers"][0] for unit in CELLS[5].units()]) == 5
    refused(ValueError, lambda: few.row(["conv"] * len(UNITS)), "'conv'", "nor_conv_3x3")
    refused(ValueError, lambda: few.row(["none"] * 5), "5 operations", "6")
    refused(ValueError, lambda: operation("conv7x"), "'conv7x'", "conv5")


def test_grammars_and_derivations_have_a_limit() -> None:
    deep = "Sequential(" * 400 + "conv" + ")" * 400
    refused(ValueError, lambda: read_grammar(f"NET = {deep}"), "line 1", MOST_NESTED)
    refused(ValueError, lambda: parse(load_grammar("cells"), "CELL=" * 4000), "derivation", MOST_NESTED)
    fine = "Sequential(" * 140 + "conv" + ")" * 140
    assert str(read_grammar(f"NET = {fine}").productions["NET"][0]) == fine


def test_activations_must_be_numbers_of_images() -> None:
    refused(ValueError, lambda: introspectability(np.ones((3, 2)), np.array([0, 1])), "(3, 2)", "2 images")
    refused(ValueError, lambda: introspectability(np.ones((0, 2)), np.zeros(0, dtype=int)), "(0, 2)")
    broken = np.array([[1.0, np.nan], [2.0, 3.0]])
    refused(ValueError, lambda: introspectability(broken, np.array([0, 1])), "1 activations", "finite")
    for features, classes in ((np.ones((4, 2)), [0, 0, 1, 1]), (np.eye(4), [1, 1, 1, 1])):
        refused(ValueError, lambda x=features, y=classes: variable_importance(x, np.array(y)), "differ")  # type: ignore[misc]

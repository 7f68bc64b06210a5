"""NSGA-II from pymoo: the same budget and rules as our own searches."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.shared import nsga2 as reference
from autobuild_book.chapters.shared.nsga2 import _Genome, hypervolume, nsga2
from autobuild_book.layer_mutation import LayerMutation
from autobuild_lib.search import costs, evolve
from tests.helpers.evaluators import fails, label, label_or_fail, worth

MBV3 = ab.spaces.ofa_mbv3()
GOALS = {"maximise": "acc", "minimise": "latency", "progress": False}


@pytest.mark.parametrize("space", [MBV3, ab.spaces.ofa_pn()], ids=lambda space: space.name)
def test_budget_is_exact_and_nothing_is_evaluated_twice(space: ab.SequenceSpace) -> None:
    table = nsga2(space, label, **GOALS)
    assert table["round"].tolist() == [number for number in range(5) for _ in range(50)]
    assert table["architecture"].nunique() == 250 and all(a in space for a in table["architecture"])
    assert table[["acc", "latency"]].to_dict("records") == [worth(a) for a in table["architecture"]]
    pd.testing.assert_frame_equal(nsga2(space, label, **GOALS), table)
    assert set(nsga2(space, label, seed=1, **GOALS)["architecture"]) != set(table["architecture"])


def test_other_sizes_and_failed_evaluations() -> None:
    table = nsga2(MBV3, label_or_fail, start=20, rounds=3, mutations=30, **GOALS)
    assert table["round"].value_counts().to_dict() == {0: 20, 1: 30, 2: 30, 3: 30}
    assert table["architecture"].nunique() == 110 and 0 < table["acc"].isna().sum() < 60


def test_it_learns_from_what_it_is_told() -> None:
    wins = 0
    for seed in range(8):
        table = nsga2(MBV3, label, seed=seed, **GOALS)
        random = pd.DataFrame([worth(a) for a in MBV3.sample(np.random.default_rng(seed), 250)])
        worst = costs(random, "acc", "latency").max(axis=0)
        found, drawn = (hypervolume(costs(each, "acc", "latency"), worst) for each in (table, random))
        wins += found > drawn
    assert wins >= 7


def test_it_is_told_the_costs_of_what_it_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    space = ab.SequenceSpace("small", [ab.Unit(1, 3), ab.Unit(1, 2)], {"op": ["a", "b", "c"]})  # 468, often drawn twice
    told, tell = [], reference._tell

    def watched(algorithm: Any, genes: reference.Genes, points: np.ndarray) -> None:
        asked = label(space.from_codes(_Genome(space).codes(genes)))
        np.testing.assert_array_equal(costs(asked, "acc", "latency"), points)
        told.append(len(genes))
        tell(algorithm, genes, points)

    monkeypatch.setattr(reference, "_tell", watched)
    table = nsga2(space, label, **GOALS)
    assert told == [50] * 5 and table["architecture"].nunique() == 250


def test_genes_and_codes_agree(toy: ab.SequenceSpace) -> None:
    for space in (MBV3, toy):
        genome, codes = _Genome(space), space.sample_codes(np.random.default_rng(0), 200)
        np.testing.assert_array_equal(genome.codes(genome.genes(codes)), codes)
        genes = np.random.default_rng(1).integers(0, genome.most + 1, (200, len(genome.most)))
        assert all(a in space for a in space.from_codes(genome.codes(genes)))
    assert len(_Genome(MBV3).places) == 5 * (1 + 4 * 2)


def test_a_space_that_runs_out_is_searched_whole(caplog: pytest.LogCaptureFixture) -> None:
    space = ab.SequenceSpace("tiny", [ab.Unit(1, 2), ab.Unit(1, 2)], {"op": ["a", "b"]})
    table = nsga2(space, label, start=10, rounds=4, mutations=10, **GOALS)
    assert set(table["architecture"]) == set(space) and len(table) == 36
    assert [re.findall(r"\d+", message) for message in caplog.messages] == [["36", "50"]]


def test_a_log_is_shared_with_other_searches(tmp_path: pytest.TempPathFactory) -> None:
    path = tmp_path / "log.jsonl"
    whole = nsga2(MBV3, label, log=path, **GOALS)

    class Never:
        fingerprint = ab.search.fingerprint(label)

        def __call__(self, _: list[ab.Architecture], /) -> pd.DataFrame:
            raise AssertionError("everything is in the log")

    pd.testing.assert_frame_equal(nsga2(MBV3, Never(), log=path, **GOALS), whole)
    evolve(LayerMutation.full(MBV3), label, log=path, **GOALS)
    assert path.read_text().count("\n") > 250


def test_hypervolume_by_hand() -> None:
    points = np.array([[2, 3], [4, 4], [3, 1], [9, 0], [np.nan, np.nan], [1, 4], [5, 5]])
    assert hypervolume(points, (5, 5)) == pytest.approx(11)
    assert hypervolume(points, (5, 5), (2, 10)) == pytest.approx(0.55)
    assert hypervolume(points[4:5], (5, 5)) == hypervolume(points[:0], (5, 5)) == 0.0


def test_labels_without_a_finite_objective_have_failed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def sometimes_zero(architectures: list[ab.Architecture]) -> pd.DataFrame:
        table = label(architectures)
        table.loc[[fails(architecture) for architecture in architectures], "latency"] = 0.0
        return table

    goals = {**GOALS, "maximise": "acc / latency", "log": tmp_path / "log.jsonl", "start": 20, "rounds": 2}
    table = nsga2(MBV3, sometimes_zero, **goals)
    bad = table["architecture"].map(fails)
    assert 0 < bad.sum() < len(table) == 120 and (table["acc"].isna() == bad).all()
    assert all(f"evaluation of {architecture} failed: " in caplog.text for architecture in table["architecture"][bad])
    pd.testing.assert_frame_equal(nsga2(MBV3, sometimes_zero, **goals), table)  # from the log

"""Evolution: budget, no repeats, parents from the front, determinism, and a log that makes it go on."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pymoo.indicators.hv import Hypervolume
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

import autobuild_lib as ab
from autobuild_lib.search import EvaluationLog, Mutation, StageMutation, costs, evolve
from autobuild_lib.spaces.sequence import Codes
from tests.helpers.evaluators import fails, label, label_or_fail, worth, worthy
from tests.helpers.redrawn import Redrawn

MBV3, PN = ab.spaces.ofa_mbv3(), ab.spaces.ofa_pn()
MUTATIONS: dict[str, Mutation] = {
    "stages": StageMutation(ab.ReducedSpace.full(PN)),
    "redrawn": Redrawn(MBV3),
}
GOALS = {"maximise": "acc", "minimise": "latency", "progress": False}


@pytest.mark.parametrize("name", MUTATIONS)
def test_budget_is_exact_and_nothing_is_evaluated_twice(name: str) -> None:
    table = evolve(MUTATIONS[name], label, **GOALS)
    assert list(table) == ["architecture", "acc", "latency", "round"]
    assert table["round"].tolist() == [number for number in range(5) for _ in range(50)]
    assert table["architecture"].nunique() == 250 and all(a in MUTATIONS[name].space for a in table["architecture"])
    assert table[["acc", "latency"]].to_dict("records") == [worth(a) for a in table["architecture"]]


def test_a_seed_decides_everything() -> None:
    one, same, other = (evolve(MUTATIONS["redrawn"], label, seed=seed, **GOALS) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(one, same)
    assert set(one["architecture"]) != set(other["architecture"])


@dataclass
class Watching:
    """Notes which parents a mutation was given."""

    inner: Mutation
    parents: list[Codes] = field(default_factory=list)

    @property
    def space(self) -> ab.SequenceSpace:
        return self.inner.space

    def sample(self, rng: np.random.Generator, size: int) -> Codes:
        return self.inner.sample(rng, size)

    def mutate(self, rng: np.random.Generator, codes: Codes) -> Codes:
        self.parents.append(codes)
        return self.inner.mutate(rng, codes)


def test_parents_are_the_front_of_what_was_evaluated_before() -> None:
    watching = Watching(MUTATIONS["redrawn"])
    table = evolve(watching, label_or_fail, start=40, rounds=3, mutations=60, maximise="acc * 2", minimise="latency",
                   progress=False)  # fmt: skip
    given = iter(watching.parents)
    for number in range(1, 4):
        known = table[table["round"] < number].dropna()
        best = NonDominatedSorting().do(costs(known, "acc", "latency"), only_non_dominated_front=True)
        wanted = {known["architecture"].iloc[row] for row in best}
        parents = set(MBV3.from_codes(next(given)))
        assert parents <= wanted and len(parents) > len(wanted) / 2
    assert len(watching.parents) - 3 <= 3  # little was drawn twice


def test_it_gets_nearer_than_random_search() -> None:
    for seed in range(5):
        table = evolve(MUTATIONS["redrawn"], label, seed=seed, **GOALS)
        random = pd.DataFrame([worth(a) for a in MBV3.sample(np.random.default_rng(seed), 250)])
        hypervolume = Hypervolume(ref_point=costs(random, "acc", "latency").max(axis=0))
        assert hypervolume(costs(table, "acc", "latency")) > hypervolume(costs(random, "acc", "latency"))


def test_a_space_that_runs_out_is_searched_whole(caplog: pytest.LogCaptureFixture) -> None:
    space = ab.SequenceSpace("tiny", [ab.Unit(1, 2), ab.Unit(1, 2)], {"op": ["a", "b"]})
    assert space.size == 36
    for mutation in (Redrawn(space), StageMutation(ab.ReducedSpace.full(space))):
        table = evolve(mutation, label, start=10, rounds=4, mutations=10, **GOALS)
        assert set(table["architecture"]) == set(space) and len(table) == 36
        assert table["round"].value_counts().to_dict() == {0: 10, 1: 10, 2: 10, 3: 6}
        assert [re.findall(r"\d+", message) for message in caplog.messages] == [["36", "50"]]
        caplog.clear()


def test_a_round_is_filled_at_random_when_the_front_has_no_new_neighbours(caplog: pytest.LogCaptureFixture) -> None:
    @dataclass
    class Stuck(Watching):
        def mutate(self, rng: np.random.Generator, codes: Codes) -> Codes:
            return codes

    table = evolve(Stuck(MUTATIONS["redrawn"]), label, start=10, rounds=2, mutations=20, **GOALS)
    assert table["architecture"].nunique() == 50 and caplog.messages == []


def test_failed_evaluations_count_and_have_no_labels(tmp_path: Path) -> None:
    table = evolve(MUTATIONS["redrawn"], label_or_fail, log=tmp_path / "log.jsonl", **GOALS)
    bad = table["architecture"].map(fails)
    assert len(table) == 250 and 20 < bad.sum() < 100
    assert table.loc[bad, ["acc", "latency"]].isna().all(axis=None)
    assert table.loc[~bad, ["acc", "latency"]].notna().all(axis=None)
    assert len(EvaluationLog(tmp_path / "log.jsonl", MBV3).evaluations) == 250


def test_a_search_in_which_all_fails_says_so() -> None:
    def never(_: Any) -> pd.DataFrame:
        raise OSError("no such device")

    with pytest.raises(ValueError, match=r"all 50 .*: OSError: no such device$"):
        evolve(MUTATIONS["redrawn"], never, **GOALS)


def test_failures_of_an_earlier_run_are_said_and_can_be_tried_again(tmp_path: Path) -> None:
    def broken(_: Any) -> pd.DataFrame:
        raise NameError("x")

    log = tmp_path / "log.jsonl"
    with pytest.raises(ValueError, match=r"all 50 .*: NameError: x; retry"):
        evolve(MUTATIONS["redrawn"], broken, log=log, **GOALS)
    with pytest.raises(ValueError, match=r"all 50 .*: NameError: x; retry"):
        evolve(MUTATIONS["redrawn"], label, log=log, **GOALS)
    table = evolve(MUTATIONS["redrawn"], label, log=log, retry_failed=True, **GOALS)
    pd.testing.assert_frame_equal(table, evolve(MUTATIONS["redrawn"], label, log=log, **GOALS))
    assert len(table) == 250 and table.notna().all(axis=None)


def test_labels_without_a_finite_objective_have_failed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def sometimes_zero(architectures: list[ab.Architecture]) -> pd.DataFrame:
        table = label(architectures)
        table.loc[[fails(one) for one in architectures], "latency"] = 0.0
        return table

    goals = {**GOALS, "maximise": "acc / latency", "log": tmp_path / "log.jsonl", "start": 20, "rounds": 2}
    table = evolve(MUTATIONS["redrawn"], sometimes_zero, **goals)
    bad = table["architecture"].map(fails)
    assert 0 < bad.sum() < len(table) == 120 and (table["acc"].isna() == bad).all()
    assert [one for one in table["architecture"][bad] if f"evaluation of {one} failed: " not in caplog.text] == []
    again = evolve(MUTATIONS["redrawn"], sometimes_zero, **goals)  # from the log
    pd.testing.assert_frame_equal(again, table)
    logged = EvaluationLog(tmp_path / "log.jsonl", MBV3).evaluations.values()
    assert len(logged) == 120 and not any(one.error for one in logged)  # the labels are good for other objectives


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, list[bytes]]:
    """A search and the lines of its log."""
    path = tmp_path_factory.mktemp("logged") / "log.jsonl"
    whole = evolve(MUTATIONS["redrawn"], label_or_fail, log=path, workers=0, **GOALS)
    return whole, path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("known", [1, 50, 51, 130, 249, 250])
def test_a_log_of_any_length_gives_the_same_search(
    logged: tuple[pd.DataFrame, list[bytes]], tmp_path: Path, known: int
) -> None:
    path, (whole, lines) = tmp_path / "log.jsonl", logged
    path.write_bytes(b"".join(lines[:known]) + (lines[known][:30] if known < 250 else b""))
    asked = []

    @worthy
    def watched(architectures: list[ab.Architecture]) -> pd.DataFrame:
        asked.extend(architectures)
        return label_or_fail(architectures)

    again = evolve(MUTATIONS["redrawn"], watched, log=path, workers=0, **GOALS)
    pd.testing.assert_frame_equal(again, whole)
    assert path.read_bytes() == b"".join(lines)
    assert asked == whole["architecture"].tolist()[known:]


def test_what_another_search_logged_is_used_but_counts(tmp_path: Path) -> None:
    alone = evolve(MUTATIONS["redrawn"], label, seed=1, **GOALS)
    evolve(MUTATIONS["redrawn"], label, seed=0, log=tmp_path / "log.jsonl", **GOALS)
    shared = evolve(MUTATIONS["redrawn"], label, seed=1, log=tmp_path / "log.jsonl", **GOALS)
    pd.testing.assert_frame_equal(shared, alone)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": 0}, r"rounds of \[0, 50, 50, 50, 50\] evaluations; .* at least 1"),
        ({"mutations": 0}, r"rounds of \[50, 0, 0, 0, 0\]"),
        ({"maximise": "acc +"}, "not an equation"),
        ({"minimise": "pq"}, "there is no label 'pq'"),
        ({"workers": -2}, "workers=-2; give None"),
    ],
)
def test_wrong_arguments(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evolve(MUTATIONS["redrawn"], label, **{**GOALS, **wrong})


def test_only_a_start() -> None:
    assert evolve(MUTATIONS["redrawn"], label, start=7, rounds=0, **GOALS)["round"].tolist() == [0] * 7

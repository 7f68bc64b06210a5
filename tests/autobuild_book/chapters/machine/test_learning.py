"""How well measurements repeat and models learn from them, with cheap measures."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import autobuild_lib as ab
from autobuild_book.chapters.machine import learning, subjects
from autobuild_book.chapters.machine.latency import measure_rounds
from autobuild_book.chapters.machine.subjects import Subject
from autobuild_book.chapters.shared import few_labels
from autobuild_book.chapters.shared.fits import FitJob
from autobuild_lib.data.table import make_table
from tests.helpers.cheap_measures import MBV3, METER, TARGETS, rounds_of, toy_latency


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> list[FitJob]:
    """Train here, without processes; return the list of jobs that were asked for."""
    asked: list[FitJob] = []

    def run(jobs: list[FitJob], folder: Path) -> Any:
        asked.extend(jobs)
        return [job.run(folder) for job in jobs]

    monkeypatch.setattr(few_labels, "fit_jobs", run)
    return asked


def test_repeatability_by_hand(toy: ab.SequenceSpace, toy_subject: Subject) -> None:
    drawn = subjects.draw(toy, 4, 0)
    found = learning.repeatability(toy_subject, rounds_of(drawn, [1, 2, 3, 4], [2, 1, 3, 4])).iloc[0]
    assert found["srcc"] == pytest.approx(0.8)
    assert found["ceiling"] == pytest.approx(math.sqrt(1.6 / 1.8))
    assert found["low"] < 0.8 < found["high"]


def test_odd_rounds_are_compared_with_even_ones(toy: ab.SequenceSpace, toy_subject: Subject) -> None:
    drawn = subjects.draw(toy, 3, 0)
    odd, even = learning.halves(rounds_of(drawn, [1, 1, 1], [20, 21, 22], [3, 5, 9], [40, 41, 44]))
    assert odd["latency"].tolist() == [2, 3, 5] and even["latency"].tolist() == [30, 31, 33]
    with pytest.raises(ValueError, match=r"at least 2 rounds .*, given 1"):
        learning.repeatability(toy_subject, rounds_of(drawn, [1, 2, 3]))


def test_the_ceiling_is_what_a_perfect_model_reaches() -> None:
    """Simulated: the correlation of the truth with the mean of two noisy rounds, from the rounds alone."""
    drawn = subjects.draw(MBV3, 3000, 0)
    rng, truth = np.random.default_rng(1), ab.networks.count_macs(drawn) / 1e6
    noisy = [(truth + rng.normal(scale=40, size=len(truth))).tolist() for _ in range(2)]
    subject = Subject(MBV3, METER, "latency", ("latency",))
    found = learning.repeatability(subject, rounds_of(drawn, *noisy)).iloc[0]
    assert found["srcc"] < 0.8
    assert found["ceiling"] == pytest.approx(spearmanr(truth, np.mean(noisy, axis=0)).statistic, abs=0.01)


def test_rounds_that_contradict_each_other_leave_no_ceiling(toy: ab.SequenceSpace, toy_subject: Subject) -> None:
    drawn = subjects.draw(toy, 4, 0)
    found = learning.repeatability(toy_subject, rounds_of(drawn, [1, 2, 3, 4], [4, 3, 2, 1])).iloc[0]
    assert (found["srcc"], found["ceiling"]) == (-1, 0)


def test_measurements_that_are_all_the_same_rank_nothing(toy: ab.SequenceSpace, toy_subject: Subject) -> None:
    drawn = subjects.draw(toy, 4, 0)
    lowest = learning.repeatability(toy_subject, rounds_of(drawn, [1] * 4, [1] * 4)).srcc.min()
    assert math.isnan(lowest) and "nothing to rank" in learning.care(lowest)
    assert learning.care(0.9) == "" and "busy" in learning.care(0.89)


def test_half_by_half_has_multiply_adds_where_they_are_known(toy: ab.SequenceSpace, toy_subject: Subject) -> None:
    both = learning.half_by_half(toy_subject, rounds_of(subjects.draw(toy, 3, 0), [1, 2, 3], [4, 5, 6]))
    assert both.to_dict("list") == {"odd": [1, 2, 3], "even": [4, 5, 6]}
    drawn = subjects.draw(MBV3, 2, 0)
    both = learning.half_by_half(Subject(MBV3, METER, "latency", TARGETS), rounds_of(drawn, [1, 2], [3, 4]))
    assert both["flops_m"].tolist() == (ab.networks.count_macs(drawn) / 1e6).tolist()


def test_every_row_is_predicted_by_predictors_that_did_not_see_it(
    toy: ab.SequenceSpace, toy_subject: Subject, tmp_path: Path, in_process: list[FitJob]
) -> None:
    drawn = subjects.draw(toy, 23, 0)
    table = subjects.measured_table(toy_subject, measure_rounds(drawn, toy_latency, 1, progress=False))
    trained, predictions = learning.learn(table, toy_subject.targets, range(7, 9), 30, tmp_path)
    final, folds = in_process[:2], in_process[2:]
    assert [job.table.architectures for job in final] == [table.architectures] * 2
    assert [job.seed for job in in_process] == [7, 8] + [7] * 5
    unseen = [set(table.architectures) - set(job.table.architectures) for job in folds]
    assert sum(map(len, unseen)) == 23 and set.union(*unseen) == set(table.architectures)
    assert [p.provenance["seed"] for p in trained["1000 / latency"]] == [7, 8]
    head = predictions[predictions["model"] == "AutoBuild head"]
    assert sorted(head["truth"]) == pytest.approx(sorted(1000 / table.labels["latency"]))


@pytest.mark.parametrize(("rows", "epochs"), [(24, 50), (100, 12), (2000, 1)])
def test_the_number_of_steps_does_not_depend_on_the_number_of_rows(rows: int, epochs: int) -> None:
    drawn = subjects.draw(MBV3, rows, 0)
    table = subjects.measured_table(
        Subject(MBV3, METER, "latency", TARGETS), rounds_of(drawn, list(range(1, rows + 1)))
    )
    assert dict(few_labels.fit_job(table, TARGETS, 0, 150).overrides)["epochs"] == epochs


def test_deep_units_get_the_hops_that_their_norm_score_needs() -> None:
    cell = ab.SequenceSpace("cell", [ab.Unit(6, 6)], {"op": ["a", "b"]})
    some = list(dict.fromkeys(cell.sample(np.random.default_rng(0), 9)))
    table = make_table(cell, some, {"y": range(len(some))}, source="test", kind="own")
    assert dict(few_labels.fit_job(table, ("y",), 0, 10).overrides)["hops"] == 5


def test_models_find_what_they_can_express(tmp_path: Path, in_process: list[FitJob]) -> None:
    """A time that is a straight line in multiply-adds: the line is perfect, the ridge and the predictor are good."""

    def line(architecture: ab.Architecture) -> float:
        return 3 + ab.networks.count_macs(architecture) / 3e7

    subject = Subject(MBV3, line, "latency", ("1000 / latency",))
    drawn = subjects.draw(MBV3, 60, 0)
    table = subjects.measured_table(subject, measure_rounds(drawn, line, 1, progress=False))
    _, predictions = learning.learn(table, subject.targets, [0], 120, tmp_path)
    ranks = learning.rank_quality(predictions).set_index("model")
    assert list(ranks.index) == list(learning.MODELS)
    assert ranks["srcc"]["multiply-adds"] == pytest.approx(1)
    assert ranks["srcc"]["additive ridge"] > 0.7 and ranks["srcc"]["AutoBuild head"] > 0.5
    assert ranks["srcc"]["AutoBuild last hop"] > 0.3, "norms of different folds are on one scale"


def test_rank_quality_is_per_target_and_model() -> None:
    predictions = pd.DataFrame({
        "target": ["a"] * 5 + ["b"] * 5, "model": "m",
        "predicted": [1, 2, 3, 4, 5, 1, 2, 3, 4, 5], "truth": [1, 2, 3, 5, 4, 5, 4, 3, 2, 1],
    })  # fmt: skip
    assert learning.rank_quality(predictions)["srcc"].tolist() == pytest.approx([0.9, -1])

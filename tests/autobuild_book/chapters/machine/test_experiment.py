"""The chapter on the reader's own machine: what is measured, learnt, built and judged, with cheap measures."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr, ttest_ind

import autobuild_lib as ab
from autobuild_book.chapters.machine import building, figures as machine_figures, gains, learning, subjects
from autobuild_book.chapters.machine.building import BEST, RANDOM, SMALLEST
from autobuild_book.chapters.machine.latency import LatencyMeter, measure_rounds
from autobuild_book.chapters.machine.subjects import Subject
from autobuild_book.chapters.machine.verdict import judge, sentence
from autobuild_book.chapters.shared import few_labels
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE
from autobuild_book.chapters.shared.fits import FitJob
from autobuild_book.figures import style
from autobuild_book.figures.style import WIDTH
from autobuild_lib.data.table import make_table

ROOT = Path(__file__).resolve().parents[4]
MBV3 = ab.spaces.ofa_mbv3()
METER = LatencyMeter()
TARGETS = ("1000 / latency", "acc * 100 / latency")
COST = {"identity": 0.2, "mb3_k3": 1.0, "mb6_k5": 2.5}


def toy_latency(architecture: ab.Architecture) -> float:
    """Ten, plus what each layer costs: deeper and wider is slower."""
    total = 10.0
    for unit in architecture.units():
        layers = [layer.rsplit("_ratio", 1) for layer in unit["layers"]]
        total += unit.get("width", 0) / 32 + sum(0.3 + COST[op] * float(ratio) for op, ratio in layers)
    return total


@pytest.fixture
def toy_subject(toy: ab.SequenceSpace) -> Subject:
    return Subject(toy, toy_latency, "latency", ("1000 / latency",))


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> list[FitJob]:
    """Train here, without processes; return the list of jobs that were asked for."""
    asked: list[FitJob] = []

    def run(jobs: list[FitJob], folder: Path) -> Any:
        asked.extend(jobs)
        return [job.run(folder) for job in jobs]

    monkeypatch.setattr(few_labels, "fit_jobs", run)
    return asked


def rounds_of(architectures: list[ab.Architecture], *rows: list[float]) -> pd.DataFrame:
    frames = [
        pd.DataFrame({"architecture": architectures, "round": number, "latency": row})
        for number, row in enumerate(rows, start=1)
    ]
    return pd.concat(frames, ignore_index=True)


# -------------------------------------------------------------------- what is measured


def choose(**given: Any) -> tuple[Subject, str]:
    usual = {"source": "bundled", "space": "", "measure": "", "label": "latency", "targets": TARGETS, "meter": METER}
    return subjects.choose_subject(**{**usual, **given})


def toy_json(toy: ab.SequenceSpace, folder: Path) -> str:
    (folder / "toy.json").write_text(json.dumps(toy.to_json()))
    return str(folder / "toy.json")


def test_by_default_latency_of_mobilenet(toy: ab.SequenceSpace) -> None:
    subject, note = choose()
    assert (subject.space, subject.measure, subject.label, note) == (MBV3, METER, "latency", "")
    assert subject.targets == TARGETS
    assert choose(space="ofa_pn")[0].space == choose(source="ofa_pn")[0].space == ab.spaces.ofa_pn()


def test_targets_are_one_each_and_those_that_can_be_computed() -> None:
    subject, _ = choose(targets=["latency", " (latency)", "latency / flops_m", "latency_gpu", "acc / energy"])
    assert subject.targets == ("latency", "latency / flops_m")
    with pytest.raises(ValueError, match=r"no target of \['latency_gpu'\] .* acc, energy, flops_m"):
        choose(label="energy", targets=["latency_gpu"])


def test_a_space_without_networks_and_without_a_measure_is_replaced_with_a_note(
    toy: ab.SequenceSpace, tmp_path: Path
) -> None:
    subject, note = choose(space=toy_json(toy, tmp_path))
    assert subject.space == MBV3 and subject.measure == METER
    assert note.startswith("Space toy ") and "`measure`" in note


def test_any_space_with_a_measure(toy: ab.SequenceSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_device_here.py").write_text("def measure(architecture):\n    return len(str(architecture))\n")
    monkeypatch.syspath_prepend(tmp_path)
    subject, note = choose(space=toy_json(toy, tmp_path), measure="my_device_here:measure")
    assert (subject.space, subject.targets, note) == (toy, TARGETS[:1], "")  # without a surrogate there is no acc
    one = toy.sample(np.random.default_rng(0))
    assert subject.measure(one) == len(str(one))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no_such_module:measure", "measure='no_such_module:measure': No module named 'no_such_module'; give module:f"),
        ("json:measure", "module 'json' .* 'measure'"),
        ("json", "measure='json': "),
        (":measure", "Empty module name"),
        ("json:decoder", "a module; give a function"),
    ],
)
def test_a_measure_that_is_not_there(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        subjects.find_measure(name)


def test_random_architectures_are_different_and_the_same_for_a_seed(toy: ab.SequenceSpace) -> None:
    drawn = subjects.draw(toy, 200, 3)
    assert len(set(drawn)) == 200 and drawn == subjects.draw(toy, 200, 3) != subjects.draw(toy, 200, 4)
    tiny = ab.SequenceSpace("tiny", [ab.Unit(1, 1)], {"op": ["a", "b"]})
    with pytest.raises(ValueError, match=r"'tiny' gave 2 .*, 5 "):
        subjects.draw(tiny, 5, 0)


@pytest.mark.parametrize("space", [MBV3, ab.spaces.ofa_pn()], ids=lambda space: space.name)
def test_the_smallest_network_is_the_shallowest_with_e3_k3_layers(space: ab.SequenceSpace) -> None:
    one = subjects.smallest(space)
    assert one.depths == tuple(codec.depths[0] for codec in space.codecs)
    assert {layer for unit in one.to_lists() for layer in unit} == {space.layer_features[0][1][0] + "_e3_k3"}  # type: ignore[index]
    others = space.sample(np.random.default_rng(0), 2000)
    assert ab.networks.count_macs(one) < ab.networks.count_macs(others).min()


def test_labels_that_need_no_measurement(toy: ab.SequenceSpace) -> None:
    drawn = MBV3.sample(np.random.default_rng(0), 5)
    known = subjects.known_labels(MBV3, drawn)
    assert known["flops_m"].tolist() == (ab.networks.count_macs(drawn) / 1e6).tolist()
    assert known["acc"].tolist() == ab.surrogate.ofa_mbv3().predict(drawn)["acc"].tolist()
    low = ab.spaces.ofa_mbv3((192, 224))  # the surrogate speaks for 224 only
    assert list(subjects.known_labels(low, low.sample(np.random.default_rng(0), 2))) == ["flops_m"]
    assert subjects.known_labels(toy, toy.sample(np.random.default_rng(0), 3)).shape == (3, 0)


def test_the_table_of_measurements(toy: ab.SequenceSpace, toy_subject: Subject) -> None:
    drawn = subjects.draw(toy, 3, 0)
    table = subjects.measured_table(toy_subject, rounds_of(drawn, [1.0, 5.0, 2.0], [3.0, 7.0, 8.0]))
    assert table.kind == "measured here" and len(table.sha256) == 64
    assert (list(table.architectures), table.labels["latency"].tolist()) == (drawn, [2.0, 6.0, 5.0])


# -------------------------------------------------------------------- repeatability


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


def test_every_architecture_of_a_small_space_can_be_drawn() -> None:
    space = ab.SequenceSpace("small", [ab.Unit(1, 3)], {"op": ["a", "b"]})
    assert len(set(subjects.draw(space, 14, 0))) == 14
    with pytest.raises(ValueError, match=r"gave 14 .*, 15 "):
        subjects.draw(space, 15, 0)


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


# -------------------------------------------------------------------- learning


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


# -------------------------------------------------------------------- the whole chapter on a cheap measure


@pytest.fixture(scope="module")
def chapter(toy: ab.SequenceSpace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """From 40 measurements with 2 % of noise to the comparison."""
    rng = np.random.default_rng(0)

    def noisy(architecture: ab.Architecture) -> float:
        return toy_latency(architecture) * float(rng.normal(1, 0.02))

    subject = Subject(toy, noisy, "latency", ("1000 / latency",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(few_labels, "fit_jobs", lambda jobs, folder: [job.run(folder) for job in jobs])
        rounds = measure_rounds(subjects.draw(toy, 40, 0), noisy, 2, progress=False)
        table = subjects.measured_table(subject, rounds)
        folder = tmp_path_factory.mktemp("predictors")
        trained, predictions = learning.learn(table, subject.targets, [0, 1], 120, folder)
    corpora = few_labels.score(table, trained)
    chosen = building.candidates(subject, table, corpora, 5, 0)
    final = measure_rounds(list(dict.fromkeys(chosen["architecture"])), noisy, 3, progress=False)
    values = gains.final_values(subject, chosen, final)
    return locals()


def test_what_is_measured_at_the_end(chapter: Mapping[str, Any]) -> None:
    chosen, table, (target,) = chapter["chosen"], chapter["table"], chapter["subject"].targets
    by_group = chosen.groupby("group", sort=False)["architecture"].apply(list)
    assert by_group.map(len).to_dict() == {NORM: 5, EFFECT: 5, RIDGE: 5, BEST: 5, RANDOM: 5, SMALLEST: 1}
    fastest = table.labels["latency"].sort_values().index[:5]
    assert by_group[BEST] == [table.architectures[i] for i in fastest], "the first choice first"
    assert set(by_group[RANDOM]) <= set(table.architectures) and len(set(by_group[RANDOM])) == 5
    assert by_group[SMALLEST] == [subjects.smallest(table.space)]
    for group in (NORM, EFFECT, RIDGE):
        corpus = chapter["corpora"][target, group]
        everything = list(corpus.top(3))
        sums = corpus.top(3).scores(everything)
        assert sorted(corpus.top(3).scores(by_group[group]), reverse=True) == pytest.approx(sorted(sums)[:-6:-1])


def test_no_more_networks_are_taken_than_were_measured(chapter: Mapping[str, Any]) -> None:
    few = chapter["table"].take(range(3))
    chosen = building.candidates(chapter["subject"], few, chapter["corpora"], 5, 0)
    assert set(chosen["group"].value_counts().drop(SMALLEST)) == {3}


def test_networks_built_from_few_measurements_beat_random_ones(chapter: Mapping[str, Any]) -> None:
    comparison = gains.gains_over_best(chapter["values"]).set_index("group")
    for group in (NORM, EFFECT, RIDGE):
        assert comparison["gain"][group] > comparison["gain"][RANDOM] + 5
    assert comparison["gain"][RIDGE] > 0, "what is additive, the ridge builds best"
    assert comparison["gain"][SMALLEST] > comparison["gain"].drop(SMALLEST).max() - 2, "nothing is faster"


def test_the_best_modules_are_those_of_the_first_choice(chapter: Mapping[str, Any]) -> None:
    modules = few_labels.best_modules(chapter["corpora"])
    assert list(modules) == ["unit 0", "unit 1"], "the third unit is scored with the second"
    for key, corpus in chapter["corpora"].items():
        assert "|".join(modules.loc[key]) == str(corpus.top(1).best(1)[0])


def test_labels_of_what_was_built(chapter: Mapping[str, Any]) -> None:
    built = building.labels_of_built(chapter["subject"], chapter["chosen"], chapter["final"])
    assert built["group"].value_counts().to_dict() == {NORM: 5, EFFECT: 5}
    assert (built["latency"] / built["architecture"].map(toy_latency)).between(0.9, 1.1).all()


# -------------------------------------------------------------------- judging, by hand


def values(groups: Mapping[str, list[list[float]]], target: str = "t") -> pd.DataFrame:
    """Values of networks by group: a list per network with a number per round."""
    rows = [
        (target, group, place, number, value)
        for group, networks in groups.items()
        for place, by_round in enumerate(networks)
        for number, value in enumerate(by_round, start=1)
    ]
    return pd.DataFrame(rows, columns=["target", "group", "place", "round", "value"])


GROUPS = {
    NORM: [[12, 14, 13], [15, 15, 90], [14, 11, 14]],
    BEST: [[10, 10, 20], [11, 9, 11], [12, 12, 0]],
    SMALLEST: [[20, 20, 20]],
}


def test_comparison_by_hand() -> None:
    found = gains.gains_over_best(values(GROUPS)).set_index("group")
    own, best = [13.0, 15.0, 14.0], [10.0, 11.0, 12.0]  # medians over rounds
    test = ttest_ind(own, best, equal_var=False, alternative="greater")
    row = found.loc[NORM]
    assert (row["networks"], row["mean"], row["gain"]) == (3, 14.0, pytest.approx(100 * 3 / 11))
    half = 2.776445 * math.sqrt(2 / 3) * 100 / 11  # t(0.975, 4): both groups have variance 1
    assert (row["low"], row["high"]) == pytest.approx((row["gain"] - half, row["gain"] + half), rel=1e-5)
    assert row["p"] == pytest.approx(test.pvalue)
    firsts = np.array([20.0, 40.0, -35.0])  # 12 against 10, 14 against 10, 13 against 20
    half = 4.302653 * firsts.std(ddof=1) / math.sqrt(3)
    assert row["first_gain"] == pytest.approx(firsts.mean())
    assert (row["first_low"], row["first_high"]) == pytest.approx((firsts.mean() - half, firsts.mean() + half))
    assert found["gain"][SMALLEST] == pytest.approx(100 * 9 / 11) and math.isnan(found["p"][SMALLEST])
    assert (found["gain"][BEST], found["first_gain"][BEST]) == (0, 0)


def test_a_gain_in_negative_values_is_a_gain() -> None:
    found = gains.gains_over_best(values({NORM: [[-8.0, -8.0]], BEST: [[-10.0, -10.0]]})).set_index("group")
    assert (found["gain"][NORM], found["first_gain"][NORM]) == (20, 20)


def test_groups_without_spread_have_no_test() -> None:
    found = gains.gains_over_best(values({NORM: [[2.0], [2.0]], BEST: [[1.0], [1.0]]})).set_index("group")
    assert found["gain"][NORM] == 100 and math.isnan(found["p"][NORM])


def comparison(**p_values: float) -> pd.DataFrame:
    rows = [(target, NORM, 5.0, 1.0, 9.0, p) for target, p in p_values.items()]
    rows += [(target, EFFECT, -5.0, -9.0, -1.0, 0.99) for target in p_values]
    return pd.DataFrame(rows, columns=["target", "group", "gain", "low", "high", "p"])


@pytest.mark.parametrize(
    ("p_values", "text"),
    [
        ({"a": 0.001, "b": 0.001, "c": 0.04}, "supported"),
        ({"a": 0.001, "b": 0.02, "c": 0.5}, "partly"),  # 0.02 is 0.04 after Holm's correction
        ({"a": 0.001, "b": 0.03, "c": 0.5}, "not supported"),  # 0.03 is 0.06
        ({"a": 0.5, "b": 0.5, "c": 0.5}, "not supported"),
        ({"a": 0.001, "b": float("nan")}, "partly"),
        ({"a": float("nan")}, "not supported"),
    ],
)
def test_verdict(p_values: dict[str, float], text: str) -> None:
    verdict = judge(comparison(**p_values))
    table, found = verdict.checks, verdict.word
    assert found == text and list(table["target"]) == list(p_values)
    assert judge(comparison(**p_values), EFFECT).word == "not supported"


@pytest.mark.parametrize(
    ("low", "high", "text"), [(1, 9, "beat"), (-9, -1, "lose to"), (-1, 1, "cannot be told from"),
                              (math.nan, math.nan, "cannot be told from")],
)  # fmt: skip
def test_the_sentence_says_plainly_who_wins(low: float, high: float, text: str) -> None:
    rows = [("t", NORM, 5.0, low, high, 11.0), ("t", BEST, 0.0, -1.0, 1.0, 10.0), ("t", SMALLEST, 20.0, 0.0, 0.0, 12.0)]
    frame = pd.DataFrame(rows, columns=["target", "group", "gain", "low", "high", "mean"])
    found = sentence(frame, "t")
    assert found.startswith(f"t: the networks {NORM} {text} ")
    assert "(+5.0 %" in found and found.endswith("8.3 % short of the smallest network.")
    assert ("interval" in found) == math.isfinite(low) and "nan" not in found
    frame.loc[2, "mean"] = 6.0
    assert sentence(frame, "t").endswith("83.3 % better than the smallest network.")


def test_second_look_by_hand(toy: ab.SequenceSpace, toy_subject: Subject) -> None:
    drawn = subjects.draw(toy, 4, 0)
    table = subjects.measured_table(toy_subject, rounds_of(drawn, [10.0, 20.0, 40.0, 50.0]))
    chosen = pd.DataFrame({
        "target": "1000 / latency", "group": [BEST, BEST, RANDOM, RANDOM, SMALLEST], "place": [0, 1, 0, 1, 0],
        "architecture": [*drawn, subjects.smallest(toy)],
    })  # fmt: skip
    again = rounds_of([*drawn, subjects.smallest(toy)], [20.0, 25.0, 40.0, 40.0, 7.0])
    found = gains.second_look(
        toy_subject, table, gains.final_values(toy_subject, chosen, again)
    ).set_index("group")
    assert found["change"].to_dict() == pytest.approx({BEST: -35.0, RANDOM: 12.5})  # -50 and -20; 0 and 25


def test_the_best_of_equal_networks_lose_what_was_luck(toy: ab.SequenceSpace) -> None:
    rng = np.random.default_rng(0)

    def noise(_: ab.Architecture) -> float:
        return float(rng.normal(100, 5))

    subject = Subject(toy, noise, "latency", ("1000 / latency",))
    drawn = subjects.draw(toy, 100, 0)
    table = subjects.measured_table(subject, measure_rounds(drawn, noise, 1, progress=False))
    order = table.labels["latency"].argsort()
    places = {BEST: order[:10], RANDOM: rng.permutation(100)[:10]}
    rows = [("1000 / latency", group, i, drawn[row]) for group, own in places.items() for i, row in enumerate(own)]
    chosen = pd.DataFrame(rows, columns=["target", "group", "place", "architecture"])
    again = measure_rounds(list(dict.fromkeys(chosen["architecture"])), noise, 5, progress=False)
    found = gains.second_look(subject, table, gains.final_values(subject, chosen, again))
    change = found.set_index("group")
    assert change["high"][BEST] < 0 and change["change"][BEST] < change["change"][RANDOM] - 3


# -------------------------------------------------------------------- figures


def figures(chapter: Mapping[str, Any]) -> dict[str, style.Picture]:
    subject, table = chapter["subject"], chapter["table"]
    half = learning.half_by_half(subject, chapter["rounds"])
    networks = gains.by_network(chapter["values"])
    built = building.labels_of_built(subject, chapter["chosen"], chapter["final"])
    return {
        "measurements": machine_figures.measurements(half, "latency"),
        "with multiply-adds": machine_figures.measurements(half.assign(flops_m=1.0), "latency"),
        "rank_quality": machine_figures.rank_quality(
            learning.rank_quality(chapter["predictions"]), learning.repeatability(subject, chapter["rounds"])
        ),
        "final": machine_figures.final_measurement(networks, gains.gains_over_best(chapter["values"])),
        "plane": machine_figures.plane(table.labels.assign(acc=0.7), built.assign(acc=0.7), "latency", "acc"),
    }


def test_figures_are_as_wide_as_the_text_and_repeat_exactly(chapter: Mapping[str, Any]) -> None:
    for (name, first), second in zip(figures(chapter).items(), figures(chapter).values(), strict=True):
        assert first._repr_png_() == second._repr_png_() and first.get_figwidth() == WIDTH, name
        assert any(axes.get_xlabel() for axes in first.axes), name


def test_figures_show_what_the_tables_say(chapter: Mapping[str, Any]) -> None:
    drawn = figures(chapter)
    assert [len(drawn[name].axes) for name in ("measurements", "with multiply-adds")] == [1, 2]
    (axes,) = drawn["final"].axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [5, 5, 5, 5, 5, 1]  # type: ignore[arg-type]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(building.GROUPS)


# -------------------------------------------------------------------- alone on the machine


def test_the_notebook_takes_every_core_of_the_chain(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--snakefile", "notebooks/Snakefile", "--dry-run", "--nolock"]
    command += ["--cores", "7", "--config", "profile=quick", f"out={tmp_path / 'artifacts'}"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    jobs = re.split(r"^(?:local)?rule \w+:", done.stdout + done.stderr, flags=re.MULTILINE)
    threads = {
        found[1]: int(count[1]) if (count := re.search(r"threads: (\d+)", job)) else 1
        for job in jobs
        if (found := re.search(r"wildcards: .*notebook=(\w+)", job))
    }
    assert done.returncode == 0 and threads["07_your_machine"] == 7, done.stdout + done.stderr
    assert all(count < 7 for name, count in threads.items() if name != "07_your_machine")

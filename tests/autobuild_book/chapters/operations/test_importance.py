"""Experiment 2: data, shuffles, attributions that find planted effects, effects in data, and the verdict on C2."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.operations import effects as operation_effects, hop_zero, rankings
from autobuild_book.chapters.operations.hop_zero import CHEAP, SHUFFLED, TRUE, Fitted, Plan
from autobuild_book.chapters.operations.verdict import judge
from autobuild_book.chapters.shared.fits import FitJob
from autobuild_lib.data import IRTable
from autobuild_lib.data.files import FLOPS

PLAN = Plan(paper_seeds=1, paper_epochs=1, cheap_seeds=2, cheap_epochs=1, cheap_train=60, shuffles=2, family_shuffles=1)


@pytest.fixture(scope="module")
def table() -> IRTable:
    return hop_zero.load_graphs("bundled", "acc", 60)[0]


def planted(table: IRTable, effect: dict[str, float], seed: int = 0) -> IRTable:
    """The same networks; the label is a sum over nodes of a worth of their operation, with a little noise."""
    counts = operation_effects.operation_counts(table.graphs)
    noise = np.random.default_rng(seed).normal(0, 1e-3, len(table))
    labels = pd.DataFrame({"y": sum(worth * counts[name] for name, worth in effect.items()) + noise})
    return replace(table, labels=labels, noise_free=None)


# -------------------------------------------------------------------- data


def test_bundled_data_hold_as_many_of_each_family(table: IRTable) -> None:
    assert pd.Series(table.families).value_counts().to_dict() == {"ofa_mbv3": 60, "ofa_pn": 60}
    whole, note = hop_zero.load_graphs("bundled", "acc", 10_000)
    assert len(whole) == 6000 and note == ""
    with pytest.raises(ValueError, match="no speed: acc, latency_gpu"):
        hop_zero.load_graphs("bundled", "speed", 60)


def test_a_table_of_one_family_becomes_graphs(tmp_path: Path) -> None:
    small = ab.data.load("ofa_pn").take(range(12))
    path = tmp_path / "mine.csv"
    small.labels[["acc"]].assign(architecture=[str(a) for a in small.architectures]).to_csv(path, index=False)
    mine, note = hop_zero.load_graphs(str(path), "acc", 10, ab.spaces.ofa_pn())
    assert len(mine) == 10 and set(mine.families) == {"ofa_pn"} and note == ""
    assert list(hop_zero.family_rows(mine)) == ["ofa_pn"]


def test_data_without_graphs_or_labels_are_replaced_and_the_page_says_so(
    tmp_path: Path, toy: ab.SequenceSpace, toy_table: ab.data.Table
) -> None:
    path = tmp_path / "toy.csv"
    architectures = [str(a) for a in toy_table.architectures]
    toy_table.labels.assign(architecture=architectures).to_csv(path, index=False)
    found, note = hop_zero.load_graphs(str(path), "acc", 5, toy)
    assert note.startswith(f"{path} has no op-level graphs") and note.endswith("the bundled tables instead.")
    assert len(found) == 10 and found.kind == "surrogate"
    small = ab.data.load("ofa_pn").take(range(12))
    small.labels[["latency_cpu"]].assign(architecture=[str(a) for a in small.architectures]).to_csv(path, index=False)
    _, note = hop_zero.load_graphs(str(path), "acc", 5, ab.spaces.ofa_pn())
    assert "has no label acc" in note


def test_released_caches_with_and_without_graphs(reference: Path, tmp_path: Path) -> None:
    folder = reference / "released_format"
    mixed, _ = hop_zero.load_graphs(str(folder / "ofa_mbv3_pn_onnx_ir_cache.pkl"), "acc", 10)
    assert mixed.kind == "released" and set(mixed.families) == {"ofa_mbv3", "ofa_pn"}
    paths, _ = hop_zero.load_graphs(str(folder / "ofa_pn_custom_cache.pkl"), "acc", 10)
    assert paths.kind == "released" and set(paths.families) == {"ofa_pn"}
    broken = tmp_path / "broken.pkl"
    shutil.copy(folder / "ofa_pn_custom_cache.pkl", broken)
    broken.write_bytes(broken.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"broken\.pkl"):
        hop_zero.load_graphs(str(broken), "acc", 10)


def test_shuffles_keep_values_and_the_inner_ones_keep_families(table: IRTable) -> None:
    mixed = hop_zero.shuffle_labels(table, "acc", PLAN).labels
    families = np.array(table.families)
    assert list(mixed.columns)[-3:] == ["shuffled_1", "shuffled_2", "within_1"]
    for name in ("shuffled_1", "shuffled_2", "within_1"):
        assert sorted(mixed[name]) == sorted(mixed.acc) and (mixed[name] != mixed.acc).mean() > 0.9
    for family in set(families):
        assert sorted(mixed.within_1[families == family]) == sorted(mixed.acc[families == family])
    assert sorted(mixed.shuffled_1[families == "ofa_pn"]) != sorted(mixed.acc[families == "ofa_pn"])


# -------------------------------------------------------------------- training


def test_all_predictors_are_trained_and_read(
    table: IRTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[FitJob] = []

    def run(jobs: list[FitJob], folder: Path) -> Any:
        asked.extend(jobs)
        return [job.run(folder) for job in jobs]

    monkeypatch.setattr(hop_zero, "fit_jobs", run)
    train, test = table.split(0.75, seed=1)
    fitted = hop_zero.train_presets(train, "acc", 7, PLAN, tmp_path)
    keys = [(one.preset, one.seed, one.labels) for one in fitted]
    assert len(set(keys)) == len(keys) == 1 + 2 * 3 + 2
    assert ("paper", 7, TRUE) in keys and (CHEAP, 8, "within_1") in keys
    assert {len(job.table) for job in asked if job.preset == CHEAP} == {60}
    assert {len(job.table) for job in asked if job.preset == "paper"} == {90}
    ranks = hop_zero.rank_families(fitted, test)
    assert len(ranks) == 3 * 3 * 6 and set(ranks.family) == {hop_zero.ALL, "ofa_mbv3", "ofa_pn"}
    summary = hop_zero.importance_table(hop_zero.importances(fitted))
    assert len(summary) == 2 * 13 and summary.importance.notna().all()
    one_epoch = summary[summary.preset == "paper"]  # has hardly moved
    np.testing.assert_allclose(one_epoch.importance, one_epoch.initial, atol=0.01)


def test_references_tell_what_the_gap_between_families_is_worth(table: IRTable) -> None:
    found = hop_zero.family_references(table, "acc").set_index("family")
    assert found.ceiling.between(0.9, 1).all() and found.gap.notna().tolist() == [True, False, False]
    labels = pd.DataFrame({"acc": [2.0 if f == "ofa_mbv3" else 1.0 for f in table.families]})
    assert hop_zero.family_references(replace(table, labels=labels), "acc").gap.iloc[0] == pytest.approx(1)


# -------------------------------------------------------------------- attributions


def two_kinds(table: IRTable) -> IRTable:
    """ProxylessNAS networks whose activations are `Clip` or `Relu` at random: nothing else goes with the choice."""
    rng, own = np.random.default_rng(3), table.take(np.flatnonzero(np.array(table.families) == "ofa_pn"))
    clip, relu = (ab.graphs.OPERATIONS.index(name) for name in ("Clip", "Relu"))
    graphs = []
    for graph in own.graphs:
        chosen = (graph.operations == clip) & (rng.random(len(graph)) < rng.random())
        graphs.append(replace(graph, operations=np.where(chosen, relu, graph.operations)))
    return replace(own, graphs=tuple(graphs))


def test_a_planted_operation_is_found_by_both_attributions(table: IRTable) -> None:
    mine, options = planted(two_kinds(table), {"Clip": 1.0}), {"epochs": 60, "batch_size": 32}
    trained = [ab.fit_ir(mine, "y", seed, "tuned", progress=False, **options) for seed in range(3)]
    assert all(ab.evaluate(one, mine).srcc["head"] > 0.95 for one in trained)
    found = operation_effects.attributions([Fitted(CHEAP, n, TRUE, one) for n, one in enumerate(trained)], mine)
    ablation = rankings.scores(found, TRUE, "ablation")
    assert set(ablation.idxmax(axis=1)) <= {"Clip", "Relu"} and ablation.mean().idxmax() == "Clip"
    level = rankings.scores(found, TRUE, "level")  # what all networks have alike moves this one
    assert "BatchNormalization" in set(level.idxmax(axis=1))
    assert (rankings.scores(found, TRUE, "integrated").Clip > 0).all()  # more of it is better


def test_attributions_add_up_and_ignore_what_has_the_mean_embedding(table: IRTable) -> None:
    predictor = ab.fit_ir(table, "acc", seed=0, preset="tuned", progress=False, epochs=2)
    found = operation_effects.attribute(predictor, table)
    every = found[found.family == hop_zero.ALL].set_index("operation")
    assert (found.level >= found.signed.abs() - 1e-12).all()
    counts = operation_effects.operation_counts(table.graphs)[list(predictor.operations)]
    weight = predictor.network.features.embeddings["operation"].weight
    before = predictor.predict(table.graphs)
    with torch.no_grad():
        nodes = torch.tensor(counts.sum().to_numpy(), dtype=weight.dtype)
        mean = (nodes[:, None] * weight[0]).sum(0) / nodes.sum()
        kept = weight.clone()
        weight[0, predictor.operations.index("Relu")] = mean
        changed = before - predictor.predict(table.graphs)  # ablation, done by hand
        own = counts.Relu.to_numpy() > 0
        assert every.level["Relu"] == pytest.approx(np.abs(changed[own]).mean(), rel=1e-3)
        assert every.ablation["Relu"] == pytest.approx(changed.std(), rel=1e-3)
        assert every.signed["Relu"] == pytest.approx(changed[own].mean(), rel=1e-3)
        weight[0] = mean
        alike = operation_effects.attribute(predictor, table)
        assert np.allclose(alike[["ablation", "integrated"]], 0, atol=1e-6)
        total = (before - predictor.predict(table.graphs)).mean()
        weight.copy_(kept)
    assert every.integrated.sum() == pytest.approx(total, rel=0.1, abs=1e-5)  # completeness, up to the steps


# -------------------------------------------------------------------- effects in data


def test_multiply_adds_are_those_of_the_networks(table: IRTable) -> None:
    np.testing.assert_allclose(operation_effects.multiply_adds(table.graphs), table.labels[FLOPS], rtol=1e-6)


def test_a_planted_effect_is_found_at_equal_cost(table: IRTable) -> None:
    mine = planted(table, {"HardSigmoid": 0.5, "HardSwish": -0.25})
    joint = operation_effects.joint_effects(mine, "y").set_index(["family", "operation"])
    assert joint.effect["ofa_mbv3", "HardSigmoid"] == pytest.approx(0.5, abs=2e-3)
    assert joint.together["ofa_mbv3", "HardSigmoid"].split(", ") == ["Mul", "GlobalAveragePool"]
    assert joint.effect["ofa_mbv3", "HardSwish"] == pytest.approx(-0.25, abs=2e-3)
    assert abs(joint.effect["ofa_mbv3", "Add"]) < 2e-3 and abs(joint.effect["ofa_pn", "Add"]) < 2e-3
    assert (joint.low < joint.effect).all() and (joint.effect < joint.high).all()


def test_cost_is_no_effect_of_an_operation(table: IRTable) -> None:
    cost = operation_effects.multiply_adds(table.graphs)
    noise = np.random.default_rng(0).normal(0, 1e-3, len(table))
    mine = replace(table, labels=pd.DataFrame({"y": cost / 100 + noise}), noise_free=None)
    found = operation_effects.matched_effects(mine, "y")
    assert (found.effect.abs() < 1e-3).all() and not {"Input", "Output", "Gemm", "Flatten"} & set(found.operation)
    assert operation_effects.family_gap(mine, "y")[0] == pytest.approx(0, abs=5e-3)


def test_the_gap_between_families_is_found(table: IRTable) -> None:
    cost, first = operation_effects.multiply_adds(table.graphs), np.array(table.families) == "ofa_mbv3"
    mine = replace(table, labels=pd.DataFrame({"y": cost / 100 + 0.3 * first}), noise_free=None)
    assert operation_effects.family_gap(mine, "y") == pytest.approx((0.3, 0.3, 0.3), abs=1e-6)
    one = mine.take(np.flatnonzero(first))
    assert np.isnan(operation_effects.family_gap(one, "y")).all()


def test_associations_follow_shares(table: IRTable) -> None:
    counts = operation_effects.operation_counts(table.graphs)
    share = counts.HardSwish / counts.sum(axis=1)
    mine = replace(table, labels=pd.DataFrame({"y": -share}), noise_free=None)
    found = operation_effects.share_associations(mine, "y").set_index("operation").association
    assert found.HardSwish == pytest.approx(-1) and found.Clip > 0.5


# -------------------------------------------------------------------- agreement and verdict

NAMES = [f"op{n}" for n in range(13)]


def importance_of(noise: float, seeds: int = 5, shuffles: int = 10) -> pd.DataFrame:
    """Importances 0, 1, ... 12 plus noise for the true labels; nothing but noise for shuffled ones."""
    rng, rows = np.random.default_rng(0), []
    for seed in range(seeds):
        values = {TRUE: np.arange(13) + noise * rng.normal(size=13), "initial": rng.normal(size=13)}
        values |= {f"{SHUFFLED}_{n}": rng.normal(size=13) for n in range(1, shuffles + 1)}
        rows += [(CHEAP, seed, name, *pair) for name, own in values.items() for pair in zip(NAMES, own, strict=True)]
    return pd.DataFrame(rows, columns=["preset", "seed", "labels", "operation", "importance"])


def attribution_of(importance: pd.DataFrame, sign: float) -> pd.DataFrame:
    own = importance[importance.labels.isin([TRUE, f"{SHUFFLED}_1"])]
    ablation = 50 + sign * own.importance + np.random.default_rng(1).normal(0, 0.1, len(own))
    same = dict.fromkeys(("ablation", "level", "signed"), ablation)
    return own.assign(family="all", **same, integrated=-ablation, nodes=1.0, networks=9)


@pytest.mark.parametrize(
    ("noise", "sign", "holds", "expected"),
    [
        (0.5, 1.0, [True, True, True], "supported"),
        (0.5, -1.0, [True, True, False], "partly"),
        (4.5, 1.0, [False, True, True], "partly"),
        (1e3, 0.0, [False, False, False], "not supported"),
    ],
)
def test_verdict(noise: float, sign: float, holds: list[bool], expected: str) -> None:
    importance = importance_of(noise)
    verdict = judge(importance, attribution_of(importance, sign))
    checks, text = verdict.checks, verdict.word
    assert (checks.holds.tolist(), text) == (holds, expected)


def test_without_seeds_or_shuffles_nothing_is_decided() -> None:
    for importance in (importance_of(0.5, seeds=1), importance_of(0.5, shuffles=0)):
        verdict = judge(importance, attribution_of(importance, 1.0))
        checks, text = verdict.checks, verdict.word
        assert checks.empty and text == "undecided"


def test_agreement_of_seeds_by_hand() -> None:
    rankings = pd.DataFrame([[1, 2, 3], [1, 2, 3], [3, 2, 1]])
    np.testing.assert_allclose(rankings.kendall_matrix(rankings), [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    mean, low, high = rankings.seed_agreement(rankings)
    assert mean == pytest.approx(-1 / 3) and low == -1 and high == 1
    assert np.isnan(rankings.seed_agreement(rankings[:2])[1:]).all()


def test_agreement_table_compares_like_with_like() -> None:
    importance = importance_of(0.5)
    effects = pd.DataFrame({"operation": NAMES[:9], "effect": -np.arange(9.0)})
    associations = pd.DataFrame({"operation": NAMES, "association": -np.arange(13.0)})
    table = rankings.agreement_table(importance, attribution_of(importance, 1.0), effects, associations)
    value = table.set_index("comparison").value
    assert value["importance between seeds, tuned preset"] > 0.8
    assert abs(value["importance between seeds, labels shuffled"]) < 0.2
    assert value["importance, ablation"] > 0.9 and value["importance, size of the matched effect in data"] > 0.9
    assert value["importance, correlation of the share of nodes with the target"] < -0.9
    assert abs(value["importance, importance before training"]) < 0.5
    assert table[["low", "high"]].stack().between(-1, 1).all()


def test_presets_are_compared_by_seed() -> None:
    cheap = importance_of(1e3, seeds=3, shuffles=0)
    both = pd.concat([cheap, cheap[cheap.seed < 2].assign(preset="paper")])
    effects = pd.DataFrame({"operation": NAMES, "effect": 1.0})
    associations = pd.DataFrame({"operation": NAMES, "association": 1.0})
    table = rankings.agreement_table(both, attribution_of(cheap, 1.0), effects, associations)
    value = table.set_index("comparison").value
    assert value["paper and tuned preset, the same seed"] == pytest.approx(1)
    assert value["paper and tuned preset, other seeds"] < 0.9
    assert value["importance, size of the matched effect in data"] == 0  # constant: no ranking

"""Attributions that find planted effects, and effects in data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.operations import effects as operation_effects, hop_zero, rankings
from autobuild_book.chapters.operations.hop_zero import CHEAP, TRUE, Fitted
from autobuild_lib.data import IRTable
from autobuild_lib.data.files import FLOPS


def planted(table: IRTable, effect: dict[str, float], seed: int = 0) -> IRTable:
    """The same networks; the label is a sum over nodes of a worth of their operation, with a little noise."""
    counts = operation_effects.operation_counts(table.graphs)
    noise = np.random.default_rng(seed).normal(0, 1e-3, len(table))
    labels = pd.DataFrame({"y": sum(worth * counts[name] for name, worth in effect.items()) + noise})
    return replace(table, labels=labels, noise_free=None)


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

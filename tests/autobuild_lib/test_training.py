"""Training: side by side as alone, repeatable, clipped, with the right moments, and it learns."""

import json
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.graphs import layer_graphs
from autobuild_lib.losses import RANK_LOSSES, rank_loss
from autobuild_lib.predictor import Network, NetworkConfig, Predictor
from autobuild_lib.training import (
    FEW_ROWS,
    NETWORK_OPTIONS,
    PRESETS,
    TRAINING_OPTIONS,
    TrainingConfig,
    configure,
    member_of,
    train_network,
)

SMALL: dict[str, Any] = {"epochs": 3, "batch_size": 32, "width": 8, "hops": 2}


def weights(predictor: Predictor) -> dict[str, torch.Tensor]:
    return predictor.network.state_dict()


def same(a: Predictor, b: Predictor) -> bool:
    return all(torch.equal(tensor, weights(b)[name]) for name, tensor in weights(a).items())


# -------------------------------------------------------------------- one, many, again


ONE_CYCLE = {"schedule": "one_cycle", "learning_rate": 3e-3}


@pytest.mark.parametrize("options", [{}, ONE_CYCLE, {"convolution": "graphconv"}], ids=str)
def test_side_by_side_as_alone(toy_table: ab.data.Table, options: dict[str, Any]) -> None:
    targets = ["additive", "other", "additive / (other + 9)"]
    together = ab.fit_many(toy_table.space, toy_table, targets, seed=4, **SMALL, **options)
    for target, one in zip(targets, together, strict=True):
        alone = ab.fit(toy_table.space, toy_table, target, seed=4, **SMALL, **options)
        assert one.target == alone.target and one.label_mean == alone.label_mean and one.label_sd == alone.label_sd
        # in training mode, where biases before batch normalisation, which rounding alone moves, have no effect
        graphs = layer_graphs(toy_table.space, toy_table.architectures)
        for found, expected in zip(one.network.train()(graphs), alone.network.train()(graphs), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_same_seed_same_bytes_other_seed_other_weights(toy_table: ab.data.Table) -> None:
    first, again, other = (ab.fit(toy_table.space, toy_table, "additive", seed=s, **SMALL) for s in (1, 1, 2))
    assert same(first, again) and not same(first, other)
    assert first.provenance["seed"] == 1 and first.provenance["training"]["epochs"] == 3
    assert first.provenance["data"]["sha256"] == toy_table.sha256


def test_a_target_repeats_with_seeds_of_its_own(toy_table: ab.data.Table) -> None:
    first, second = ab.fit_many(toy_table.space, toy_table, ["additive"] * 2, seed=[1, 2], **SMALL)
    alone = ab.fit(toy_table.space, toy_table, "additive", seed=1, **SMALL)
    np.testing.assert_allclose(first.norms(toy_table.architectures), alone.norms(toy_table.architectures), rtol=1e-3)
    assert not same(first, second) and [p.provenance["seed"] for p in (first, second)] == [1, 2]
    with pytest.raises(ValueError, match="3 seeds for 2 targets"):
        ab.fit_many(toy_table.space, toy_table, ["additive", "other"], seed=[1, 2, 3], **SMALL)


def test_global_random_state_is_neither_used_nor_changed(toy_table: ab.data.Table) -> None:
    torch.manual_seed(0)
    state = torch.random.get_rng_state()
    first = ab.fit(toy_table.space, toy_table, "additive", **SMALL)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    assert same(first, ab.fit(toy_table.space, toy_table, "additive", **SMALL))


# -------------------------------------------------------------------- learning


def test_it_learns_an_additive_target(toy_table: ab.data.Table) -> None:
    train, test = toy_table.split(0.8)
    predictor = ab.fit(toy_table.space, train, "additive", preset="tuned")
    report = ab.evaluate(predictor, test)
    assert report.loc["head", "srcc"] > 0.8 and report.loc["hop 4", "srcc"] > 0.8
    assert report.loc["head", "mae"] < 0.5 * test.labels["additive"].std()


def test_rank_loss_makes_norms_follow_the_target(toy_table: ab.data.Table) -> None:
    hops = [f"hop {hop}" for hop in range(1, 5)]
    srcc = {}
    for kind in RANK_LOSSES:
        predictor = ab.fit(toy_table.space, toy_table, "additive", preset="tuned", rank_loss=kind)
        srcc[kind] = ab.evaluate(predictor, toy_table).loc[hops, "srcc"].mean()
    assert min(srcc["released"], srcc["spearman"]) > 0.8 > srcc["off"] + 0.1


OPTIONS = [
    *({"convolution": c, "pooling": p} for c in ("gatv2", "graphconv") for p in ("mean", "sum", "max")),
    *({"activation": a, "residual": r} for a in ("relu", "leaky_relu", "gelu") for r in (True, False)),
    *({"rank_loss": kind} for kind in RANK_LOSSES),
    {"schedule": "one_cycle"},
    {"hops": 1, "width": 1},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_option_trains(toy_table: ab.data.Table, options: dict[str, Any]) -> None:
    chosen = SMALL | {"epochs": 2} | options
    predictor = ab.fit(toy_table.space, toy_table, "additive", **chosen)
    untrained = Network(predictor.network.encoder, predictor.network.config, [0])
    assert np.isfinite(predictor.predict(toy_table.architectures)).all()
    before = dict(untrained.named_parameters())
    assert all(not torch.equal(p, before[n]) for n, p in predictor.network.named_parameters() if "head" in n)
    used = vars(predictor.network.config) | predictor.provenance["training"]
    assert {name: used[name] for name in options} == options


def test_the_last_batch_may_hold_a_single_architecture(toy_table: ab.data.Table) -> None:
    few = toy_table.take(range(9))
    predictor = ab.fit(few.space, few, "additive", **SMALL | {"batch_size": 4})
    assert np.isfinite(predictor.predict(few.architectures)).all()


# -------------------------------------------------------------------- presets and errors


def test_paper_preset() -> None:
    network, training = configure("paper", {})
    assert (network.convolution, network.pooling, network.width, network.hops) == ("gatv2", "mean", 32, 4)
    assert (training.epochs, training.batch_size, training.learning_rate) == (200, 128, 1e-4)
    assert (training.weight_decay, training.gradient_clip) == (1e-5, 5.0)
    assert (training.rank_loss, training.rank_weight) == ("released", 1.0)


def test_overrides_replace_a_presets_fields() -> None:
    network, training = configure("tuned", {"width": 5, "epochs": 7})
    assert (network.width, training.epochs) == (5, 7)
    assert training.batch_size == PRESETS["tuned"]["batch_size"] and PRESETS["tuned"]["epochs"] != 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "papers"}, "preset='papers'; choose from paper, tuned"),
        ({"epoch": 3}, r"unknown options \['epoch'\]; choose from .*'epochs'"),
        ({"pooling": "median"}, "pooling='median'; choose from mean, sum, max"),
        ({"rank_loss": "kendall"}, "rank_loss='kendall'; choose from released, spearman, off"),
        ({"schedule": "cosine"}, "schedule='cosine'; choose from constant, one_cycle"),
        ({"epochs": 0}, "epochs is 0; .* from 1"),
        ({"epochs": 2.5}, "epochs is 2.5; .*whole numbers"),
        ({"batch_size": 1}, "batch_size is 1; .* from 2"),
        ({"learning_rate": float("nan")}, "learning_rate is nan; .* above 0"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; allowed are numbers"),
        ({"weight_decay": -1}, "weight_decay is -1; .* from 0"),
        ({"gradient_clip": 0}, "gradient_clip is 0; .* above 0"),
        ({"gradient_clip": -1}, "gradient_clip is -1"),
        ({"rank_weight": float("nan")}, "rank_weight is nan"),
        ({"rank_weight": float("inf")}, "rank_weight is inf"),
        ({"frozen_statistics": 1}, "frozen_statistics is 1; .*true and false"),
        ({"residual": "perhaps"}, "residual is 'perhaps'"),
        ({"width": True}, "width is True"),
        ({"hops": 256}, "hops is 256; .* 1 to 255"),
        ({"schedule": None}, "schedule=None; choose from"),
        ({"pooling": ["mean"]}, r"pooling=\['mean'\]; choose from"),
        ({"seed": -1}, "seed is -1; .* 0 to"),
        ({"seed": 0.5}, "seed is 0.5"),
        ({"seed": None}, "seed is None"),
    ],
)
def test_wrong_options_say_what_is_allowed(toy_table: ab.data.Table, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ab.fit(toy_table.space, toy_table, "additive", **options)


def test_every_field_has_an_option_and_every_option_a_field() -> None:
    names = [field.name for config in (NetworkConfig, TrainingConfig) for field in fields(config)]
    assert names == [*NETWORK_OPTIONS, *TRAINING_OPTIONS]


def test_options_in_any_form_of_a_number(toy_table: ab.data.Table) -> None:
    """As NumPy, pandas, PyTorch and YAML give them; what is kept is plain, and the predictor the same."""
    few = toy_table.take(range(40))
    plain: dict[str, Any] = {
        "seed": 3, "hops": 2, "epochs": 2, "width": 8, "learning_rate": 1e-3, "batch_size": 16, "residual": False,
    }  # fmt: skip
    odd: dict[str, Any] = {
        "seed": np.int64(3), "hops": torch.tensor(2), "epochs": 2.0, "width": np.array([8]), "learning_rate": "1e-3",
        "batch_size": pd.Series([16.0])[0], "residual": np.False_, "pooling": np.str_("mean"),
    }  # fmt: skip
    first, second = (ab.fit(few.space, few, "additive", progress=False, **given) for given in (plain, odd))
    np.testing.assert_array_equal(first.predict(few.architectures), second.predict(few.architectures))
    assert json.dumps(first.provenance) == json.dumps(second.provenance)
    assert [type(value) for value in asdict(second.network.config).values()] == [str, str, int, int, str, bool]


@pytest.mark.parametrize("value", [0.1, 0.77, 1e-9, 3.0])
def test_constant_target_is_refused(toy: ab.SequenceSpace, value: float) -> None:
    drawn = list(dict.fromkeys(toy.sample(np.random.default_rng(0), 7)))
    table = ab.data.from_records(toy, [(a, {"y": value}) for a in drawn])
    with pytest.raises(ValueError, match=rf"target y .*\({value}\) for all {len(drawn)} "):
        ab.fit(toy, table, "y", epochs=1)


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (1e308, "from 1e.307 to 1e.308"),
        (-1e308, "from -1e.308"),
        (1e-200, "from 0 to 1e-200"),
        (1e-160, "from 0 to 1e-160"),
    ],
)
def test_a_target_beyond_arithmetic_is_refused(toy_table: ab.data.Table, factor: float, message: str) -> None:
    fractions = (np.arange(len(toy_table)) % 11) / 10
    values = fractions * factor if abs(factor) < 1 else np.maximum(fractions, 0.1) * factor
    table = replace(toy_table, labels=toy_table.labels.assign(y=values))
    with pytest.raises(ValueError, match=rf"target y goes {message}.*; scale") as caught:
        ab.fit(table.space, table, "y", epochs=1, progress=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("factor", [1e100, 1e-100])
def test_large_and_small_targets_are_learnt_as_any(toy_table: ab.data.Table, factor: float) -> None:
    table = replace(toy_table, labels=toy_table.labels * factor)
    made, usual = (ab.fit(t.space, t, "additive", progress=False, **SMALL) for t in (table, toy_table))
    some = toy_table.architectures[:20]
    np.testing.assert_allclose(made.predict(some) / factor, usual.predict(some), rtol=1e-4)


def test_few_rows_are_said_aloud(toy_table: ab.data.Table, caplog: pytest.LogCaptureFixture) -> None:
    for rows, warned in ((FEW_ROWS, False), (FEW_ROWS - 1, True)):
        caplog.clear()
        table = toy_table.take(np.arange(rows))
        ab.fit(toy_table.space, table, "additive", **SMALL, progress=False)
        assert [f"fitting on {rows} rows" in text for text in caplog.messages] == [True] * warned


def test_other_unusable_training_data(toy_table: ab.data.Table) -> None:
    with pytest.raises(ValueError, match="at least 2 architectures, given 1"):
        ab.fit(toy_table.space, toy_table.take([0]), "additive")
    with pytest.raises(ValueError, match=r"no label 'acc'; .*: additive, other"):
        ab.fit(toy_table.space, toy_table, "acc")
    with pytest.raises(ab.SpaceError, match="space 'toy' given to space 'ofa_pn'"):
        ab.fit(ab.spaces.ofa_pn(), toy_table, "additive")


@pytest.mark.parametrize("rank_loss", RANK_LOSSES)
@pytest.mark.parametrize("rate", [1e24, 1e34])
def test_divergence_is_named(toy_table: ab.data.Table, rate: float, rank_loss: str) -> None:
    chosen = SMALL | {"batch_size": 16, "learning_rate": rate, "rank_loss": rank_loss}
    with pytest.raises(ValueError, match=r"training diverged in epoch \d: .*; lower learning_rate"):
        ab.fit(toy_table.space, toy_table, "additive", **chosen)


# -------------------------------------------------------------------- by hand


@pytest.mark.parametrize("clip", [0.05, 1e9])
def test_steps_are_those_of_public_functions_for_each_predictor_alone(toy_table: ab.data.Table, clip: float) -> None:
    """Gradients of targets a hundred times as large are clipped, without a change to the predictor beside."""
    encoder, graphs = LayerEncoder(toy_table.space), layer_graphs(toy_table.space, toy_table.architectures)
    additive = torch.tensor(toy_table.labels["additive"].to_numpy(), dtype=torch.float32)
    targets = torch.stack([additive, 100 * additive, additive.flip(0)])
    config = TrainingConfig(epochs=2, batch_size=32, learning_rate=1e-2, gradient_clip=clip)
    shape = NetworkConfig(width=8, hops=2)
    stack, clipped = Network(encoder, shape, [1, 2, 3]), 0
    train_network(stack, graphs, targets, config, seed=6)
    for place, seed in enumerate([1, 2, 3]):
        alone = Network(encoder, shape, [seed]).train()
        optimiser = torch.optim.AdamW(alone.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        rng = np.random.default_rng([6, 1])
        for _ in range(config.epochs):
            order = torch.from_numpy(rng.permutation(len(graphs)))
            for batch, rows in zip(graphs.take(order).split(32), order.split(32), strict=True):
                (predicted, norms), truth = alone(batch), targets[[place]][:, rows]
                loss = (predicted - truth).square().mean() + rank_loss(norms, truth, "released").sum()
                optimiser.zero_grad()
                loss.backward()
                clipped += bool(torch.nn.utils.clip_grad_norm_(alone.parameters(), clip) > clip)
                optimiser.step()
        single = member_of(stack, place).train()  # biases before batch normalisation, which rounding moves, are unseen
        for found, expected in zip(single(graphs), alone(graphs), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    assert (clipped > 0) == (clip < 1)


def test_moments_by_hand(toy_table: ab.data.Table) -> None:
    predictor = ab.fit(toy_table.space, toy_table, "additive", **SMALL)
    truth, moments = toy_table.labels["additive"].to_numpy(), predictor.moments
    assert predictor.label_mean == pytest.approx(truth.mean())
    assert predictor.label_sd == pytest.approx(truth.std(ddof=1))
    depths = np.array([a.depths for a in toy_table.architectures])
    assert moments is not None and set(moments.units) == {(0, 2), (1, 2), (1, 3), (1, 4)}  # the tail counts with unit 1
    for (group, depth), (mean, sd) in moments.units.items():
        rows = truth[(depths[:, 0] if group == 0 else depths[:, 1] + depths[:, 2]) == depth]
        assert mean == pytest.approx(rows.mean()) and sd == pytest.approx(rows.std())
    graphs = layer_graphs(toy_table.space, toy_table.architectures)
    with torch.no_grad():
        levels = [h[0].abs().sum(1).double().numpy() for h in predictor.network.node_embeddings(graphs)]
    expected = [[level.mean(), level.std(ddof=1)] for level in levels]
    np.testing.assert_allclose(moments.hops, expected, rtol=1e-6)
    assert len(levels[0]) == depths.sum()

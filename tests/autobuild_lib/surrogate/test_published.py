"""Checkpoints of the public implementation: golden predictions and norms, and strict, harmless reading."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_lib.surrogate import load_published

LABELS = ("acc", "latency_gpu", "latency_cpu", "latency_npu")
RESOLUTIONS = (192, 208, 224)
SPACES = {"mbv3": ab.spaces.ofa_mbv3, "pn": ab.spaces.ofa_pn}


def checkpoint(reference: Path, family: str, label: str) -> Path:
    stem = f"minMAE_ofa_{family}_custom_acc" if label == "acc" else f"minMAE_ofa_{family}_{label}_custom_{label}"
    return reference / "l1_predictors" / f"{stem}_GraphConv_sum_directed_srcc1_predictor.pt"


def architectures(family: str, records: list[dict[str, Any]]) -> list[ab.Architecture]:
    space = SPACES[family](resolutions=RESOLUTIONS)
    return [space.from_lists(record["stages"], resolution=record["resolution"]) for record in records]


@pytest.mark.parametrize("family", SPACES)
@pytest.mark.parametrize("label", LABELS)
def test_golden_predictions_and_norms(reference: Path, family: str, label: str) -> None:
    golden = json.loads((reference / "l1_golden.json").read_text())[family]
    predictor = load_published(checkpoint(reference, family, label))
    chosen = architectures(family, golden["architectures"])
    assert predictor.space.name == f"ofa_{family}" and predictor.target == label and predictor.moments is None
    np.testing.assert_allclose(predictor.predict(chosen), golden[label]["prediction"], rtol=1e-4)
    np.testing.assert_allclose(predictor.norms(chosen), golden[label]["graph_l1_norm_by_hop"], rtol=1e-4)


def test_golden_gatv2_predictor(reference: Path) -> None:
    golden = json.loads((reference / "autobuild_golden.json").read_text())
    predictor = load_published(reference / "autobuild_mbv3_acc_gatv2.pt")
    chosen = architectures("mbv3", golden["architectures"])
    mean, sd = golden["label_moments"]
    standardised = (predictor.predict(chosen) - mean) / sd
    np.testing.assert_allclose(standardised, golden["standardised_prediction"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(predictor.norms(chosen), golden["graph_l1_norm_by_hop"], rtol=1e-4)
    assert predictor.network.config == ab.NetworkConfig() and predictor.moments is not None
    np.testing.assert_allclose(predictor.moments.hops.T, golden["hop_moments"], rtol=1e-6)
    for unit, depths in enumerate(golden["unit_target_moments"]):
        for depth, moments in enumerate(depths, start=1):
            if depth == 1:  # never seen: 0 and 1 in the file
                assert (unit, depth) not in predictor.moments.units
            else:
                np.testing.assert_allclose(predictor.moments.units[unit, depth], moments, rtol=1e-6)


def test_published_predictor_survives_saving(reference: Path, tmp_path: Path) -> None:
    predictor = load_published(reference / "autobuild_mbv3_acc_gatv2.pt")
    predictor.save(tmp_path)
    chosen = predictor.space.sample(np.random.default_rng(0), 20)
    np.testing.assert_array_equal(ab.load(tmp_path).predict(chosen), predictor.predict(chosen))


# -------------------------------------------------------------------- refusals


def refused(path: Path, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        load_published(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and len(message) < 600


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "damaged, or more than tensors"),
        (b"architecture,acc\n", "damaged"),
        (b"PK\x03\x04 truncated", "damaged"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    refused(path, reason)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.pt"):
        load_published(tmp_path / "absent.pt")


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, torch.zeros(3), {"regressor.weight": "text"}, {}, None], ids=str)
def test_other_structures_are_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "not a checkpoint of the public implementation")


def nan(state: dict[str, Any]) -> None:
    state["post_proj.0.bias"][3] = float("nan")


def negative(state: dict[str, Any]) -> None:
    state["encoder.bns.0.module.running_var"][5] = -1e-30


def meta(state: dict[str, Any]) -> None:
    state["post_proj.0.bias"] = state["post_proj.0.bias"].to("meta")


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "missing head": (lambda s: s.pop("post_proj.3.bias"), "there is no 'post_proj.3.bias'"),
    "missing embedding": (lambda s: s.pop("embed_layer.exp_embed.weight"), "no 'embed_layer.exp_embed.weight'"),
    "missing norm": (lambda s: s.pop("encoder.bns.2.module.running_var"), "no 'encoder.bns.2.module.running_var'"),
    "missing regressor": (lambda s: s.pop("regressor.weight"), "there is no 'regressor.weight'"),
    "missing moments": (lambda s: s.pop("hop_moments"), "there is no 'hop_moments'"),
    "missing layer": (lambda s: [s.pop(n) for n in list(s) if "gnn_layers.3" in n], "unknown tensors: encoder.bns.3"),
    "no layers": (lambda s: [s.pop(n) for n in list(s) if "gnn_layers" in n], "hops is 0; allowed are"),
    "extra": (lambda s: s.update({"encoder.more": torch.zeros(2)}), "unknown tensors: encoder.more"),
    "shape": (lambda s: s.update({"post_proj.0.weight": torch.zeros(32, 31)}), "size mismatch for head.0.weight"),
    "flat": (lambda s: s.update({"post_proj.0.weight": torch.zeros(32)}), "not a checkpoint"),
    "family": (lambda s: s.update({"embed_layer.moment_tsr": torch.zeros(5, 6, 2)}), r"shape \(5, 6, 2\), expected"),
    "labels": (lambda s: s.update({"mlp_moments": torch.zeros(3)}), "not a checkpoint"),
    "not a tensor": (lambda s: s.update({"regressor.bias": 3}), "not a checkpoint"),
    "nan": (nan, r"head\.0\.bias has non-finite numbers"),
    "negative": (negative, r"norms\.0\.variance has numbers below zero"),
    "meta": (meta, "x.pt: not a checkpoint"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_checkpoints_are_refused(reference: Path, tmp_path: Path, change: str) -> None:
    state = torch.load(reference / "autobuild_mbv3_acc_gatv2.pt", weights_only=True)
    alter, reason = CHANGES[change]
    alter(state)
    torch.save(state, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", reason)


def test_truncated_checkpoint_is_refused(reference: Path, tmp_path: Path) -> None:
    whole = (reference / "autobuild_mbv3_acc_gatv2.pt").read_bytes()
    for kept in (100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "x.pt").write_bytes(whole[:kept])
        refused(tmp_path / "x.pt", "damaged")


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_a_checkpoint_that_holds_code_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    torch.save({"hop_moments": Bomb(mark)}, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "more than tensors")
    assert not mark.exists()
    torch.load(tmp_path / "x.pt", weights_only=False)  # the bomb is real
    assert mark.exists()

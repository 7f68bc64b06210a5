"""Saved predictors: they come back bit for bit, and anything missing, unknown or damaged is refused in one line."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import autobuild_lib as ab
from autobuild_lib.predictor import CONFIG, WEIGHTS, Moments, Predictor, StackedNetwork


@pytest.fixture(scope="module")
def predictor(toy: ab.SequenceSpace) -> Predictor:
    """An untrained predictor with random moments and running statistics."""
    network, rng = StackedNetwork(toy, ab.NetworkConfig(width=6, hops=2), [3]), np.random.default_rng(0)
    for norm in network.norms:
        norm.mean.normal_(generator=torch.Generator().manual_seed(1))
    moments = Moments(rng.normal(size=(3, 2)), {(0, 2): (0.1, 1 / 3), (1, 2): (2.0, 0.5)})
    return Predictor(toy, network.eval(), "log(acc + 1)", 0.1 + 0.2, 1 / 7, moments, {"seed": 3, "note": "né"})


@pytest.fixture
def saved(predictor: Predictor, tmp_path: Path) -> Path:
    predictor.save(tmp_path / "p")
    return tmp_path / "p"


@pytest.fixture(scope="module")
def some(toy: ab.SequenceSpace) -> list[ab.Architecture]:
    return toy.sample(np.random.default_rng(0), 30)


def test_round_trip_is_bit_equal(predictor: Predictor, saved: Path, some: list[ab.Architecture]) -> None:
    again = ab.load(saved)
    np.testing.assert_array_equal(again.predict(some), predictor.predict(some))
    np.testing.assert_array_equal(again.norms(some), predictor.norms(some))
    assert again.moments is not None and predictor.moments is not None
    np.testing.assert_array_equal(again.moments.hops, predictor.moments.hops)
    assert again.moments.units == predictor.moments.units
    for name in ("space", "target", "label_mean", "label_sd", "provenance"):
        assert getattr(again, name) == getattr(predictor, name)
    assert sorted(p.name for p in saved.iterdir()) == [CONFIG, WEIGHTS]
    assert (saved / CONFIG).stat().st_mode == (saved / WEIGHTS).stat().st_mode  # who reads one reads both


def test_saving_again_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    ab.load(saved).save(str(tmp_path / "deep" / "q"))
    for name in (CONFIG, WEIGHTS):
        assert (tmp_path / "deep" / "q" / name).read_bytes() == (saved / name).read_bytes()


def test_without_moments(predictor: Predictor, tmp_path: Path, some: list[ab.Architecture]) -> None:
    bare = Predictor(predictor.space, predictor.network, "acc", 0.0, 1.0)
    bare.save(tmp_path)
    assert ab.load(tmp_path).moments is None


def test_predictions_are_in_label_units_and_in_order(predictor: Predictor, some: list[ab.Architecture]) -> None:
    plain = Predictor(predictor.space, predictor.network, "acc", 0.0, 1.0)
    np.testing.assert_allclose(predictor.predict(some), plain.predict(some) / 7 + 0.1 + 0.2)
    np.testing.assert_allclose(predictor.predict(some[::-1]), predictor.predict(some)[::-1], rtol=1e-5)
    assert predictor.norms(some).shape == (3, 30) and predictor.predict([]).shape == (0,)
    both = predictor.predict_and_norms(some)
    np.testing.assert_array_equal(both[0], predictor.predict(some))
    np.testing.assert_array_equal(both[1], predictor.norms(some))


def test_more_architectures_than_one_chunk(predictor: Predictor, toy: ab.SequenceSpace) -> None:
    many = toy.sample(np.random.default_rng(1), 2100)
    rows = [0, 1023, 1024, 2099]
    np.testing.assert_allclose(predictor.predict(many)[rows], predictor.predict([many[i] for i in rows]), rtol=1e-5)


def test_architectures_of_another_space_are_refused(predictor: Predictor) -> None:
    with pytest.raises(ab.SpaceError, match="space 'ofa_mbv3' given to space 'toy'"):
        predictor.predict([ab.spaces.ofa_mbv3().sample(np.random.default_rng(0))])


def test_texts_are_refused_with_how_to_read_them(predictor: Predictor, some: list[ab.Architecture]) -> None:
    for refuse in (predictor.predict, predictor.norms):
        with pytest.raises(ab.SpaceError, match=r"toy: given '.*, allowed are architectures; space.parse\(text\)"):
            refuse([*some, str(some[0])])  # type: ignore[list-item]


# -------------------------------------------------------------------- refusals


def refused(folder: Path, message: str, kind: type[Exception] = ValueError) -> None:
    with pytest.raises(kind, match=message) as caught:
        ab.load(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_missing_folder_or_file(saved: Path, tmp_path: Path) -> None:
    refused(tmp_path / "absent", "a saved predictor is a folder with config.json", FileNotFoundError)
    refused(saved / CONFIG, "a saved predictor is a folder", FileNotFoundError)
    (saved / WEIGHTS).unlink()
    refused(saved, "not a readable safetensors file")
    (saved / CONFIG).unlink()
    refused(saved, "no such file", FileNotFoundError)


def sign(folder: Path) -> None:
    """Write the checksum of changed weights into the configuration, as someone who tampers would."""
    config = json.loads((folder / CONFIG).read_text())
    config["weights_sha256"] = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    (folder / CONFIG).write_text(json.dumps(config))


WEIGHT_CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "missing": (lambda w: w.pop("head.2.bias"), r"weights are missing: head\.2\.bias"),
    "missing statistics": (lambda w: w.pop("norms.1.variance"), r"missing: norms\.1\.variance"),
    "extra": (lambda w: w.update(more=torch.zeros(1)), "unknown weights: more"),
    "shape": (lambda w: w.update({"output.bias": torch.zeros(1, 1, 2)}), r"shape \(1, 1, 2\), expected .*\(1, 1, 1\)"),
    "nan": (lambda w: w["output.bias"].fill_(np.nan), "output.bias has non-finite numbers"),
    "infinite": (lambda w: w["convolutions.0.attention"].fill_(np.inf), "convolutions.0.attention has non-finite"),
}


@pytest.mark.parametrize("change", WEIGHT_CHANGES)
def test_weights_are_read_strictly(saved: Path, change: str) -> None:
    weights = load_file(saved / WEIGHTS)
    alter, message = WEIGHT_CHANGES[change]
    alter(weights)
    save_file(weights, saved / WEIGHTS)
    refused(saved, "sha256 is .*, expected .* damaged or of another save")
    sign(saved)
    refused(saved, message)


CONFIG_CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "format": ({"format": "autobuild-predictor-2"}, "'autobuild-predictor-2', this version reads"),
    "unknown key": ({"colour": "red"}, "unknown entries colour"),
    "unknown network key": ({"network": {"colour": 3}}, r"network has \['activation', 'colour', "),
    "missing network key": ({"network": {"pooling": "mean"}}, r"network has \['pooling'\], expected"),
    "unknown convolution": ({"network": {"convolution": "gcn"}}, "convolution='gcn'; choose from gatv2, graphconv"),
    "no hops": ({"network": {"hops": 0}}, "hops is 0; allowed are whole numbers from 1 to 255"),
    "absurd width": ({"network": {"width": 10**12}}, "width is 10+; allowed are whole numbers from 1 to 1,024"),
    "fraction as width": ({"network": {"width": 3.0}}, "network: width is 3.0; expected 3"),
    "absurd hops": ({"network": {"hops": 10**9}}, "hops is 10+; allowed are whole numbers from 1 to 255"),
    "long mean": ({"label_mean": 10**400}, "not the configuration.*too large"),
    "infinite unit": ({"unit_target_moments": [[float("inf"), 1, 2, 3]]}, "not the configuration.*infinity"),
    "other width": ({"network": {"width": 7}}, "expected finite numbers of shape"),
    "text as width": ({"network": {"width": "wide"}}, "not the configuration of a predictor"),
    "network is a list": ({"network": [1]}, "not the configuration"),
    "space": ({"space": {"name": "s"}}, "not the description of a search space"),
    "mean": ({"label_mean": "many"}, "not the configuration"),
    "sd": ({"label_sd": float("nan")}, "nan is not a finite number"),
    "hop moments": ({"hop_moments": [[0, 1]]}, "hop_moments has 1 rows, expected 3"),
    "hop moment": ({"hop_moments": [[0, 1], [2], [3, 4]]}, "not the configuration"),
    "unit moments": ({"unit_target_moments": [[1, 2, 3]]}, "not the configuration"),
    "provenance": ({"provenance": 3}, "not the configuration"),
}


@pytest.mark.parametrize("change", CONFIG_CHANGES)
def test_config_is_read_strictly(saved: Path, change: str) -> None:
    new, message = CONFIG_CHANGES[change]
    old = json.loads((saved / CONFIG).read_text())
    if change != "missing network key" and isinstance(new.get("network"), dict):
        new = {"network": old["network"] | new["network"]}
    (saved / CONFIG).write_text(json.dumps(old | new))
    refused(saved, message)


def test_every_config_entry_is_needed(saved: Path) -> None:
    config = json.loads((saved / CONFIG).read_text())
    for name in config:
        (saved / CONFIG).write_text(json.dumps({key: value for key, value in config.items() if key != name}))
        refused(saved, f"there is no '{name}'")


@pytest.mark.parametrize("kept", [0, 7, 300])
def test_truncated_files(saved: Path, kept: int) -> None:
    for name in (WEIGHTS, CONFIG):
        (saved / name).write_bytes((saved / name).read_bytes()[:kept])
        refused(saved, "sha256 is" if name == WEIGHTS else "not the configuration")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"3", b"null", b"[" * 100_000, b'"text"'])
def test_config_of_another_kind(saved: Path, content: bytes) -> None:
    (saved / CONFIG).write_bytes(content)
    refused(saved, "not the configuration of a predictor")


def test_a_pickle_is_not_read_as_weights(saved: Path) -> None:
    torch.save({"output.bias": torch.zeros(1)}, saved / WEIGHTS)
    sign(saved)
    refused(saved, "not a readable safetensors file")


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_interrupted_saving_leaves_the_old_file(
    predictor: Predictor, saved: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = (saved / name).read_bytes()

    def stop(source: Any, target: Any) -> None:
        if Path(target).name == name:
            raise KeyboardInterrupt
        replace(source, target)

    replace = os.replace
    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        predictor.save(saved)
    assert (saved / name).read_bytes() == before
    monkeypatch.undo()
    predictor.save(saved)
    assert sorted(p.name for p in saved.iterdir()) == [CONFIG, WEIGHTS]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "median"}, "pooling='median'; choose from mean, sum, max"),
        ({"activation": "tanh"}, "activation='tanh'; choose from relu, leaky_relu, gelu"),
        ({"width": 0}, "width is 0; allowed are whole numbers from 1 to 1,024"),
        ({"hops": 0}, "hops is 0"),
    ],
)
def test_network_config_says_what_is_allowed(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ab.NetworkConfig(**options)

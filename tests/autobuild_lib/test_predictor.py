"""Saved predictors: they come back bit for bit, and anything missing, unknown or damaged is refused in one line."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import autobuild_lib as ab
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.loading import load
from autobuild_lib.predictor import Moments, Network, Predictor
from autobuild_lib.saved import CONFIG, OWN_SHA256, SHA256, WEIGHTS, _signed


@pytest.fixture(scope="module")
def predictor(toy: ab.SequenceSpace) -> Predictor:
    """An untrained predictor with random moments and running statistics."""
    network, rng = Network(LayerEncoder(toy), ab.NetworkConfig(width=6, hops=2), [3]), np.random.default_rng(0)
    for norm in network.norms:
        norm.mean.normal_(generator=torch.Generator().manual_seed(1))
    moments = Moments(rng.random(size=(3, 2)), {(0, 2): (0.1, 1 / 3), (1, 2): (2.0, 0.5)})
    return Predictor(network.eval(), "log(acc + 1)", 0.1 + 0.2, 1 / 7, moments, {"seed": 3, "note": "né"})


@pytest.fixture
def saved(predictor: Predictor, tmp_path: Path) -> Path:
    predictor.save(tmp_path / "p")
    return tmp_path / "p"


@pytest.fixture(scope="module")
def some(toy: ab.SequenceSpace) -> list[ab.Architecture]:
    return toy.sample(np.random.default_rng(0), 30)


def weights_of(folder: Path) -> Path:
    return folder / WEIGHTS


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_round_trip_is_bit_equal(predictor: Predictor, saved: Path, some: list[ab.Architecture]) -> None:
    again = load(saved)
    np.testing.assert_array_equal(again.predict(some), predictor.predict(some))
    np.testing.assert_array_equal(again.norms(some), predictor.norms(some))
    assert again.moments is not None and predictor.moments is not None
    np.testing.assert_array_equal(again.moments.hops, predictor.moments.hops)
    assert again.moments.units == predictor.moments.units
    for name in ("space", "target", "label_mean", "label_sd", "provenance"):
        assert getattr(again, name) == getattr(predictor, name)
    assert sorted(saved.iterdir()) == [saved / CONFIG, weights_of(saved)]
    assert (saved / CONFIG).stat().st_mode == weights_of(saved).stat().st_mode  # who reads one reads both


def test_saving_again_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    load(saved).save(str(tmp_path / "deep" / "q"))
    assert contents(tmp_path / "deep" / "q") == contents(saved)


def test_without_moments(predictor: Predictor, tmp_path: Path, some: list[ab.Architecture]) -> None:
    bare = Predictor(predictor.network, "acc", 0.0, 1.0)
    bare.save(tmp_path)
    assert load(tmp_path).moments is None


def test_predictions_are_in_label_units_and_in_order(predictor: Predictor, some: list[ab.Architecture]) -> None:
    plain = Predictor(predictor.network, "acc", 0.0, 1.0)
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
        load(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_missing_folder_or_file(saved: Path, tmp_path: Path) -> None:
    refused(tmp_path / "absent", "a saved predictor is a folder with config.json", FileNotFoundError)
    refused(saved / CONFIG, "a saved predictor is a folder", FileNotFoundError)
    weights_of(saved).unlink()
    refused(saved, "not a readable safetensors file")
    (saved / CONFIG).unlink()
    refused(saved, "no such file", FileNotFoundError)


def change_config(folder: Path, change: dict[str, Any]) -> None:
    """Write entries (`...`: leave it out) with the checksum, as someone who tampers would."""
    config = json.loads((folder / CONFIG).read_text()) | change
    del config[OWN_SHA256]
    kept = {name: value for name, value in config.items() if value is not ...}
    (folder / CONFIG).write_text(_signed(kept).replace('"not a number"', "NaN"))


def sign(folder: Path) -> None:
    """Make changed weights those that the configuration names."""
    weights = weights_of(folder)
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    change_config(folder, {SHA256: sha256})


WEIGHT_CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "missing": (lambda w: w.pop("head.2.bias"), r"weights are missing: head\.2\.bias"),
    "missing statistics": (lambda w: w.pop("norms.1.variance"), r"missing: norms\.1\.variance"),
    "extra": (lambda w: w.update(more=torch.zeros(1)), "unknown weights: more"),
    "shape": (lambda w: w.update({"output.bias": torch.zeros(1, 1, 2)}), r"shape \(1, 1, 2\) .*expected .*\(1, 1, 1\)"),
    "type": (lambda w: w.update({"output.bias": torch.zeros(1, 1, 1).long()}), "type int64, expected .* type float32"),
    "nan": (lambda w: w["output.bias"].fill_(np.nan), "output.bias has non-finite numbers"),
    "infinite": (lambda w: w["convolutions.0.attention"].fill_(np.inf), "convolutions.0.attention has non-finite"),
}


@pytest.mark.parametrize("change", WEIGHT_CHANGES)
def test_weights_are_read_strictly(saved: Path, change: str) -> None:
    weights = load_file(weights_of(saved))
    alter, message = WEIGHT_CHANGES[change]
    alter(weights)
    save_file(weights, weights_of(saved))
    refused(saved, "sha256 is .*, expected .* damaged or of another save")
    sign(saved)
    refused(saved, message)


CONFIG_CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "format": ({"format": "autobuild-predictor-9"}, "'autobuild-predictor-9', readable here are"),
    "unknown key": ({"colour": "red"}, "unknown entry 'colour'"),
    "unknown network key": ({"network": {"colour": 3}}, "network: there is an unknown entry 'colour'"),
    "missing network key": ({"network": {"pooling": ...}}, "network: there is no 'pooling'"),
    "unknown convolution": ({"network": {"convolution": "gcn"}}, "convolution='gcn'; choose from gatv2, graphconv"),
    "no hops": ({"network": {"hops": 0}}, "hops is 0; allowed are whole numbers from 1 to 255"),
    "absurd width": ({"network": {"width": 10**12}}, "width is 10+; allowed are whole numbers from 1 to 1,024"),
    "fraction as width": ({"network": {"width": 3.0}}, "network: width is 3.0; expected 3"),
    "absurd hops": ({"network": {"hops": 10**9}}, "hops is 10+; allowed are whole numbers from 1 to 255"),
    "large network": (
        {"network": {"width": 1024, "hops": 255}, "hop_moments": None},
        "has .* bytes, the network needs 1,082,130,432 or more",
    ),
    "residual as text": ({"network": {"residual": "false"}}, "network: residual is 'false'; expected False"),
    "residual as number": ({"network": {"residual": 0}}, "residual is 0; allowed are true and false"),
    "other width": ({"network": {"width": 5}}, "expected finite numbers of shape"),
    "text as width": ({"network": {"width": "wide"}}, "not the configuration of a predictor"),
    "network is a list": ({"network": [1]}, "allowed is an object with"),
    "space": ({"space": {"name": "s"}}, "not the description of a search space"),
    "target": ({"target": "os.remove(acc)"}, "not the configuration"),
    "target is a number": ({"target": 3}, "3 is not a text"),
    "mean": ({"label_mean": "many"}, "label_mean is 'many'; allowed are"),
    "long mean": ({"label_mean": 10**400}, "not the configuration.* not a finite float"),
    "mean is true": ({"label_mean": True}, "label_mean is True; allowed are"),
    "sd": ({"label_sd": "not a number"}, "is not a finite float"),
    "sd of 0": ({"label_sd": 0.0}, "label_sd is 0.0; allowed are .* above 0"),
    "negative sd": ({"label_sd": -1}, "label_sd is -1; allowed are .* above 0"),
    "hop moments": ({"hop_moments": [[0, 1]]}, "hop_moments has 1 rows, expected 3"),
    "hop moment": ({"hop_moments": [[0, 1], [2], [3, 4]]}, "not the configuration"),
    "negative norm": ({"hop_moments": [[0, 1], [-2, 1], [3, 4]]}, "hop_moments is -2; allowed are .* from 0"),
    "unit moments": ({"unit_target_moments": [[1, 2, 3]]}, "not the configuration"),
    "unit moments are an object": ({"unit_target_moments": {"0123": 1}}, "a group is '0'"),
    "fraction of a unit": ({"unit_target_moments": [[0.5, 2, 0.1, 1]]}, "a group is 0.5; allowed are whole numbers"),
    "fraction of layers": ({"unit_target_moments": [[0, 2.5, 0.1, 1]]}, "is 2.5; allowed are whole numbers"),
    "unit that is not there": ({"unit_target_moments": [[9, 2, 0.1, 1]]}, "a group is 9; allowed are whole numbers"),
    "layers that are not there": ({"unit_target_moments": [[0, 99, 0.1, 1]]}, "layers of group 0 is 99; allowed are"),
    "unit moments twice": ({"unit_target_moments": [[0, 2, 0.1, 1], [0, 2, 0.1, 2]]}, "not in order"),
    "unit moments reordered": ({"unit_target_moments": [[1, 2, 2.0, 0.5], [0, 2, 0.1, 1]]}, "not in order"),
    "provenance": ({"provenance": 3}, "3 is not an object"),
    "checksum of the weights": ({SHA256: "../" * 20}, "is no checksum"),
}


@pytest.mark.parametrize("change", CONFIG_CHANGES)
def test_config_is_read_strictly(saved: Path, change: str) -> None:
    new, message = CONFIG_CHANGES[change]
    if isinstance(network := new.get("network"), dict):
        old = json.loads((saved / CONFIG).read_text())["network"]
        new = new | {"network": {name: value for name, value in (old | network).items() if value is not ...}}
    change_config(saved, new)
    refused(saved, message)
    make_first_format(saved)
    refused(saved, message)


def make_first_format(folder: Path) -> None:
    """Turn a saved predictor into what versions before the checksum of the configuration wrote."""
    config = json.loads((folder / CONFIG).read_text())
    del config[OWN_SHA256]
    if config["format"] == LayerEncoder.FORMATS[1]:
        config["format"] = LayerEncoder.FORMATS[0]
    (folder / CONFIG).write_text(json.dumps(config))


def test_the_first_format_opens_and_is_replaced(saved: Path, predictor: Predictor, some: list[ab.Architecture]) -> None:
    before = contents(saved)
    make_first_format(saved)
    np.testing.assert_array_equal(load(saved).predict(some), predictor.predict(some))
    predictor.save(saved)
    assert contents(saved) == before


def test_every_config_entry_is_needed(saved: Path) -> None:
    before = (saved / CONFIG).read_bytes()
    for name in json.loads(before):
        if name != OWN_SHA256:
            change_config(saved, {name: ...})
            refused(saved, f"there is no '{name}'")
            (saved / CONFIG).write_bytes(before)
    (saved / CONFIG).write_text(_signed(json.loads(before)).replace(OWN_SHA256, "own"))
    refused(saved, f"there is no '{OWN_SHA256}'")


def test_every_flipped_bit_is_refused(saved: Path) -> None:
    for path in (saved / CONFIG, weights_of(saved)):
        content = path.read_bytes()
        for place in np.random.default_rng(0).choice(8 * len(content), 150, replace=False).tolist():
            changed = bytearray(content)
            changed[place // 8] ^= 1 << place % 8
            path.write_bytes(changed)
            with pytest.raises(ValueError, match=path.name if path.name == CONFIG else "sha256"):
                load(saved)
        path.write_bytes(content)
    load(saved)


def test_an_entry_that_is_there_twice_is_refused(saved: Path) -> None:
    content = (saved / CONFIG).read_text()
    (saved / CONFIG).write_text(content.replace('"label_mean"', '"label_sd": 2, "label_mean"'))
    refused(saved, "key 'label_sd' is there twice")


@pytest.mark.parametrize("change", [{"label_sd": 0.0}, {"target": "no target!"}, {"label_mean": np.nan}])
def test_what_could_not_be_read_is_not_written(predictor: Predictor, saved: Path, change: dict[str, Any]) -> None:
    before = contents(saved)
    with pytest.raises(ValueError, match=r"label_sd is 0|target|label_mean is nan"):
        replace(predictor, **change).save(saved)
    assert contents(saved) == before


@pytest.mark.parametrize("kept", [0, 7, 300])
def test_truncated_files(saved: Path, kept: int) -> None:
    for path in (weights_of(saved), saved / CONFIG):
        path.write_bytes(path.read_bytes()[:kept])
        refused(saved, "not the configuration" if path.name == CONFIG else "sha256 is")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"3", b"null", b"[" * 100_000, b'"text"'])
def test_config_of_another_kind(saved: Path, content: bytes) -> None:
    (saved / CONFIG).write_bytes(content)
    refused(saved, "not the configuration of a predictor")


def test_a_pickle_is_not_read_as_weights(saved: Path) -> None:
    torch.save({"output.bias": torch.zeros(1)}, weights_of(saved))
    sign(saved)
    refused(saved, "not a readable safetensors file")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "median"}, "pooling='median'; choose from mean, sum, max"),
        ({"activation": "tanh"}, "activation='tanh'; choose from relu, leaky_relu, gelu"),
        ({"width": 0}, "width is 0; .* 1 to 1,024"),
        ({"hops": 0}, "hops is 0"),
    ],
)
def test_network_config_says_what_is_allowed(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ab.NetworkConfig(**options)

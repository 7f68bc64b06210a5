"""What is measured, and the architectures that are measured first."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.machine import subjects
from autobuild_book.chapters.machine.subjects import Subject
from tests.helpers.cheap_measures import MBV3, METER, TARGETS, rounds_of


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


def test_every_architecture_of_a_small_space_can_be_drawn() -> None:
    space = ab.SequenceSpace("small", [ab.Unit(1, 3)], {"op": ["a", "b"]})
    assert len(set(subjects.draw(space, 14, 0))) == 14
    with pytest.raises(ValueError, match=r"gave 14 .*, 15 "):
        subjects.draw(space, 15, 0)

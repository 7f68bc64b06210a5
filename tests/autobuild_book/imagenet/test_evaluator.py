"""Accuracy and latency of a supernet's parts on a small folder of images."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.imagenet import images
from autobuild_book.imagenet.evaluator import ImageNetEvaluator
from autobuild_book.imagenet.moments import measure_moments
from autobuild_lib.networks import Supernet
from autobuild_lib.search import StageMutation, evolve
from tests.helpers.image_folders import write_images
from tests.helpers.supernet_files import random_state, write_supernet

Make = Callable[..., ImageNetEvaluator]
SMALL = ["resolution128|e3_k3,e3_k3|e3_k3,e3_k3|e3_k3,e3_k3|e3_k3,e3_k3|e3_k3,e3_k3",
         "resolution132|e4_k3,e3_k3|e3_k3,e3_k3|e3_k3,e3_k3|e3_k3,e3_k5|e3_k3,e3_k3"]  # fmt: skip


@pytest.fixture(scope="module")
def supernet(tmp_path_factory: pytest.TempPathFactory) -> Supernet:
    """A supernet of four classes."""
    return Supernet.load(write_supernet(tmp_path_factory.mktemp("x") / "net", random_state("mbv3_w1.0", classes=4)))


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Supernet:
    """One that takes every image for one of the second class."""
    state = random_state("mbv3_w1.0", classes=4)
    state["classifier.linear.bias"] = torch.tensor([0, 1e6, 0, 0])
    return Supernet.load(write_supernet(tmp_path_factory.mktemp("x") / "biased", state))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve images to measure moments on, and eight to judge by."""
    return write_images(tmp_path_factory.mktemp("images"), [3, 3, 3, 3], [2, 3, 1, 2])


@pytest.fixture
def make(supernet: Supernet, folder: Path) -> Make:
    """An evaluator on the processor."""

    def make(**changes: Any) -> ImageNetEvaluator:
        settings = {"supernet": supernet, "folder": folder, "device": "cpu", "threads": 2, "progress": False}
        return ImageNetEvaluator(**(settings | changes))

    return make


@pytest.fixture
def architectures(supernet: Supernet) -> list[ab.Architecture]:
    """Small networks of two resolutions."""
    return [supernet.space.parse(text) for text in SMALL]


def test_a_network_that_always_says_the_same_class(
    make: Make, biased: Supernet, architectures: list[ab.Architecture]
) -> None:
    labels = make(supernet=biased)(architectures)
    assert list(labels) == ["acc", "latency_cpu"]
    assert labels.acc.tolist() == [3 / 8, 3 / 8]
    assert (labels.latency_cpu > 0.1).all()


def test_accuracy_is_that_of_the_network_with_measured_moments(
    make: Make, supernet: Supernet, folder: Path, architectures: list[ab.Architecture]
) -> None:
    evaluator = make(seed=3)
    for architecture, side in zip(architectures, (128, 132), strict=True):
        network = supernet.subnet(architecture)
        drawn = [
            images.random_part(images.read(path), side, np.random.default_rng([3, side, place]))
            for place, (path, _) in enumerate(images.list_images(folder / "train")[1])
        ]
        measure_moments(network, [images.normalised(torch.stack([as_tensor(part) for part in drawn]))])
        correct = 0
        for path, number in images.list_images(folder / "val")[1]:
            pixels = as_tensor(images.centre(images.read(path), side))
            with torch.no_grad():
                correct += int(network(images.normalised(pixels[None]))[0].argmax() == number)
        assert evaluator([architecture]).acc.tolist() == [correct / 8]


def as_tensor(picture: images.Picture) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def test_the_accuracy_depends_on_the_settings_alone(make: Make, architectures: list[ab.Architecture]) -> None:
    first, again = (make(calibration=6, validation=5, threads=threads) for threads in (1, 3))
    assert first.key == again.key
    assert len(first.training) == 6 and len(first.validation) == 5
    state = torch.get_rng_state()
    assert first(architectures).acc.tolist() == again(architectures[::-1]).acc.tolist()[::-1]
    assert torch.equal(torch.get_rng_state(), state)


def test_the_key_changes_with_what_the_accuracy_depends_on(make: Make, biased: Supernet) -> None:
    changes: list[dict[str, Any]] = [{}, {"seed": 1}, {"batch": 3}, {"validation": 4}, {"calibration": 4}]
    keys = {make(**change).key for change in [*changes, {"supernet": biased}]}
    assert len(keys) == 6 and make(threads=1).key in keys


def test_the_key_goes_along_with_the_folder_and_changes_with_its_images(
    make: Make, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = make()
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / "images")
    assert make(folder=moved).key == there.key and make(folder=moved).fingerprint == there.fingerprint
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert make(folder="images").key == make(folder=Path("./images/")).key == there.key
    image = moved / "val" / "n002" / "0.png"
    content, keys = image.read_bytes(), {there.key}
    for changed in (content[:-1] + bytes([content[-1] ^ 1]), content + b"\0", b""):
        image.write_bytes(changed)
        keys.add(make(folder=moved).key)
    image.write_bytes(content)
    os.utime(image, (1, 1))
    assert len(keys) == 4 and make(folder=moved).key == there.key
    image.rename(image.with_name("1.png"))
    assert make(folder=moved).key not in keys


def test_an_image_that_is_gone_or_a_pipe_is_named_by_the_key(make: Make, folder: Path, tmp_path: Path) -> None:
    evaluator = make(folder=(moved := shutil.copytree(folder, tmp_path / "images")))
    (moved / "val" / "n002" / "0.png").unlink()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"n002/0\.png: .*not a regular file") as error:
            _ = evaluator.key
        assert "\n" not in str(error.value)
        if not (moved / "val" / "n002" / "0.png").exists():
            os.mkfifo(moved / "val" / "n002" / "0.png")


def test_a_search_goes_on_from_its_log(make: Make, supernet: Supernet, tmp_path: Path) -> None:
    evaluator, asked = make(calibration=4, validation=4), []

    def counted(wanted: list[ab.Architecture], /) -> Any:
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.extend(wanted)
        return evaluator(wanted)

    counted.fingerprint = evaluator.fingerprint
    space = ab.spaces.ofa_mbv3((128,))
    search = {"maximise": "acc", "minimise": "latency_cpu", "log": tmp_path / "log.jsonl", "workers": 0}
    search |= {"start": 3, "rounds": 0, "progress": False}
    with pytest.raises(KeyboardInterrupt):
        evolve(StageMutation(ab.ReducedSpace.full(space)), counted, **search)
    before = len((tmp_path / "log.jsonl").read_text().splitlines())
    evaluated = evolve(StageMutation(ab.ReducedSpace.full(space)), evaluator, **search)
    assert before == 2 and len((tmp_path / "log.jsonl").read_text().splitlines()) == 3
    assert list(evaluated.architecture[:2]) == asked
    with pytest.raises(ValueError, match="evaluated by ImageNetEvaluator"):
        evolve(StageMutation(ab.ReducedSpace.full(space)), make(calibration=4, validation=5), **search)


def test_it_can_be_sent_to_another_process(make: Make, biased: Supernet, architectures: list[ab.Architecture]) -> None:
    sent = pickle.loads(pickle.dumps(make(supernet=biased)))
    assert sent(architectures[:1]).acc.tolist() == [3 / 8]


def test_a_damaged_image_is_named(make: Make, supernet: Supernet, tmp_path: Path) -> None:
    folder = write_images(tmp_path, [1, 1, 1, 1], [1, 1, 1, 1])
    (folder / "val" / "n002" / "0.png").write_text("text")
    evaluator = make(folder=folder)
    with pytest.raises(ValueError, match="n002"):
        evaluator([supernet.space.parse(SMALL[0])])


def test_scores_that_are_not_finite_are_an_error(make: Make, tmp_path: Path) -> None:
    state = random_state("mbv3_w1.0", classes=4)
    state["classifier.linear.weight"] = torch.full((4, 1280), 3e38)
    overflowing = Supernet.load(write_supernet(tmp_path / "net", state))
    with pytest.raises(ValueError, match="finite"):
        make(supernet=overflowing)([overflowing.space.parse(SMALL[0])])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"device": "cuda:99"}, "cuda:99"),
        ({"device": "tpu"}, "tpu"),
        ({"device": "cpu:1"}, "cpu:1"),
        ({"device": ""}, "device"),
        ({"calibration": 0}, "calibration"),
        ({"validation": -1}, "validation"),
        ({"batch": 0}, "batch"),
        ({"threads": 0}, "threads is 0; allowed.* from 1"),
        ({"threads": -1}, "threads is -1"),
        ({"threads": False}, "threads is False"),
        ({"threads": 1.5}, "threads is 1.5"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_that_cannot_be_are_named(make: Make, change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make(**change)


@pytest.mark.parametrize(("train", "val"), [([1, 1], [1, 1]), ([1] * 4, [1] * 3), ([1] * 5, [1] * 5)])
def test_other_classes_are_an_error(make: Make, tmp_path: Path, train: list[int], val: list[int]) -> None:
    with pytest.raises(ValueError, match=str(tmp_path)):
        make(folder=write_images(tmp_path, train, val))


def test_a_folder_without_images_is_an_error(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="train"):
        make(folder=tmp_path)

"""Pictures of inpainted digits: drawn, written, and read again after a check."""

import dataclasses
from pathlib import Path

import pytest
import torch

from autobuild_book.chapters.diffusion import pictures
from autobuild_book.chapters.diffusion.task.images import digits
from autobuild_book.chapters.diffusion.task.measuring import RECIPES, sample_architectures
from autobuild_book.chapters.diffusion.task.metrics import evaluation_stream
from autobuild_book.chapters.diffusion.task.table import NAME
from autobuild_book.chapters.diffusion.task.training import Recipe
from autobuild_lib.data import files

ARCHITECTURES = sample_architectures(3)
TEXTS = list(map(str, ARCHITECTURES))
SHORT = Recipe(steps=3, warm_up=1, batch_size=8)


def test_there_is_the_first_image_of_every_class() -> None:
    batch, everything = pictures.picture_batch(100), evaluation_stream("final", 100, RECIPES["final"])
    classes = digits().final_classes.tolist()
    for number in range(10):
        place = classes.index(number)
        assert torch.equal(batch.images[number], digits().final[place])
        assert torch.equal(batch.masks[number], everything.masks[place])
    assert len(batch.images) == 10


def test_pictures_are_whole_numbers() -> None:
    images = torch.tensor([[-1.0, 1.0], [0.0, 0.5]]).expand(3, 1, 2, 2)
    assert pictures.quantised(images)[1].tolist() == [[0, 255], [128, 191]]
    assert pictures.quantised(images).shape == (3, 2, 2) and pictures.quantised(images).dtype == torch.uint8


def test_pictures_are_those_of_the_network_that_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = pictures.draw_pictures(ARCHITECTURES[:1], 100, SHORT)
    written = pictures.write_pictures(drawn, 100, tmp_path)
    entry = dataclasses.replace(files.manifest()[NAME], beside=written)
    monkeypatch.setattr(files, "FILES", tmp_path)
    monkeypatch.setattr(files, "manifest", lambda: {NAME: entry})
    found, seed = pictures.read_pictures()
    assert seed == 100 and set(found) == {TEXTS[0]}
    assert torch.equal(found[TEXTS[0]], drawn[TEXTS[0]]) and found[TEXTS[0]].shape == (10, 8, 8)
    batch = pictures.picture_batch(100, SHORT)
    visible = batch.masks[:, 0] == 0
    assert torch.equal(found[TEXTS[0]][visible], pictures.quantised(batch.images)[visible])
    assert not torch.equal(found[TEXTS[0]], pictures.quantised(batch.images))

"""What is bundled beside the table: choices, rows of built networks, pictures; all against checksums."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from autobuild_book.chapters.diffusion import committed as built
from autobuild_book.chapters.diffusion.task import Recipe, digits, evaluation_stream, sample_architectures
from autobuild_book.chapters.diffusion.task.measuring import RECIPES, Measurement, read_rows, rows_to_csv
from autobuild_book.chapters.diffusion.task.table import NAME
from autobuild_lib.data import DataError, files
from autobuild_lib.data.files import Bundled, bundled_file

ARCHITECTURES = sample_architectures(3)
TEXTS = list(map(str, ARCHITECTURES))
SHORT = Recipe(steps=3, warm_up=1, batch_size=8)


def rows(*numbers: int) -> list[Measurement]:
    return [
        Measurement(TEXTS[n], seed, "final", RECIPES["final"].id, 2.0 + n, 0.4, 0.5, 1, 1, 1.0, "m")
        for seed in (101, 100)
        for n in numbers
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the bundled files, with a table that has nothing beside it."""
    monkeypatch.setattr(files, "FILES", tmp_path)
    entry = Bundled(NAME, "s", "t.csv", "measured here", 1, {}, "", "", 0, "")
    monkeypatch.setattr(files, "manifest", lambda: {NAME: entry})
    return tmp_path


def bundle(monkeypatch: pytest.MonkeyPatch, beside: dict[str, str]) -> None:
    entry = dataclasses.replace(files.manifest()[NAME], beside=beside)
    monkeypatch.setattr(files, "manifest", lambda: {NAME: entry})


def write(folder: Path, *numbers: int) -> tuple[Path, Path]:
    choices, measured = folder / "choices_in.csv", folder / "rows_in.csv"
    lines = [f'any size,built by norm score,{place},"{TEXTS[n]}"' for place, n in enumerate((2, 0))]
    choices.write_text("\n".join(["setting,group,place,architecture", *lines]) + "\n")
    measured.write_text(rows_to_csv(rows(*numbers)))
    return choices, measured


def test_rows_are_kept_in_the_order_of_the_choices(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(monkeypatch, built.write_built(*write(folder, 0, 1, 2), folder))
    kept = built.read_built()
    assert [(row.architecture, row.seed) for row in kept] == [(TEXTS[n], s) for n in (2, 0) for s in (100, 101)]
    assert built.read_choices()["architecture"].tolist() == [TEXTS[2], TEXTS[0]]
    assert kept == read_rows(folder / built.BUILT_ROWS)


def test_choices_without_any_row_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="no row of any architecture in"):
        built.write_built(*write(folder, 1), folder)
    assert not (folder / built.CHOICES).exists()


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "setting,group,place,architecture\n"])
def test_a_file_that_holds_no_choices(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(ValueError, match=r"mine\.csv: columns .*; expected rows with setting, group, place"):
        built.read_choices(tmp_path / "mine.csv")
    (tmp_path / "mine.csv").write_text("setting,group,place,architecture\ns,g,0,width9\n")
    with pytest.raises(ValueError, match="has 1 parts"):
        built.read_choices(tmp_path / "mine.csv")


def test_a_changed_or_unknown_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(monkeypatch, built.write_built(*write(folder, 0), folder))
    assert bundled_file(NAME, built.BUILT_ROWS) == folder / built.BUILT_ROWS
    (folder / built.BUILT_ROWS).write_text(rows_to_csv(rows(1)))
    with pytest.raises(DataError, match=f"{built.BUILT_ROWS}: sha256 is"):
        built.read_built()
    with pytest.raises(DataError, match=f"no bundled file x of a table {NAME}; there are {built.CHOICES}"):
        bundled_file(NAME, "x")
    with pytest.raises(DataError, match="no bundled file x of a table other; there are none"):
        bundled_file("other", "x")


# -------------------------------------------------------------------- pictures


def test_there_is_the_first_image_of_every_class() -> None:
    batch, everything = built.picture_batch(100), evaluation_stream("final", 100, RECIPES["final"])
    classes = digits().final_classes.tolist()
    for number in range(10):
        place = classes.index(number)
        assert torch.equal(batch.images[number], digits().final[place])
        assert torch.equal(batch.masks[number], everything.masks[place])
    assert len(batch.images) == 10


def test_pictures_are_whole_numbers() -> None:
    images = torch.tensor([[-1.0, 1.0], [0.0, 0.5]]).expand(3, 1, 2, 2)
    assert built.quantised(images)[1].tolist() == [[0, 255], [128, 191]]
    assert built.quantised(images).shape == (3, 2, 2) and built.quantised(images).dtype == torch.uint8


def test_pictures_are_those_of_the_network_that_is_measured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = built.draw_pictures(ARCHITECTURES[:1], 100, SHORT)
    bundle(monkeypatch, built.write_pictures(drawn, 100, folder))
    found, seed = built.read_pictures()
    assert seed == 100 and set(found) == {TEXTS[0]}
    assert torch.equal(found[TEXTS[0]], drawn[TEXTS[0]]) and found[TEXTS[0]].shape == (10, 8, 8)
    batch = built.picture_batch(100, SHORT)
    visible = batch.masks[:, 0] == 0
    assert torch.equal(found[TEXTS[0]][visible], built.quantised(batch.images)[visible])
    assert not torch.equal(found[TEXTS[0]], built.quantised(batch.images))


# -------------------------------------------------------------------- what is committed


@pytest.fixture
def committed() -> list[Measurement]:
    """The bundled rows; a test skips while they have not been measured yet."""
    if NAME not in files.manifest() or built.CHOICES not in files.manifest()[NAME].beside:
        pytest.skip("the built networks are not committed yet: autobuild task diffusion choose, measure, then built")
    return built.read_built()


def test_the_committed_rows_are_of_fresh_seeds_on_untouched_images(committed: list[Measurement]) -> None:
    label_seeds = {row.seed for row in read_rows(bundled_file(NAME, f"{NAME}_rows.csv"))}
    assert {(row.half, row.recipe) for row in committed} == {("final", RECIPES["final"].id)}
    assert not label_seeds & {row.seed for row in committed}
    chosen = set(built.read_choices()["architecture"])
    assert {row.architecture for row in committed} <= chosen
    assert all(np.isfinite([row.log_distance, row.masked_mse, row.flow_loss]).all() for row in committed)


@pytest.mark.slow
def test_the_cheapest_committed_row_can_be_measured_again(committed: list[Measurement]) -> None:
    from autobuild_book.chapters.diffusion.final import measure_again
    from autobuild_book.chapters.diffusion.labels import label_rows

    assert measure_again(min(committed, key=lambda row: row.macs), label_rows())["holds"].all()

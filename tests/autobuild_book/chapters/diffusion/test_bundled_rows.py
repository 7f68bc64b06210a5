"""What is bundled beside the table: choices, rows of built networks, pictures; all against checksums."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from autobuild_book.bundled import bundled_file
from autobuild_book.chapters.diffusion import bundled_rows
from autobuild_book.chapters.diffusion.task.measuring import (
    RECIPES,
    Measurement,
    read_rows,
    rows_to_csv,
    sample_architectures,
)
from autobuild_book.chapters.diffusion.task.table import NAME
from autobuild_book.chapters.diffusion.task.training import Recipe
from autobuild_book.chapters.shared import choices
from autobuild_lib.data import DataError, files
from autobuild_lib.data.files import Bundled

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
    for module in (files, choices):
        monkeypatch.setattr(module, "manifest", lambda: {NAME: entry})
    return tmp_path


def bundle(monkeypatch: pytest.MonkeyPatch, beside: dict[str, str]) -> None:
    entry = dataclasses.replace(files.manifest()[NAME], beside=beside)
    for module in (files, choices):
        monkeypatch.setattr(module, "manifest", lambda: {NAME: entry})


def write(folder: Path, *numbers: int) -> tuple[Path, Path]:
    choices, measured = folder / "choices_in.csv", folder / "rows_in.csv"
    lines = [f'any size,built by norm score,{place},"{TEXTS[n]}"' for place, n in enumerate((2, 0))]
    choices.write_text("\n".join(["setting,group,place,architecture", *lines]) + "\n")
    measured.write_text(rows_to_csv(rows(*numbers)))
    return choices, measured


def test_rows_are_kept_in_the_order_of_the_choices(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(monkeypatch, bundled_rows.write_finals(*write(folder, 0, 1, 2), folder))
    kept = bundled_rows.final_rows()
    assert [(row.architecture, row.seed) for row in kept] == [(TEXTS[n], s) for n in (2, 0) for s in (100, 101)]
    assert bundled_rows.final_choices()["architecture"].tolist() == [TEXTS[2], TEXTS[0]]
    assert kept == read_rows(folder / bundled_rows.FINAL_FILE)


def test_choices_without_any_row_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="no row of any"):
        bundled_rows.write_finals(*write(folder, 1), folder)
    assert not (folder / bundled_rows.CHOICES_FILE).exists()


def test_a_changed_or_unknown_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(monkeypatch, bundled_rows.write_finals(*write(folder, 0), folder))
    assert bundled_file(NAME, bundled_rows.FINAL_FILE) == folder / bundled_rows.FINAL_FILE
    (folder / bundled_rows.FINAL_FILE).write_text(rows_to_csv(rows(1)))
    with pytest.raises(DataError, match=f"{bundled_rows.FINAL_FILE}: sha256 is"):
        bundled_rows.final_rows()
    with pytest.raises(DataError, match=f"no bundled file x .* {NAME}; .*{bundled_rows.CHOICES_FILE}"):
        bundled_file(NAME, "x")
    with pytest.raises(DataError, match=r"no bundled file x .* other; .*none"):
        bundled_file("other", "x")


def test_nothing_is_bundled_until_it_is_measured(folder: Path) -> None:
    chosen = bundled_rows.final_choices()
    assert list(chosen) == bundled_rows.CHOICE and chosen.empty and bundled_rows.final_rows() == []


# -------------------------------------------------------------------- what is committed


@pytest.fixture
def finals() -> list[Measurement]:
    """The bundled rows; a test skips while they have not been measured yet."""
    if NAME not in files.manifest() or bundled_rows.CHOICES_FILE not in files.manifest()[NAME].beside:
        pytest.skip("the built networks are not committed yet: autobuild task diffusion choose, measure, then built")
    return bundled_rows.final_rows()


def test_the_committed_rows_are_of_fresh_seeds_on_untouched_images(finals: list[Measurement]) -> None:
    label_seeds = {row.seed for row in read_rows(bundled_file(NAME, f"{NAME}_rows.csv"))}
    assert {(row.half, row.recipe) for row in finals} == {("final", RECIPES["final"].id)}
    assert not label_seeds & {row.seed for row in finals}
    chosen = set(bundled_rows.final_choices()["architecture"])
    assert {row.architecture for row in finals} <= chosen
    assert all(np.isfinite([row.log_distance, row.masked_mse, row.flow_loss]).all() for row in finals)


@pytest.mark.slow
def test_the_cheapest_committed_row_can_be_measured_again(finals: list[Measurement]) -> None:
    from autobuild_book.chapters.diffusion.bundled_rows import label_rows
    from autobuild_book.chapters.diffusion.final import measure_again

    assert measure_again(min(finals, key=lambda row: row.macs), label_rows())["holds"].all()

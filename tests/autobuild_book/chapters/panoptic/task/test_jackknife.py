"""Comparing networks on the same images: quality with parts left out, and the rows that hold it."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from autobuild_book.chapters.panoptic.task import quality
from autobuild_book.chapters.panoptic.task.jackknife import (
    PAIRED_ROWS,
    PARTS,
    PairedMeasurement,
    leave_out,
    measure_paired,
    standard_error,
)
from autobuild_book.chapters.panoptic.task.measuring import Exam, examine, measure, sample_architectures
from autobuild_book.chapters.panoptic.task.quality import Tally, labels
from autobuild_book.chapters.panoptic.task.training import train
from autobuild_book.chapters.panoptic.task.weights import Recipe, load

EXAM = Exam("B", 80)


def tally(images: int, seed: int = 0) -> Tally:
    """Made-up counts; a matched pair overlaps by a half at least."""
    rng = np.random.default_rng(seed)
    matched, extra, missed = rng.integers(0, 3, (3, images, 8)).astype(np.float64)
    return Tally(matched * rng.uniform(0.5, 1, matched.shape), matched, extra, missed)


def test_parts_of_one_image_give_the_jackknife_over_images() -> None:
    counted = tally(PARTS)
    left_out = leave_out(counted)
    assert left_out[3] == pytest.approx(labels(counted[np.delete(np.arange(PARTS), 3)])["pq"])
    assert standard_error(left_out) == pytest.approx(quality.standard_error(counted), rel=1e-9)


def test_parts_of_several_images_are_consecutive_and_alike_in_size() -> None:
    counted = tally(2 * PARTS + 1)
    left_out = leave_out(counted)
    assert left_out.shape == (PARTS,)
    assert left_out[0] == labels(counted[3:])["pq"]  # the first part has the odd image
    assert left_out[-1] == labels(counted[: 2 * PARTS - 1])["pq"]
    assert standard_error(left_out) == pytest.approx(quality.standard_error(counted), rel=0.5)


def test_too_few_images() -> None:
    with pytest.raises(ValueError, match="39 images; 40 parts"):
        leave_out(tally(PARTS - 1))


def test_the_standard_error_by_hand() -> None:
    numbers = np.zeros(PARTS)
    numbers[0] = 1.0  # mean 1/40: squares add up to 39/40
    assert standard_error(numbers) == pytest.approx(39 / 40)
    assert standard_error(np.stack([numbers, numbers * 2])).tolist() == pytest.approx([39 / 40, 78 / 40])
    assert standard_error(np.full(PARTS, 0.3)) == pytest.approx(0.0, abs=1e-12)


@pytest.fixture(scope="module")
def supernet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("supernet")
    train(folder, recipe=Recipe(steps=3, batch_size=4, images=12), progress=False)
    return folder


def test_a_row_is_a_plain_row_and_what_parts_say(supernet: Path, tmp_path: Path) -> None:
    (one,) = sample_architectures(1)
    (row,) = measure_paired([one], tmp_path / "paired.csv", folder=supernet, exam=EXAM, progress=False)
    (plain,) = measure([one], tmp_path / "plain.csv", folder=supernet, exam=EXAM, progress=False)
    shared = asdict(plain)
    assert {name: getattr(row, name) for name in shared if name != "seconds"} == {
        name: value for name, value in shared.items() if name != "seconds"
    }
    wanted = leave_out(examine(load(supernet), one, EXAM))
    np.testing.assert_allclose(row.left_out, wanted, atol=5.1e-7)
    assert PAIRED_ROWS.read(tmp_path / "paired.csv") == [row] and isinstance(row, PairedMeasurement)
    assert measure_paired([one], tmp_path / "paired.csv", folder=supernet, exam=EXAM, progress=False) == [row]


def test_plain_rows_are_refused(supernet: Path, tmp_path: Path) -> None:
    (one,) = sample_architectures(1)
    measure([one], tmp_path / "plain.csv", folder=supernet, exam=replace(EXAM, count=2), progress=False)
    with pytest.raises(ValueError, match=r"plain\.csv: header .*; expected architecture,.*,without"):
        measure_paired([one], tmp_path / "plain.csv", folder=supernet, exam=EXAM, progress=False)

"""Rows beside the table: written together, read back after a check, and complete where they are bundled_rows."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autobuild_book.bundled import check_bundled
from autobuild_book.chapters.panoptic import bundled_rows, commands
from autobuild_book.chapters.panoptic.task.jackknife import FINAL, PAIRED_ROWS, PARTS, PairedMeasurement
from autobuild_book.chapters.panoptic.task.measuring import ROWS, Measurement, sample_architectures
from autobuild_book.chapters.panoptic.task.space import backbone_space, smallest
from autobuild_book.chapters.panoptic.task.table import NAME
from autobuild_book.chapters.panoptic.task.training import train
from autobuild_book.chapters.panoptic.task.weights import Recipe, load, load_bundled
from autobuild_book.chapters.shared import choices
from autobuild_lib.data import DataError, files, manifest

FOUR = [str(one) for one in sample_architectures(4)]
SHORT = Recipe(steps=1, batch_size=2, images=4)


def plain(architecture: str, network: str, images: str = "A", count: int = 800, calibration: int = 0) -> Measurement:
    return Measurement(architecture, network, images, count, calibration, *[0.5] * 12, 5_000_000, 30_000, 1.0, "here")


def paired(row: Measurement) -> PairedMeasurement:
    return PairedMeasurement(**vars(row), without=" ".join(["0.500000"] * PARTS))


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A supernet, and a network trained alone."""
    folder = tmp_path_factory.mktemp("trainings")
    train(folder / "supernet", recipe=SHORT, progress=False)
    train(folder / "alone", seed=3, architecture=smallest(), recipe=SHORT, progress=False)
    return [folder / "supernet", folder / "alone"]


@pytest.fixture
def written(trainings: list[Path], tmp_path: Path) -> dict[str, str]:
    """Files of made-up rows, bundled in tmp_path / made."""
    supernet, alone = (load(folder).id for folder in trainings)
    (tmp_path / "first.csv").write_text(ROWS.write([plain(FOUR[0], supernet), plain(FOUR[1], supernet)]))
    (tmp_path / "second.csv").write_text(ROWS.write([plain(FOUR[1], supernet), plain(str(smallest()), alone, "B")]))
    (tmp_path / "final.csv").write_text(PAIRED_ROWS.write([paired(plain(FOUR[2], supernet, "B", 1600))]))
    (tmp_path / "chosen.csv").write_text(f'region,group,place,architecture\nlight,norm score,0,"{FOUR[2]}"\n')
    (tmp_path / "made").mkdir()
    return write(tmp_path, trainings)


def write(folder: Path, trainings: list[Path]) -> dict[str, str]:
    return bundled_rows.write_rows(
        folder / "made", rows=[folder / "first.csv", folder / "second.csv"], finals=[folder / "final.csv"],
        chosen=folder / "chosen.csv", trainings=trainings,
    )  # fmt: skip


@pytest.fixture
def bundled(written: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    entry = replace(manifest()[NAME], beside=written)
    monkeypatch.setattr(files, "FILES", tmp_path / "made")
    monkeypatch.setattr(files, "manifest", lambda: {NAME: entry})
    monkeypatch.setattr(choices, "manifest", lambda: {NAME: entry})
    return tmp_path / "made"


def test_what_was_written_is_read(bundled: Path, trainings: list[Path]) -> None:
    supernet, alone = map(load, trainings)
    keys = [(row.architecture, row.network) for row in bundled_rows.measured_rows()]
    assert keys == [(FOUR[0], supernet.id), (FOUR[1], supernet.id), (str(smallest()), alone.id)]  # each once
    assert [row.key for row in bundled_rows.final_rows()] == [(FOUR[2], supernet.id, "B", 1600, 0)]
    assert bundled_rows.final_choices().to_numpy().tolist() == [["light", "norm score", 0, FOUR[2]]]
    found = bundled_rows.trainings_of_rows().set_index("network")
    assert found.loc[supernet.id].tolist() == [0, 1, ""] and found.loc[alone.id].tolist() == [3, 1, str(smallest())]


def test_a_changed_file_is_refused(bundled: Path) -> None:
    path = bundled / bundled_rows.ROWS_FILE
    path.write_text(path.read_text().replace("0.5", "0.6", 1))
    with pytest.raises(DataError, match=r"panoptic_rows\.csv: sha256 is"):
        bundled_rows.measured_rows()


def test_verifying_a_table_verifies_what_is_beside_it(bundled: Path) -> None:
    entry = files.manifest()[NAME]
    shutil.copy(Path(files.__file__).parent / "files" / entry.file, bundled)
    check_bundled(entry)
    (bundled / bundled_rows.CHOSEN_FILE).write_text("changed")
    with pytest.raises(DataError, match=r"panoptic_chosen\.csv: sha256 is"):
        check_bundled(entry)


def test_rows_of_an_unknown_training(written: dict[str, str], trainings: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"rows of networks {load(trainings[1]).id}, whose trainings"):
        write(tmp_path, trainings[:1])


def test_without_files_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "manifest", lambda: {NAME: replace(manifest()[NAME], beside={})})
    assert bundled_rows.measured_rows() == [] and bundled_rows.final_rows() == []
    assert list(bundled_rows.final_choices()) == bundled_rows.CHOICE and bundled_rows.final_choices().empty
    assert list(bundled_rows.trainings_of_rows()) == bundled_rows.TRAINING and bundled_rows.trainings_of_rows().empty


# -------------------------------------------------------------------- commands


def run(*arguments: object) -> None:
    parser = argparse.ArgumentParser()
    commands.add_panoptic(parser)
    given = parser.parse_args([str(argument) for argument in arguments])
    given.run(given)


def test_search_choose_and_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    asked: list[Any] = []
    rows = [plain(text, "0123") for text in FOUR]
    (tmp_path / "searched.csv").write_text(ROWS.write(rows))
    chosen = pd.DataFrame([("light", "norm score", 0, FOUR[0]), ("heavy", "search", 0, FOUR[0])],
                          columns=bundled_rows.CHOICE)  # fmt: skip
    monkeypatch.setattr(commands, "choose", lambda *given: asked.append(given) or chosen)
    monkeypatch.setattr(commands, "measure_paired", lambda *given, **options: asked.append((given, options)) or [1])
    monkeypatch.setattr(commands.search, "search", lambda evaluate: asked.append(evaluate) or FOUR)
    run("search", "--out", tmp_path / "searched.csv")
    run("choose", "--searched", tmp_path / "searched.csv", "--out", tmp_path)
    run("compare", "--architectures", tmp_path / "chosen.txt", "--out", tmp_path / "final.csv")
    assert asked[1] == (rows, tmp_path / "predictors")
    assert choices.read_choices(tmp_path / "chosen.csv", bundled_rows.CHOICE, backbone_space()).equals(chosen)
    assert (tmp_path / "chosen.txt").read_text() == f"{FOUR[0]}\n"
    assert asked[2] == (([backbone_space().parse(FOUR[0])], tmp_path / "final.csv"), {"folder": None, "workers": 1})
    out = capsys.readouterr().out
    assert "4 evaluations are in" in out and "2 proposals, 1 different architectures" in out and "1 rows are in" in out


def test_bundling_rows(written: dict[str, str], trainings: list[Path], tmp_path: Path) -> None:
    made = tmp_path / "made"
    (made / "manifest.json").write_text(json.dumps({NAME: {"beside": {"panoptic.json": "0"}}, "other": {}}))
    first, second, final, chosen = (tmp_path / f"{name}.csv" for name in ("first", "second", "final", "chosen"))
    run("rows", "--rows", first, second, "--finals", final, "--chosen", chosen, "--trainings", *trainings,
        "--folder", made)  # fmt: skip
    found = json.loads((made / "manifest.json").read_text())
    assert found[NAME]["beside"] == {"panoptic.json": "0"} | written and found["other"] == {}


# -------------------------------------------------------------------- what is committed


def is_committed(name: str) -> bool:
    return NAME in manifest() and name in manifest()[NAME].beside


@pytest.mark.skipif(not is_committed(bundled_rows.ROWS_FILE), reason="the rows are not measured yet")
def test_the_committed_rows_are_of_described_trainings_and_hold_what_was_chosen() -> None:
    trainings, chosen = bundled_rows.trainings_of_rows(), bundled_rows.final_choices()
    finals = bundled_rows.final_rows()
    known = set(trainings["network"])
    assert {row.network for row in bundled_rows.measured_rows()} | {row.network for row in finals} <= known
    ours = load_bundled().id
    measured = {row.architecture for row in finals if row.key[1:] == (ours, FINAL.images, FINAL.count, 0)}
    assert set(chosen["architecture"]) <= measured
    for row in finals:
        assert len(row.left_out) == PARTS and abs(row.left_out.mean() - row.pq) < 1e-3


def test_the_manifest_covers_every_file() -> None:
    if NAME not in manifest():
        pytest.skip("the table is not measured yet")
    entry = manifest()[NAME]
    check_bundled(entry)
    names = {path.name for path in files.FILES.glob(f"{NAME}*")}
    assert names == {entry.file, *entry.beside}
    assert json.loads((files.FILES / "panoptic_supernet.json").read_text())["architecture"] is None

"""Measuring parts of a supernet: one row each, resumed after a kill; the table; the commands."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.panoptic import commands
from autobuild_book.chapters.panoptic.task import table, training
from autobuild_book.chapters.panoptic.task.images import draw_scenes
from autobuild_book.chapters.panoptic.task.measuring import (
    ROWS,
    Exam,
    Job,
    Measurement,
    exam_images,
    examine,
    measure,
    prepare,
    sample_architectures,
    segment,
)
from autobuild_book.chapters.panoptic.task.quality import LABELS, compare, labels, standard_error, true_segments
from autobuild_book.chapters.panoptic.task.space import backbone_space, costs, largest, smallest
from autobuild_book.chapters.panoptic.task.training import train
from autobuild_book.chapters.panoptic.task.weights import Recipe, load
from autobuild_book.measured.tasks import machine
from autobuild_lib import data
from autobuild_lib.data import files
from tests.helpers.recorded import record

SHORT = Recipe(steps=6, batch_size=4, images=12)
EXAM = Exam("A", 6)
THREE = sample_architectures(3)
COLUMNS = [f.name for f in fields(Measurement)]


@pytest.fixture(scope="module")
def supernet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short training."""
    folder = tmp_path_factory.mktemp("supernet")
    train(folder, recipe=SHORT, progress=False)
    return folder


def fake(job: Job) -> Measurement:
    macs, parameters = map(int, costs([job.architecture]).iloc[0])
    values = {name: macs / 3e7 + place / 100 for place, name in enumerate([*LABELS, "pq_se", "pq_half1", "pq_half2"])}
    facts = {"macs": macs, "parameters": parameters, "seconds": 1.5, "machine": "a machine, with a comma"}
    return Measurement(*job.key, **values, **facts)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Replace measuring by made-up numbers; the list of jobs that were run."""
    return record(monkeypatch, Job, fake)


def quiet(architectures: Any, out: Path, supernet: Path, **options: Any) -> list[Measurement]:
    return measure(architectures, out, folder=supernet, **{"exam": EXAM, "progress": False, **options})


# -------------------------------------------------------------------- labels


def test_a_row_is_what_its_parts_say(supernet: Path, tmp_path: Path) -> None:
    out, trained = tmp_path / "new" / "rows.csv", load(supernet)
    (row,) = quiet(THREE[:1], out, supernet)
    assert row.key == (str(THREE[0]), trained.id, "A", 6, 0) and row.machine == machine() and 0 < row.seconds < 60
    assert costs(THREE[:1]).iloc[0].tolist() == [row.macs, row.parameters]
    scenes, before = draw_scenes("A", 6), draw_scenes("train", 128)
    network = prepare(trained, THREE[0], torch.from_numpy(before.images))
    tally = compare(segment(network, torch.from_numpy(scenes.images)), true_segments(scenes))
    assert {name: getattr(row, name) for name in LABELS} == labels(tally)
    assert row.pq_se == standard_error(tally)
    assert (row.pq_half1, row.pq_half2) == (labels(tally[:3])["pq"], labels(tally[3:])["pq"])
    assert ROWS.read(out) == [row]


def test_what_is_asked_for_changes_the_row(supernet: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    exams = [EXAM, replace(EXAM, images="B"), replace(EXAM, count=7), replace(EXAM, calibration=1)]
    rows = [quiet(THREE[:1], out, supernet, exam=exam)[0] for exam in exams]
    assert ROWS.read(out) == rows and len({row.key for row in rows}) == 4
    scenes, _, first = exam_images(exams[0])
    others, _, second = exam_images(exams[3])
    assert torch.equal(scenes, others) and not torch.equal(first, second)


def test_segmenting_does_not_depend_on_what_else_is_segmented(supernet: Path) -> None:
    trained, exam = load(supernet), replace(EXAM, count=60)  # more than one batch
    images, truth, _ = exam_images(exam)
    tally = examine(trained, smallest(), exam)
    few = compare(segment(prepare(trained, smallest(), exam_images(exam)[2]), images[:5]),
                  replace(truth, numbers=truth.numbers[:5], classes=truth.classes[:5]))  # fmt: skip
    assert np.array_equal(few.missed, tally.missed[:5]) and np.array_equal(few.extra, tally.extra[:5])
    before = [p.detach().clone() for p in trained.network.parameters()]
    again = examine(trained, smallest(), exam)
    assert np.array_equal(again.overlap, tally.overlap)
    assert all(torch.equal(a, b) for a, b in zip(before, trained.network.parameters(), strict=True))


def test_a_network_trained_alone_is_measured_by_itself(tmp_path: Path) -> None:
    train(tmp_path / "alone", architecture=smallest(), recipe=replace(SHORT, steps=1), progress=False)
    (row,) = quiet([smallest()], tmp_path / "rows.csv", tmp_path / "alone")
    assert row.network == load(tmp_path / "alone").id
    with pytest.raises(ValueError, match=r"not a part .* e3_k3"):
        quiet([largest()], tmp_path / "rows.csv", tmp_path / "alone")


@pytest.mark.parametrize(("wrong", "message"), [({"images": "train"}, "images='train'; choose from A, B"),
                                                ({"count": 1}, "count must be at least 2"),
                                                ({"calibration": -1}, "calibration at least 0")])  # fmt: skip
def test_wrong_exams(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Exam(**wrong)


# -------------------------------------------------------------------- rows


def test_rows_come_in_the_order_asked_for_and_once(asked: list[Job], supernet: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    rows = quiet([*THREE, THREE[0]], out, supernet)
    assert [row.architecture for row in rows] == [str(a) for a in [*THREE, THREE[0]]] and len(asked) == 3
    content = out.read_bytes()
    assert quiet(sample_architectures(5), out, supernet)[:3] == rows[:3]
    assert len(asked) == 5 and out.read_bytes().startswith(content)


@pytest.mark.parametrize("lost", [1, 5, 40, 150])
def test_a_torn_last_line_is_measured_again(asked: list[Job], supernet: Path, tmp_path: Path, lost: int) -> None:
    out = tmp_path / "rows.csv"
    rows = quiet(THREE, out, supernet)
    content = out.read_bytes()
    os.truncate(out, len(content) - lost)
    assert ROWS.read(out) == rows[:2]
    assert quiet(THREE, out, supernet) == rows and out.read_bytes() == content and len(asked) == 4


def corrupt(change: Callable[[str], str]) -> str:
    return change(ROWS.write([fake(Job(a, None, "0123", EXAM)) for a in THREE]))


BAD = {
    "other table": ("architecture,acc\nx,1\n", "header 'architecture,acc'; expected architecture,network"),
    "missing cell": (corrupt(lambda t: t.replace(",A,", ",", 1)), "row 2: .* expected architecture,network"),
    "no number": (corrupt(lambda t: t.replace(",6,0,", ",6,many,", 1)), "row 2: .*'many'"),
    "other space": (corrupt(lambda t: t.replace("k3", "k9", 1)), "row [234]: .*k9"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_of_other_rows_is_refused_and_left_alone(
    asked: list[Job], supernet: Path, tmp_path: Path, case: str
) -> None:
    content, message = BAD[case]
    (out := tmp_path / "rows.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        quiet(THREE, out, supernet)
    assert out.read_text() == content and asked == []


def test_weights_that_change_meanwhile_are_noticed(supernet: Path) -> None:
    with pytest.raises(ValueError, match=r"weights are .* 0123"):
        Job(THREE[0], supernet, "0123", EXAM).run()


def test_another_space_is_refused(supernet: Path, toy: ab.SequenceSpace, tmp_path: Path) -> None:
    with pytest.raises(ab.SpaceError, match="toy"):
        quiet([next(iter(toy))], tmp_path / "rows.csv", supernet)
    assert not (tmp_path / "rows.csv").exists()


@pytest.mark.slow
def test_processes_measure_what_one_process_measures(supernet: Path, tmp_path: Path) -> None:
    alone = quiet(THREE, tmp_path / "alone.csv", supernet)
    together = quiet(THREE, tmp_path / "together.csv", supernet, workers=2)
    assert [replace(row, seconds=0) for row in together] == [replace(row, seconds=0) for row in alone]


RUN = """
import sys
from pathlib import Path
from autobuild_book.chapters.panoptic.task.measuring import Exam, measure, sample_architectures
measure(sample_architectures(60), Path(sys.argv[1]), folder=Path(sys.argv[2]), exam=Exam("A", 6))
"""


@pytest.mark.slow
def test_a_killed_run_continues_where_it_was(supernet: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    running = subprocess.Popen([sys.executable, "-c", RUN, str(out), str(supernet)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (out.is_file() and out.read_bytes().count(b"\n") > 2) and time.monotonic() < until:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    before = ROWS.read(out)
    assert 2 <= len(before) < 60
    rows = quiet(sample_architectures(len(before) + 2), out, supernet)
    assert ROWS.read(out) == rows and rows[: len(before)] == before
    fresh = quiet(sample_architectures(len(before) + 2), tmp_path / "fresh.csv", supernet)
    assert [replace(row, seconds=0) for row in rows] == [replace(row, seconds=0) for row in fresh]


# -------------------------------------------------------------------- the sample


def test_samples_are_fixed_different_and_nested() -> None:
    sample = sample_architectures(600)
    assert len(set(sample)) == 600 and sample[:3] == THREE == sample_architectures(3)
    for wrong in (0, 2001):
        with pytest.raises(ValueError, match="allowed are 1 to 2,000"):
            sample_architectures(wrong)


def test_half_of_a_sample_fills_the_range_of_costs() -> None:
    macs = costs(sample_architectures(600))["macs"].to_numpy()
    bounds = costs([smallest(), largest()])["macs"].to_numpy()
    tenths = np.histogram(macs[1::2], bins=np.linspace(*bounds, 11))[0]
    assert tenths.min() > 15 and tenths.max() < 45  # of 300
    uniform = np.histogram(macs[::2], bins=np.linspace(*bounds, 11))[0]
    assert uniform[-3:].sum() == 0 and uniform.max() > 80


# -------------------------------------------------------------------- table


def written(tmp_path: Path, supernet: Path, size: int = 4, **change: Any) -> Path:
    """A file of made-up rows, the last one changed."""
    rows = [fake(Job(a, supernet, load(supernet).id, EXAM)) for a in sample_architectures(size)]
    (path := tmp_path / "rows.csv").write_text(ROWS.write([*rows[:-1], replace(rows[-1], **change)]))
    return path


def test_the_table_can_be_loaded_with_its_space_and_its_supernet(
    supernet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, made = written(tmp_path, supernet), tmp_path / "made"
    entry = table.write_table(rows, supernet, made)
    monkeypatch.setattr(files, "FILES", made)
    monkeypatch.setattr(files, "manifest", lambda: {"panoptic": files.Bundled(name="panoptic", **entry)})
    found = data.load("panoptic")
    assert found.space == backbone_space() and found.kind == "measured here" and len(found) == 4
    assert list(found.architectures) == sample_architectures(4) and list(found.labels) == list(table.UNITS)
    assert [asdict(row)["pq_stuff"] for row in ROWS.read(rows)] == found.labels["pq_stuff"].tolist()
    monkeypatch.setattr("autobuild_book.chapters.panoptic.task.weights.FILES", made)
    (row,) = measure([smallest()], tmp_path / "new.csv", exam=EXAM, progress=False)  # with the bundled supernet
    assert row.network == load(supernet).id and str(row.network) in entry["source"]


WRONG = {
    "several values of images: A, B": {"images": "B"},
    "several values of count: 6, 7": {"count": 7},
    "several values of calibration: 0, 1": {"calibration": 1},
    "several values of network": {"network": "0123"},
}


@pytest.mark.parametrize("message", WRONG)
def test_rows_that_are_not_alike_make_no_table(supernet: Path, tmp_path: Path, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table.write_table(written(tmp_path, supernet, **WRONG[message]), supernet, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_rows_of_another_network_make_no_table(supernet: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="weights 0123, those in"):
        table.write_table(written(tmp_path, supernet, 1, network="0123"), supernet, tmp_path / "made")
    (tmp_path / "rows.csv").write_text(ROWS.write([]))
    with pytest.raises(ValueError, match="no rows; `autobuild task panoptic measure`"):
        table.write_table(tmp_path / "rows.csv", supernet, tmp_path / "made")


@pytest.mark.skipif("panoptic" not in data.manifest(), reason="the table is not measured yet")
def test_the_committed_table_is_what_the_bundled_supernet_gives(tmp_path: Path) -> None:
    committed = data.load("panoptic")
    assert list(committed.architectures) == sample_architectures(len(committed))
    macs = costs(committed.architectures)
    assert committed.labels[["macs", "parameters"]].astype(int).equals(macs)
    cheap = int(macs["macs"].argmin())
    (row,) = measure([committed.architectures[cheap]], tmp_path / "rows.csv", progress=False)
    label = committed.labels.iloc[cheap]
    assert row.pq == pytest.approx(label["pq"], abs=0.005)  # vector units differ between machines
    assert len((files.FILES / "panoptic_supernet.safetensors").read_bytes()) < 1 << 20


# -------------------------------------------------------------------- commands


def run(*arguments: object) -> None:
    parser = argparse.ArgumentParser()
    commands.add_panoptic(parser)
    given = parser.parse_args([str(argument) for argument in arguments])
    given.run(given)


def test_train_measure_and_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(commands, "Recipe", lambda steps=1: replace(SHORT, steps=steps))
    supernet, rows = tmp_path / "supernet", tmp_path / "rows.csv"
    run("train", "--steps", 2, "--seed", 3, "--out", supernet)
    assert load(supernet).seed == 3 and load(supernet).recipe == replace(SHORT, steps=2)
    run("measure", "--sample", 2, "--supernet", supernet, "--count", 4, "--out", rows)
    (tmp_path / "mine.txt").write_text(f"# mine\n{largest()}\n")
    run("measure", "--architectures", tmp_path / "mine.txt", "--supernet", supernet, "--count", 4, "--out", rows)
    assert [row.architecture for row in ROWS.read(rows)] == [str(a) for a in [*THREE[:2], largest()]]
    made = tmp_path / "made"
    made.mkdir()
    (made / "manifest.json").write_text(json.dumps({"other": {"rows": 1}}))
    run("table", "--rows", rows, "--supernet", supernet, "--folder", made)
    manifest = json.loads((made / "manifest.json").read_text())
    assert list(manifest) == ["other", "panoptic"] and manifest["panoptic"]["rows"] == 3
    out = capsys.readouterr().out
    assert f"network {load(supernet).id} is in {supernet}" in out and f"1 rows are in {rows}" in out
    assert "panoptic.csv (3 architectures)" in out


def test_train_one_architecture_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "Recipe", lambda steps=1: replace(SHORT, steps=steps))
    run("train", "--steps", 1, "--architecture", smallest(), "--out", tmp_path)
    assert load(tmp_path).architecture == smallest()


def test_the_default_is_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def stand_in(out: Path, **options: Any) -> Any:
        calls.append((out, options))
        return load(tmp_path / "none")

    monkeypatch.setattr(commands, "train", stand_in)
    with pytest.raises(FileNotFoundError, match="no such file"):
        run("train", "--out", tmp_path / "new")
    assert calls == [(tmp_path / "new", {"seed": 0, "architecture": None, "recipe": Recipe()})]


@pytest.mark.parametrize(
    "wrong",
    ["train", "train --steps 0 --out o", "train --seed -1 --out o", "measure --sample 1", "measure --out o", "",
     "measure --sample 0 --out o", "measure --sample 1 --images train --out o", "measure --sample 1 --count 1 --out o",
     "measure --sample 1 --architectures a --out o", "table --rows r", "table --supernet s", "search",
     "choose --out o", "choose --searched s", "compare --out o", "compare --architectures a", "rows --rows r"],
)  # fmt: skip
def test_wrong_usage(wrong: str) -> None:
    with pytest.raises(SystemExit) as stop:
        run(*wrong.split())
    assert stop.value.code == 2


def test_wrong_architectures_are_named_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_run", None)
    with pytest.raises(ab.SpaceError, match="has 1 parts"):
        run("train", "--architecture", "e3_k3", "--out", tmp_path / "new")
    (tmp_path / "mine.txt").write_text(f"{smallest()}\ne9_k9\n")
    with pytest.raises(ValueError, match=r"mine\.txt, line 2"):
        run("measure", "--architectures", tmp_path / "mine.txt", "--out", tmp_path / "rows.csv")
    assert not (tmp_path / "new").exists()

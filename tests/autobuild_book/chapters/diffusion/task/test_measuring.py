"""Measuring many U-Nets: one row per training, resumed after a kill, the same rows whoever works."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import autobuild_lib as ab
from autobuild_book.chapters.diffusion.task.measuring import (
    COLUMNS,
    Job,
    Measurement,
    measure,
    read_architectures,
    read_rows,
    rows_to_csv,
    sample_architectures,
)
from autobuild_book.chapters.diffusion.task.space import costs
from autobuild_book.chapters.diffusion.task.training import Recipe
from autobuild_book.measured.tasks import machine
from tests.helpers.recorded import record

SHORT = Recipe(steps=2, batch_size=4, masks_per_image=1, euler_steps=1)
THREE = sample_architectures(3)
Rows = list[Measurement]


def fake(job: Job) -> Measurement:
    macs = int(costs([job.architecture])["macs"].iloc[0])
    return Measurement(*job.key, job.seed + macs / 3, 0.1 + 0.2, 1 / 3, macs, 7, 1.5, "a machine, with a comma")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Replace training by made-up numbers; the list of jobs that were run."""
    return record(monkeypatch, Job, fake)


def quiet(*arguments: object, **options: object) -> Rows:
    return measure(*arguments, progress=False, **options)  # type: ignore[arg-type]


# -------------------------------------------------------------------- rows


def test_a_row_of_a_real_training(tmp_path: Path) -> None:
    out = tmp_path / "new" / "rows.csv"
    (row,) = quiet(THREE[:1], [3], out, recipe=SHORT)
    assert row.key == (str(THREE[0]), 3, "labels", SHORT.id) and row.machine == machine()
    assert costs(THREE[:1]).iloc[0].tolist() == [row.macs, row.parameters] and 0 < row.seconds < 60
    assert read_rows(out) == [row]
    again = Job(THREE[0], 3, "labels", SHORT).run()
    assert replace(again, seconds=row.seconds) == row
    (final,) = quiet(THREE[:1], [3], out, recipe=SHORT, half="final")
    assert final.flow_loss != row.flow_loss and read_rows(out) == [row, final]


def test_rows_come_in_the_order_asked_for_and_once(asked: list[Job], tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    rows = quiet([*THREE, THREE[0]], [1, 0], out)
    assert [(r.architecture, r.seed) for r in rows] == [(str(a), s) for a in [*THREE, THREE[0]] for s in (1, 0)]
    assert len(asked) == 6 == len(read_rows(out)) and rows[:2] == rows[-2:]


def test_numbers_survive_the_file_exactly(asked: list[Job], tmp_path: Path) -> None:
    rows = quiet(THREE, [0], tmp_path / "rows.csv")
    assert read_rows(tmp_path / "rows.csv") == rows == [fake(job) for job in asked]
    assert (tmp_path / "rows.csv").read_text() == rows_to_csv(rows)


def test_what_is_measured_is_not_measured_again(asked: list[Job], tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    before = quiet(THREE[:2], [0], out)
    content = out.read_bytes()
    after = quiet(THREE, [0, 1], out)
    assert [(str(j.architecture), j.seed) for j in asked[2:]] == [
        (r.architecture, r.seed) for r in after if r not in before
    ]
    assert out.read_bytes().startswith(content) and len(asked) == 6
    quiet(THREE[:1], [0], out, recipe=Recipe(steps=9))
    quiet(THREE[:1], [0], out, half="final")
    assert len(asked) == 8 and len(read_rows(out)) == 8


def test_an_interrupted_call_keeps_finished_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(job: Job) -> Measurement:
        if job.architecture == THREE[1] and job.seed == 1:
            raise KeyboardInterrupt
        return fake(job)

    out = tmp_path / "rows.csv"
    with monkeypatch.context() as patch:
        patch.setattr(Job, "run", stops)
        with pytest.raises(KeyboardInterrupt):
            quiet(THREE, [0, 1], out)
    assert [(r.architecture, r.seed) for r in read_rows(out)] == [
        (str(THREE[0]), 0),
        (str(THREE[0]), 1),
        (str(THREE[1]), 0),
    ]
    monkeypatch.setattr(Job, "run", fake)
    assert quiet(THREE, [0, 1], out) == read_rows(out)


@pytest.mark.parametrize("lost", [1, 5, 40, 150])
def test_a_torn_last_line_is_measured_again(asked: list[Job], tmp_path: Path, lost: int) -> None:
    out = tmp_path / "rows.csv"
    rows = quiet(THREE, [0], out)
    content = out.read_bytes()
    os.truncate(out, len(content) - lost)
    assert read_rows(out) == rows[:2]
    assert quiet(THREE, [0], out) == rows and out.read_bytes() == content and len(asked) == 4


@pytest.mark.parametrize("left", [0, 3, len(",".join(COLUMNS))])
def test_a_torn_header_is_written_again(asked: list[Job], tmp_path: Path, left: int) -> None:
    out = tmp_path / "rows.csv"
    out.write_text(",".join(COLUMNS)[:left])
    assert read_rows(out) == []
    assert quiet(THREE, [0], out) == read_rows(out) and len(asked) == 3


def corrupt(change: Callable[[str], str]) -> str:
    text = rows_to_csv([fake(Job(THREE[0], 0)), fake(Job(THREE[1], 0))])
    return change(text)


BAD = {
    "other file": ("a note without an end", "header 'a note without an end'; expected architecture,seed"),
    "other table": ("architecture,acc\nx,1\n", "header 'architecture,acc'; expected architecture,seed"),
    "missing cell": (corrupt(lambda t: t.replace(",labels,", ",", 1)), "row 2: .* expected architecture,seed"),
    "no number": (corrupt(lambda t: t.replace(",7,", ",many,", 1)), "row 2: .*'many'"),
    "other space": (corrupt(lambda t: t.replace("residual", "dense", 1)), "row 2: .*'dense' is not allowed"),
    "open quote": (corrupt(lambda t: t[:-1] + '"\n'), "not a CSV"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_of_other_rows_is_refused_and_left_alone(asked: list[Job], tmp_path: Path, case: str) -> None:
    content, message = BAD[case]
    out = tmp_path / "rows.csv"
    out.write_text(content)
    with pytest.raises(ValueError, match=message) as caught:
        quiet(THREE, [0], out)
    assert str(out) in str(caught.value) and out.read_text() == content and asked == []


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"\xff\xfe\x00\n")
    with pytest.raises(ValueError, match=r"rows\.csv: not a CSV in UTF-8"):
        read_rows(tmp_path / "rows.csv")


def test_wrong_requests_write_nothing(asked: list[Job], toy: ab.SequenceSpace, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    with pytest.raises(ValueError, match="half='test'; choose from labels, final"):
        quiet(THREE, [0], out, half="test")
    with pytest.raises(ab.SpaceError, match="toy"):
        quiet([next(iter(toy))], [0], out)
    assert asked == [] and not out.exists()


# -------------------------------------------------------------------- processes


@pytest.mark.slow
def test_processes_measure_what_one_process_measures(tmp_path: Path) -> None:
    alone = quiet(THREE, [0], tmp_path / "alone.csv", recipe=SHORT)
    together = quiet(THREE, [0], tmp_path / "together.csv", recipe=SHORT, workers=2)
    assert [replace(row, seconds=0) for row in together] == [replace(row, seconds=0) for row in alone]
    assert sorted(map(str, read_rows(tmp_path / "together.csv"))) == sorted(map(str, together))


RUN = """
import sys
from pathlib import Path
from autobuild_book.chapters.diffusion.task.measuring import measure, sample_architectures
from autobuild_book.chapters.diffusion.task.training import Recipe
from autobuild_book.measured.tasks import machine
recipe = Recipe(steps=2, batch_size=4, masks_per_image=1, euler_steps=1)
measure(sample_architectures(3), range(40), Path(sys.argv[1]), recipe=recipe)
"""


@pytest.mark.slow
def test_a_killed_run_continues_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    running = subprocess.Popen([sys.executable, "-c", RUN, str(out)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (out.is_file() and out.read_bytes().count(b"\n") > 2) and time.monotonic() < until:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    before = read_rows(out)
    assert 2 <= len(before) < 120
    rows = quiet(THREE[:1], range(len(before) + 2), out, recipe=SHORT)
    fresh = quiet(THREE[:1], range(len(before) + 2), tmp_path / "fresh.csv", recipe=SHORT)
    assert read_rows(out)[: len(before)] == before and rows[: len(before)] == before
    assert [replace(row, seconds=0) for row in rows] == [replace(row, seconds=0) for row in fresh]


def test_a_training_that_diverges_ends_the_call(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seed 0: the training diverged"):
        quiet(THREE[:1], [0], tmp_path / "rows.csv", recipe=replace(SHORT, learning_rate=1e30, warm_up=1))
    assert not (tmp_path / "rows.csv").exists()


# -------------------------------------------------------------------- architectures


def test_samples_are_fixed_different_and_nested() -> None:
    sample = sample_architectures(68)
    assert len(set(sample)) == 68 and sample[:3] == THREE == sample_architectures(68)[:3]
    assert len(sample_architectures(1)) == 1


def test_architectures_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(f"# mine\n{THREE[1]}\n\n  {THREE[0]}  \n", encoding="utf-8-sig")
    assert read_architectures(path) == [THREE[1], THREE[0]]
    path.write_text(f"{THREE[1]}\n{str(THREE[0]).replace('width', 'depth')}\n")
    with pytest.raises(ValueError, match=r"mine\.txt, line 2: .*'depth"):
        read_architectures(path)
    path.write_text("# nothing\n")
    with pytest.raises(ValueError, match=r"there is no architecture; .* width"):
        read_architectures(path)

"""Jobs: a key names everything a result depends on; finished ones are taken from their folder, whole or not at all."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.shared import fits
from autobuild_book.chapters.shared.fits import FitJob, fit_jobs
from autobuild_book.hops import enough_hops
from autobuild_lib import training
from autobuild_lib.predictor import Predictor
from autobuild_lib.targets import Target
from tests.helpers.kill_points import killed_at_each_point

SMALL = (("epochs", 1), ("hops", 2), ("width", 8))


@pytest.fixture
def job(toy_table: ab.data.Table) -> FitJob:
    return FitJob(toy_table.take(range(60)), ("additive", "other"), overrides=SMALL)


def refuse_to_train(*_: Any, **__: Any) -> Any:
    raise AssertionError("this job was to be taken from its folder")


def assert_same(ours: list[Predictor], theirs: list[Predictor], table: ab.data.Table) -> None:
    assert [p.target for p in ours] == [p.target for p in theirs]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.predict(table.architectures), b.predict(table.architectures))


# -------------------------------------------------------------------- keys


def changed(job: FitJob) -> dict[str, FitJob]:
    labels = job.table.labels.copy()
    labels.loc[7, "other"] += 1e-9
    first = job.table.space.units[0]
    other_space = ab.SequenceSpace(
        "toy", [first, *job.table.space.units[1:]], dict(job.table.space.layer_features), embedding_widths={"op": 2}
    )
    return {
        "a label, a little": replace(job, table=replace(job.table, labels=labels)),
        "one row less": replace(job, table=job.table.take(range(59))),
        "the order of the rows": replace(job, table=job.table.take([1, 0, *range(2, 60)])),
        "the target": replace(job, targets=("additive", "additive + other")),
        "the order of the targets": replace(job, targets=("other", "additive")),
        "the seed": replace(job, seed=1),
        "the preset": replace(job, preset="tuned"),
        "an override of the training": replace(job, overrides=(*SMALL, ("rank_weight", 0.5))),
        "an override of the network": replace(job, overrides=(*SMALL, ("pooling", "sum"))),
        "an architecture": replace(job, table=replace(job.table, architectures=job.table.architectures[::-1])),
        "the space": replace(job, table=replace(job.table, space=other_space)),
    }


def test_key_changes_with_everything_the_result_depends_on(job: FitJob) -> None:
    keys = {name: other.key for name, other in changed(job).items()}
    assert len({job.key, *keys.values()}) == len(keys) + 1, keys


def test_key_changes_with_the_code_that_trains(job: FitJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = job.key
    copied = tmp_path / "training.py"
    copied.write_text(Path(str(fits.CODE[-1].__file__)).read_text() + "# changed\n")
    monkeypatch.setattr(fits.CODE[-1], "__file__", str(copied))
    assert job.key != before


def test_key_ignores_what_the_result_does_not_depend_on(job: FitJob) -> None:
    unused = job.table.labels.assign(unused=1.0)
    same = {
        "the order of the overrides": replace(job, overrides=SMALL[::-1]),
        "a default given": replace(job, overrides=(*SMALL, ("batch_size", 128))),
        "a label that is no target": replace(job, table=replace(job.table, labels=unused)),
        "where the table came from": replace(job, table=replace(job.table, source="elsewhere", kind="measured here")),
    }
    assert {name: other.key for name, other in same.items()} == dict.fromkeys(same, job.key)


def test_unknown_preset_and_options_are_refused_with_the_known(job: FitJob) -> None:
    with pytest.raises(ValueError, match="choose from paper, tuned"):
        _ = replace(job, preset="fast").key
    with pytest.raises(ValueError, match=r"unknown options \['epoch'\]; choose from .*'epochs'"):
        replace(job, overrides=(("epoch", 3),)).run()


# -------------------------------------------------------------------- folders


def test_hops_are_an_option_where_units_are_deep(toy: ab.SequenceSpace) -> None:
    cell = ab.SequenceSpace("cell", [ab.Unit(6, 6)], {"op": ["a", "b"]})
    assert fits.hop_options(toy) == {} and fits.hop_options(toy, cell) == {"hops": 5}


def test_a_finished_job_is_loaded_not_trained(job: FitJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = job.run(tmp_path)
    assert sorted(p.name for p in (tmp_path / job.key).iterdir()) == sorted(Target(t).id for t in job.targets)
    monkeypatch.setattr(fits, "fit_many", refuse_to_train)
    assert_same(job.run(tmp_path), trained, job.table)
    with pytest.raises(AssertionError, match="was to be taken"):
        replace(job, seed=1).run(tmp_path)


def test_without_a_folder_nothing_is_written(job: FitJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(job.run()) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, OSError])
def test_a_job_stopped_while_saving_leaves_nothing_and_can_run_again(
    job: FitJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_by: type[BaseException]
) -> None:
    save, saved = Predictor.save, []

    def stops(self: Predictor, folder: Path) -> None:
        if saved:
            raise stopped_by("no space left")
        saved.append(folder)
        save(self, folder)

    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "save", stops)
        with pytest.raises(stopped_by):
            job.run(tmp_path)
    assert saved and list(tmp_path.iterdir()) == []
    assert len(job.run(tmp_path)) == 2
    assert [p.name for p in tmp_path.iterdir()] == [job.key]


def test_a_killed_job_leaves_no_folder_under_its_final_name(job: FitJob, tmp_path: Path) -> None:
    """Killed before any file operation: all predictors or none, and the next save removes what was left."""
    trained, place = job.run(), tmp_path / "fits" / job.key
    other = place.with_name("0123456789abcdef")
    left = set()
    for number in killed_at_each_point(lambda: fits._save(trained, place)):
        assert not place.exists() or len(job.run(place.parent)) == 2, number
        left |= {path.name.split(".")[-1][:7] for path in place.parent.iterdir()} if place.parent.exists() else set()
        fits._save(trained, other)
        assert {path.name for path in place.parent.iterdir()} <= {place.name, other.name}, number
        shutil.rmtree(place.parent)
    assert "partial" in left


def test_of_two_racing_saves_the_first_stays_whole(job: FitJob, tmp_path: Path) -> None:
    place = tmp_path / job.key
    first, second = job.run(), replace(job, seed=1).run()
    fits._save(first, place)
    fits._save(second, place)
    assert_same([ab.load(place / Target(t).id) for t in job.targets], first, job.table)
    assert list(tmp_path.iterdir()) == [place]


def test_a_place_that_cannot_be_written_is_an_error(job: FitJob, tmp_path: Path) -> None:
    (tmp_path / job.key).write_text("a file where the folder belongs")
    with pytest.raises(OSError, match=job.key):
        job.run(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [job.key]


def test_a_damaged_folder_is_named(job: FitJob, tmp_path: Path) -> None:
    job.run(tmp_path)
    (weights,) = (tmp_path / job.key / Target("other").id).glob("weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ValueError, match=str(weights)):
        job.run(tmp_path)
    shutil.rmtree(tmp_path / job.key)
    assert len(job.run(tmp_path)) == 2


def test_the_number_of_threads_is_put_back(job: FitJob, monkeypatch: pytest.MonkeyPatch) -> None:
    during: list[int] = []

    def fails(*_: Any, **__: Any) -> Any:
        during.append(torch.get_num_threads())
        raise ValueError("diverged")

    monkeypatch.setattr(training, "train_network", fails)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ValueError, match="diverged"):
            job.run()
        assert during == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


# -------------------------------------------------------------------- processes


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_processes_give_what_this_process_gives_in_order_and_keep_it(
    job: FitJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    several = [replace(job, seed=s) for s in (3, 1, 2)]
    made = fit_jobs(several, tmp_path, workers, progress=False)
    for one, predictors in zip(several, made, strict=True):
        assert_same(predictors, one.run(), job.table)
    assert {p.name for p in tmp_path.iterdir()} == {one.key for one in several}
    monkeypatch.setattr(fits, "fit_many", refuse_to_train)
    assert_same(several[0].run(tmp_path), made[0], job.table)


@pytest.mark.slow
def test_a_failing_job_reports_its_own_error_and_stops_the_others(job: FitJob, tmp_path: Path) -> None:
    waiting = [replace(job, seed=seed, overrides=(("epochs", 30),)) for seed in range(8)]
    with pytest.raises(ValueError, match=r"no label 'speed'; .*: additive, other"):
        fit_jobs([replace(job, targets=("speed",)), *waiting], tmp_path, workers=1, progress=False)
    assert len(list(tmp_path.iterdir())) < len(waiting)


def test_no_jobs_no_predictors(tmp_path: Path) -> None:
    assert fit_jobs([], tmp_path, progress=False) == []


# -------------------------------------------------------------------- op-level graphs


@pytest.fixture(scope="module")
def ir_job() -> FitJob:
    table = ab.data.ir_table([ab.data.load("ofa_pn").take(range(12))], progress=False)
    return FitJob(table, ("acc", "latency_cpu"), overrides=SMALL)


def test_key_of_an_ir_job_changes_with_what_its_result_depends_on(ir_job: FitJob) -> None:
    graph = ir_job.table.graphs[3]
    shapes = graph.shapes.copy()
    shapes[5, 0] += 1e-3
    others = [replace(graph, shapes=shapes), replace(graph, edges=graph.edges[:, 1:])]
    graphs = [(*ir_job.table.graphs[:3], other, *ir_job.table.graphs[4:]) for other in others]
    changed = [replace(ir_job, table=replace(ir_job.table, graphs=own)) for own in graphs]
    changed += [replace(ir_job, table=ir_job.table.take(range(11))), replace(ir_job, seed=1)]
    changed += [replace(ir_job, targets=("acc",)), replace(ir_job, preset="tuned")]
    assert len({ir_job.key, *(one.key for one in changed)}) == len(changed) + 1
    renamed = replace(ir_job.table, names=ir_job.table.names[::-1], source="elsewhere")
    assert replace(ir_job, table=renamed).key == ir_job.key


def test_ir_jobs_are_trained_once(ir_job: FitJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (made,) = fit_jobs([ir_job], tmp_path, 1, progress=False)
    monkeypatch.setattr(fits, "fit_ir_many", refuse_to_train)
    again = ir_job.run(tmp_path)
    assert [one.target for one in made] == [one.target for one in again] == ["acc", "latency_cpu"]
    for a, b in zip(made, again, strict=True):
        np.testing.assert_array_equal(a.predict(ir_job.table.graphs), b.predict(ir_job.table.graphs))
    with pytest.raises(AssertionError, match="was to be taken"):
        replace(ir_job, seed=1).run(tmp_path)


def test_hops_that_the_norm_score_of_the_deepest_unit_needs(toy: ab.SequenceSpace) -> None:
    cell = ab.SequenceSpace("cell", [ab.Unit(6, 6)], {"op": ["a", "b"]})
    tail = ab.SequenceSpace("tail", [ab.Unit(1, 5), ab.Unit(1, 3, score_with_previous=True)], {"op": ["a", "b"]})
    assert [enough_hops(toy), enough_hops(cell), enough_hops(tail), enough_hops(cell, tail)] == [4, 5, 7, 7]

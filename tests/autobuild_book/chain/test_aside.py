"""A finished run is there until the one that replaces it is finished, and there again where that one does not end."""

import os
from pathlib import Path

import pytest

from autobuild_book.chain import aside
from autobuild_book.chain.plans import Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A finished run."""
    job = Job(tmp_path / "run", "00_tiny")
    (job.metrics.parent / "cache").mkdir(parents=True)
    for path, text in contents(job).items():
        path.write_text(text)
        os.utime(path, (1000, 1000))
    return job


def contents(job: Job) -> dict[Path, str]:
    return {job.executed: "ran", job.metrics: "numbers", job.metrics.with_name("table.csv"): "rows"}


def begin(job: Job) -> None:
    """Do what a run does before it is finished."""
    aside.keep(job)
    for path in (job.executed, job.metrics):
        path.unlink()
    job.metrics.with_name("table.csv").write_text("new")
    job.metrics.with_name("new.csv").write_text("new")


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_run_that_is_not_replaced_is_there_again(job: Job) -> None:
    before = files(job.folder)
    begin(job)
    assert not any(path.endswith(("metrics.json", ".csv", ".ipynb")) for path in files(job.aside))
    aside.settle(job)
    assert files(job.folder) == before and not job.aside.parent.exists()
    for path, text in contents(job).items():
        assert path.read_text() == text and path.stat().st_mtime == 1000


def test_a_run_that_is_replaced_goes(job: Job) -> None:
    begin(job)
    for path in (job.executed, job.metrics):
        path.write_text("new")
    aside.settle(job)
    assert {path.read_text() for path in job.metrics.parent.glob("*.*")} == {"new"} and not job.aside.parent.exists()


def test_what_a_kill_left_is_put_back_once(job: Job) -> None:
    begin(job)
    job.executed.write_text("ran")  # as far as it came
    (job.aside / f"{job.executed.name}{aside.KEPT}").unlink()
    aside.settle(job)
    aside.settle(job)
    assert all(path.read_text() == text for path, text in contents(job).items())


def test_what_is_not_finished_is_not_kept_and_a_failure_stays(job: Job) -> None:
    job.metrics.unlink()
    aside.keep(job)
    assert not job.aside.exists()
    job.metrics.write_text("numbers")
    begin(job)
    job.log.write_text("failed")
    aside.settle(job)
    assert job.log.exists() and job.is_finished

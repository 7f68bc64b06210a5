"""An edit reruns what rests on it: one notebook for a chapter's code, all of them for what they share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autobuild_book import houses
from autobuild_book.chain import front, plans
from tests.helpers.sweep_notebook import copy_repository

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
SEVERAL = {"foundations": {"00_data", "00_method"}, "your_space": {"09_your_own_space", "10_your_own_evaluator"}}
CHAPTERS = sorted(path.parent.name for path in (ROOT / "autobuild_book" / "chapters").glob("*/__init__.py"))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_read_by_its_own_notebook(chapter: str) -> None:
    files = set((ROOT / "autobuild_book" / "chapters" / chapter).rglob("*.py"))
    readers = {path.stem for path in NOTEBOOKS if files & set(houses.sources(path.read_text(encoding="utf-8")))}
    if chapter == "shared":
        assert readers == {path.stem for path in NOTEBOOKS if not path.stem.startswith("00_")}
    else:
        assert readers == SEVERAL[chapter] if chapter in SEVERAL else len(readers) == 1


@pytest.mark.slow
def test_snakemake_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy_repository(tmp_path)
    for path in folder.rglob("*"):
        os.utime(path, (0, 0))
    monkeypatch.chdir(folder)
    plan = plans.only(plans.chain_plan("quick", {}), ["05_panoptic", "06_diffusion_unets"])
    (out,) = map(Path, plan)
    for job in plans.jobs(plan):
        job.metrics.parent.mkdir(parents=True)
        job.metrics.touch()
        job.executed.touch()
    assert front.would_run(plan, out) == {}
    names = ("chapters/panoptic/verdict.py", "chapters/shared/panels.py", "labs/answers.py")
    runs = []
    for name in names:
        path = folder / "autobuild_book" / name
        path.touch()
        runs.append({job.notebook: reason for job, reason in front.would_run(plan, out).items()})
        os.utime(path, (0, 0))
    assert [list(reasons) for reasons in runs] == [["05_panoptic"], ["05_panoptic", "06_diffusion_unets"], []]
    assert names[0] in runs[0]["05_panoptic"]


def test_the_command_lists_and_runs_nothing(tmp_path: Path) -> None:
    folder = copy_repository(tmp_path)
    code = "import sys; from autobuild_book.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "chain", "--profile", "quick", "--only", "05_panoptic", "--dry-run"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1", "05_panoptic"]
    assert not list(folder.glob("artifacts/quick/0*"))


def test_only_knows_the_notebooks() -> None:
    plan = {"out": {"a": {"x": 1}, "b": {}}}
    assert plans.only(plan, ["a", "a"]) == {"out": {"a": {"x": 1}}}
    with pytest.raises(ValueError, match="c in out"):
        plans.only(plan, ["c", "a"])

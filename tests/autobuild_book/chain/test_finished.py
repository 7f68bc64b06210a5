"""The decision about a sweep: what is finished, what is out of date and why, what runs, and how long it may take."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from autobuild_book import houses
from autobuild_book.chain import finished
from autobuild_book.chain.finished import FINISHED, OUT_OF_DATE, TO_RUN, Decision, Standing, decide, expected_seconds
from autobuild_book.chain.plans import Job
from autobuild_book.runs import origins
from autobuild_book.runs.sweeps import Sweep, plan_sweep, read_parameters
from autobuild_lib.data.files import manifest
from tests.helpers import small_chain

NAME = small_chain.NAMES[0]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(small_chain.make_chain(tmp_path))
    return tmp_path


def sweep(*settings: str) -> Sweep:
    return plan_sweep(NAME, settings or ["seed=1..3"], "quick", Path("runs"))


def finish(sweep: Sweep, name: str, seconds: float = 10.0, **changes: Any) -> Job:
    """Leave what a run leaves."""
    job, notebook = Job(sweep.out / name, sweep.notebook), Path("notebooks") / f"{NAME}.ipynb"
    usual = read_parameters(Path("notebooks"), NAME) | {"seed": 5}  # the profile's
    record = {"notebook": NAME, "parameters": {**usual, **sweep.runs[name], "out": str(job.folder)}, "data": []}
    record |= {"versions": {}, "seconds": seconds, "metrics": {"srcc": 0.5}}
    record |= {"sources": houses.digest(notebook.read_text()), "notebook_sha256": origins.file_sha256(notebook)}
    job.metrics.parent.mkdir(parents=True)
    job.metrics.write_text(json.dumps(record | changes))
    job.executed.write_text("{}")
    return job


def states(sweep: Sweep) -> list[str]:
    return [standing.state for standing in decide(sweep).standings.values()]


def why(sweep: Sweep) -> str:
    (standing,) = decide(sweep).standings.values()
    assert standing.state == OUT_OF_DATE
    return standing.why


# -------------------------------------------------------------------- what stands where


def test_a_run_is_finished_when_both_its_files_are_there(place: Path) -> None:
    runs = sweep()
    assert states(runs) == [TO_RUN] * 3
    job = finish(runs, list(runs.runs)[1])
    assert states(runs) == [TO_RUN, FINISHED, TO_RUN]
    job.executed.unlink()
    assert states(runs) == [TO_RUN] * 3


def test_what_a_run_that_failed_said(place: Path) -> None:
    runs = sweep("seed=1")
    job = Job(runs.out / next(iter(runs.runs)), NAME)
    job.log.parent.mkdir(parents=True)
    job.log.write_text("Traceback\nAssertionError: wrong\n")
    (standing,) = decide(runs).standings.values()
    assert standing.state == TO_RUN and standing.why.endswith("AssertionError: wrong")


def test_times_of_files_and_texts_of_the_notebook_do_not_count(place: Path) -> None:
    runs = sweep("seed=1")
    job = finish(runs, next(iter(runs.runs)))
    os.utime(job.metrics, (0, 0))
    notebook = place / "notebooks" / f"{NAME}.ipynb"
    content = json.loads(notebook.read_text())
    content["cells"].append({"cell_type": "markdown", "id": "x", "metadata": {}, "source": "A word."})
    notebook.write_text(json.dumps(content))
    assert states(runs) == [FINISHED]


def test_runs_of_earlier_versions_record_no_code_and_are_not_out_of_date(place: Path) -> None:
    runs = sweep("seed=1")
    finish(runs, next(iter(runs.runs)), sources=None, notebook_sha256=None)
    assert states(runs) == [FINISHED]


# -------------------------------------------------------------------- out of date, and why


def test_other_parameters_of_the_profile(place: Path) -> None:
    runs = sweep("seed=1")
    finish(runs, next(iter(runs.runs)))
    profile = place / "notebooks" / "profiles" / "quick.yml"
    profile.write_text(yaml.safe_dump({"common": {"seed": 5, "data": "ofa_pn", "space": ""}}))
    assert "data" in why(runs) and "'bundled'" in why(runs) and "'ofa_pn'" in why(runs)


def test_other_code_in_a_cell(place: Path) -> None:
    runs = sweep("seed=1")
    finish(runs, next(iter(runs.runs)))
    notebook = place / "notebooks" / f"{NAME}.ipynb"
    notebook.write_text(notebook.read_text().replace("import json, os, time", "import json, os, time  # why"))
    assert "notebook" in why(runs)


def test_other_sources_name_the_files_that_are_newer(place: Path) -> None:
    runs = sweep("seed=1")
    job = finish(runs, next(iter(runs.runs)), sources="0" * 64)
    lines = houses.sources("")
    oldest = min(path.stat().st_mtime_ns for path in lines)
    os.utime(job.metrics, ns=(oldest - 1, oldest - 1))
    assert f"{len(lines) - finished.MOST_FILES} more" in why(runs)
    newest = max(path.stat().st_mtime_ns for path in lines)
    os.utime(job.metrics, ns=(newest, newest))
    assert "more" not in why(runs) and "sources" in why(runs)


def test_other_rows_of_a_file_and_of_a_bundled_table(place: Path) -> None:
    (place / "mine.csv").write_text("architecture,acc\n")
    now = {name: {"source": name, "sha256": entry.sha256} for name, entry in manifest().items()}
    mine = {"source": "mine.csv", "sha256": finished._sha256("mine.csv")}
    runs = sweep("seed=1,2,3,4")
    tables = [[mine, now["ofa_pn"]], [mine | {"sha256": "0"}], [now["ofa_pn"] | {"sha256": "1"}], [{"source": "\0"}, 3]]
    for name, data in zip(runs.runs, tables, strict=True):
        finish(runs, name, data=data)
    assert states(runs) == [FINISHED, OUT_OF_DATE, OUT_OF_DATE, FINISHED]
    reasons = [standing.why for standing in decide(runs).standings.values()]
    assert "mine.csv" in reasons[1] and "ofa_pn" in reasons[2]


def test_a_space_of_the_users_own_that_is_newer(place: Path) -> None:
    (place / "my.json").write_text("{}")
    os.utime(place / "my.json", (0, 0))
    runs = sweep("space=my.json")
    finish(runs, next(iter(runs.runs)))
    assert states(runs) == [FINISHED]
    os.utime(place / "my.json", (2**33, 2**33))
    assert "my.json" in why(runs)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"metrics": {}}', "\udcff"])
def test_a_run_with_a_damaged_record_runs_again(place: Path, content: str) -> None:
    runs = sweep("seed=1")
    job = finish(runs, next(iter(runs.runs)))
    job.metrics.write_bytes(content.encode("utf-8", "surrogateescape"))
    ((standing),) = decide(runs).standings.values()
    assert standing.state == TO_RUN and "unreadable" in standing.why and "metrics.json" in standing.why
    assert decide(runs).todo == [job]


# -------------------------------------------------------------------- what runs

STANDINGS = st.lists(st.sampled_from([FINISHED, OUT_OF_DATE, TO_RUN]), max_size=8)


@given(STANDINGS, st.booleans())
def test_nothing_that_is_finished_runs_without_force(found: list[str], force: bool) -> None:
    jobs = [Job(Path(str(place)), NAME) for place in range(len(found))]
    plan = {str(job.folder): {NAME: {"seed": 1}} for job in jobs}
    decision = Decision(plan, dict(zip(jobs, map(Standing, found), strict=True)), force)
    assert sorted([*decision.todo, *decision.kept, *decision.jobs(FINISHED)]) == jobs
    assert set(decision.todo_plan) == {str(job.folder) for job in decision.todo}
    again = [job for job in decision.todo if decision.standings[job].state != TO_RUN]
    assert again == (decision.jobs(OUT_OF_DATE) if force else [])


def test_the_times_of_the_runs_that_are_most_alike(place: Path) -> None:
    runs = sweep("seed=1,2,3", "data=ofa_mbv3,ofa_pn", "space=ofa_mbv3,ofa_pn")
    jobs = {(run["seed"], run["data"], run["space"]): Job(runs.out / name, NAME) for name, run in runs.runs.items()}
    assert expected_seconds(runs, decide(runs)) == {}
    names = {(run["seed"], run["data"], run["space"]): name for name, run in runs.runs.items()}
    finish(runs, names[1, "ofa_mbv3", "ofa_mbv3"], 10.0)
    finish(runs, names[2, "ofa_mbv3", "ofa_mbv3"], 20.0)
    finish(runs, names[1, "ofa_pn", "ofa_pn"], 60.0, sources="0")
    expected = expected_seconds(runs, decide(runs))
    assert expected[jobs[3, "ofa_mbv3", "ofa_mbv3"]] == 15.0 and expected[jobs[3, "ofa_pn", "ofa_pn"]] == 60.0
    assert expected[jobs[3, "ofa_mbv3", "ofa_pn"]] == 30.0, "one place from all three"
    assert len(expected) == 12


# -------------------------------------------------------------------- chains


def chain(out: str, **settings: Any) -> dict[str, dict[str, dict[str, Any]]]:
    common = {"profile": "quick", "seed": 1, "data": "bundled", "space": "", "out": out}
    return {out: {NAME: {**common, "epochs": 3, **settings}}}


def recorded(place: Path, **changes: Any) -> Job:
    """A run in the folder `chain`, without its notebook, as papermill leaves it elsewhere."""
    job, parameters = Job(Path("chain"), NAME), chain("chain")["chain"][NAME]
    record = {"notebook": NAME, "parameters": parameters, "data": [], "versions": {}, "seconds": 1.0, "metrics": {}}
    job.metrics.parent.mkdir(parents=True, exist_ok=True)
    job.metrics.write_text(json.dumps(record | changes))
    return job


@pytest.mark.parametrize(
    ("settings", "other"),
    [({}, ""), ({"epochs": 5}, ""), ({"seed": 2}, "seed"), ({"data": "ofa_pn"}, "data"), ({"space": "x"}, "space")],
)
def test_a_chain_finds_another_run_by_what_the_user_gives(place: Path, settings: dict[str, Any], other: str) -> None:
    job = recorded(place, sources="0" * 64, notebook_sha256="0" * 64)
    ways = finished.other_runs(chain("chain", **settings))
    assert list(ways) == ([job] if other else []) and all(other in way for way in ways.get(job, []))
    assert not finished.other_runs(chain("elsewhere", **settings))


def test_a_chain_finds_other_rows_of_a_file_but_not_of_a_bundled_table(place: Path) -> None:
    (place / "mine.csv").write_text("architecture,acc\n")
    name = next(iter(manifest()))
    recorded(place, data=[{"source": name, "sha256": "0"}, {"source": "mine.csv", "sha256": "0"}])
    ((way,),) = finished.other_runs(chain("chain")).values()
    assert "mine.csv" in way


def test_what_is_no_record_of_a_run_is_no_other_run(place: Path) -> None:
    recorded(place).metrics.write_text("{")
    assert finished.other_runs(chain("chain", seed=2)) == {}

"""Notebooks in a batch: plans, progress; a chain that goes on, that is alone, and that leaves nothing behind."""

import ast
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from autobuild_book.chain import job, plans
from autobuild_book.chain.plans import Job, chain_plan, from_config, plain_name
from autobuild_book.chain.progress import Progress, cell, clock, usual_seconds
from tests.helpers import small_chain

ROOT = Path(__file__).resolve().parents[3]
ODD = """José {a}{0} "b" 'c' \\d $(touch hit) `touch hit`; touch hit #%,"""

# -------------------------------------------------------------------- plans


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_chain.make_chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def test_a_plan_has_the_parameters_of_the_profile_and_what_was_asked_for(inside: Path) -> None:
    (folder,) = plan = chain_plan("quick", {"seed": 7, "out": "mine"})
    assert folder == "mine" and list(plan[folder]) == list(small_chain.NAMES)
    assert plan[folder]["00_first"] == {"profile": "quick", "out": "mine", "seed": 7, "data": "bundled", "space": ""}


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        ({"space": None}, "space", ""),
        ({"seed": 0}, "seed", 0),
        ({"out": "./20261129"}, "out", "./20261129"),
        ({}, "seed", 5),
    ],
)
def test_what_snakemake_made_of_a_value_has_its_own_type(
    inside: Path, config: dict[str, Any], name: str, value: object
) -> None:
    (parameters,) = [each["00_first"] for each in from_config({"profile": "quick", **config}).values()]
    assert parameters[name] == value and type(parameters[name]) is type(value)


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"out": 20261129}, ["out=20261129", "int, not str", "./"]),
        ({"out": None}, ["out is empty"]),
        ({"out": "a\nb"}, [r"'a\nb'"]),
        ({"out": "a\udce9"}, [r"'a\udce9'"]),
        ({"data": True}, ["data=True", "bool, not str"]),
        ({"seed": 1.5}, ["seed=1.5", "float, not int"]),
        ({"seed": ["1", "2"]}, ["seed=['1', '2']", "list, not int"]),
        ({"sed": 1}, ["sed: ", "profile, out, seed, data, space"]),
        ({"profile": 3}, ["profile 3", "quick, standard"]),
        ({"profile": "../profiles/quick"}, ["profile '../profiles/quick'", "quick, standard"]),
    ],
)
def test_values_that_cannot_be_taken_are_one_line(inside: Path, config: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ValueError, match=".*".join(map(re.escape, parts))) as error:
        from_config({"profile": "quick", **config})
    assert "\n" not in str(error.value)


def test_outside_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'notebooks'}: ")):
        chain_plan("quick", {})


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_snakemake_gets_a_plain_name_of_any_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.getbasetemp() / "plain"
    root.mkdir(exist_ok=True)
    before = Path.cwd()
    os.chdir(root)
    try:
        plain = plain_name(name)
        assert re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9._ -]*(/[A-Za-z0-9._ -]+)*", plain)
        assert Path(plain).resolve() == Path(name).resolve() and plain_name(name) == plain
    finally:
        os.chdir(before)


def test_files_of_the_user_are_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine.csv", "my{own}.json"):
        Path(name).write_text(name)
    found = list(plans.data_files({"data": "mine.csv", "space": "my{own}.json"}))
    assert found[0] == "mine.csv" and Path(found[1]).read_text() == "my{own}.json" and "{" not in found[1]
    assert not list(plans.data_files({"data": "bundled", "space": ""}))


# -------------------------------------------------------------------- children


CHILD = (
    "from autobuild_book.chain.parents import end_with_parent; end_with_parent(); print(1, flush=True); import time\n"
)
PARENT = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', sys.argv[1]]).pid, flush=True); input()"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_parent(number: int) -> None:
    command = [sys.executable, "-c", PARENT, CHILD + "time.sleep(60)"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None and parent.stdin is not None
    child = int(parent.stdout.readline())
    assert parent.stdout.readline() == "1\n" and is_alive(child)
    parent.send_signal(number)
    parent.wait()
    wait_until(lambda: not is_alive(child), 20)
    parent.stdin.close()
    parent.stdout.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "\nState:\tZ" not in status.read_text()


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("given", "expected"), [(None, "1"), ("", "1"), ("2", "2")])
def test_kernels_have_the_threads_that_the_environment_asks_for(
    monkeypatch: pytest.MonkeyPatch, given: str | None, expected: str
) -> None:
    monkeypatch.delenv("AUTOBUILD_THREADS", raising=False)
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    if given is not None:
        monkeypatch.setenv("AUTOBUILD_THREADS", given)
    environment = job.environment()
    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == expected
    assert environment["ATEN_CPU_CAPABILITY"] == "default"


TRICKY = [
    "=",
    "<<",
    "010",
    "1e5",
    "2001-01-01",
    "1:30",
    "~",
    "null",
    "yes",
    "0x1f",
    "1_000",
    ".inf",
    "!x",
    "\x85",
    "a\nb",
]
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(TRICKY)
LEAVES = TEXTS | st.integers() | st.booleans() | FLOATS


@given(LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text("ab1=", max_size=5), LEAVES, max_size=3))
def test_a_parameter_reaches_the_notebook_as_it_is(value: object) -> None:
    """Through YAML, which papermill reads, and through the cell that it writes."""
    translators, iorw = pytest.importorskip("papermill.translators"), pytest.importorskip("papermill.iorw")
    read = yaml.load(job.to_yaml({"x": value}), iorw.NoDatesSafeLoader)["x"]  # noqa: S506
    assignment = ast.parse(f"x = {translators.PythonTranslator.translate(read)}").body[0]
    assert isinstance(assignment, ast.Assign)
    written = ast.literal_eval(assignment.value)
    assert written == value and type(written) is type(value)


# -------------------------------------------------------------------- progress


def save(running: Path, *states: str, duration: float | None = None) -> None:
    cells = [{"cell_type": "code", "metadata": {"papermill": {"status": state}}} for state in states]
    prose = {"cell_type": "markdown", "metadata": {"papermill": {"status": "completed"}}}
    running.parent.mkdir(parents=True, exist_ok=True)
    running.write_text(json.dumps({"cells": [prose, *cells], "metadata": {"papermill": {"duration": duration}}}))


def test_progress_follows_the_files_of_a_notebook(inside: Path, tmp_path: Path) -> None:
    good, bad = (Job(tmp_path, name) for name in small_chain.NAMES[:2])
    progress = Progress([good, bad], [good, bad], {good: 3.0, bad: 3.0}, 2, out := io.StringIO())
    progress.update()
    assert out.getvalue() == "" and progress.left() == 3.0, "two notebooks of 3 s, side by side"
    save(good.running, "completed", "running", "pending")
    good.lock.touch()
    progress.update()
    assert out.getvalue() == "00_first started\n"
    assert re.findall(r"\d[\w:]*", progress.line()) == ["0", "2", "0:03", "0:00", "00_first:", "2", "3"]
    good.running.replace(good.executed)
    good.lock.unlink()
    save(bad.running, "completed", "failed")
    bad.log.write_text("Traceback\n\x1b[31mValueError: no\x1b[0m\n\n")
    progress.close()
    _, second, third = out.getvalue().splitlines()
    assert second.startswith("00_first done after 0:0") and third == "03_subgraph_ranking failed: [31mValueError: no[0m"
    assert re.findall(r"[\d:]+", progress.line()) == ["1", "2", "1", "0:00", "0:00"] and "1 failed" in progress.line()


def test_what_is_left_follows_the_pace_of_this_machine(inside: Path, tmp_path: Path) -> None:
    jobs = [Job(tmp_path, name) for name in small_chain.NAMES]
    progress = Progress(jobs, jobs, usual_seconds(jobs, "quick"), 1, io.StringIO())
    progress.watched[0].state, progress.watched[0].seconds = "done", 30.0
    assert progress.left() == 60.0, "two notebooks of 3 s, where one of 3 s took 30"


def test_the_last_run_in_a_folder_says_how_long_a_notebook_takes(inside: Path, tmp_path: Path) -> None:
    jobs = [Job(tmp_path, name) for name in small_chain.NAMES]
    save(jobs[0].executed, "completed", duration=100.0)
    assert usual_seconds(jobs, "quick") == {jobs[0]: 100.0, jobs[1]: 3, jobs[2]: 3}
    assert Progress(jobs, jobs, usual_seconds(jobs, "quick"), 1, io.StringIO()).left() == 106.0
    assert Progress(jobs, jobs, usual_seconds(jobs, "standard"), 1, io.StringIO()).left() is None, "two are not known"
    assert Progress(jobs, [], {}, 1, io.StringIO()).left() == 0.0


def test_a_line_counts_what_is_planned_and_calls_jobs_by_their_names(inside: Path, tmp_path: Path) -> None:
    jobs = [Job(tmp_path / f"run {seed}", small_chain.NAMES[0]) for seed in range(12)]
    names = {job: f"seed {seed}, target acc" for seed, job in enumerate(jobs)}
    progress = Progress(jobs, jobs[10:], dict.fromkeys(jobs, 60.0), 1, out := io.StringIO(), names)
    assert progress.line().startswith("10 of 12 done") and "2:00" in progress.line()
    jobs[11].lock.parent.mkdir(parents=True)
    jobs[11].lock.touch()
    progress.update()
    assert names[jobs[11]] in progress.line() and names[jobs[11]] in out.getvalue()
    assert names[jobs[10]] not in progress.line()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": [{}]}', '{"cells": [{"cell_type": "code"}]}', "[1]"])
def test_a_notebook_that_is_just_being_written_is_no_error(tmp_path: Path, content: str) -> None:
    (running := tmp_path / "a.ipynb").write_text(content)
    assert cell(running) == cell(tmp_path / "missing.ipynb") == "starts"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3723, "1:02:03")])
def test_times_are_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_every_notebook_has_its_cores_and_usual_times() -> None:
    table = plans.read_table(ROOT / "notebooks")
    assert sorted(table) == sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    for entry in table.values():
        assert set(entry) == {"cores", "quick", "standard"} and all(type(value) is int for value in entry.values())


# -------------------------------------------------------------------- chains that run

CHAIN = ("chain", "--profile", "quick", "--cores", "2")
OUT = Path("artifacts") / "quick"


def chain_jobs(folder: Path, out: Path = OUT) -> list[Job]:
    return [Job(folder / out, name) for name in small_chain.NAMES]


@pytest.mark.slow
def test_a_notebook_that_fails_stops_no_other_and_runs_again(tmp_path: Path) -> None:
    folder = small_chain.make_chain(tmp_path)
    first, bad, last = chain_jobs(folder)
    (folder / f"fail-{bad.notebook}").touch()
    code, written = small_chain.run(folder, *CHAIN, AUTOBUILD_THREADS="2")
    assert code == 1 and "autobuild: 1 notebooks failed" in written, written
    assert re.search(f"{bad.notebook} failed: AssertionError: wrong number.* {OUT}/failed/", written)
    assert bad.running.exists() and bad.log.exists() and not bad.executed.exists() and not bad.metrics.exists()
    for good in (first, last):
        record = json.loads(good.metrics.read_text())
        assert good.executed.exists() and record["OMP_NUM_THREADS"] == "2" and record["parameters"]["seed"] == 5
    (folder / f"fail-{bad.notebook}").unlink()
    before = first.executed.stat().st_mtime_ns
    code, written = small_chain.run(folder, *CHAIN)
    assert code == 0 and "1 of 3 notebooks to run" in written, written
    assert bad.executed.exists() and bad.metrics.exists() and first.executed.stat().st_mtime_ns == before
    assert sorted(path.name for path in bad.folder.iterdir() if path.suffix != ".ipynb") == [
        *small_chain.NAMES, "chain.log", "plan.json"
    ]  # fmt: skip
    assert "nothing to do" in small_chain.run(folder, *CHAIN)[1]


@pytest.mark.slow
@pytest.mark.parametrize("out", [ODD, "-010"])
def test_any_name_of_a_folder_is_taken_literally(tmp_path: Path, out: str) -> None:
    folder = small_chain.make_chain(tmp_path)
    first, bad, _ = chain_jobs(folder, Path(out))
    (folder / f"fail-{bad.notebook}").touch()
    data = "{odd} $(touch hit).csv"
    (folder / data).write_text("x")
    code, written = small_chain.run(folder, *CHAIN, f"--out={out}", "--data", data)
    assert code == 1 and "1 notebooks failed" in written, written
    assert json.loads(first.metrics.read_text())["parameters"] == {"seed": 5, "data": data, "space": "", "out": out}
    assert bad.running.exists() and not list(folder.glob("hit*"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_chain_is_alone_and_ends_with_all_its_processes(tmp_path: Path, number: int) -> None:
    folder = small_chain.make_chain(tmp_path, small_chain.NAMES[:1])
    waits = chain_jobs(folder)[0]
    (folder / f"wait-{waits.notebook}").touch()
    chain = small_chain.start(folder, *CHAIN)
    wait_until(lambda: any(folder.glob("kernels/*")), 120)
    (kernel,) = [int(path.name) for path in folder.glob("kernels/*")]
    code, written = small_chain.run(folder, *CHAIN)
    assert code == 1 and re.search(f"{OUT} is in use .*{chain.pid} ", written), written
    chain.send_signal(number)
    written = chain.communicate(timeout=60)[0]
    assert chain.returncode == (-9 if number == signal.SIGKILL else 130) and "failed" not in written, written
    wait_until(lambda: not is_alive(kernel) and not waits.lock.exists(), 30)
    assert not waits.running.exists() and not waits.executed.exists()
    (folder / f"wait-{waits.notebook}").unlink()
    assert small_chain.run(folder, *CHAIN)[0] == 0 and waits.metrics.exists()

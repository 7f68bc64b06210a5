"""Run a plan: one Snakemake at a time for a folder, followed, and ended together with this process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from autobuild_book.chain import aside
from autobuild_book.chain.job import failure
from autobuild_book.chain.parents import PATIENCE
from autobuild_book.chain.plans import Job, Plan, jobs, plain_name, write_plan
from autobuild_book.chain.progress import Progress, usual_seconds
from autobuild_book.locks import held

WORKFLOW = [sys.executable, "-m", "autobuild_book.chain.workflow", "--snakefile", "notebooks/Snakefile"]
COMMAND = [*WORKFLOW, "--nolock", "--rerun-incomplete", "--keep-going"]
POLL = 1.0  # seconds


def run_plan(
    plan: Plan, out: Path, profile: str, options: Sequence[str], cores: int, forced: Sequence[Job] = ()
) -> list[Job]:
    """Run what Snakemake finds missing or changed; return the jobs that have not finished.

    Must be called inside `in_use(out)`, in the root of a clone.

    Args:
        plan: what to run; all its folders lie in `out`, or are it.
        out: where Snakemake's log goes (chain.log).
        profile: for the usual times of notebooks.
        options: further options of Snakemake.
        cores: of this machine.
        forced: jobs of the plan that run whatever Snakemake finds.

    Raises:
        BlockingIOError: if a notebook of the plan still runs, as on another machine.
        ChildProcessError: if Snakemake fails before it runs anything.
    """
    todo = jobs(plan)
    put_back(todo)
    pending = _pending(_config(plan, out), todo, out / "chain.log") | set(forced)
    if not pending:
        sys.stdout.write(f"nothing to do: all {len(todo)} notebooks in {out} are up to date\n")
        return []
    options = [*options, *(["--forcerun", *map(_output, forced)] if forced else [])]
    return run_jobs(plan, out, options, Progress(todo, pending, usual_seconds(todo, profile), cores, sys.stdout))


def run_jobs(plan: Plan, out: Path, options: Sequence[str], progress: Progress) -> list[Job]:
    """Run a plan, as Snakemake's options say, and follow it; see `run_plan`."""
    todo, log = jobs(plan), out / "chain.log"
    for job in todo:
        if job.lock.exists():
            with held(job.lock, str(job.executed)):
                pass  # left by a job that was killed
    for job in (replaced := [each.job for each in progress.watched]):
        aside.keep(job)
    progress.write(f"{len(progress.watched)} of {progress.planned} notebooks to run; Snakemake's own output: {log}")
    try:
        code = _follow([*COMMAND, *options, *_config(plan, out)], log, progress)
        unfinished = [job for job in todo if not job.is_finished]
    finally:
        put_back(replaced)
    if code and not unfinished:
        raise ChildProcessError(f"Snakemake ended with exit code {code}: {_last_line(log)}; all of it: {log}")
    return unfinished


def put_back(jobs: Sequence[Job]) -> None:
    """Put back the finished runs of jobs that were to be replaced and were not, also by a chain that was killed."""
    for job in jobs:
        aside.settle(job)


def would_run(plan: Plan, out: Path) -> dict[Job, str]:
    """Return the jobs that `run_plan` would run, each with the reason that Snakemake gives; nothing runs."""
    config, log = _config(plan, out), out / "chain.log"
    pending = _pending(config, jobs(plan), log)
    reasons = _reasons(_ask([*config, "--dry-run"], log))
    return {job: reasons.get(_output(job), "") for job in jobs(plan) if job in pending}


@contextmanager
def in_use(out: Path) -> Iterator[None]:
    """Hold the output folder of a plan, and take SIGTERM and SIGHUP for interruptions, which end what was started."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt, signal.SIGTERM, signal.SIGHUP), held(out / ".lock", str(out)):
        yield


@contextmanager
def _handled(handler: Any, *numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)


def failures(unfinished: Sequence[Job], out: Path) -> list[str]:
    """Say in a line each which jobs have not finished, why, and where to look."""
    return [
        failure(job) if job.log.exists() else f"{job.notebook} in {job.folder} did not finish; see {out / 'chain.log'}"
        for job in unfinished
    ]


def _config(plan: Plan, out: Path) -> list[str]:
    return ["--config", f"plan={plain_name(write_plan(plan, out))}"]


def _output(job: Job) -> str:
    """Return the file that Snakemake knows a job by."""
    return f"{plain_name(job.folder)}/{job.notebook}.ipynb"


def _pending(config: Sequence[str], todo: Sequence[Job], log: Path) -> set[Job]:
    """Return the jobs that Snakemake would run."""
    rows = [line.split("\t") for line in _ask([*config, "--summary"], log).splitlines()]
    names = {row[0] for row in rows if row[-1] == "update pending"}
    return {job for job in todo if _output(job) in names}


def _reasons(text: str) -> dict[str, str]:
    """Return what a dry run of Snakemake says: for the first output of each job, why it would run."""
    reasons, output = {}, ""
    for line in text.splitlines():
        name, _, value = line.strip().partition(": ")
        if name == "output":
            output = value.partition(",")[0]
        elif name == "reason" and output:
            reasons[output], output = "not run yet" if value.startswith("Missing output") else value, ""
    return reasons


def _ask(options: Sequence[str], log: Path) -> str:
    """Return what Snakemake writes when nothing is to run."""
    command = [*COMMAND, "--cores", "1", *options]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
        raise ChildProcessError(f"Snakemake: {_last_line(log)}; all of it: {log}")
    return done.stdout


def _follow(command: Sequence[str], log: Path, progress: Progress) -> int:
    """Run Snakemake in a group of processes of its own, which has ended when this returns; return its exit code."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603
            command, env=_environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file, process_group=0
        )
    try:
        while process.poll() is None:
            progress.update()
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL)
    except KeyboardInterrupt:
        progress.write("ending what runs ...")
        raise
    finally:
        with _handled(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a second one must not stop this
            _end(process)
    progress.close()
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a process and its group; jobs on a cluster are cancelled on an interruption only."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if not _is_alive(process):
            break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        end = time.monotonic() + 2 * PATIENCE
        while _is_alive(process) and time.monotonic() < end:
            time.sleep(0.1)
    process.wait()


def _is_alive(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # takes note of its end; until then it counts
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _environment() -> dict[str, str]:
    """Return this environment, with the programs of this Python first and the library of this clone."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path}


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote nothing"

"""The one decision behind the plan and the run of a sweep: what is finished, what is out of date and why, what runs."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from autobuild_book import houses
from autobuild_book.chain.job import reason
from autobuild_book.chain.plans import NOTEBOOKS, Job, Plan, jobs, sweep_plan
from autobuild_book.lines import brief
from autobuild_book.runs import earlier, origins
from autobuild_book.runs.metrics import checksums, read_metrics
from autobuild_book.runs.sweeps import Sweep, read_parameters
from autobuild_lib.data.files import manifest

SHARED = ("profile", "seed", "data", "space")  # parameters of all notebooks, which the user of a chain gives
FINISHED, OUT_OF_DATE, TO_RUN = STATES = ("finished", "out of date", "to run")
MOST_FILES = 3  # that a reason names


@dataclass(frozen=True)
class Standing:
    """Where a run stands: one of `STATES`, why it is not "finished", and what its metrics.json records."""

    state: str
    why: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """Where each run of a sweep stands, and whether those that are out of date run again."""

    plan: Plan
    standings: Mapping[Job, Standing]
    force: bool

    def jobs(self, *states: str) -> list[Job]:
        """Return the jobs in some of the `STATES`."""
        return [job for job, standing in self.standings.items() if standing.state in states]

    @property
    def todo(self) -> list[Job]:
        """The jobs that run."""
        return self.jobs(TO_RUN, OUT_OF_DATE) if self.force else self.jobs(TO_RUN)

    @property
    def todo_plan(self) -> Plan:
        """The plan of the jobs that run."""
        return {str(job.folder): self.plan[str(job.folder)] for job in self.todo}

    @property
    def kept(self) -> list[Job]:
        """The jobs that are out of date and do not run."""
        return [] if self.force else self.jobs(OUT_OF_DATE)


def decide(sweep: Sweep, force: bool = False, folder: Path = NOTEBOOKS) -> Decision:
    """Say where each run of a sweep stands: a finished run is out of date when its code, parameters or data changed.

    What counts is content, not times: of the notebook's code cells, of the sources it rests on (`houses.sources`), of
    the tables it used. Only a space of the user's own, of which runs record no checksum, goes by the time of its file.
    """
    plan = sweep_plan(sweep.notebook, sweep.profile, sweep.runs, sweep.out, folder)
    notebook = folder / f"{sweep.notebook}.ipynb"
    sources = houses.sources(text := notebook.read_text(encoding="utf-8"))
    now = {"notebook": sweep.notebook, "sources": houses.digest(text), "notebook_sha256": origins.file_sha256(notebook)}
    usual, checksum, standings = read_parameters(folder, sweep.notebook), cache(_sha256), {}
    for job in jobs(plan):
        parameters = {**usual, **plan[str(job.folder)][job.notebook]}
        standings[job] = _standing(job, now | {"parameters": parameters}, sources, checksum)
    return Decision(plan, standings, force)


def other_runs(plan: Plan) -> dict[Job, list[str]]:
    """Return the jobs whose place holds another run, and in which way: of `SHARED` parameters, or rows of a file.

    Code, and what it brings (other parameters, bundled tables), does not count: a chain runs again what it changes.
    """
    others: dict[Job, list[str]] = {}
    checksum = cache(_sha256)
    for job in jobs(plan):
        with suppress(OSError, ValueError):  # none, or no record of a run
            record = read_metrics(job.metrics)
            asked = {name: plan[str(job.folder)][job.notebook][name] for name in SHARED}
            before = {name: record["parameters"].get(name) for name in SHARED}
            run, now = ({"notebook": record["notebook"], "parameters": before},
                        {"notebook": job.notebook, "parameters": asked})  # fmt: skip
            ways = earlier.differences(run, now)
            files = {name: sha256 for name, sha256 in checksums(record).items() if name not in manifest()}
            ways += [f"the data {brief(name)} changed" for name in files if checksum(name) not in (None, files[name])]
            others |= {job: ways} if ways else {}
    return others


def expected_seconds(sweep: Sweep, decision: Decision) -> dict[Job, float]:
    """Return how long runs may take, as far as finished ones tell: the mean of those with the most alike parameters.

    Seeds do not count. Without a finished run there is nothing.
    """
    keys = {Job(sweep.out / name, sweep.notebook): _without_seed(run) for name, run in sweep.runs.items()}
    times: dict[tuple[str, ...], list[float]] = {}
    for job, standing in decision.standings.items():
        if standing.record:
            times.setdefault(keys[job], []).append(standing.record["seconds"])
    expected = {key: _of_the_nearest(key, times) for key in set(keys.values())} if times else {}
    return {job: expected[key] for job, key in keys.items() if expected}


def _without_seed(run: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(json.dumps(value) for name, value in run.items() if name != "seed")


def _of_the_nearest(key: tuple[str, ...], times: Mapping[tuple[str, ...], list[float]]) -> float:
    """Return the mean time of the keys that differ from one in the fewest places."""
    differing = {other: sum(a != b for a, b in zip(key, other, strict=True)) for other in times}
    least = min(differing.values())
    return fmean(seconds for other, count in differing.items() if count == least for seconds in times[other])


def _standing(job: Job, now: Mapping[str, Any], sources: list[Path], checksum: Callable[[str], str | None]) -> Standing:
    if not job.is_finished:
        return Standing(TO_RUN, _unfinished(job))
    try:
        record = read_metrics(job.metrics)
    except (OSError, ValueError) as error:
        return Standing(TO_RUN, f"unreadable: {brief(str(error))}")
    why = [f"run again, and failed: {reason(job)}"] if job.log.exists() else []
    why += earlier.differences(record, now)
    if record.get("sources") not in (None, now["sources"]) and (newer := _newer(sources, job.metrics)):
        why.append(f"newer than the run: {', '.join(newer)}")
    before = checksums(record)
    why += [f"the data {brief(name)} changed" for name in before if checksum(name) not in (None, before[name])]
    if Path(space := now["parameters"]["space"]).is_file() and _newer([Path(space)], job.metrics):
        why.append(f"{brief(space)} is newer than the run")
    return Standing(OUT_OF_DATE if why else FINISHED, "; ".join(why), record)


def _unfinished(job: Job) -> str:
    if job.log.exists():
        return f"failed: {reason(job)}"
    return "not run to its end" if job.metrics.parent.is_dir() else "not run yet"


def _sha256(source: str) -> str | None:
    """Return the checksum of a source of data as it is now, None where no file says it."""
    if entry := manifest().get(source):
        return entry.sha256
    with suppress(OSError, ValueError):  # not the name of a file at all
        return hashlib.sha256(Path(source).read_bytes()).hexdigest()
    return None


def _newer(paths: list[Path], metrics: Path) -> list[str]:
    """Return the first names of files that are newer than the end of a run, and how many more there are."""
    names = [os.path.relpath(path) for path in paths if path.stat().st_mtime_ns > metrics.stat().st_mtime_ns]
    more = len(names) - MOST_FILES
    return [*names[:MOST_FILES], *([f"{more} more"] if more > 0 else [])]

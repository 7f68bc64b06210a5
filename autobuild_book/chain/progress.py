"""Progress of a plan that a person can follow, from the files that its notebooks leave while they run."""

import shutil
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import IO

from autobuild_book.chain.job import reason
from autobuild_book.chain.plans import Job, read_table
from autobuild_lib.storage import read_json

EVERY = 30.0  # seconds between lines, where the output is not a terminal


@dataclass
class Watched:
    """A job that is to run: what is known about its time, and where it is."""

    job: Job
    name: str
    cores: int
    usual: float | None  # seconds
    before: tuple[int, int]  # when the files of earlier runs were written
    state: str = "waiting"
    started: float = 0.0
    seconds: float = 0.0


class Progress:
    """Follows jobs, and writes what they do: a line for each event, and in between where they are and the time left.

    Args:
        jobs: that are planned; those that are not in `pending` count as done, unless they start nevertheless.
        pending: jobs that are to run.
        usual: seconds that jobs usually take, as far as that is known.
        cores: of this machine that may be used, at least 1.
        out: where to write; a terminal gets one line that is refreshed, anything else a line now and then.
        names: what to call jobs (default: by notebook, or by folder where there are several).
    """

    def __init__(
        self, jobs: Sequence[Job], pending: Collection[Job], usual: Mapping[Job, float], cores: int, out: IO[str],
        names: Mapping[Job, str] | None = None,
    ) -> None:  # fmt: skip
        many = len({job.folder for job in jobs}) > 1
        self.names = names or {job: job.folder.name if many else job.notebook for job in jobs}
        self.usual, self.cores, self.out = usual, cores, out
        self.table, self.planned = read_table(), len(jobs)
        self.others = [job for job in jobs if job not in pending]
        self.watched = [self._watch(job) for job in jobs if job in pending]
        self.began = self.written = time.monotonic()

    def update(self) -> None:
        """Look where the jobs are, and write what has changed."""
        for job in [job for job in self.others if job.lock.exists()]:
            self.others.remove(job)
            self.watched.append(self._watch(job))
        for each in self.watched:
            if text := _advance(each):
                self.write(text)
        now = time.monotonic()
        if self.out.isatty():
            width = shutil.get_terminal_size().columns - 1
            self._send(f"\r\033[K{self.line()[:width]}")
        elif now - self.written >= EVERY:
            self.write(self.line())

    def close(self) -> None:
        """Write the last events, and leave the refreshed line."""
        self.update()
        if self.out.isatty():
            self._send("\r\033[K")

    def line(self) -> str:
        """Return in one line what is done, how long the rest takes, and what runs."""
        states = [each.state for each in self.watched]
        parts = [f"{len(self.others) + states.count('done')} of {self.planned} done"]
        if failed := states.count("failed"):
            parts[0] += f", {failed} failed"
        left = self.left()
        parts[0] += f", {'time left unknown' if left is None else f'about {clock(left)} left'}"
        parts[0] += f" ({clock(time.monotonic() - self.began)} so far)"
        running = [each for each in self.watched if each.state == "running"]
        parts += [f"{each.name}: {cell(each.job.running)}" for each in running[:3]]
        parts += [f"and {len(running) - 3} more"] if len(running) > 3 else []
        return "; ".join(parts)

    def left(self) -> float | None:
        """Return an estimate of the seconds until all is done, None where nothing is known."""
        rest = [(each.cores, self._rest(each)) for each in self.watched if each.state in ("waiting", "running")]
        timed = [(cores or self.cores, seconds) for cores, seconds in rest if seconds is not None]
        if not timed or len(timed) < len(rest):
            return None if rest else 0.0
        work = sum(min(cores, self.cores) * seconds for cores, seconds in timed)
        return max(work / self.cores, *(seconds for _, seconds in timed), 0.0)

    def _rest(self, each: Watched) -> float | None:
        elapsed = time.monotonic() - each.started if each.state == "running" else 0.0
        usual = self._usual(each)
        return None if usual is None else max(usual * self._pace() - elapsed, 0.0)

    def _usual(self, each: Watched) -> float | None:
        alike = [o.seconds for o in self.watched if o.state == "done" and o.job.notebook == each.job.notebook]
        return each.usual or (fmean(alike) if alike else None)

    def _pace(self) -> float:
        """How many times as long as usual the finished notebooks took."""
        done = [(each.seconds, usual) for each in self.watched if each.state == "done" and (usual := self._usual(each))]
        usual = sum(usual for _, usual in done)
        return sum(seconds for seconds, _ in done) / usual if usual else 1.0

    def _watch(self, job: Job) -> Watched:
        cores = int(self.table.get(job.notebook, {}).get("cores", 1))
        return Watched(job, self.names[job], cores, self.usual.get(job), _times(job))

    def write(self, text: str) -> None:
        """Write a line that stays."""
        self._send(f"\r\033[K{text}\n" if self.out.isatty() else f"{text}\n")
        self.written = time.monotonic()

    def _send(self, text: str) -> None:
        with suppress(OSError):  # as when nobody reads any more: no reason to stop
            self.out.write(text)
            self.out.flush()


def usual_seconds(jobs: Iterable[Job], profile: str) -> dict[Job, float]:
    """Return how long jobs took before in their folders, or usually take in a profile (notebooks/notebooks.yml)."""
    table = read_table()
    times = {job: seconds_of(job.executed) or table.get(job.notebook, {}).get(profile) for job in jobs}
    return {job: seconds for job, seconds in times.items() if seconds}


def seconds_of(executed: Path) -> float | None:
    """Return how long an executed notebook took, None where that is not known."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return float(read_json(executed, nan_as_null=True)["metadata"]["papermill"]["duration"])
    return None


def cell(running: Path) -> str:
    """Say which of its code cells a notebook is at: papermill saves it before and after each."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        states = [
            each["metadata"]["papermill"]["status"]
            for each in read_json(running, nan_as_null=True)["cells"]
            if each["cell_type"] == "code"
        ]
        return f"cell {min(sum(state != 'pending' for state in states) or 1, len(states))} of {len(states)}"
    return "starts"


def clock(seconds: float) -> str:
    """Write a time in minutes and seconds, or with hours before them."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _advance(each: Watched) -> str:
    """Note where a job is now; return what to say about it."""
    before = each.state
    if each.job.lock.exists():
        each.state = "running"
    elif before == "running" or (before == "waiting" and _times(each.job) != each.before):
        each.state = "failed" if each.job.log.exists() else "done" if each.job.executed.exists() else "waiting"
    if each.state == before:
        return ""
    if each.state == "running":
        each.started = time.monotonic()
        return f"{each.name} started"
    each.seconds = time.monotonic() - each.started if each.started else 0.0
    after = f" after {clock(each.seconds)}" if each.seconds else ""
    return f"{each.name} {each.state}{after}" + (f": {reason(each.job)}" if each.state == "failed" else "")


def _times(job: Job) -> tuple[int, int]:
    return _time(job.executed), _time(job.log)


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0

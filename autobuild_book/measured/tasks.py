"""Measuring many architectures for a task: jobs that make rows, resumable, here or in several processes."""

import platform
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import torch

from autobuild_book.locks import held
from autobuild_book.measured.rows import Measurement, R, Row, RowFormat
from autobuild_lib.processes import WorkerPool
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import Architecture, SequenceSpace, SpaceError

CPU = Path("/proc/cpuinfo")
SAMPLE_SEED = 0
R_co = TypeVar("R_co", bound=Measurement, covariant=True)
Made = TypeVar("Made", bound=Row, covariant=True)


class Work(Protocol[Made]):
    """What makes some rows at once, here or in another process."""

    @property
    def keys(self) -> Sequence[tuple[Any, ...]]:
        """What identifies the rows, in their order."""

    def rows(self) -> Sequence[Made]:
        """Return the rows."""


@dataclass(frozen=True)
class Job(ABC, Generic[R_co]):
    """One architecture to be measured, here or in another process. A task states `ROW`, `asked` and `labels`."""

    ROW: ClassVar[type[Any]]

    architecture: Architecture

    @property
    @abstractmethod
    def asked(self) -> tuple[Any, ...]:
        """The columns `ASKED` of the row."""

    @abstractmethod
    def labels(self) -> Mapping[str, Any]:
        """Measure on one thread; return the columns of the row but `seconds`, `machine` and those asked for."""

    @property
    def key(self) -> tuple[Any, ...]:
        """What identifies the row it makes."""
        return str(self.architecture), *self.asked

    @property
    def keys(self) -> list[tuple[Any, ...]]:
        """The key of its one row."""
        return [self.key]

    def rows(self) -> list[R_co]:
        """Return its one row."""
        return [self.run()]

    def run(self) -> R_co:
        """Return the row; `seconds` are those that one processor core was at work."""
        started = time.process_time()
        labels = self.labels()
        seconds = round(time.process_time() - started, 2)
        row: R_co = self.ROW(*self.key, **labels, seconds=seconds, machine=machine())
        return row


def complete(
    rows: RowFormat[R], jobs: Sequence[Work[R]], path: Path, *, unit: str, workers: int = 1, progress: bool = True
) -> list[R]:
    """Run the jobs whose rows the file does not hold; return the rows of all jobs, in their order.

    A finished row is appended at once, so a killed call continues where it was. One worker runs in this process,
    several in processes of their own; numbers do not depend on how many. One call at a time adds to a file: another is
    a `BlockingIOError` that says which process does. Rows with a number that cannot be are left out; when all else is
    done, they are a `ValueError`, as is a file of other rows.
    """
    if _pending(rows, jobs, path):
        with held(path.with_name(f"{path.name}.lock"), str(path)):
            _add(rows, _pending(rows, jobs, path), path, len(jobs), unit, workers, progress)
    done = _done(rows, path)
    return [done[key] for job in jobs for key in job.keys]


def _done(rows: RowFormat[R], path: Path) -> dict[tuple[Any, ...], R]:
    return {row.key: row for row in rows.read(path)} if path.is_file() else {}


def _pending(rows: RowFormat[R], jobs: Sequence[Work[R]], path: Path) -> list[Work[R]]:
    done = _done(rows, path).keys()
    return list({tuple(job.keys): job for job in jobs if not done >= set(job.keys)}.values())


def _add(
    rows: RowFormat[R], jobs: Sequence[Work[R]], path: Path, total: int, unit: str, workers: int, progress: bool
) -> None:
    done, wrong = _done(rows, path).keys(), list[str]()
    bar = progress_bar(None, "measuring", total=total, initial=total - len(jobs), unit=unit,
                       disable=not progress, smoothing=0)  # fmt: skip
    with bar, closing(_run(jobs, workers)) as finished:
        for made in finished:
            for row in (row for row in made if row.key not in done):
                try:
                    rows.append(path, rows.check(row))
                except ValueError as error:
                    wrong.append(str(error))
            bar.update()
    if wrong:
        raise ValueError(f"{path}: {len(wrong)} of {len(jobs)} new rows are left out: {wrong[0]}")


def _run(jobs: Sequence[Work[R]], workers: int) -> Generator[Sequence[R], None, None]:
    if workers == 1 or len(jobs) < 2:
        yield from map(_rows, jobs)
        return
    with WorkerPool(min(workers, len(jobs))) as pool:
        yield from pool.as_finished(_rows, jobs)


def _rows(job: Work[R]) -> Sequence[R]:
    return job.rows()


def sample_different(space: SequenceSpace, size: int) -> list[Architecture]:
    """Draw different architectures by a fixed seed; a smaller sample is the beginning of a larger one."""
    drawn = space.sample(np.random.default_rng(SAMPLE_SEED), size + size // 10 + 1)
    return list(dict.fromkeys(drawn))[:size]


def read_architectures(path: Path, space: SequenceSpace) -> list[Architecture]:
    """Read architectures in text form, one per line; empty lines and lines that begin with # are left out."""
    architectures = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                architectures.append(space.parse(line))
            except SpaceError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    if not architectures:
        example = next(iter(space))
        raise ValueError(f"{path}: there is no architecture; write one per line, such as {example}")
    return architectures


def machine() -> str:
    """Describe what results depend on to the last bit: the processor, its vector units, and the version of PyTorch."""
    text = CPU.read_text(encoding="utf-8", errors="replace") if CPU.is_file() else ""
    facts = dict(re.findall(r"^(cpu family|model|model name)\s*: (.*)$", text, re.MULTILINE))
    processor = " ".join(facts.values()) or platform.processor() or platform.machine()
    return f"{processor}; {torch.backends.cpu.get_cpu_capability()}; torch {torch.__version__}"

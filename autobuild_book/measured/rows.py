"""Measured rows: a CSV file that survives kills and other processes, and jobs that add to it, here or in several."""

import csv
import functools
import io
import logging
import platform
import re
from collections.abc import Collection, Generator, Hashable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, get_type_hints

import torch

from autobuild_lib import values
from autobuild_lib.processes import WorkerPool
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import Architecture, SequenceSpace, SpaceError
from autobuild_lib.store import GrowingFile, held

logger = logging.getLogger(__name__)
CPU = Path("/proc/cpuinfo")


class Row(Protocol):
    """A frozen dataclass of texts and numbers; `key` says what was asked for."""

    @property
    def architecture(self) -> str:
        """Its text form."""

    @property
    def key(self) -> Hashable:
        """The same as that of the job that makes the row."""


R = TypeVar("R", bound=Row)
R_co = TypeVar("R_co", bound=Row, covariant=True)


class Job(Protocol[R_co]):
    """Work that makes one row; it can be sent to another process."""

    @property
    def key(self) -> Hashable:
        """What identifies the row."""

    def run(self) -> R_co:
        """Do the work."""


@dataclass(frozen=True)
class RowFormat(Generic[R]):
    """How rows of one kind, about architectures of one space, are kept in a CSV file; numbers are exact.

    Numbers are finite, and whole numbers not negative. `fractions` are columns whose numbers lie in [0, 1],
    `positive` those whose numbers are not negative.
    """

    kind: type[R]
    space: SequenceSpace
    fractions: Collection[str] = ()
    positive: Collection[str] = ("seconds",)

    @functools.cached_property
    def columns(self) -> dict[str, type]:
        """Names, and for each `str`, `int` or `float`."""
        hints = get_type_hints(self.kind)
        return {f.name: hints[f.name] for f in fields(self.kind)}  # type: ignore[arg-type]

    def write(self, rows: Iterable[R]) -> str:
        """Return rows as the text of a file."""
        return _text([list(self.columns), *map(self._cells, rows)])

    def _cells(self, row: R) -> list[Any]:
        return [getattr(row, name) for name in self.columns]

    def append(self, path: Path, row: R) -> None:
        """Add a row, with the header to an empty file, in place of what a kill has left of a last line."""
        file = GrowingFile(path)
        path.touch()
        head = [] if list(file.read()) else [list(self.columns)]
        file.append(_text([*head, self._cells(row)]))

    def read(self, path: Path) -> list[R]:
        """Read rows, the first of each key; anything wrong but a torn last line is a `ValueError`.

        Rows that are there again, and the header, are left by processes of older versions that wrote at once.
        """
        file = GrowingFile(path)
        try:
            complete = b"\n".join(line for _, line in file.read()).decode("utf-8")
            lines = list(csv.reader(complete.splitlines(), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path}: not a CSV in UTF-8 ({error})") from None
        torn, expected = file.rest.decode("utf-8", errors="replace"), ",".join(self.columns)
        header = lines[0] if lines else torn.split(",")
        if header != list(self.columns) and not (complete == "" and expected.startswith(torn)):
            raise ValueError(f"{path}: header {','.join(header)[:200]!r}; expected {expected}")
        rows: dict[Hashable, R] = {}
        for number, cells in enumerate(lines[1:], start=2):
            if cells != header:
                row = self._read_row(f"{path}, row {number}", cells)
                rows.setdefault(row.key, row)
        if repeated := len(lines) - 1 - len(rows):
            logger.warning("%s: %d rows are there again, the first of each counts", path, repeated)
        return list(rows.values())

    def _read_row(self, where: str, cells: Sequence[str]) -> R:
        if len(cells) != len(self.columns):
            raise ValueError(f"{where}: {len(cells)} cells; expected {','.join(self.columns)}")
        named = zip(self.columns, cells, strict=True)
        row = self.kind(**{name: self._checked(f"{where}: {name}", name, cell) for name, cell in named})
        try:
            self.space.parse(row.architecture)
        except SpaceError as error:
            raise ValueError(f"{where}: {error}") from None
        return row

    def _checked(self, what: str, name: str, value: object) -> Any:
        """Return the value of a column, which is a text when it comes from a file."""
        kind = self.columns[name]
        if kind is str:
            return value
        if kind is int:
            return values.integer(value, what, 0, text=True)
        number = values.finite(value, what, text=True)
        if name in self.fractions and not 0 <= number <= 1:
            values.refuse(value, what, "numbers from 0 to 1")
        if name in self.positive and number < 0:
            values.refuse(value, what, "numbers from 0 on")
        return number

    def check(self, row: R) -> R:
        """Return a row; a number that cannot be is a `ValueError`."""
        for name in self.columns:
            self._checked(f"{name} of {row.architecture}", name, getattr(row, name))
        return row

    def complete(
        self, jobs: Sequence[Job[R]], path: Path, *, unit: str, workers: int = 1, progress: bool = True
    ) -> list[R]:
        """Run the jobs whose rows the file does not hold; return the rows of all jobs, in their order.

        A finished row is appended at once, so a killed call continues where it was. One worker runs in this process,
        several in processes of their own. One call at a time adds to a file: another is a `BlockingIOError` that says
        which process does. Rows with a number that cannot be are left out; when all else is done, they are a
        `ValueError`.
        """
        if not self._pending(jobs, path):
            return self._rows(jobs, path)
        with held(path.with_name(f"{path.name}.lock"), str(path)):
            self._add(jobs, path, unit, workers, progress)
        return self._rows(jobs, path)

    def _rows(self, jobs: Sequence[Job[R]], path: Path) -> list[R]:
        done = {row.key: row for row in self.read(path)} if path.is_file() else {}
        return [done[job.key] for job in jobs]

    def _pending(self, jobs: Sequence[Job[R]], path: Path) -> list[Job[R]]:
        done = {row.key for row in self.read(path)} if path.is_file() else set()
        return list({job.key: job for job in jobs if job.key not in done}.values())

    def _add(self, jobs: Sequence[Job[R]], path: Path, unit: str, workers: int, progress: bool) -> None:
        pending, wrong = self._pending(jobs, path), list[str]()
        bar = progress_bar(None, "measuring", total=len(jobs), initial=len(jobs) - len(pending), unit=unit,
                           disable=not progress, smoothing=0)  # fmt: skip
        with bar, closing(_run(pending, workers)) as rows:
            for row in rows:
                try:
                    self.append(path, self.check(row))
                except ValueError as error:
                    wrong.append(str(error))
                bar.update()
        if wrong:
            raise ValueError(f"{path}: {len(wrong)} of {len(pending)} new rows are left out: {wrong[0]}")


def _run(jobs: Sequence[Job[R]], workers: int) -> Generator[R, None, None]:
    if workers == 1 or len(jobs) < 2:
        yield from (job.run() for job in jobs)
        return
    with WorkerPool(min(workers, len(jobs))) as pool:
        yield from pool.as_finished(_run_job, jobs)


def _run_job(job: Job[R]) -> R:
    return job.run()


def _text(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


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

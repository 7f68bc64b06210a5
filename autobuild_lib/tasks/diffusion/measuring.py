"""Measuring many U-Nets: resumable, one row per training, independent of how many run at once."""

import csv
import io
import os
import platform
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import torch
from tqdm import tqdm

from autobuild_lib.spaces import Architecture, SpaceError
from autobuild_lib.tasks.diffusion.images import HALVES
from autobuild_lib.tasks.diffusion.metrics import network_labels
from autobuild_lib.tasks.diffusion.space import costs, unet_space
from autobuild_lib.tasks.diffusion.training import Recipe, train

CPU = Path("/proc/cpuinfo")
SAMPLE_SEED = 0


@dataclass(frozen=True)
class Measurement:
    """One row: what one training of one architecture gave.

    Lower is better in the three labels. `macs` are those of one network call on one image, `seconds` those that one
    processor core was at work; `machine` names what the last bits of a number depend on.
    """

    architecture: str
    seed: int
    half: str
    recipe: str
    log_distance: float
    masked_mse: float
    flow_loss: float
    macs: int
    parameters: int
    seconds: float
    machine: str

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What was asked for."""
        return self.architecture, self.seed, self.half, self.recipe


KINDS = {f.name: get_type_hints(Measurement)[f.name] for f in fields(Measurement)}  # column -> str, int or float
COLUMNS = list(KINDS)


@dataclass(frozen=True)
class Job:
    """One training to be done and measured."""

    architecture: Architecture
    seed: int
    half: str = "labels"
    recipe: Recipe = field(default_factory=Recipe)

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What identifies the row it makes."""
        return str(self.architecture), self.seed, self.half, self.recipe.id

    def run(self) -> Measurement:
        """Train and measure on one thread."""
        started = time.process_time()
        network = train(self.architecture, self.seed, self.recipe)
        found: dict[str, Any] = dict(network_labels(network, self.half, self.seed, self.recipe))
        macs, parameters = costs([self.architecture]).iloc[0]
        seconds = round(time.process_time() - started, 2)
        found |= {"macs": int(macs), "parameters": int(parameters), "seconds": seconds, "machine": machine()}
        return Measurement(*self.key, **found)


def machine() -> str:
    """Describe what results depend on to the last bit: the processor, its vector units, and the version of PyTorch."""
    text = CPU.read_text(encoding="utf-8", errors="replace") if CPU.is_file() else ""
    found = dict(re.findall(r"^(cpu family|model|model name)\s*: (.*)$", text, re.MULTILINE))
    processor = " ".join(found.values()) or platform.processor() or platform.machine()
    return f"{processor}; {torch.backends.cpu.get_cpu_capability()}; torch {torch.__version__}"


def measure(
    architectures: Sequence[Architecture],
    seeds: Sequence[int],
    out: Path,
    *,
    half: str = "labels",
    recipe: Recipe | None = None,
    workers: int = 1,
    progress: bool = True,
) -> list[Measurement]:
    """Train every architecture with every seed and measure it; return the rows in that order.

    Finished rows are appended to the CSV file `out` at once, so a killed call continues where it was. One worker runs
    in this process, several in processes of one thread each; numbers do not depend on how many.

    Raises:
        ValueError: for an unknown half, for a file with other rows than these, or for a training that diverges.
    """
    if half not in HALVES:
        raise ValueError(f"half={half!r}; choose from {', '.join(HALVES)}")
    jobs = [Job(unet_space().adopt(a), seed, half, recipe or Recipe()) for a in architectures for seed in seeds]
    done = {row.key: row for row in read_rows(out)} if out.is_file() else {}
    pending = list({job.key: job for job in jobs if job.key not in done}.values())
    out.parent.mkdir(parents=True, exist_ok=True)
    _cut_torn_line(out)
    bar = tqdm(_run(pending, workers), "measuring", len(jobs), unit="training", disable=not progress,
               initial=len(jobs) - len(pending), smoothing=0)  # fmt: skip
    for row in bar:
        _append(out, row)
        done[row.key] = row
    return [done[job.key] for job in jobs]


def _run(jobs: Sequence[Job], workers: int) -> Iterator[Measurement]:
    if workers == 1 or len(jobs) < 2:
        yield from map(Job.run, jobs)
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(Job.run, job) for job in jobs]):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # report a failure now, not after all other jobs


# -------------------------------------------------------------------- files


def _text(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def rows_to_csv(rows: Iterable[Measurement]) -> str:
    """Write measurements as CSV; numbers are exact."""
    return _text([COLUMNS, *(list(asdict(row).values()) for row in rows)])


def _append(path: Path, row: Measurement) -> None:
    """Add a row, with the header to an empty file; when it is there, it is on the disk."""
    with path.open("ab") as file:
        head = [] if file.tell() else [COLUMNS]
        file.write(_text([*head, list(asdict(row).values())]).encode())
        file.flush()
        os.fsync(file.fileno())


def _cut_torn_line(path: Path) -> None:
    """Remove what a killed process may have left behind the last complete line."""
    if path.is_file():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def read_rows(path: Path) -> list[Measurement]:
    """Read measurements; a torn last line is left out, anything else that is wrong is a `ValueError`."""
    try:
        complete, _, torn = path.read_bytes().decode("utf-8").rpartition("\n")
        lines = list(csv.reader(complete.splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a CSV in UTF-8 ({error})") from None
    header = lines[0] if lines else torn.split(",")
    if header != COLUMNS and not (complete == "" and ",".join(COLUMNS).startswith(torn)):
        raise ValueError(f"{path}: header {','.join(header)[:200]!r}; expected {','.join(COLUMNS)}")
    return [_read_row(f"{path}, row {number}", cells) for number, cells in enumerate(lines[1:], start=2)]


def _read_row(where: str, cells: Sequence[str]) -> Measurement:
    try:
        row = Measurement(*(kind(cell) for kind, cell in zip(KINDS.values(), cells, strict=True)))
        unet_space().parse(row.architecture)
    except (ValueError, SpaceError) as error:
        raise ValueError(f"{where}: {error}; expected {','.join(COLUMNS)}") from None
    return row


def read_architectures(path: Path) -> list[Architecture]:
    """Read architectures in text form, one per line; empty lines and lines that begin with # are left out."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(unet_space().parse(line))
            except SpaceError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    if not found:
        raise ValueError(f"{path}: there is no architecture; write one per line, such as {sample_architectures(1)[0]}")
    return found


def sample_architectures(size: int) -> list[Architecture]:
    """Draw different architectures by a fixed seed; a smaller sample is the beginning of a larger one."""
    drawn = unet_space().sample(np.random.default_rng(SAMPLE_SEED), size + size // 10 + 1)
    return list(dict.fromkeys(drawn))[:size]

"""Zero-cost proxies of networks of the bundled tables: measured rows, and the tables made from them."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from autobuild_book.chapters.peers.models.proxies import PROXIES, Minibatch, measure_proxies
from autobuild_book.measured.rows import RowFormat, machine
from autobuild_book.measured.tables import write_measured
from autobuild_lib.data.files import load
from autobuild_lib.data.table import ARCHITECTURE
from autobuild_lib.networks import build
from autobuild_lib.spaces import Architecture, ofa_mbv3, ofa_pn

SPACES = {space.name: space for space in (ofa_mbv3(), ofa_pn())}
SAMPLE_SEED = 0
WEIGHT_SEED = 0  # all networks draw their weights with it
SETTINGS = ["resolution", "batch", "seed"]


@dataclass(frozen=True)
class Measurement:
    """One row: the proxies of one architecture, as `PROXIES` defines them, on one minibatch.

    `seconds` are those that one processor core was at work; `machine` names what the last bits depend on.
    """

    architecture: str
    resolution: int
    batch: int
    seed: int
    parameters: int
    macs: int
    grad_norm: float
    snip: float
    grasp: float
    synflow: float
    jacob_cov: float
    naswot: float
    zen: float
    fisher: float
    seconds: float
    machine: str

    @property
    def key(self) -> tuple[str, int, int, int]:
        """What was asked for."""
        return self.architecture, self.resolution, self.batch, self.seed


@dataclass(frozen=True)
class Job:
    """One network to be measured on one minibatch."""

    architecture: Architecture
    minibatch: Minibatch

    @property
    def key(self) -> tuple[str, int, int, int]:
        """What identifies the row it makes."""
        return str(self.architecture), self.minibatch.resolution, self.minibatch.batch, self.minibatch.seed

    def run(self) -> Measurement:
        """Build and measure on one thread."""
        started = time.process_time()
        found = measure_proxies(initial_network(self.architecture), **asdict(self.minibatch))
        for name, reason in found.reasons.items():
            raise ValueError(f"{self.architecture}: proxy {name}: {reason}; a row needs finite numbers")
        seconds = round(time.process_time() - started, 2)
        values: dict[str, Any] = dict(found)
        return Measurement(*self.key, **values, seconds=seconds, machine=machine())


def initial_network(architecture: Architecture) -> torch.nn.Module:
    """Return the network of an architecture with PyTorch's initial weights, from the same seed for all of them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(WEIGHT_SEED)
        return build(architecture)


def measure(
    space: str,
    architectures: Sequence[Architecture],
    minibatch: Minibatch,
    out: Path,
    *,
    workers: int = 1,
    progress: bool = True,
) -> list[Measurement]:
    """Measure the proxies of architectures of a family on a minibatch; return the rows in that order.

    Finished rows are appended to the CSV file `out` at once, so a killed call continues where it was. One worker runs
    in this process, several in processes of one thread each; proxies do not depend on how many.

    Raises:
        ValueError: for an unknown space, architectures of another one, a file with other rows than these, or a proxy
            without a finite value.
    """
    rows = row_format(space)
    jobs = [Job(rows.space.adopt(architecture), minibatch) for architecture in architectures]
    return rows.complete(jobs, out, unit="network", workers=workers, progress=progress)


def row_format(space: str) -> RowFormat[Measurement]:
    """Return the format of rows of a family; an unknown one is a `ValueError`."""
    if space not in SPACES:
        raise ValueError(f"space={space!r}; choose from {', '.join(SPACES)}")
    return RowFormat(Measurement, SPACES[space])


def sample_architectures(space: str, size: int) -> list[Architecture]:
    """Choose among the architectures of a bundled table by a fixed seed; a smaller sample begins a larger one.

    Raises `ValueError` for a space without networks, and for more architectures than the table has.
    """
    architectures = load(row_format(space).space.name).architectures
    if not 1 <= size <= len(architectures):
        raise ValueError(f"size={size}; allowed are 1 to {len(architectures):,} architectures")
    order = np.random.default_rng(SAMPLE_SEED).permutation(len(architectures))
    return [architectures[place] for place in order[:size]]


# -------------------------------------------------------------------- tables


def write_tables(rows_file: Path, space: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Write a table for every minibatch that rows were measured on; return the manifest entries by name.

    The one of most rows is `proxies_<space>`, another one has its resolution behind that name. Rows are in the order of
    the sample. Raises `ValueError` where there are no rows, an architecture that is not of the bundled table, or two
    tables of one name.
    """
    frame = pd.DataFrame([asdict(row) for row in row_format(space).read(rows_file)])
    if frame.empty:
        raise ValueError(f"{rows_file}: there are no rows; `autobuild task proxies measure` makes them")
    parts = [part for _, part in frame.drop_duplicates([ARCHITECTURE, *SETTINGS]).groupby(SETTINGS)]
    parts.sort(key=len, reverse=True)
    others = [f"proxies_{space}_{part.iloc[0]['resolution']}" for part in parts[1:]]
    if len(set(others)) < len(others):
        raise ValueError(f"{rows_file}: tables {', '.join(others)} of different minibatches need different resolutions")
    place = {str(a): i for i, a in enumerate(sample_architectures(space, len(load(space))))}
    if unknown := set(frame[ARCHITECTURE]) - set(place):
        raise ValueError(f"{rows_file}: {min(unknown)} is not in the bundled table {space}")
    names = [f"proxies_{space}", *others]
    ordered = [part.sort_values(ARCHITECTURE, key=lambda column: column.map(place)) for part in parts]
    return {name: _write_table(name, space, part, folder) for name, part in zip(names, ordered, strict=True)}


def _write_table(name: str, space: str, rows: pd.DataFrame, folder: Path) -> dict[str, Any]:
    units = {proxy.name: proxy.unit for proxy in PROXIES}
    resolution, batch, seed = rows.iloc[0][SETTINGS]
    drawn = f"{batch} images of noise with {resolution} x {resolution} pixels"
    options = f"--space {space} --sample {len(rows)} --resolution {resolution} --batch {batch} --seed {seed}"
    return write_measured(
        folder,
        name,
        rows,
        space=space,
        units=units,
        source=f"untrained networks of the table {space} and {drawn}, median {rows['seconds'].median():.2f} s each",
        builder=f"autobuild task proxies measure {options}, then ... table",
        seed=SAMPLE_SEED,
    )

"""Zero-cost proxies of networks of the bundled tables: measured rows, and the tables made from them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from autobuild_book.chapters.shared.models.proxies import PROXIES, Minibatch, measure_proxies
from autobuild_book.measured import rows, tables, tasks
from autobuild_lib.data.files import load
from autobuild_lib.data.table import ARCHITECTURE
from autobuild_lib.networks import build
from autobuild_lib.spaces import Architecture, SequenceSpace, ofa_mbv3, ofa_pn

SPACES = {space.name: space for space in (ofa_mbv3(), ofa_pn())}
WEIGHT_SEED = 0  # all networks draw their weights with it


@dataclass(frozen=True)
class Measurement(rows.Measurement):
    """One row: the proxies of one architecture, as `PROXIES` defines them, on one minibatch."""

    ASKED = ("resolution", "batch", "seed")

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


SETTINGS = list(Measurement.ASKED)


@dataclass(frozen=True)
class Job(tasks.Job[Measurement]):
    """One network to be measured on one minibatch."""

    ROW = Measurement

    minibatch: Minibatch

    @property
    def asked(self) -> tuple[int, int, int]:
        """The minibatch."""
        return self.minibatch.resolution, self.minibatch.batch, self.minibatch.seed

    def labels(self) -> dict[str, float]:
        """Build and measure on one thread."""
        proxies = measure_proxies(initial_network(self.architecture), **asdict(self.minibatch))
        for name, reason in proxies.reasons.items():
            raise ValueError(f"{self.architecture}: proxy {name}: {reason}; a row needs finite numbers")
        return dict(proxies)


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
    family = find_space(space)
    jobs = [Job(family.adopt(architecture), minibatch) for architecture in architectures]
    return tasks.complete(row_format(space), jobs, out, unit="network", workers=workers, progress=progress)


def row_format(space: str) -> rows.RowFormat[Measurement]:
    """Return the format of rows of a family; an unknown one is a `ValueError`."""
    return rows.RowFormat(Measurement, find_space(space))


def find_space(space: str) -> SequenceSpace:
    """Return a space of `SPACES` by its name; an unknown one is a `ValueError`."""
    if space not in SPACES:
        raise ValueError(f"space={space!r}; choose from {', '.join(SPACES)}")
    return SPACES[space]


def sample_architectures(space: str, size: int) -> list[Architecture]:
    """Choose among the architectures of a bundled table by a fixed seed; a smaller sample begins a larger one.

    Raises `ValueError` for a space without networks, and for more architectures than the table has.
    """
    architectures = load(find_space(space).name).architectures
    if not 1 <= size <= len(architectures):
        raise ValueError(f"size={size}; allowed are 1 to {len(architectures):,} architectures")
    order = np.random.default_rng(tasks.SAMPLE_SEED).permutation(len(architectures))
    return [architectures[place] for place in order[:size]]


# -------------------------------------------------------------------- tables


def write_tables(rows_file: Path, space: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Write a table for every minibatch that rows were measured on; return the manifest entries by name.

    The one of most rows is `proxies_<space>`, another one has its resolution behind that name. Rows are in the order of
    the sample. Raises `ValueError` where there are no rows, an architecture that is not of the bundled table, or two
    tables of one name.
    """
    frame = tables.as_frame(row_format(space).read(rows_file), "proxies", rows_file)
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


def _write_table(name: str, space: str, measured: pd.DataFrame, folder: Path) -> dict[str, Any]:
    units = {proxy.name: proxy.unit for proxy in PROXIES}
    resolution, batch, seed = measured.iloc[0][SETTINGS]
    drawn = f"{batch} images of noise with {resolution} x {resolution} pixels"
    options = f"--space {space} --sample {len(measured)} --resolution {resolution} --batch {batch} --seed {seed}"
    return tables.write_measured(
        folder,
        name,
        measured,
        space=space,
        units=units,
        source=f"untrained networks of the table {space} and {drawn}, median {measured['seconds'].median():.2f} s each",
        builder=f"autobuild task proxies measure {options}, then ... table",
        seed=tasks.SAMPLE_SEED,
    )

"""What modules really do: effects on the labels of networks that were trained, from tables of them.

Where a table has every network of its space, each choice of every other unit stands as often beside one module as
beside another, and the mean label of all networks with the module is its exact effect. Networks that compute the same
count as often as they can be written: a module has a place then, and places are filled independently of each other.

Where a table is a sample, there are two estimates: the marginal mean, which is right if units were drawn independently
of each other, and the coefficient of a least-squares fit in which the contents of all units are factors, which is right
if they add up. Both have 95 % intervals of a bootstrap over networks. Effects are centred on the mean over the modules
of a unit.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.trained.skips import trained_codes
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.codec import as_keys
from autobuild_lib.spaces.features import values_of

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
GRAPHS = ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv", "proteins")
ACCEL = "accel-nasbench"
SOURCES = (ACCEL, *(f"nas-bench-graph:{name}" for name in GRAPHS))
LABEL = "acc"
LINKS, ANY = "links", "any"  # structure: all of a space together
RESAMPLES = 400
MOST_CODES = 1_000_000  # that are listed
MOST_MISSING = 0.001  # four skip connections have no weights to train
COLUMNS = ["source", "structure", "unit", "depth", "module", "networks", "mean", "low", "high", "adjusted",
           "adjusted_low", "adjusted_high"]  # fmt: skip


@functools.lru_cache(maxsize=2)
def trained_table(source: str) -> Table:
    """Return the rows of a table that have the label."""
    return data.load(source).complete(LABEL)


def contents_of(space: SequenceSpace, codes: npt.NDArray[np.uint8]) -> Places:
    """Return which module each architecture has in each scoring group, as places in its corpus: [groups, N]."""
    places = []
    for group in space.scoring_groups:
        keys = as_keys(group.contents())
        order = np.argsort(keys)
        places.append(order[np.searchsorted(keys[order], as_keys(codes[:, group.place]))])
    return np.stack(places)


def module_counts(space: SequenceSpace) -> list[int]:
    """Return how many modules each scoring group has."""
    return [group.count_contents() for group in space.scoring_groups]


def is_exhaustive(table: Table) -> bool:
    """Say whether a table has the networks of its space, each once and all but at most `MOST_MISSING`."""
    space = table.space
    if space.size > MOST_CODES:
        return False
    every = trained_codes(space, space.to_codes(list(space)))
    return len(table) >= (1 - MOST_MISSING) * len(np.unique(as_keys(every)))


# -------------------------------------------------------------------- exhaustive tables


def exact_effects(table: Table, label: str = LABEL) -> pd.DataFrame:
    """Return the exact effect of every module of an exhaustive table, over all structures and in each alone.

    Columns: structure, unit, depth, module, networks (codes with the module), mean.
    """
    space, sizes = table.space, module_counts(table.space)
    codes = space.to_codes(list(space))
    values = labels_of(table, codes, label)
    codes, values = codes[~np.isnan(values)], values[~np.isnan(values)]
    structures = space.structures(codes)
    names = [ANY, *structure_names(space)]
    frames = []
    for number, name in enumerate(names, start=-1):
        rows = np.ones(len(codes), bool) if number < 0 else structures == number
        places = contents_of(space, codes[rows])
        means = marginals(places, sizes, values[rows], np.ones(len(places[0])))
        frames.append(_frame(space, places, {"mean": means}).assign(structure=name))
    return pd.concat(frames, ignore_index=True)


def structure_names(space: SequenceSpace) -> list[str]:
    """Return the structures of a space that has several, such as "links 0012", in the order of their numbers."""
    return [
        f"{LINKS} {value}" for name, choices in space.global_choices if name == LINKS for value in values_of(choices)
    ]


def labels_of(table: Table, codes: npt.NDArray[np.uint8], label: str = LABEL) -> Array:
    """Return a label for codes [N, code_width], of the network that was trained for each, NaN where none was."""
    space = table.space
    rows, keys = (as_keys(trained_codes(space, part)) for part in (space.to_codes(table.architectures), codes))
    order = np.argsort(rows)
    places = order[np.minimum(np.searchsorted(rows[order], keys), len(rows) - 1)]
    return np.where(rows[places] == keys, table.labels[label].to_numpy()[places], np.nan)


def marginals(places: Places, sizes: Sequence[int], values: Array, weights: Array) -> list[Array]:
    """Weighted means of values by module, minus the mean over a unit's modules; NaN for modules without weight."""
    effects = []
    for each, size in zip(places, sizes, strict=True):
        with np.errstate(invalid="ignore"):
            means = np.bincount(each, weights * values, size) / np.bincount(each, weights, size)
        effects.append(means - np.nanmean(means))
    return effects


# -------------------------------------------------------------------- samples


def sampled_effects(table: Table, label: str = LABEL, resamples: int = RESAMPLES, seed: int = 0) -> pd.DataFrame:
    """Return estimates of the effect of every module of a table that is a sample, see above.

    Columns: structure, unit, depth, module, networks (rows with the module), mean, low, high, and the same adjusted.
    """
    space, values, sizes = table.space, table.labels[label].to_numpy(), module_counts(table.space)
    places = contents_of(space, space.to_codes(table.architectures))
    rng, size = np.random.default_rng(seed), len(values)
    draws = [rng.multinomial(size, np.full(size, 1 / size)).astype(float) for _ in range(resamples)]
    columns = {}
    for prefix, estimate in (("", marginals), ("adjusted", adjusted)):
        name, ends = prefix or "mean", [f"{prefix}_{end}" if prefix else end for end in ("low", "high")]
        repeated = [estimate(places, sizes, values, weights) for weights in draws]
        columns[name] = estimate(places, sizes, values, np.ones(size))
        units = [pd.DataFrame(unit) for unit in zip(*repeated, strict=True)]  # [resamples, modules]
        for end, share in zip(ends, (0.025, 0.975), strict=True):
            columns[end] = [unit.quantile(share).to_numpy() for unit in units]
    return _frame(space, places, columns).assign(structure=ANY)


def adjusted(places: Places, sizes: Sequence[int], values: Array, weights: Array) -> list[Array]:
    """Coefficients of a weighted least-squares fit with the modules of all units as factors, centred by unit."""
    starts = np.cumsum([0, *sizes])
    design = np.zeros((len(values), starts[-1]))
    for start, each in zip(starts, places, strict=False):
        design[np.arange(len(values)), start + each] = 1
    weighted = design.T * weights
    solved = np.linalg.lstsq(weighted @ design, weighted @ values, rcond=1e-10)[0]
    solved[design.T @ weights == 0] = np.nan
    return [part - np.nanmean(part) for part in np.split(solved, starts[1:-1])]


def _frame(space: SequenceSpace, places: Places, columns: dict[str, list[Array]]) -> pd.DataFrame:
    frames = []
    for unit, (group, each) in enumerate(zip(space.scoring_groups, places, strict=True)):
        contents = group.contents()
        named = {"unit": unit, "depth": group.depths(contents).sum(1), "module": group.texts(contents)}
        counts = np.bincount(each, minlength=len(contents))
        frames.append(pd.DataFrame({**named, "networks": counts, **{name: v[unit] for name, v in columns.items()}}))
    return pd.concat(frames, ignore_index=True)


# -------------------------------------------------------------------- the section


@dataclass(frozen=True)
class Effects:
    """Real effects of all modules of one table."""

    source: str

    @property
    def key(self) -> str:
        """Changes with the rows of the table."""
        return key_of("effects", self.source, trained_table(self.source).sha256, RESAMPLES)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 40.0 if self.source == ACCEL else 6.0

    def measure(self) -> pd.DataFrame:
        """Return a row per module, and where a space has several structures one for each and one for all."""
        table = trained_table(self.source)
        effects = exact_effects(table) if is_exhaustive(table) else sampled_effects(table)
        return effects.assign(source=self.source).reindex(columns=COLUMNS)


def plan(sizes: Sequence[int] = (), seeds: Sequence[int] = ()) -> list[Effects]:
    """Return a part per table."""
    return [Effects(source) for source in SOURCES]


SECTION = Section("trained", "effects", "what modules really do, from the labels of all networks", plan)

"""The aims that were set before the rows were measured, and what the committed rows say of each."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.models.registry import ENSEMBLE, FOREST_GRAF
from autobuild_book.chapters.trained import ranking_results
from autobuild_book.chapters.trained.agreement import over_seeds
from autobuild_book.chapters.trained.best_networks import MIDDLE, PREDICTED
from autobuild_book.chapters.trained.effects import ACCEL
from autobuild_book.chapters.trained.search_results import in_top, named
from autobuild_book.intervals import mean_with_interval

SIZES = (100, 300, 1000)  # training rows at which the head is compared with the forest's
ACCEL_SRCC: Mapping[int, float] = {100: 0.95, 400: 0.98}
EFFECT_SRCC = 0.9
TOP, DATA_SETS = 0.002, 7
OURS, THEIRS = (named(model.name, PREDICTED) for model in (ENSEMBLE, FOREST_GRAF))
COLUMNS = ["aim", "value", "low", "high", "limit", "met", "shown"]
Aim = tuple[str, float, float, float, float, bool, bool]


def table_of_aims(leads: pd.DataFrame, ranks: pd.DataFrame, effects: pd.DataFrame, built: pd.DataFrame) -> pd.DataFrame:
    """Return a row per aim: the value with its 95 % interval, the limit, whether it is met, and shown to be.

    It is *met* if the value is on the right side of the limit, and *shown* if the whole interval is.

    Args:
        leads: of the ensemble, as `ranking_results.leads_of` returns them.
        ranks: rank correlations, as `ranking` measures them.
        effects: of the effect score on Accel-NASBench, as `agreement.agreement` returns them.
        built: of networks built on NAS-Bench-Graph, as `search_results.with_shares` returns them.
    """
    rows = [*_heads(leads), *_accel(ranks), _lowest_unit(effects), *_built(built)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _numbers(means: pd.DataFrame, row: int, value: str) -> list[float]:
    """Return a mean and the ends of its interval."""
    return [float(means[name].to_numpy()[row]) for name in (value, "low", "high")]


def _at_least(aim: str, numbers: Sequence[float], limit: float) -> Aim:
    value, low, high = map(float, numbers)
    return f"{aim}: at least", value, low, high, limit, value >= limit, low >= limit


def _at_most(aim: str, numbers: Sequence[float], limit: float) -> Aim:
    value, low, high = map(float, numbers)
    return f"{aim}: at most", value, low, high, limit, value <= limit, high <= limit


def _heads(leads: pd.DataFrame) -> Iterator[Aim]:
    means = leads[(leads["source"] == "mean") & (leads["other"] == FOREST_GRAF.name)]
    for size in SIZES:
        numbers = _numbers(means[means["size"] == size], 0, "mean")
        yield _at_least(f"SRCC before the forest's, {size:,} rows", numbers, 0.0)


def _accel(ranks: pd.DataFrame) -> Iterator[Aim]:
    rows = ranking_results.accuracy_of_heads(ranks[(ranks["source"] == ACCEL) & (ranks["model"] == ENSEMBLE.name)])
    means = ranking_results.over_seeds(rows, ["size"])
    for size, limit in ACCEL_SRCC.items():
        numbers = _numbers(means[means["size"] == size], 0, "mean")
        yield _at_least(f"SRCC on Accel-NASBench, {size} rows", numbers, limit)


def _lowest_unit(effects: pd.DataFrame) -> Aim:
    units = over_seeds(effects, ["unit"])
    lowest = int(units["srcc"].to_numpy().argmin())
    name = f"effect score and adjusted effect, the worst unit of Accel-NASBench ({units['unit'][lowest]})"
    return _at_least(name, _numbers(units, lowest, "srcc"), EFFECT_SRCC)


def _built(built: pd.DataFrame) -> Iterator[Aim]:
    rows = built[built["budget"] == MIDDLE]
    hits = in_top(rows, "built_rank", TOP)[MIDDLE]
    alone = (np.nan, np.nan)
    yield _at_least(f"data sets with a network of the best {TOP:.1%} among 25", (hits[OURS], *alone), DATA_SETS)
    wide = rows.pivot(index=["source", "seed"], columns="name", values="built_rank")
    medians = wide.groupby("source").median()
    worse = int((medians[OURS] > medians[THEIRS]).sum())
    yield _at_most("data sets in which the forest's best of 25 is better", (worse, *alone), 0)
    ratios = (wide[OURS] / wide[THEIRS]).map(np.log).groupby("seed").mean()
    numbers = [float(np.exp(number)) for number in mean_with_interval(ratios.to_numpy())]
    yield _at_most("place of the best of 25, times the forest's", numbers, 1.0)


def in_words(aims: pd.DataFrame) -> str:
    """Say how many aims are met, and name those that are not, with their numbers."""
    text = f"{aims['met'].sum()} of {len(aims)} aims are met, {aims['shown'].sum()} with their whole interval"
    missed = [f"{row.aim} {row.limit:g}, it is {row.value:.2g}" for row in aims[~aims["met"]].itertuples()]
    return f"{text}; missed: {'; '.join(missed)}." if missed else f"{text}."

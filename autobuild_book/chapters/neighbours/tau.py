"""Kendall's tau on NAS-Bench-201: neighbours learn from some cells, and rank all others.

The sizes are those of the PINAT paper (Lu et al., AAAI 2023): 0.5, 1, 3 and 5 % of the 15,625 cells. It ranks all
cells; the table here has no cells that differ in dead ends alone, and those that were learnt from are not ranked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autobuild_book.chapters.neighbours import contests
from autobuild_book.chapters.neighbours.contests import Contest
from autobuild_book.chapters.neighbours.nas_bench_201 import NAME
from autobuild_book.chapters.neighbours.registry import NEIGHBOURS
from autobuild_book.chapters.neighbours.systems import System
from autobuild_book.chapters.shared.models.registry import ENSEMBLE, FOREST_GRAF, TUNED
from autobuild_book.intervals import CORRELATION, interval_texts, mean_with_interval
from autobuild_book.measured.sections import Section

SIZES, SEEDS = (78, 156, 469, 781), tuple(range(5))
ALL_CELLS = 15_625
COLUMNS = ["model", "size", "seed", "tau", "fit_seconds", "predict_seconds"]
RIVALS = (FOREST_GRAF.name, TUNED.name, ENSEMBLE.name)
TENTH = 1_563  # cells, 10 %, that only those learn from whose papers do
PUBLISHED = {
    "neural predictor": {78: 0.343, 156: 0.413, 469: 0.584, 781: 0.634},  # this and the next: the PINAT paper's table
    "arch2vec": {78: 0.542, 156: 0.573, 469: 0.601, 781: 0.606},
    "NN-Former": {156: 0.804, TENTH: 0.890},  # its own paper
}  # tau by size


@dataclass(frozen=True)
class CellContest(Contest):
    """A model that ranks all cells that it did not learn."""

    def measure(self) -> pd.DataFrame:
        """Return one row, see `COLUMNS`."""
        return super().measure()[COLUMNS]


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[CellContest]:
    """Return a part per seed, model and size, for sizes that leave cells to rank; `TENTH` is for few models."""
    fitting = [size for size in sizes if contests.fits(NAME, size)]
    return [
        CellContest(NAME, name, size, seed, ALL_CELLS)
        for seed in seeds
        for name in (*NEIGHBOURS, *RIVALS)
        for size in fitting
        if size != TENTH or TENTH in PUBLISHED.get(name, ())
    ]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean tau over seeds with its 95 % interval beside the published one, and mean seconds, by model and size.

    What arch2vec learns without labels is learnt once for a seed, and is in the seconds of the first size."""
    means = []
    for (model, size), group in rows.groupby(["model", "size"], sort=False):
        printed = PUBLISHED.get(str(model), {}).get(int(str(size)), float("nan"))
        seconds = group["fit_seconds"].mean(), group["predict_seconds"].mean()
        interval = mean_with_interval(group["tau"].to_numpy(), within=CORRELATION)
        means.append((model, size, len(group), *interval, printed, *seconds))
    names = ["model", "size", "seeds", "tau", "low", "high", "published", "fit_seconds", "predict_seconds"]
    return pd.DataFrame(means, columns=names)


def beside_published(means: pd.DataFrame) -> list[str]:
    """Say of each model with a published number whether it lies in, below or above our interval, by size."""
    known = means.dropna(subset=["published", "low"])
    below, above = known["published"] < known["low"], known["published"] > known["high"]
    places = np.select([below, above], ["below", "above"], "in")
    lines = []
    for model, part in known.assign(place=places).groupby("model", sort=False):
        sizes = {str(place): _joined(map(str, group["size"])) for place, group in part.groupby("place")}
        texts = [f"{place} our interval with {cells} cells" for place, cells in sorted(sizes.items())]
        lines.append(f"*{model!s}*: the published number is {' and '.join(texts)}.")
    return lines


def readable(means: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return the means at a size as a table for readers, the best model first."""
    part = means[means["size"] == size].sort_values("tau", ascending=False, kind="stable").set_index("model")
    published = part["published"].map(lambda value: f"{value:.3f}" if np.isfinite(value) else "")
    seconds = (part["fit_seconds"] + part["predict_seconds"]).round(1)
    texts = interval_texts(part["tau"], part["low"], part["high"])
    return pd.DataFrame({"tau": texts, "published": published, "seconds": seconds}, index=part.index)


def sentence(means: pd.DataFrame, system: System) -> str:
    """Say what was measured of a system beside published numbers, the verdict, and what it shares with AutoBuild."""
    lines = [_measured(means, model) for model in system.models if (means["model"] == model).any()]
    verdict = f"*Verdict*: **{system.verdict}** ({system.why})."
    return "\n".join(f"- {line}" for line in [*lines, verdict, f"*Beside AutoBuild*: {system.shares}."])


def _measured(means: pd.DataFrame, model: str) -> str:
    part = means[means["model"] == model]
    sizes = ", ".join(map(str, part["size"]))
    line = f"*{model}*: tau {_joined(interval_texts(part['tau'], part['low'], part['high']))} with {sizes} cells"
    if not (printed := part.dropna(subset=["published"])).empty:
        cells = "" if len(printed) == len(part) else f" with {_joined(map(str, printed['size']))}"
        line += f"; published {_joined([f'{value:.3f}' for value in printed['published']])}{cells}"
    return f"{line}; {part['fit_seconds'].mean():.2g} s to fit."


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(texts)


SECTION = Section(
    "neighbours", "tau", "how well neighbours rank the cells of NAS-Bench-201", plan, (*SIZES, TENTH), SEEDS
)

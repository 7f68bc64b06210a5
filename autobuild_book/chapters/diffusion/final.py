"""Experiment 6, the end: what was built is measured on untouched images with fresh seeds, and compared."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.diffusion.bundled_rows import CHOICE, final_choices
from autobuild_book.chapters.diffusion.choice import BEST, MOST_MACS
from autobuild_book.chapters.diffusion.labels import runs_for
from autobuild_book.chapters.diffusion.ranks import COST, HEAD, RIDGE as RIDGE_MODEL
from autobuild_book.chapters.diffusion.task.measuring import RECIPES, ROWS, Job, Measurement
from autobuild_book.chapters.diffusion.task.space import costs, unet_space
from autobuild_book.chapters.diffusion.task.table import MEASURED, seed_agreement
from autobuild_book.chapters.diffusion.verdict import sentence
from autobuild_book.chapters.shared.few_labels import EFFECT, RIDGE
from autobuild_book.chapters.shared.measured_again import beside_committed
from autobuild_book.intervals import greater_than_zero, interval_texts, mean_with_interval
from autobuild_book.measured.tasks import complete
from autobuild_lib.data.table import Table
from autobuild_lib.search import front

LABEL = "log_distance"
SEEDS = (100, 101, 102, 103, 104)  # none of those behind the labels


def to_compare(proposed: pd.DataFrame, is_bundled: bool) -> pd.DataFrame:
    """Return what is compared: for the bundled table the bundled choices, once there are any, otherwise `proposed`."""
    chosen = final_choices()
    return chosen if is_bundled and len(chosen) else proposed


def missing(chosen: pd.DataFrame, rows: Sequence[Measurement], seeds: Sequence[int] = SEEDS) -> list[Job]:
    """Return the measurements of chosen architectures that are not among the rows, the cheapest first."""
    done = {row.key for row in rows}
    architectures = [unet_space().parse(text) for text in dict.fromkeys(chosen["architecture"])]
    order = np.argsort(costs(architectures)["macs"], kind="stable")
    jobs = [Job(architectures[place], seed, "final", RECIPES["final"]) for place in order for seed in seeds]
    return [job for job in jobs if job.key not in done]


def measure_within(jobs: Sequence[Job], rows: Sequence[Measurement], minutes: float, out: Path) -> list[Measurement]:
    """Train and measure the first jobs, as many as should fit into the minutes; what `out` holds is not repeated.

    How long a training takes is known from the rows: a straight line in MACs.
    """
    if not jobs or not minutes or not rows:
        return []
    line = np.polyfit([row.macs for row in rows], [row.seconds for row in rows], 1)
    expected = np.polyval(line, costs([job.architecture for job in jobs])["macs"].to_numpy())
    fits = int((np.cumsum(expected) <= 60 * minutes).sum())
    out.parent.mkdir(parents=True, exist_ok=True)
    return complete(ROWS, jobs[:fits], out, unit="training")


def values_by_seed(chosen: pd.DataFrame, rows: Sequence[Measurement]) -> pd.DataFrame:
    """Return the choices that were measured, a row per seed: `CHOICE`, seed, macs and the labels."""
    recipe = RECIPES["final"].id
    finals = [row for row in rows if (row.half, row.recipe) == ("final", recipe)]
    frame = pd.DataFrame(finals, columns=list(ROWS.columns))
    return chosen.merge(frame[["architecture", "seed", "macs", *MEASURED]], on="architecture")


def against_group(values: pd.DataFrame, reference: str = BEST, label: str = LABEL) -> pd.DataFrame:
    """Compare every network with the mean of a group of the same setting, seed by seed.

    Args:
        values: from `values_by_seed`.
        reference: name of the group.
        label: lower is better.

    Returns:
        Per network `CHOICE`, macs, seeds, its mean with the interval over seeds `mean_low` and `mean_high`, and the
        mean `difference` with `low`, `high` and the one-sided `p` of "it is not lower". Settings whose reference was
        not measured are left out.
    """
    rows = []
    in_settings: dict[Any, pd.DataFrame] = dict(list(values[values["group"] == reference].groupby("setting")))
    for key, runs in values.groupby(CHOICE, sort=False):
        if key[0] not in in_settings:
            continue
        by_seed = runs.set_index("seed")[label]
        differences = (by_seed - in_settings[key[0]].groupby("seed")[label].mean()).dropna().to_numpy()
        numbers = (*mean_with_interval(by_seed.to_numpy()), *mean_with_interval(differences))
        rows.append((*key, int(runs["macs"].iloc[0]), len(by_seed), *numbers, greater_than_zero(-differences)))
    names = ["macs", "seeds", "mean", "mean_low", "mean_high", "difference", "low", "high", "p"]
    return pd.DataFrame(rows, columns=[*CHOICE, *names])


def readable(comparison: pd.DataFrame) -> pd.DataFrame:
    """Return a comparison for a page: million MACs, mean, and difference with interval of each network."""
    texts = interval_texts(comparison["difference"], comparison["low"], comparison["high"])
    rows = comparison.assign(macs=(comparison["macs"] / 1e6).round(1), difference=texts).set_index(CHOICE[:-1])
    return rows[["macs", "mean", "difference"]].round(3)


def side_by_side(comparisons: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the differences of several comparisons for a page: a row per network, a column for each comparison."""
    columns = {}
    for name, rows in comparisons.items():
        texts = interval_texts(rows["difference"], rows["low"], rows["high"], 4)
        columns[name] = pd.Series(texts, pd.MultiIndex.from_frame(rows[CHOICE[:-1]]))
    return pd.concat(columns, axis=1).fillna("")


def on_the_front(comparison: pd.DataFrame) -> pd.DataFrame:
    """Return the networks measured at the end, each once, labelled ones last; `front`: none dominates it."""
    last = comparison.sort_values("group", key=lambda group: group == BEST, kind="stable")
    networks = last.drop_duplicates("architecture", ignore_index=True)
    return networks.assign(front=front(networks[["macs", "mean"]].to_numpy(np.float64)))


def table_of_jobs(jobs: Iterable[Job]) -> pd.DataFrame:
    """Return jobs as a table: columns architecture, seed, half."""
    rows = [(str(job.architecture), job.seed, job.half) for job in jobs]
    return pd.DataFrame(rows, columns=["architecture", "seed", "half"])


def summary_numbers(
    table: Table, spread: pd.DataFrame, ranks: pd.DataFrame, comparison: pd.DataFrame
) -> dict[str, str | int]:
    """Return the numbers and sentences that the summary of the chapter quotes."""
    by_model = ranks.set_index("model").reindex([HEAD, COST, RIDGE_MODEL]).to_dict("index")
    texts = {
        "norm": sentence(comparison), "effect": sentence(comparison, EFFECT), "ridge": sentence(comparison, RIDGE),
        "most_macs": sentence(comparison, MOST_MACS),
    }  # fmt: skip
    icc = spread.set_index("label")["icc"]["log_distance"] if "icc" in spread else float("nan")
    ranked = {"macs": by_model[COST], "head": by_model[HEAD], "ridge": by_model[RIDGE_MODEL]}
    texts |= {f"{name}_srcc": f"{row['srcc']:.2f}" for name, row in ranked.items()}
    texts |= {f"{name}_gain": _with_interval(ranked[name]) for name in ("head", "ridge")}
    runs = runs_for(0.9, icc) if 0 < icc <= 1 else "an unknown number of"
    return {"networks": len(table), "icc": f"{icc:.2f}", "runs": runs, **texts}


def _with_interval(row: Mapping[Hashable, float]) -> str:
    return f"{row['gain']:+.2f} [{row['gain_low']:+.2f}, {row['gain_high']:+.2f}]"


# -------------------------------------------------------------------- proof


def measure_again(row: Measurement, rows: Sequence[Measurement]) -> pd.DataFrame:
    """Repeat a committed training, see `measured_again.beside_committed`; `rows` tell the spread between seeds."""
    again = Job(unet_space().parse(row.architecture), row.seed, row.half, RECIPES[row.half]).run()
    return beside_committed(
        [(label, getattr(again, label), getattr(row, label), seed_agreement(rows, label).seed_sd) for label in MEASURED]
    )

"""One comparison: all neighbours, AutoBuild and its peers on six tables, with 50 to 1,000 rows to learn from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from autobuild_book.chapters.neighbours import contests
from autobuild_book.chapters.neighbours.contests import MODELS, Contest
from autobuild_book.chapters.neighbours.nas_bench_201 import NAME
from autobuild_book.chapters.neighbours.registry import NEIGHBOURS
from autobuild_book.chapters.neighbours.systems import AUTOBUILD
from autobuild_book.intervals import CORRELATION, interval_texts, mean_with_interval
from autobuild_book.measured.sections import Section

# Three data sets of NAS-Bench-Graph: a small, a large, and one with other operations. Networks of the last table have
# surrogate labels; all others were really trained.
GRAPHS = ("nas-bench-graph:cora", "nas-bench-graph:arxiv", "nas-bench-graph:proteins")
SOURCES = (*GRAPHS, "accel-nasbench", NAME, "ofa_mbv3")
SIZES, SEEDS = (50, 100, 300, 1000), (0, 1, 2)
RANKED = 2_000  # networks, so that a contest costs what a model costs to fit
TASK = ["source", "size"]


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[Contest]:
    """Return a part per seed, table, size and model, for sizes that leave rows to rank."""
    return [
        Contest(source, name, size, seed, RANKED)
        for seed in seeds
        for source in SOURCES
        for size in sizes
        if contests.fits(source, size)
        for name in MODELS
    ]


def by_task(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean SRCC over seeds with its 95 % interval, and seconds to fit and to predict, by table, size and model."""
    means = []
    for task, group in rows.groupby([*TASK, "model"], sort=False):
        seconds = float(group[["fit_seconds", "predict_seconds"]].sum(axis="columns").mean())
        means.append((*task, len(group), *mean_with_interval(group["srcc"].to_numpy(), within=CORRELATION), seconds))
    return pd.DataFrame(means, columns=[*TASK, "model", "seeds", "srcc", "low", "high", "seconds"])


def overall(rows: pd.DataFrame, size: int) -> pd.DataFrame:
    """Means over tables at a size, the best model first: columns model, srcc, total (seconds), tables."""
    at_size = by_task(rows[rows["size"] == size])
    means = at_size.groupby("model", sort=False).agg(srcc=("srcc", "mean"), total=("seconds", "mean"),
                                                     tables=("source", "nunique"))  # fmt: skip
    return means.sort_values("srcc", ascending=False, kind="stable").reset_index()


def grid(tasks: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return SRCC with its interval at a size as text, a row per model, the best mean first, and a column per table."""
    part = tasks[tasks["size"] == size].copy()
    part["text"] = interval_texts(part["srcc"], part["low"], part["high"], digits=2)
    order = part.groupby("model")["srcc"].mean().sort_values(ascending=False, kind="stable").index
    texts = part.pivot(index="model", columns="source", values="text").loc[order]
    return texts[[source for source in SOURCES if source in texts]].fillna("")


def worth_their_cost(means: pd.DataFrame) -> pd.DataFrame:
    """Return the models that no cheaper one ranks better than, the cheapest first; `means` as from `overall`."""
    by_cost = means.sort_values(["total", "srcc"], ascending=[True, False], kind="stable")
    return by_cost[by_cost["srcc"] > by_cost["srcc"].cummax().shift(fill_value=-np.inf)]


def standings(rows: pd.DataFrame) -> list[str]:
    """Say for every size who ranks best over the tables, where AutoBuild stands, and the best that is neither."""
    return [
        _standing(size, overall(rows, size), _lead(rows[rows["size"] == size]))
        for size in sorted(rows["size"].unique())
    ]


def _lead(rows: pd.DataFrame) -> str:
    """Say by how much the best model leads the next one, with the 95 % interval over tables."""
    tables = rows.pivot_table(index="source", columns="model", values="srcc")
    first, second = tables.mean().sort_values(ascending=False, kind="stable").index[:2]
    mean, low, high = mean_with_interval((tables[first] - tables[second]).to_numpy())
    return f"before {second} by {mean:.3f} [{low:.3f}, {high:.3f}]"


def _standing(size: int, means: pd.DataFrame, lead: str) -> str:
    first, ours = means.iloc[0], means[means["model"].isin(AUTOBUILD.models)].iloc[0]
    near = means[means["model"].isin(NEIGHBOURS)].iloc[0]
    texts = [f"{row['model']} ({row['srcc']:.3f})" for row in (first, near, ours)]
    order = means["model"].tolist()
    places = [f"{order.index(row['model']) + 1} of {len(order)}" for row in (near, ours)]
    return (
        f"With **{size:,} labels**, {texts[0]} ranks best over {first['tables']} tables, {lead}; of the chapter's "
        f"systems {texts[1]} is first (place {places[0]}), of AutoBuild's {texts[2]} (place {places[1]})."
    )


SECTION = Section(
    "neighbours", "comparison", "neighbours, AutoBuild and its peers on six tables, with their cost", plan, SIZES, SEEDS
)

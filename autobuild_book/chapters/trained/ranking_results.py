"""What the committed rows on ranking say: means over seeds, ceilings, leads, and the verdict on claim C1."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from autobuild_book.chapters.shared.hop_verdict import judge as judge_hops
from autobuild_book.chapters.shared.models.registry import PAPER
from autobuild_book.chapters.shared.verdicts import Verdict
from autobuild_book.chapters.trained.effects import ACCEL, GRAPHS
from autobuild_book.chapters.trained.ranking import HEAD, targets_of
from autobuild_book.intervals import CORRELATION, mean_with_interval
from autobuild_lib import data
from autobuild_lib.statistics import srcc

KINDS = ("accuracy", "latency", "both")
SEED_CEILING = (
    0.992  # of Accel-NASBench, between seeds of its training (`ceilings.seed_ceilings`); its files are optional
)
JUDGED = 300  # training rows of the verdict


def with_kinds(rows: pd.DataFrame) -> pd.DataFrame:
    """Add a column `kind`: what each target is about."""
    kinds = {(s, t): kind for s in rows["source"].unique() for t, kind in zip(targets_of(s), KINDS, strict=True)}
    return rows.assign(kind=[kinds[pair] for pair in zip(rows["source"], rows["target"], strict=True)])


def over_seeds(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Mean SRCC and its 95 % interval over seeds; a constant prediction counts as 0. Columns: `by`, mean, low, high."""
    groups = rows.fillna({"srcc": 0.0}).groupby(list(by), sort=False)["srcc"]
    means = [(*key, *mean_with_interval(group.to_numpy(), within=CORRELATION)) for key, group in groups]
    return pd.DataFrame(means, columns=[*by, "mean", "low", "high"])


def accuracy_of_heads(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows about the accuracy's head."""
    return rows[(rows["target"] == "acc") & (rows["level"] == HEAD)]


def repeated() -> pd.Series:
    """How a second measurement of the same networks ranks them, by source.

    Accel-NASBench: another seed. NAS-Bench-Graph: accuracy on the test nodes, which is another question, too.
    """
    ranks = {ACCEL: SEED_CEILING}
    for name in GRAPHS:
        labels = data.load(f"nas-bench-graph:{name}").labels
        ranks[f"nas-bench-graph:{name}"] = srcc(labels["acc"].to_numpy(), labels["test_acc"].to_numpy())
    return pd.Series(ranks)


def leads_of(rows: pd.DataFrame, model: str, others: Sequence[str]) -> pd.DataFrame:
    """By how much a model ranks better than others on the same training rows, for accuracy, with 95 % intervals.

    Columns: source ("mean" for the mean over NAS-Bench-Graph's data sets), size, other, mean, low, high, seeds.
    """
    heads = accuracy_of_heads(rows).fillna({"srcc": 0.0})
    wide = heads.pivot(index=["source", "size", "seed"], columns="model", values="srcc")
    cases = wide.reset_index()
    graphs = cases[cases["source"] != ACCEL].groupby(["size", "seed"])[list(wide)].mean().reset_index()
    cases = pd.concat([cases, graphs.assign(source="mean")])
    rows_of_leads: list[tuple[Any, ...]] = []
    for other in others:
        leads = cases.assign(lead=cases[model] - cases[other]).dropna(subset=["lead"])
        for (source, size), group in leads.groupby(["source", "size"], sort=False)["lead"]:
            rows_of_leads.append((source, size, other, *mean_with_interval(group.to_numpy()), len(group)))
    return pd.DataFrame(rows_of_leads, columns=["source", "size", "other", "mean", "low", "high", "seeds"])


def over_data_sets(leads: pd.DataFrame) -> pd.DataFrame:
    """The mean lead over NAS-Bench-Graph's data sets, with both of its 95 % intervals: over seeds, and over data sets.

    The first says how sure the mean of these data sets is, the second what another data set would have.

    Args:
        leads: as `leads_of` returns them.

    Returns:
        Columns other, size, mean, low, high (over seeds), sets_low, sets_high (over data sets), ahead, data_sets.
    """
    graphs = leads[~leads["source"].isin([ACCEL, "mean"])]
    intervals = [(*key, *mean_with_interval(group.to_numpy())[1:], int((group > 0).sum()), len(group))
                 for key, group in graphs.groupby(["other", "size"], sort=False)["mean"]]  # fmt: skip
    columns = ["other", "size", "sets_low", "sets_high", "ahead", "data_sets"]
    means = leads[leads["source"] == "mean"][["other", "size", "mean", "low", "high"]]
    return means.merge(pd.DataFrame(intervals, columns=columns), on=["other", "size"])


def lead_in_words(lead: "pd.Series[float]") -> str:
    """Write a row of `over_data_sets`: the mean, its interval over data sets, and in how many the model is ahead."""
    interval = f"[{lead['sets_low']:.3f}, {lead['sets_high']:.3f}]"
    return f"{lead['mean']:.3f} {interval} (ahead in {lead['ahead']:.0f} of {lead['data_sets']:.0f} data sets)"


def graph_means(rows: pd.DataFrame) -> pd.DataFrame:
    """SRCC for accuracy in the mean over NAS-Bench-Graph's data sets and seeds: a row per model, a column per size.

    The means of a size are over the data sets that have it, at most one missing; a model that lacks one of these has
    no mean.
    """
    graphs = accuracy_of_heads(rows[rows["source"] != ACCEL]).fillna({"srcc": 0.0})
    by_source = graphs.pivot_table("srcc", ["size", "source"], "model").groupby("size")
    means = pd.DataFrame({size: part.mean(skipna=False) for size, part in by_source}).rename_axis(columns="size")
    return means.loc[:, by_source.size() >= graphs["source"].nunique() - 1].dropna(axis="columns", how="all")


def judge(rows: pd.DataFrame, ceilings: pd.Series, size: int = JUDGED) -> Verdict:
    """Judge claim C1 on trained networks, by the paper's preset at one size; a task is a table and a target."""
    part = rows[(rows["model"] == PAPER.name) & (rows["size"] == size)].fillna({"srcc": 0.0})
    ranks = part.assign(family=part["source"], preset="paper")
    tasks = part[["source", "target"]].drop_duplicates()
    measured = tasks["source"].map(ceilings).where(tasks["target"] == "acc")
    references = tasks.rename(columns={"source": "family"}).assign(ceiling=measured)
    return judge_hops(ranks, references)


def checks_by_size(rows: pd.DataFrame, ceilings: pd.Series) -> pd.DataFrame:
    """What C1's checks would say at every size at which the paper's preset learnt from all tables but one at most.

    Columns: size, check, value, holds.
    """
    paper = rows[rows["model"] == PAPER.name]
    sources = paper.groupby("size")["source"].nunique()
    sizes = sources.index[sources >= sources.max() - 1]
    return pd.concat([judge(rows, ceilings, size).checks.assign(size=size) for size in sizes], ignore_index=True)

"""What the measured rows of the board say: means over seeds, average ranks of models, and who wins where."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from autobuild_book.chapters.board.measuring import KEY, BoardJob
from autobuild_book.intervals import CORRELATION, interval_texts, mean_with_interval

TASK = ["table", "target"]
MEASURES = {"srcc": True, "tau": True, "regret": False, "rank": False}  # whether more is better
ENDS = {"srcc": CORRELATION, "tau": CORRELATION, "regret": (0.0, np.inf)}  # what a mean can be
SECONDS = ["fit_seconds", "predict_seconds"]


def chosen(
    rows: pd.DataFrame,
    tables: Collection[str] | None = None,
    models: Collection[str] | None = None,
    sizes: Collection[int] | None = None,
) -> pd.DataFrame:
    """Return the rows of some tables, models and sizes (default: all); a name without rows is a `ValueError`."""
    for column, names in (("table", tables), ("model", models)):
        if unknown := sorted(set(names or ()) - set(rows[column])):
            there = "; ".join(rows[column].unique())
            raise ValueError(f"no rows of {column} {unknown[0]!r}; there are those of {there}")
        rows = rows[rows[column].isin(names)] if names else rows
    return (rows[rows["size"].isin(sizes)] if sizes else rows).reset_index(drop=True)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per table, target, model and size.

    Columns beside these: seeds; srcc, tau and regret, means with the ends of their 95 % intervals over seeds (`_low`,
    `_high`); rank and share, the median; rank_least and rank_most; fit_seconds and predict_seconds, means.
    """
    made = []
    for key, runs in rows.groupby(KEY, sort=False):
        cells: dict[str, float] = {"seeds": len(runs)}
        for measure, ends in ENDS.items():
            names = (measure, f"{measure}_low", f"{measure}_high")
            cells |= dict(zip(names, mean_with_interval(runs[measure].to_numpy(), within=ends), strict=True))
        cells |= {"rank": runs["rank"].median(), "share": runs["share"].median()}
        cells |= {"rank_least": runs["rank"].min(), "rank_most": runs["rank"].max()}
        made.append({**dict(zip(KEY, key, strict=True)), **cells, **runs[SECONDS].mean()})
    return pd.DataFrame(made)


def task_name(table: str, target: str) -> str:
    """Return a short name of a table and target: the data set of a benchmark, or the device of a latency."""
    return target.removeprefix("latency_") if target.startswith("latency_") else table.partition(":")[2] or table


def readable(means: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `summary` for a reader: texts with intervals, a column for each measure."""
    ranks = zip(means["rank"], means["rank_least"], means["rank_most"], strict=True)
    shown = {
        measure: interval_texts(means[measure], means[f"{measure}_low"], means[f"{measure}_high"], digits)
        for measure, digits in (("srcc", 3), ("tau", 3), ("regret", 2))
    }
    return means[KEY].assign(
        **shown,
        rank=[f"{middle:,.0f} ({least:,} to {most:,})" for middle, least, most in ranks],
        share=[f"{100 * share:.2f} %" for share in means["share"]],
        seconds=[f"{total:.2f}" for total in means[SECONDS].sum(axis="columns")],
    )


def coverage(rows: pd.DataFrame, jobs: Sequence[BoardJob]) -> pd.DataFrame:
    """Say how much of a plan is measured: columns size, measured, planned (rows), models and tables that lack rows."""
    keys = pd.DataFrame([key for job in jobs for key in job.keys], columns=[*KEY, "seed"])
    there = set(rows[[*KEY, "seed"]].itertuples(index=False, name=None))
    lacks = np.array([key not in there for key in keys.itertuples(index=False, name=None)], dtype=bool)
    counted = []
    for size, part in keys.assign(lacks=lacks).groupby("size"):
        missing = part[part["lacks"]]
        lacking = (_among(missing[name], part[name]) for name in ("model", "table"))
        counted.append((size, len(part) - len(missing), len(part), *lacking))
    return pd.DataFrame(counted, columns=["size", "measured", "planned", "models", "tables"])


def _among(some: pd.Series, every: pd.Series) -> str:
    """Name some of several things: none, all, or each."""
    names = list(some.unique())
    return "all" if len(names) == every.nunique() else ", ".join(names) or "none"


# -------------------------------------------------------------------- models over tasks


def by_task(rows: pd.DataFrame, size: int, measure: str = "srcc") -> pd.DataFrame:
    """Return means over seeds, a row per task, a column per model, none missing.

    Tasks that fewer than half of the models have are left out, as of a measurement that goes on; then models that lack
    a task.
    """
    table = rows[rows["size"] == size].pivot_table(index=TASK, columns="model", values=measure, sort=False)
    return table.dropna(axis="index", thresh=(table.shape[1] + 1) // 2).dropna(axis="columns")


def in_common(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of tasks that have every size, so that sizes can be compared."""
    sizes = rows.groupby(TASK)["size"].transform("nunique")
    return rows[sizes == rows["size"].nunique()]


def place(srcc: float, others: pd.Series) -> str:
    """Say which place a rank correlation has beside those of others; without others there is none."""
    return f"{1 + int((others > srcc).sum())} of {len(others) + 1}" if len(others) else "alone"


def average_ranks(table: pd.DataFrame, more_is_better: bool = True) -> pd.DataFrame:
    """Rank models on each task, 1 for the best, and average: columns model, rank, low, high, wins, the best first.

    Equal values share the mean of their ranks. The interval is that of a mean over tasks, 95 %; `wins` counts tasks on
    which no model is better.

    Args:
        table: a row per task, a column per model.
    """
    ranks = rankdata(-table.to_numpy() if more_is_better else table.to_numpy(), axis=1)
    wins = (table.to_numpy() == (table.max if more_is_better else table.min)(axis=1).to_numpy()[:, None]).sum(0)
    ends = (1.0, float(table.shape[1]))
    rows = [(model, *mean_with_interval(ranks[:, n], within=ends), wins[n]) for n, model in enumerate(table)]
    frame = pd.DataFrame(rows, columns=["model", "rank", "low", "high", "wins"])
    return frame.sort_values("rank", kind="stable", ignore_index=True)


def average_ranks_apart(rows: pd.DataFrame, groups: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """Rank models within groups of tables: average ranks, a row per model, a column per group and size.

    Args:
        rows: measured rows.
        groups: a name and its tables.
    """
    columns = {}
    for group, tables in groups.items():
        part = rows[rows["table"].isin(tables)]
        for size in sorted(part["size"].unique()):
            columns[group, size] = average_ranks(by_task(part, size)).set_index("model")["rank"]
    return pd.concat(columns, axis="columns", names=["tables", "size"])


def average_places(rows: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return average ranks over tasks by SRCC and by the true place of what is built: a row per model, two columns."""
    by_srcc, by_share = by_task(rows, size), by_task(rows, size, "share")
    ranks = average_ranks(by_srcc), average_ranks(by_share, more_is_better=False)
    srcc, share = (table.set_index("model")["rank"] for table in ranks)
    return pd.DataFrame({"srcc": srcc, "share": share})


def ranks_by_seed(rows: pd.DataFrame, model: str, other: str) -> pd.DataFrame:
    """Return the true ranks of what a model builds: a row per size, a column per seed; and the median of another model.

    Args:
        rows: of one task.
    """
    of_model, of_other = (rows[rows["model"] == name] for name in (model, other))
    ranks = of_model.pivot(index="size", columns="seed", values="rank").add_prefix("seed ").rename_axis(columns=None)
    medians = of_other.groupby("size")["rank"].median()
    return ranks.assign(srcc=of_model.groupby("size")["srcc"].mean(), **{other: medians}).reset_index()


def better_at_the_top(rows: pd.DataFrame) -> str:
    """Name for each size, of the third of models with the best true places, the one that gains most over its SRCC."""
    texts = []
    for size in sorted(rows["size"].unique()):
        places = average_places(rows, size).sort_values("share", kind="stable")
        top = places.iloc[: max(1, len(places) // 3)]
        model = str((top["srcc"] - top["share"]).idxmax())
        srcc, share = top.loc[model]
        texts.append(f"{model} with {size:,} labels ({srcc:.1f} by SRCC, {share:.1f} by true place)")
    return "; ".join(texts)


def critical_difference(models: int, tasks: int, level: float = 0.05) -> float:
    """Return how far two average ranks must be apart to differ (Nemenyi's test; Demsar, JMLR 2006); NaN for no test."""
    if models < 2 or tasks < 2:
        return float("nan")
    quantile = studentized_range.ppf(1 - level, models, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(models * (models + 1) / (6 * tasks)))


def friedman(table: pd.DataFrame) -> float:
    """Return the p-value of Friedman's test that all models rank alike; NaN for fewer than three models or tasks."""
    return float(friedmanchisquare(*table.to_numpy().T).pvalue) if min(table.shape) > 2 else float("nan")


def winners(rows: pd.DataFrame, measure: str = "srcc") -> pd.DataFrame:
    """Per task and size, the best model and the next one, on the same training rows; models have all seeds, or no part.

    Returns:
        Columns table, target, size, model, value (mean of the best), next, lead over the next one with its 95 %
        interval over seeds (low, high; positive: better), and whether the whole interval lies above zero (`shown`).
    """
    sign, found = 1.0 if MEASURES[measure] else -1.0, []
    for (*task, size), runs in rows.groupby([*TASK, "size"], sort=False):
        table = sign * runs.pivot_table(index="seed", columns="model", values=measure).dropna(axis="columns")
        first, *others = table.mean().sort_values(ascending=False, kind="stable").index
        if others:
            lead, low, high = mean_with_interval((table[first] - table[others[0]]).to_numpy())
            found.append((*task, size, first, sign * table[first].mean(), others[0], lead, low, high, low > 0))
    columns = [*TASK, "size", "model", "value", "next", "lead", "low", "high", "shown"]
    return pd.DataFrame(found, columns=columns)


@dataclass(frozen=True)
class Standing:
    """Who is ahead with a number of training rows. alike: models that the critical difference does not tell apart."""

    size: int
    first: str
    rank: float
    wins: int
    tasks: int
    second: str
    second_rank: float
    alike: tuple[str, ...]
    autobuild: str
    autobuild_rank: float

    def sentence(self) -> str:
        """The standing in words, in Markdown."""
        text = f"With {self.size:,} labelled networks, **{self.first}** has the best average rank ({self.rank:.1f}) "
        text += f"and is best on {self.wins} of {self.tasks} tasks; next is {self.second} ({self.second_rank:.1f})"
        if self.alike:
            text += f"; the critical difference does not tell it from {len(self.alike)} others"
        if self.autobuild and self.autobuild not in (self.first, self.second):
            text += f"; AutoBuild's best single predictor ({self.autobuild}) has {self.autobuild_rank:.1f}"
        return f"{text}."


def standings(rows: pd.DataFrame, ours: Sequence[str], measure: str = "srcc") -> list[Standing]:
    """Return who is ahead for each size. ours: AutoBuild's recipes, of which the best one is named, too."""
    standings_by_size = []
    for size in sorted(rows["size"].unique()):
        table = by_task(rows, size, measure)
        if table.shape[1] < 2:
            continue
        ranks = average_ranks(table, MEASURES[measure])
        best, second = ranks.iloc[0], ranks.iloc[1]
        places = (best["model"], best["rank"], int(best["wins"]), len(table), second["model"], second["rank"])
        near = ranks["rank"] - best["rank"] < critical_difference(len(ranks), len(table))
        mine = ranks[ranks["model"].isin(ours)].head(1)
        name, rank = (mine["model"].iloc[0], mine["rank"].iloc[0]) if len(mine) else ("", float("nan"))
        standings_by_size.append(Standing(int(size), *places, tuple(ranks["model"][near][1:]), name, float(rank)))
    return standings_by_size

"""What the measured rows of a comparison say: means with intervals, who wins where, and what to use when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.registry import EMBEDDED, EXTENDED, FEW, MODELS, PAPER, TUNED
from autobuild_book.intervals import ANYWHERE, CORRELATION, SHARE, mean_with_interval

Array = npt.NDArray[np.float64]
KEY = ["contest", "target", "model", "size"]
MEASURES = {"srcc": True, "recall": True, "regret": False}  # whether more is better
ENDS = {"srcc": CORRELATION, "recall": SHARE}  # what a measure can be
AUTOBUILD = (PAPER.name, TUNED.name, FEW.name)
COMBINED = (EMBEDDED.name, EXTENDED.name)
MARGINS = {"srcc": 0.01, "recall": 0.03, "regret": 0.03}  # what a cheaper model may lose: a choice, not a finding
SHOWN = (
    PAPER.name, TUNED.name, FEW.name, "additive ridge", "Gaussian process", "forest: GRAF", "boosting: one-hot + GRAF",
)  # fmt: skip


def mean_measures(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean of each measure with its 95 % interval over draws of the rows: columns of `KEY`, measure, value, low, high.

    Runs with the same rows are averaged first; where there is one draw only, there is no interval (NaN).
    """
    means = []
    for key, runs in rows.groupby(KEY, sort=False):
        by_draw = runs.groupby("draw")[list(MEASURES)].mean()
        for measure in MEASURES:
            interval = mean_with_interval(by_draw[measure].to_numpy(), within=ENDS.get(measure, ANYWHERE))
            means.append((*key, measure, *interval))
    return pd.DataFrame(means, columns=[*KEY, "measure", "value", "low", "high"])


def of_contests(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the rows of the named contests."""
    return frame[frame["contest"].isin(names)].reset_index(drop=True)


def shown(summary: pd.DataFrame) -> list[str]:
    """Return the models that figures show: `SHOWN`, or what else there is; at most seven."""
    models = list(dict.fromkeys(summary["model"]))
    return ([name for name in SHOWN if name in models] or models)[:7]


def by_size(summary: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Mean of one measure over all tasks: a row per model, a column per size; NaN where a task is missing."""
    values = summary[summary["measure"] == measure]
    tasks = values.drop_duplicates(["contest", "target", "size"]).groupby("size").size()
    cells = values.groupby(["model", "size"], sort=False)["value"].agg(["mean", "count"])
    complete = cells["count"] == tasks.reindex(cells.index.get_level_values("size")).to_numpy()
    return cells["mean"].where(complete).unstack("size")


def with_quality(costs: pd.DataFrame, summary: pd.DataFrame, task: tuple[str, str], size: int) -> pd.DataFrame:
    """Add to costs the mean SRCC of each model at the largest measured size up to `size`: the column srcc."""
    values = summary[(summary["contest"] == task[0]) & (summary["target"] == task[1]) & (summary["measure"] == "srcc")]
    best = values[values["size"] <= size].sort_values("size").drop_duplicates("model", keep="last")
    return costs.merge(best[["model", "value"]].rename(columns={"value": "srcc"}), on="model", how="left")


def against_autobuild(rows: pd.DataFrame, measure: str = "srcc") -> pd.DataFrame:
    """Per task and size, AutoBuild's best recipe against the best other model, on the same training rows.

    Both are chosen by their means on these very rows, combinations of the two left out, which favours the side with
    more models: the others. `lead` is AutoBuild's mean advantage (positive: AutoBuild is better), with its 95 %
    interval over draws of the rows. There is a winner where the whole interval is beyond the margin (`MARGINS`), else
    it is "even"; with one draw there is no interval, and the winner is "unknown".
    """
    leads = []
    sign = 1.0 if MEASURES[measure] else -1.0
    for key, runs in rows[~rows["model"].isin(COMBINED)].groupby(["contest", "target", "size"], sort=False):
        table = sign * runs.pivot_table(index="draw", columns="model", values=measure)
        ours, others = (_best(table, [str(m) for m in table if (m in AUTOBUILD) == mine]) for mine in (True, False))
        if not ours or not others:
            continue
        lead, low, high = mean_with_interval((table[ours] - table[others]).dropna().to_numpy())
        winner = ours if low > MARGINS[measure] else others if high < -MARGINS[measure] else "even"
        winner = winner if np.isfinite(low) else "unknown"
        means = (sign * float(table[side].mean()) for side in (ours, others))
        leads.append((*key, ours, others, *means, lead, low, high, winner))
    columns = ["contest", "target", "size", "autobuild", "other", "autobuild_value", "other_value", "lead", "low",
               "high", "winner"]  # fmt: skip
    return pd.DataFrame(leads, columns=columns)


def readable(leads: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `against_autobuild` for a page: each side is a model and its mean."""
    sides = {side: [f"{model} ({value:.3f})" for model, value in zip(leads[side], leads[f"{side}_value"], strict=True)]
             for side in ("autobuild", "other")}  # fmt: skip
    return leads[["contest", "target", "size"]].assign(**sides).reset_index(drop=True)


def _best(table: pd.DataFrame, models: Sequence[str]) -> str:
    means = table[list(models)].mean()
    return "" if means.empty else str(means.idxmax())


def combining(rows: pd.DataFrame) -> pd.DataFrame:
    """Per task and size, what a combination adds to each of its parts (SRCC, paired over training subsets)."""
    pairs = [(EMBEDDED.name, "forest: GRAF"), (EMBEDDED.name, TUNED.name), (EXTENDED.name, TUNED.name)]
    pairs += [("forest: one-hot + GRAF", "forest: GRAF"), ("boosting: one-hot + GRAF", "boosting: one-hot")]
    gains = []
    for size, runs in rows.groupby("size"):
        table = runs.pivot_table(index=["contest", "target", "seed"], columns="model", values="srcc")
        for whole, part in pairs:
            if {whole, part} <= set(table):
                difference = (table[whole] - table[part]).dropna().groupby(["contest", "target"]).mean()
                gains.append((whole, part, size, *mean_with_interval(difference.to_numpy()), len(difference)))
    return pd.DataFrame(gains, columns=["combination", "part", "size", "gain", "low", "high", "tasks"])


def not_measured(rows: pd.DataFrame) -> list[str]:
    """Return the models of the registry that no row is about."""
    measured = set(rows["model"])
    return [name for name in MODELS if name not in measured]


# -------------------------------------------------------------------- what to use


@dataclass(frozen=True)
class Advice:
    """What to use with a number of labelled networks.

    best: highest mean over tasks. advised: the cheapest to train of the models that lose less than the margin.
    draws: how many sets of training rows that rests on.
    """

    size: int
    measure: str
    best: str
    best_value: float
    advised: str
    advised_value: float
    autobuild: str
    autobuild_value: float
    tasks: int
    draws: int

    def sentence(self) -> str:
        """The advice in words, in Markdown."""
        what = {"srcc": "SRCC", "recall": "top-10 % recall", "regret": "regret"}[self.measure]
        shown, where = ("shown to be ", "") if self.draws > 1 else ("", " on the only training set of this size")
        text = f"With {self.size:,} labelled networks use **{self.advised}** ({what} {self.advised_value:.3f})"
        if self.best != self.advised:
            margin = MARGINS[self.measure]
            text += f", the cheapest {shown}within {margin} of {self.best} ({self.best_value:.3f}){where}"
        if self.autobuild not in (self.advised, self.best):
            text += f"; {self.autobuild} reaches {self.autobuild_value:.3f}"
        return f"{text}."


def advise(rows: pd.DataFrame, sizes: Iterable[int], measure: str = "srcc") -> list[Advice]:
    """Advise per training size, from means over the tasks of `rows`.

    The advised model is the cheapest to train among the best one and those that are shown to lose less than the margin
    (`MARGINS`): the 95 % interval of their loss, over draws of the rows, ends below it. That nothing is shown either
    way is no reason to advise a model; only where there is one draw, which has no interval, the loss itself decides.
    Models without all tasks of a size are left out.
    """
    advice = []
    sign = 1.0 if MEASURES[measure] else -1.0
    for size in sizes:
        runs = rows[rows["size"] == size]
        table = sign * _over_tasks(runs, measure)
        if table.shape[1] < 2:
            continue
        means, seconds = table.mean(), runs.groupby("model")["fit_seconds"].mean()
        best = str(means.idxmax())
        good = [best, *(str(m) for m in table if _loses_less(MARGINS[measure], table[best], table[str(m)]))]
        advised, ours = str(seconds[good].idxmin()), _best(table, [str(m) for m in table if m in AUTOBUILD]) or best
        values = {model: sign * float(means[model]) + 0.0 for model in (best, advised, ours)}
        chosen = (best, values[best], advised, values[advised], ours, values[ours])
        tasks = len(runs.drop_duplicates(["contest", "target"]))
        advice.append(Advice(size, measure, *chosen, tasks, len(table.dropna())))
    return advice


def _over_tasks(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Mean over tasks for each draw of the rows (index) and each model that has all tasks (columns)."""
    wide = rows.pivot_table(index="draw", columns=["model", "contest", "target"], values=measure)
    models = wide.T.groupby(level="model")
    complete = models.size() == len(rows.drop_duplicates(["contest", "target"]))
    return models.mean(skipna=False)[complete].T


def _loses_less(margin: float, best: pd.Series, other: pd.Series) -> bool:
    """Say whether a model is shown to lose less than the margin, or with one draw only, whether it does."""
    losses = (best - other).dropna().to_numpy()
    mean, _, high = mean_with_interval(losses)
    return bool((high if len(losses) > 1 else mean) < margin)


def chosen_apart(by_srcc: Sequence[Advice], by_regret: Sequence[Advice]) -> str:
    """Say with how many labels the best models by SRCC and by regret are not the same, and which they are."""
    pairs = [(first, second) for first in by_srcc for second in by_regret if first.size == second.size]
    texts = [
        f"with {first.size:,} labels {first.best} ({first.best_value:.3f}) and {second.best} ({second.best_value:.3f})"
        for first, second in pairs
        if first.best != second.best
    ]
    return "; ".join(texts) or "with none of these sizes"


def sentences(advice: Sequence[Advice]) -> list[str]:
    """Return the advice in words, in Markdown; one sentence says so where there is none."""
    return [line.sentence() for line in advice] or ["Fewer than two models can be compared on these data."]


def decision_box(advice: Mapping[str, Sequence[Advice]]) -> str:
    """Write the advice for each measure as Markdown."""
    aims = {"srcc": "To rank networks", "recall": "To find the best tenth", "regret": "To find one of the best"}
    lists = {measure: "\n".join(f"- {text}" for text in sentences(lines)) for measure, lines in advice.items()}
    return "\n\n".join(f"**{aims[measure]}**\n\n{text}" for measure, text in lists.items())

"""The verdict of experiment 3 on claim C3, and what it rests on task by task."""

from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.modules.agreement import CELL, UNIT, median_srcc
from autobuild_book.chapters.modules.ranking import KINDS
from autobuild_book.chapters.shared.verdicts import Verdict, estimate
from autobuild_book.intervals import CORRELATION, SHARE, holm, or_unknown

TASK = ["family", "target"]
RULE = (
    "By norm score, the best module beats random ones and these beat the worst in 80 % of cells (Holm's "
    "correction); score and measured effect correlate to at least 0.5; any two equations share less than half of "
    "their best 1 %. *Supported*: all of it; *partly*: two of three; *undecided*: without measured effects."
)


def cells_that_hold(effects: pd.DataFrame) -> pd.Series:
    """Mark rows where the best module beats random ones and these beat the worst (Holm over all tests given, 5 %)."""
    adjusted = np.array(holm([*effects.gain_p, *effects.loss_p])).reshape(2, -1)
    return pd.Series((adjusted < 0.05).all(0) & ~effects.constant.to_numpy(dtype=bool), index=effects.index)


def judge(effects: pd.DataFrame, correlations: pd.DataFrame, overlap: pd.DataFrame, score: str = "norm") -> Verdict:
    """Judge claim C3 on one kind of score by `RULE`.

    A cell is a unit and depth of a target and training seed (paired one-sided t-tests over hosts). The correlation
    (Spearman) is the median over random modules of a unit; that of a constant score counts as 0.
    """
    of_score, pairs = effects[effects.score == score], overlap[overlap.score == score].overlap
    units = correlations[(correlations.score == score) & (correlations.scope == UNIT)]
    checks = []
    if len(of_score):
        held = cells_that_hold(of_score)
        text = f"{held.sum()} of {len(of_score)} cells ({held.mean():.0%})"
        checks.append(("best beats random beats worst", text, bool(held.mean() >= 0.8)))
    if len(units):
        row = median_srcc(units, ["score"]).iloc[0]
        text = f"{row['median']:.3f} (units: {row.low:.2f} to {row.high:.2f})"
        checks.append(("median Spearman(score, effect)", text, bool(row["median"] >= 0.5)))
    if len(pairs):
        text = f"{(pairs < 0.5).sum()} of {len(pairs)} pairs (median {pairs.median():.2f}, largest {pairs.max():.2f})"
        checks.append(("best 1 % of two targets overlap by less than half", text, bool((pairs < 0.5).all())))
    table = pd.DataFrame(checks, columns=["check", "value", "holds"]).astype({"holds": bool})
    return Verdict(f"Claim C3, {score} score", table, decidable=len(table) == 3)


def by_seed(effects: pd.DataFrame, correlations: pd.DataFrame, overlap: pd.DataFrame) -> pd.DataFrame:
    """Return the verdict of every kind of score on each training seed alone: score, seed, verdict, then the checks."""
    rows = []
    for score, seed in dict.fromkeys(zip(overlap.score, overlap.seed, strict=True)):
        of_seed = [frame[frame.seed == seed] for frame in (effects, correlations, overlap)]
        verdict = judge(of_seed[0], of_seed[1], of_seed[2], score)
        values = dict(zip(verdict.checks.check, verdict.checks.value, strict=True))
        rows.append({"score": score, "seed": seed, "verdict": verdict.word, **values})
    return pd.DataFrame(rows)


def cells_by_task(effects: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Count the cells in which best beats random beats worst, such as "12 of 15": a row per task, a column per score.

    tasks: columns family, target, label. Holm's correction is over all cells of one kind of score, as in `judge`.
    Without measured effects the table is empty.
    """
    if effects.empty:
        return pd.DataFrame()
    marked = [cells.assign(held=cells_that_hold(cells)) for _, cells in effects.groupby("score", sort=False)]
    counts = pd.concat(marked).groupby(["family", "target", "score"]).held.agg(["sum", "size"]).reset_index()
    texts = counts.assign(text=counts["sum"].astype(str) + " of " + counts["size"].astype(str)).merge(tasks)
    table = texts.pivot(index=["family", "label"], columns="score", values="text")
    return table.loc[[key for key in zip(tasks.family, tasks.label, strict=True) if key in table.index]]


def module_estimates(effects: pd.DataFrame, correlations: pd.DataFrame, score: str = "norm") -> list[dict[str, Any]]:
    """Describe claim C3 task by task: the share of cells that hold, and the median correlation over units.

    A missing correlation, that of a constant score, counts as 0, as in the verdict. A task is a family and a target.
    effects, correlations: tables of experiment 3, as for `judge`.
    """
    cells = effects[effects.score == score]
    held = cells.assign(held=cells_that_hold(cells) if len(cells) else False)
    units = correlations[(correlations.score == score) & (correlations.scope == UNIT)]
    shares = held.groupby(TASK).held.mean()
    medians = units.assign(srcc=units.srcc.fillna(0.0)).groupby(TASK).srcc.median()
    return [
        estimate("share of cells in which best beats random beats worst", shares.to_numpy(float), "tasks", SHARE),
        estimate("median over units of Spearman(score, effect)", medians.to_numpy(float), "tasks", CORRELATION),
    ]


def summary_numbers(effects: pd.DataFrame, by_scope: pd.DataFrame, steady: pd.DataFrame) -> dict[str, str]:
    """Return what the summary of the chapter quotes; "unknown" or "none" where nothing was measured.

    Medians of the correlations of scores with effects, by scope and score (`by_scope`); per kind of score, the share of
    `effects` that hold, and of the best 1 % that two training seeds have in common (`steady`). "reachable" is the
    correlation that a perfect score could have with the effects in all hosts, from that of halves (Spearman and Brown).
    """
    texts = {_name(scope, score): "unknown" for scope in (UNIT, CELL) for score in [*KINDS, "ridge", "halves"]}
    for scope, score, median in zip(by_scope["scope"], by_scope["score"], by_scope["median"], strict=True):
        texts[_name(scope, score)] = or_unknown(median, ".2f")
    halves = by_scope["median"][(by_scope["scope"] == UNIT) & (by_scope["score"] == "halves")].max()
    texts["reachable"] = or_unknown(np.sqrt(2 * halves / (1 + halves)) if halves > 0 else np.nan, ".2f")
    for kind in KINDS:
        held = cells_that_hold(effects[effects.score == kind])
        texts[f"cells_{kind}"] = f"{held.mean():.0%}" if len(held) else "none"
        same = steady[(steady.measure == "best 1 %") & (steady.score == kind)]["median"]
        texts[f"seeds_{kind}"] = or_unknown(same.mean(), ".0%")
    return texts


def _name(scope: str, score: str) -> str:
    return f"{scope}_{score}".replace(", ", "_").replace(" ", "_")

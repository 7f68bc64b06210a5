"""Do module scores tell what modules really do? Scores beside real effects, and the verdict on claim C3."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.verdicts import Verdict
from autobuild_book.chapters.trained.effects import ACCEL, ANY
from autobuild_book.chapters.trained.scores import LARGE, MIDDLE, PAPER, RIDGE, long_form
from autobuild_book.intervals import CORRELATION, mean_with_interval

RUN = ["source", "size", "seed", "model", "score"]
CELL = [*RUN, "structure", "unit"]
EFFECTS = ["real", "real_low", "real_high"]


def real_effects(effects: pd.DataFrame) -> pd.DataFrame:
    """Return committed effects with a module's `place` in its unit's corpus, and `real`, `real_low`, `real_high`.

    These are the adjusted effects of a sample, and the exact ones, which have no width, of an exhaustive table.
    """
    effects = effects.reset_index(drop=True)
    place = effects.groupby(["source", "structure", "unit"]).cumcount()
    frame = effects.assign(place=place, real=effects["adjusted"].fillna(effects["mean"]))
    ends = {f"real_{end}": effects[f"adjusted_{end}"].fillna(frame["real"]) for end in ("low", "high")}
    return frame.assign(**ends)


def beside(scores: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Return a row per score of a module and structure, with the module's real effect.

    Columns: those of `CELL`, depth, module, networks, value, `EFFECTS`, mean (the marginal one of a sample). A score of
    modules in any structure stands beside their effects in each. scores, effects: committed rows.
    """
    real = real_effects(effects)
    several = real.groupby("source")["structure"].transform("nunique") > 1
    real = real[~several | (real["structure"] != ANY)]
    values = long_form(scores)
    anywhere = values["structure"] == ANY
    keys = ["source", "unit", "place"]
    parts = [
        values[anywhere].drop(columns="structure").merge(real, on=keys),
        values[~anywhere].merge(real, on=[*keys, "structure"]),
    ]
    columns = [*CELL, "depth", "module", "networks", "value", *EFFECTS, "mean"]
    return pd.concat(parts, ignore_index=True)[columns]


def middle(rows: pd.DataFrame, *presets: str) -> pd.DataFrame:
    """Return the rows of the size that verdicts rest on, of some presets and of the ridge."""
    usual = np.where(rows["source"] == ACCEL, LARGE[MIDDLE], MIDDLE)
    return rows[(rows["size"] == usual) & rows["model"].isin([*presets, RIDGE])]


# -------------------------------------------------------------------- numbers of a cell


def agreement(rows: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return how a score agrees with real effects in each unit, or in each part of it that `by` (depth) makes.

    Columns: of `CELL` and `by`; modules; srcc (0 for a constant score); marginal, the same with means of the networks
    with a module in place of adjusted effects; rank, the true rank of the best module by score; certain, the same when
    only modules count as better whose interval lies above its own; lost, what its effect lacks to the largest; ordered,
    whether the best is really above the mean of the cell and the worst below it.
    """
    table = []
    for key, cell in rows.groupby([*CELL, *by], sort=False):
        if len(cell) > 1:
            table.append((*key, len(cell), *_numbers(cell)))
    columns = ["modules", "srcc", "marginal", "rank", "certain", "lost", "ordered"]
    return pd.DataFrame(table, columns=[*CELL, *by, *columns])


def _numbers(cell: pd.DataFrame) -> tuple[float, float, int, int, float, bool]:
    value, real, low, high = (cell[name].to_numpy() for name in ("value", *EFFECTS))
    best, worst = int(value.argmax()), int(value.argmin())
    constant = np.ptp(value) == 0 or np.ptp(real) == 0
    ordered = bool(low[best] > real.mean() > high[worst]) and not constant
    rank, certain = int((real > real[best]).sum()) + 1, int((low > high[best]).sum()) + 1
    lost = float(real.max() - real[best])
    srcc = _srcc(cell["value"], cell["real"])
    marginal = srcc if cell["mean"].equals(cell["real"]) else _srcc(cell["value"], cell["mean"])
    return srcc, marginal, rank, certain, lost, ordered


def _srcc(scores: pd.Series, effects: pd.Series) -> float:
    constant = scores.nunique() == 1 or effects.nunique() == 1
    return 0.0 if constant else float(scores.corr(effects, method="spearman"))


def by_score(numbers: pd.DataFrame, keys: Sequence[str] = ("size", "model", "score")) -> pd.DataFrame:
    """Return medians over cells by score, with the share of cells that are ordered, and the mean of what is lost."""
    groups = numbers.groupby(list(keys), sort=False)
    table = groups.agg(
        cells=("srcc", "size"), srcc=("srcc", "median"), marginal=("marginal", "median"), worst=("srcc", "min"),
        rank=("rank", "median"), certain=("certain", "median"), lost=("lost", "mean"), ordered=("ordered", "mean"),
    )  # fmt: skip
    return table.reset_index()


def over_seeds(numbers: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return the mean rank correlation with its 95 % interval over seeds, cells of a seed averaged first.

    Columns: those of `keys`, srcc, low, high.
    """
    by_seed = numbers.groupby([*keys, "seed"], sort=False)["srcc"].mean().reset_index()
    groups = by_seed.groupby(list(keys), sort=False)["srcc"]
    rows = [(*key, *mean_with_interval(group.to_numpy(), within=CORRELATION)) for key, group in groups]
    return pd.DataFrame(rows, columns=[*keys, "srcc", "low", "high"])


# -------------------------------------------------------------------- what a score gets wrong


def mean_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Return scores averaged over seeds and centred in each unit: a row per score, structure and module."""
    keys = [name for name in CELL if name != "seed"]
    frame = rows.groupby([*keys, "depth", "module", "networks", *EFFECTS, "mean"], sort=False)["value"]
    means = frame.mean().reset_index()
    return means.assign(value=means["value"] - means.groupby(keys)["value"].transform("mean"))


def misjudged(means: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the modules whose rank by score is furthest from their real one in each unit, the worst first.

    Columns of `mean_scores`; score_rank and real_rank count from the best.
    """
    keys = [name for name in CELL if name != "seed"]
    ranks = {f"{name}_rank": means.groupby(keys)[column].rank(ascending=False).astype(int)
             for name, column in (("score", "value"), ("real", "real"))}  # fmt: skip
    ranked = means.assign(**ranks)
    order = (ranked["score_rank"] - ranked["real_rank"]).abs().sort_values(ascending=False, kind="stable").index
    return ranked.loc[order].groupby(keys, sort=False).head(number).reset_index(drop=True)


def single_order(effects: pd.DataFrame) -> pd.DataFrame:
    """Return how well one order of modules fits all structures and places, as a score that knows neither must have.

    The order is that of the mean real effect. Columns: source, cells, srcc (median over cells), worst.
    """
    real = real_effects(effects)
    real = real[real["structure"] != ANY]
    rows = []
    for source, part in real.groupby("source", sort=False):
        cells = part.pivot_table("real", ["structure", "unit"], "module")
        fits = cells.T.corrwith(cells.mean(), method="spearman")
        rows.append((source, len(cells), fits.median(), fits.min()))
    return pd.DataFrame(rows, columns=["source", "cells", "srcc", "worst"])


# -------------------------------------------------------------------- the verdict


def judge(rows: pd.DataFrame, score: str = "norm", preset: str = PAPER) -> Verdict:
    """Judge claim C3 on trained networks on rows of `beside`: the checks of `_checks` for both kinds of tables."""
    chosen = middle(rows, preset)
    chosen = chosen[chosen["score"] == score]
    checks = [
        check for accel in (True, False) for check in _checks(chosen[(chosen["source"] == ACCEL) == accel], accel)
    ]
    table = pd.DataFrame(checks, columns=["check", "value", "holds"]).astype({"holds": bool})
    of = "" if score == RIDGE else f", {preset} preset"
    return Verdict(f"Claim C3 on trained networks, {score} score{of}", table, decidable=len(table) == 4)


def _checks(rows: pd.DataFrame, accel: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield the checks of one kind of table; what cells are depends on it: units and depths, or structures and places.

    In 80 % of the cells the best module by score is really better than the mean of the cell, and the worst is really
    worse, with the whole interval where effects are estimates; the median of Spearman(score, real effect) over units,
    or structures and places, is 0.5 or more.
    """
    if rows.empty:
        return
    units = agreement(rows)
    cells = agreement(rows, ["depth"]) if accel else units
    where = "Accel-NASBench" if accel else "NAS-Bench-Graph"
    share, median = float(cells["ordered"].mean()), float(units["srcc"].median())
    yield f"{where}: best above mean above worst", f"{int(cells['ordered'].sum())} of {len(cells)} cells", share >= 0.8
    ends = f"{units['srcc'].min():.2f} to {units['srcc'].max():.2f}"
    yield f"{where}: median Spearman(score, real effect)", f"{median:.2f} ({ends})", median >= 0.5

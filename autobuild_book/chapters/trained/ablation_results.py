"""What the committed rows of the ablation say."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.features import GRAF
from autobuild_book.chapters.shared.models.registry import FORESTS
from autobuild_book.chapters.trained.ablation import CANDIDATES, VARIANTS, forest_name
from autobuild_book.intervals import greater_than_zero, holm, mean_with_interval

RECIPE = next(iter(VARIANTS))


def differences(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per variant: SRCC of a member and of the ensemble, and the ensemble's lead over the recipe's.

    Columns: variant, member, ensemble, lead, low, high (95 % over tables, whose draws are averaged), p (paired t-test
    over tables, two-sided, after Holm's correction over the variants), tables.
    """
    cases = rows.fillna({"member": 0.0, "ensemble": 0.0})
    members = cases.groupby("variant")["member"].mean()
    wide = _by_draw(rows)
    result: list[tuple[Any, ...]] = []
    for variant in [name for name in VARIANTS if name in wide]:
        lead = _lead(wide, variant, RECIPE)
        interval = mean_with_interval(lead) if variant != RECIPE else (0.0, float("nan"), float("nan"))
        p = 2 * min(greater_than_zero(lead), greater_than_zero(-lead)) if variant != RECIPE else float("nan")
        result.append((variant, members[variant], wide[variant].mean(), *interval, p, len(lead)))
    frame = pd.DataFrame(result, columns=["variant", "member", "ensemble", "lead", "low", "high", "p", "tables"])
    tested = frame["variant"] != RECIPE
    frame.loc[tested, "p"] = holm(frame.loc[tested, "p"].to_list())
    return frame


def in_words(rows: pd.DataFrame, leads: pd.DataFrame) -> str:
    """Say what was drawn, and which variants have their whole interval on one side of the recipe."""
    draws = rows[rows["variant"] == RECIPE].groupby("size")["seed"].nunique()
    drawn = ", ".join(f"{number} of {size} rows" for size, number in draws.items())
    corrected = ", ".join(leads["variant"][leads["p"] < 0.05]) or "none"
    alone = _shown(leads["variant"], leads["low"] > 0, leads["high"] < 0)
    return f"Draws: {drawn}. Each for itself: {alone} After Holm's correction there is a difference for: {corrected}."


def tops_in_words(table: pd.DataFrame) -> str:
    """Say for which rows of `tops` fewer networks, or more, are shown to be better than the best of five."""
    return f"Each for itself: {_shown(table['variant'], table['high'] < 0, table['low'] > 0)}"


def _shown(names: "pd.Series[str]", better: "pd.Series[bool]", worse: "pd.Series[bool]") -> str:
    best, worst = (", ".join(names[kept]) or "none" for kept in (better, worse))
    return f"shown to be better than the recipe: {best}; shown to be worse: {worst}."


def candidates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per forest, the best first: SRCC, and its lead over the registry's, with 95 % over tables."""
    wide, registered = _by_draw(rows), forest_name(FORESTS[(GRAF,)])
    result: list[tuple[Any, ...]] = []
    for name in [name for name in CANDIDATES if name in wide]:
        interval = (0.0, np.nan, np.nan) if name == registered else mean_with_interval(_lead(wide, name, registered))
        result.append((name, wide[name].mean(), *interval))
    frame = pd.DataFrame(result, columns=["forest", "srcc", "lead", "low", "high"])
    return frame.sort_values("srcc", ascending=False, ignore_index=True)


def against_the_best(rows: pd.DataFrame) -> str:
    """Say by how much the recipe's ensemble leads the best of the forests, chosen on the same rows."""
    wide, forests = _by_draw(rows), candidates(rows)["forest"]
    if forests.empty:
        return "No forest was measured on these rows."
    best = str(forests.iloc[0])
    mean, low, high = mean_with_interval(_lead(wide, RECIPE, best))
    return f"The ensemble of the recipe leads the best of them, {best}, by {mean:.3f} [{low:.3f}, {high:.3f}]."


def tops(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per variant of which it was measured: the share of networks better than the best of five.

    Columns: variant, better (mean over tables, draws and sizes), more than the recipe's, low, high (95 % over tables).
    """
    wide = rows.pivot(index=["source", "size", "seed"], columns="variant", values="better").dropna(axis=1)
    result: list[tuple[Any, ...]] = []
    for name in [name for name in (*VARIANTS, *CANDIDATES) if name in wide]:
        interval = (0.0, np.nan, np.nan) if name == RECIPE else mean_with_interval(_lead(wide, name, RECIPE))
        result.append((name, wide[name].mean(), *interval))
    return pd.DataFrame(result, columns=["variant", "better", "more", "low", "high"])


def _by_draw(rows: pd.DataFrame) -> pd.DataFrame:
    """Return SRCC of ensembles, a row per table, size and draw, a column per variant; a constant one counts as 0."""
    return rows.fillna({"ensemble": 0.0}).pivot(index=["source", "size", "seed"], columns="variant", values="ensemble")


def _lead(wide: pd.DataFrame, variant: str, other: str) -> npt.NDArray[np.float64]:
    """Return the mean difference of each table, over the draws that have both, [tables]."""
    lead = (wide[variant] - wide[other]).dropna().groupby("source").mean()
    return lead.to_numpy(dtype=np.float64)

"""What the committed rows of the ablation say."""

from typing import Any

import pandas as pd

from autobuild_book.chapters.trained.ablation import VARIANTS
from autobuild_book.intervals import mean_with_interval

RECIPE = next(iter(VARIANTS))


def differences(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per variant: SRCC of a member and of the ensemble, and the ensemble's lead over the recipe's.

    Columns: variant, member, ensemble, lead, low, high (95 % over tables, sizes and draws), cases.
    """
    cases = rows.fillna({"member": 0.0, "ensemble": 0.0})
    wide = cases.pivot(index=["source", "size", "seed"], columns="variant", values="ensemble")
    members = cases.groupby("variant")["member"].mean()
    result: list[tuple[Any, ...]] = []
    for variant in [name for name in VARIANTS if name in wide]:
        lead = (wide[variant] - wide[RECIPE]).dropna().to_numpy()
        interval = mean_with_interval(lead) if variant != RECIPE else (0.0, float("nan"), float("nan"))
        result.append((variant, members[variant], wide[variant].mean(), *interval, len(lead)))
    return pd.DataFrame(result, columns=["variant", "member", "ensemble", "lead", "low", "high", "cases"])

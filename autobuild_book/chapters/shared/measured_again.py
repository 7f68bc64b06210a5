"""Numbers of the committed tables, measured once more on this machine: how far apart, beside the spread between seeds.

Another processor rounds differently, and training amplifies it. So a difference is shown and never stops a page; the
banner of a page tells of those that are far beyond what another seed would do.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

COLUMNS = ["what", "here", "committed", "difference", "spread", "spreads"]
FAR = 5  # spreads; more is called out at the top of the page

Pair: TypeAlias = tuple[str, float, float, float]


def beside_committed(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Return a row per number that was measured again, the most surprising first.

    Columns: what, here, committed, difference, spread, spreads (the size of the difference in spreads; 0 where nothing
    differs, NaN where something differs and no spread is known).

    Args:
        pairs: what is measured, its value here, the committed one, and the standard deviation between committed seeds,
            NaN where there are none.
    """
    numbers = {"here": float, "committed": float, "spread": float}
    frame = pd.DataFrame(pairs, columns=["what", *numbers]).astype(numbers)
    difference, spread = frame["here"] - frame["committed"], frame["spread"]
    spreads = (difference.abs() / spread.where(spread > 0)).mask(difference == 0, 0.0)
    rows = frame.assign(difference=difference, spread=spread, spreads=spreads)[COLUMNS]
    return rows.sort_values("spreads", ascending=False, kind="stable", na_position="first", ignore_index=True)


def spot_check(live: pd.DataFrame, committed: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Compare the SRCC of rows that were measured twice, see `beside_committed`.

    The spread is that of the committed rows over seeds, each with training rows of its own.

    Args:
        live: columns of `key`, seed and srcc. committed: the same.
        key: columns that say what was measured; the last one is a number of rows.
    """
    keys = list(key)
    spread = committed.groupby(keys)["srcc"].std(ddof=1).rename("spread").reset_index()
    both = live.merge(committed, on=[*keys, "seed"], suffixes=("", "_committed")).merge(spread, on=keys)
    what = [f"{', '.join(map(str, cells))} rows" for cells in both[keys].itertuples(index=False)]
    return beside_committed(list(zip(what, both["srcc"], both["srcc_committed"], both["spread"], strict=True)))


def far_apart(rows: pd.DataFrame) -> int:
    """Return how many numbers differ by more than `FAR` spreads."""
    return int((rows["spreads"] > FAR).sum())


def in_words(rows: pd.DataFrame) -> str:
    """Say how many numbers were measured again, the largest difference, and how many are far apart."""
    if rows.empty:
        return "Nothing was measured again."
    largest = rows.iloc[int(rows["difference"].abs().argmax())]
    beside_spread = f", {largest['spreads']:.1f} spreads between seeds" if np.isfinite(largest["spreads"]) else ""
    return (
        f"{len(rows)} numbers measured again; the largest difference is {abs(largest['difference']):.2g} "
        f"({largest['what']}{beside_spread}); {far_apart(rows)} differ by more than {FAR} spreads."
    )


def for_metrics(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows for metrics.json, unknown numbers as None."""
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]

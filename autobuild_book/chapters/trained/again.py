"""Rows of a section that are measured again on a page, beside the committed ones."""

from collections.abc import Sequence

import pandas as pd

from autobuild_book.chapters.shared.measured_again import beside_committed


def spot_check(live: pd.DataFrame, committed: pd.DataFrame, key: Sequence[str], value: str) -> pd.DataFrame:
    """Compare rows with the committed ones of the same `key`, see `measured_again.beside_committed`.

    key: columns that name a row, one of them seed; the spread is that of the committed values over seeds. value: the
    column that is compared.
    """
    others = [name for name in key if name != "seed"]
    spread = committed.groupby(others)[value].std(ddof=1).rename("spread").reset_index()
    both = live.merge(committed, on=list(key), suffixes=("", "_committed")).merge(spread, on=others)
    what = [", ".join(map(str, names)) for names in both[others].to_numpy()]
    return beside_committed(list(zip(what, both[value], both[f"{value}_committed"], both["spread"], strict=True)))

"""Zero-cost proxies by themselves: how they rank networks, and whether fewer pixels rank them alike."""

from collections.abc import Sequence

import pandas as pd

from autobuild_book.chapters.peers.contests import Contest
from autobuild_lib import data
from autobuild_lib.data import Table
from autobuild_lib.data.files import FLOPS
from autobuild_lib.data.table import ARCHITECTURE
from autobuild_lib.statistics import srcc_with_interval

COLUMNS = ["family", "proxy", "against", "networks", "srcc", "low", "high"]
FULL = "_224"  # what the names of tables measured at the family's own resolution end with


def ranks_by_proxy(contests: Sequence[Contest]) -> pd.DataFrame:
    """Rank correlation of every proxy with every target, over all networks that have proxies.

    Columns: family, proxy, against (the target), networks, srcc, low, high (95 % interval over networks).
    """
    rows = []
    for contest in contests:
        values, labels = _values(data.load(contest.proxies)), _labels(data.load(contest.source))[list(contest.targets)]
        both = values.join(labels, validate="one_to_one")
        rows += [_row(contest.source, str(proxy), target, both[proxy], both[target])
                 for proxy in values for target in contest.targets]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def ranks_at_full_resolution(contests: Sequence[Contest]) -> pd.DataFrame:
    """Rank correlation of every proxy with itself at full resolution, over the networks that were measured twice."""
    rows = []
    for contest in contests:
        if f"{contest.proxies}{FULL}" in data.manifest():
            few, full = (_values(data.load(f"{contest.proxies}{end}")) for end in ("", FULL))
            both = few.merge(full, left_index=True, right_index=True, suffixes=("", FULL), validate="one_to_one")
            rows += [_row(contest.source, str(proxy), "itself at 224 pixels", both[proxy], both[f"{proxy}{FULL}"])
                     for proxy in both if f"{proxy}{FULL}" in both]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _values(table: Table) -> pd.DataFrame:
    return _labels(table).drop(columns=FLOPS, errors="ignore")


def _labels(table: Table) -> pd.DataFrame:
    names = pd.Index([str(architecture) for architecture in table.architectures], name=ARCHITECTURE)
    return table.labels.set_axis(names, axis="index")


def _row(family: str, proxy: str, against: str, values: pd.Series, truth: pd.Series) -> tuple[object, ...]:
    return (family, proxy, against, len(values), *srcc_with_interval(values.to_numpy(), truth.to_numpy()))

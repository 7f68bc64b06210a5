"""Experiment 5: the verdict on claim C6, and the networks that were also trained alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.panoptic.final import difference
from autobuild_book.chapters.panoptic.proposals import BUILDERS, NORM
from autobuild_book.chapters.panoptic.task.paired import FINAL, PairedMeasurement

TINY = 1e-9  # a standard error of a network against itself is 0


def verdict(
    networks: pd.DataFrame, regions: Sequence[str], group: str = NORM, counted: str = "sure"
) -> tuple[pd.DataFrame, str]:
    """Judge claim C6 on one builder: a table with a check per region, and the verdict.

    networks: from `judge`. A region holds when a built network beats a network of the region's labelled front that
    needs no fewer multiply-adds, by more than two standard errors of the difference and also after Holm's correction
    over all networks of the builder; with `counted="wins"` the correction is left out. "supported" when two thirds of
    the regions hold, "partly" when half as many do, otherwise "not supported"; "undecided" when nothing that was built
    is measured.
    """
    own = networks[networks["group"] == group]
    rows = []
    for region in regions:
        here = own[own["region"] == region]
        best = _best(here)
        text = "nothing to compare with"
        if best is not None:
            side = "ahead" if best["ahead"] >= 0 else "behind"
            text = f"the best of {len(here)} is {abs(best['ahead']):.4f} {side} (standard error {best['ahead_se']:.4f})"
        rows.append((region, text, bool(here[counted].any())))
    checks = pd.DataFrame(rows, columns=["region", "value", "holds"])
    if own.empty:
        return checks, "undecided"
    passed, needed = int(checks["holds"].sum()), int(np.ceil(2 / 3 * len(checks)))
    return checks, "supported" if passed >= needed else "partly" if passed >= needed / 2 else "not supported"


def sentence(checks: pd.DataFrame) -> str:
    """Say in words what the regions found."""
    parts = [f"in the {row.region} region {row.value}" for row in checks.itertuples()]
    return f"Of the backbones built, {'; '.join(parts)}." if parts else "Nothing is measured."


def _best(networks: pd.DataFrame) -> "pd.Series[Any] | None":
    """Return the network that is most standard errors ahead of its rival, None where none has one."""
    found = networks.dropna(subset=["ahead"])
    return found.iloc[int((found["ahead"] / found["ahead_se"].clip(lower=TINY)).argmax())] if len(found) else None


def verdicts(networks: pd.DataFrame, regions: Sequence[str]) -> pd.DataFrame:
    """Apply the rule of `verdict` to every builder that something is measured of.

    Columns: group, networks, wins and sure (numbers of networks), regions (that hold), verdict, and the verdict
    `uncorrected` by counting wins.
    """
    rows = []
    for group in BUILDERS:
        if len(own := networks[networks["group"] == group]):
            checks, text = verdict(networks, regions, group)
            counts = len(own), int(own["wins"].sum()), int(own["sure"].sum())
            passed = f"{int(checks['holds'].sum())} of {len(checks)}"
            rows.append((group, *counts, passed, text, verdict(networks, regions, group, "wins")[1]))
    return pd.DataFrame(rows, columns=["group", "networks", "wins", "sure", "regions", "verdict", "uncorrected"])


def estimates(groups: pd.DataFrame, regions: Sequence[str], group: str = NORM) -> list[dict[str, Any]]:
    """Describe, per region, how far all networks of a builder are ahead on average, with the interval over images.

    groups: from `panoptic_final.summarise`. The mean of all, since the best of them would be the luckiest as well.
    """
    rows = []
    own = groups[groups["group"] == group].set_index("region")
    for region in regions:
        numbers = own.loc[region, ["over", "low", "high"]] if region in own.index else [np.nan] * 3
        ends = dict(zip(("value", "low", "high"), map(float, numbers), strict=True))
        name = f"{region}: PQ of a built network minus that of the best labelled one of no more multiply-adds"
        rows.append({"estimate": name, **ends, "over": f"all that were built, intervals over {FINAL.count:,} images"})
    return rows


def most_interesting(networks: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Return, for every region, the network of these builders that is most standard errors ahead of its rival."""
    found = [_best(own) for _, own in networks[networks["group"].isin(groups)].groupby("region", sort=False)]
    return pd.DataFrame([best for best in found if best is not None], columns=networks.columns)


def trained_alone(chosen: pd.DataFrame, finals: Sequence[PairedMeasurement], trainings: pd.DataFrame) -> pd.DataFrame:
    """Compare networks with their rivals once more, each trained from scratch by itself.

    Args:
        chosen: rows of a comparison, see `most_interesting`.
        finals: committed measurements.
        trainings: which training the network of a row is from, see `bundle.bundled_trainings`.

    Returns:
        Columns region, group, architecture, rival, ahead, ahead_se (parts of the supernet); alone, alone_rival,
        alone_ahead, alone_se (trained alone; NaN where they are not). Standard errors are over images, and know
        nothing of the luck of a training.
    """
    alone = dict(zip(trainings["network"], trainings["architecture"], strict=True))
    found = {row.architecture: row for row in finals
             if alone.get(row.network) == row.architecture and row.images == FINAL.images}  # fmt: skip
    rows = []
    for one in chosen.itertuples():
        pair = [found.get(str(text)) for text in (one.architecture, one.rival)]
        ahead = (np.nan, np.nan) if pair[0] is None else difference(pair[0], pair[1])
        qualities = [np.nan if row is None else row.pq for row in pair]
        rows.append((one.region, one.group, one.architecture, one.rival, one.ahead, one.ahead_se, *qualities, *ahead))
    columns = ["region", "group", "architecture", "rival", "ahead", "ahead_se"]
    return pd.DataFrame(rows, columns=[*columns, "alone", "alone_rival", "alone_ahead", "alone_se"])


def alone_in_words(alone: pd.DataFrame) -> str:
    """Say how far networks are ahead of their rivals when each is trained alone, from what `trained_alone` returns."""
    known = alone[alone["alone_ahead"].notna()] if len(alone) else alone
    texts = [f"{row.region} {row.alone_ahead:+.4f} (standard error {row.alone_se:.4f})" for row in known.itertuples()]
    return ", ".join(texts) or "not measured"

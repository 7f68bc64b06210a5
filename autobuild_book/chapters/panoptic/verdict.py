"""Experiment 5: the verdict on claim C6, and the networks that were also trained alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.panoptic.final import difference
from autobuild_book.chapters.panoptic.proposals import BUILDERS, EFFECT, NORM, RIDGE, SEARCH
from autobuild_book.chapters.panoptic.task.jackknife import FINAL, PairedMeasurement
from autobuild_book.chapters.shared.verdicts import Verdict

RULE = (
    "By norm score, in 2 of 3 regions, a built backbone beats one of the labelled front with no fewer "
    "multiply-adds, by two standard errors and also after Holm's correction over all that were built: two standard "
    "errors alone are not enough. *Partly*: one region."
)
TINY = 1e-9  # a standard error of a network against itself is 0


def judge(networks: pd.DataFrame, regions: Sequence[str], group: str = NORM, counted: str = "sure") -> Verdict:
    """Judge claim C6 on one builder by `RULE`: a check per region, "undecided" when nothing that it built is measured.

    networks: from `final.mark_wins`. With `counted="wins"`, Holm's correction is left out.
    """
    built = networks[networks["group"] == group]
    rows = []
    for region in regions:
        here = built[built["region"] == region]
        best = _best(here)
        text = "nothing to compare with"
        if best is not None:
            side = "ahead" if best["ahead"] >= 0 else "behind"
            text = f"the best of {len(here)} is {abs(best['ahead']):.4f} {side} (standard error {best['ahead_se']:.4f})"
        rows.append((region, text, bool(here[counted].any())))
    checks = pd.DataFrame(rows, columns=["region", "value", "holds"])
    return Verdict("Claim C6", checks, needed=2 / 3, partly=1 / 3, decidable=not built.empty)


def sentence(checks: pd.DataFrame) -> str:
    """Say in words what the regions found."""
    parts = [f"in the {row.region} region {row.value}" for row in checks.itertuples()]
    return f"Of the backbones built, {'; '.join(parts)}." if parts else "Nothing is measured."


def _best(networks: pd.DataFrame) -> "pd.Series[Any] | None":
    """Return the network that is most standard errors ahead of its rival, None where none has one."""
    compared = networks.dropna(subset=["ahead"])
    if compared.empty:
        return None
    return compared.iloc[int((compared["ahead"] / compared["ahead_se"].clip(lower=TINY)).argmax())]


def judge_builders(networks: pd.DataFrame, regions: Sequence[str]) -> pd.DataFrame:
    """Apply the rule to every builder that something is measured of.

    Columns: group, networks, wins and sure (numbers of networks), regions (that hold), verdict, and the verdict
    `uncorrected` by counting wins.
    """
    rows = []
    for group in BUILDERS:
        if len(built := networks[networks["group"] == group]):
            verdict, uncorrected = (judge(networks, regions, group, counted) for counted in ("sure", "wins"))
            counts = len(built), int(built["wins"].sum()), int(built["sure"].sum())
            rows.append((group, *counts, verdict.held, verdict.word, uncorrected.word))
    return pd.DataFrame(rows, columns=["group", "networks", "wins", "sure", "regions", "verdict", "uncorrected"])


def region_estimates(groups: pd.DataFrame, regions: Sequence[str], group: str = NORM) -> list[dict[str, Any]]:
    """Describe, per region, how far all networks of a builder are ahead on average, with the interval over images.

    groups: from `final.by_builder`. The mean of all, since the best of them would be the luckiest as well.
    """
    rows = []
    means = groups[groups["group"] == group].set_index("region")
    for region in regions:
        numbers = means.loc[region, ["over", "low", "high"]] if region in means.index else [np.nan] * 3
        ends = dict(zip(("value", "low", "high"), map(float, numbers), strict=True))
        name = f"{region}: PQ of a built network minus that of the best labelled one of no more multiply-adds"
        rows.append({"estimate": name, **ends, "over": f"all that were built, intervals over {FINAL.count:,} images"})
    return rows


def surest_networks(networks: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Return, for every region, the network of these builders that is most standard errors ahead of its rival."""
    by_region = networks[networks["group"].isin(groups)].groupby("region", sort=False)
    surest = [_best(networks) for _, networks in by_region]
    return pd.DataFrame([network for network in surest if network is not None], columns=networks.columns)


def compare_alone(chosen: pd.DataFrame, finals: Sequence[PairedMeasurement], trainings: pd.DataFrame) -> pd.DataFrame:
    """Compare networks with their rivals once more, each trained from scratch by itself.

    Args:
        chosen: rows of a comparison, see `surest_networks`.
        finals: rows of the end.
        trainings: which training the network of a row is from, see `trainings_of_rows`.

    Returns:
        Columns region, group, architecture, rival, ahead, ahead_se (parts of the supernet); alone, alone_rival,
        alone_ahead, alone_se (trained alone; NaN where they are not). Standard errors are over images, and know
        nothing of the luck of a training.
    """
    alone = dict(zip(trainings["network"], trainings["architecture"], strict=True))
    by_text = {row.architecture: row for row in finals
               if alone.get(row.network) == row.architecture and row.images == FINAL.images}  # fmt: skip
    rows = []
    for network in chosen.itertuples():
        row, rival = by_text.get(str(network.architecture)), by_text.get(str(network.rival))
        ahead = (np.nan, np.nan) if row is None else difference(row, rival)
        qualities = [np.nan if row is None else row.pq for row in (row, rival)]
        rows.append((network.region, network.group, network.architecture, network.rival, network.ahead,
                     network.ahead_se, *qualities, *ahead))  # fmt: skip
    columns = ["region", "group", "architecture", "rival", "ahead", "ahead_se"]
    return pd.DataFrame(rows, columns=[*columns, "alone", "alone_rival", "alone_ahead", "alone_se"])


def alone_in_words(alone: pd.DataFrame) -> str:
    """Say how far networks are ahead of their rivals when each is trained alone, from the result of `compare_alone`."""
    compared = alone[alone["alone_ahead"].notna()] if len(alone) else alone
    texts = [f"{r.region} {r.alone_ahead:+.4f} (standard error {r.alone_se:.4f})" for r in compared.itertuples()]
    return ", ".join(texts) or "not measured"


def summary_numbers(by_builder: pd.DataFrame) -> dict[str, str]:
    """Return what the summary of the chapter quotes of `verdicts`; "undecided" for builders without a measurement."""
    rows = by_builder.set_index("group")
    quoted = {"effect": EFFECT, "ridge": RIDGE, "search": SEARCH}
    texts = {name: str(rows["verdict"].get(group, "undecided")) for name, group in quoted.items()}
    return texts | {"uncorrected": str(rows["uncorrected"].get(NORM, "undecided"))}

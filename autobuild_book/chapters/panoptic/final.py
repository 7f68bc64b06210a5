"""Experiment 5: what was built against the labelled front, on images that no label was measured on (claim C6)."""

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from autobuild_book.chapters.panoptic.learning import Subject
from autobuild_book.chapters.panoptic.proposals import CHOICE, FRONT, LABELLED
from autobuild_book.chapters.panoptic.task.jackknife import (
    FINAL,
    PARTS,
    PairedMeasurement,
    measure_paired,
    standard_error,
)
from autobuild_book.chapters.panoptic.task.measuring import Measurement
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.weights import load_bundled
from autobuild_book.chapters.shared.frontiers import front_places, mark_regions, region_texts
from autobuild_book.chapters.shared.measured_again import beside_committed
from autobuild_book.intervals import holm
from autobuild_lib.data.table import Table
from autobuild_lib.search import costs
from autobuild_lib.search.pareto import Marks

COMPARISON = [*CHOICE, "macs", "pq", "se", "rival", "ahead", "ahead_se", "p", "below", "over", "over_se"]
AGAIN = ("pq", "sq", "rq", "pq_things", "pq_stuff", "macs", "parameters")  # what is measured once more
ERRORS = 2  # standard errors by which a built network must be better
SIGNIFICANT = 0.05
HALF_INTERVAL = float(t.ppf(0.975, PARTS - 1))  # standard errors


# -------------------------------------------------------------------- what is measured


@dataclass(frozen=True, eq=False)
class FinalRows:
    """Rows by architecture (text), how many of them were measured just now, and what is not yet measured."""

    rows: Mapping[str, PairedMeasurement]
    fresh: int
    missing: tuple[str, ...]


def find_or_measure(
    architectures: Iterable[str], finals: Sequence[PairedMeasurement], out: Path, budget: float
) -> FinalRows:
    """Look architectures up among bundled rows, and measure others with the bundled supernet for `budget` seconds.

    Rows that were measured are kept in the file `out`, where a later call finds them.
    """
    supernet = load_bundled().id
    rows = {row.architecture: row for row in finals if row.key[1:] == (supernet, FINAL.images, FINAL.count, 0)}
    texts, fresh, until = list(dict.fromkeys(architectures)), 0, time.monotonic() + budget
    for text in texts:
        if text not in rows and time.monotonic() < until:
            out.parent.mkdir(parents=True, exist_ok=True)
            (rows[text],) = measure_paired([backbone_space().parse(text)], out, progress=False)
            fresh += 1
    missing = tuple(text for text in texts if text not in rows)
    return FinalRows({text: rows[text] for text in texts if text in rows}, fresh, missing)


def measure_again(
    row: PairedMeasurement, table: Table, rows: Sequence[Measurement], trainings: pd.DataFrame
) -> pd.DataFrame:
    """Measure a committed row once more, here and now, see `measured_again.beside_committed`.

    The spread is that between supernets of two seeds, from `rows` and the `table` (`supernet_spread`).
    """
    with TemporaryDirectory() as folder:
        (now,) = measure_paired([backbone_space().parse(row.architecture)], Path(folder) / "row.csv", progress=False)
    spread = supernet_spread(table, rows, trainings)
    return beside_committed([(name, getattr(now, name), getattr(row, name), spread[name]) for name in AGAIN])


def supernet_spread(table: Table, rows: Sequence[Measurement], trainings: pd.DataFrame) -> dict[str, float]:
    """Return the standard deviation of each label between supernets of two seeds; 0 for costs, NaN where there is one.

    Args:
        table, rows, trainings: as for `agreement.pairs`.
    """
    others = set(trainings[trainings["architecture"] == ""]["network"]) - {load_bundled().id}
    labels = table.labels.set_axis(list(map(str, table.architectures)))
    second = {row.architecture: row for row in rows if row.network in others and row.architecture in labels.index}
    spread = {}
    for name in AGAIN:
        differences = [getattr(row, name) - labels.loc[text, name] for text, row in second.items()]
        spread[name] = float(np.sqrt(np.mean(np.square(differences)) / 2)) if differences else float("nan")
    return spread


# -------------------------------------------------------------------- against the front


@dataclass(frozen=True, eq=False)
class Front:
    """Labelled networks, measured again, that no other of them dominates; by rising cost.

    regions: by region, which of them belong to it (`mark_regions`).
    """

    rows: tuple[PairedMeasurement, ...]
    regions: Mapping[str, Marks]

    def rival(self, row: PairedMeasurement, region: str) -> PairedMeasurement | None:
        """Return the first network of the region that needs no fewer multiply-adds: on a front, the easiest to beat."""
        rivals = itertools.compress(self.rows, self.regions[region])
        return next((rival for rival in rivals if rival.macs >= row.macs), None)

    def below(self, row: PairedMeasurement) -> PairedMeasurement | None:
        """Return the best of all labelled networks that need no more multiply-adds."""
        return max((o for o in self.rows if o.macs <= row.macs), key=lambda o: o.pq, default=None)


def front_again(subject: Subject, proposals: pd.DataFrame, measured: FinalRows) -> Front:
    """Return the front of the labelled networks among the proposals, by what was measured again."""
    labelled = proposals[proposals["group"].isin([FRONT, LABELLED])]["architecture"]
    rows = [measured.rows[text] for text in dict.fromkeys(labelled) if text in measured.rows]
    if not rows:
        raise ValueError("no labelled network is measured again; give `budget` more seconds")
    frame = pd.DataFrame({"pq": [row.pq for row in rows], "macs": [float(row.macs) for row in rows]})
    places = front_places(costs(frame, "pq", "macs"))
    return Front(tuple(rows[n] for n in places), mark_regions(subject.regions, frame.iloc[places]))


def front_table(subject: Subject, front: Front | None = None) -> pd.DataFrame:
    """Return a front for a figure: columns cost, quality, error (standard error), regions (joined by commas).

    That of the labels, whose errors are not known here, where none was measured again.
    """
    if front is None:
        labels = subject.table.labels.iloc[subject.front_places()]
        numbers = {"cost": labels[subject.cost].to_numpy(), "quality": labels[subject.quality].to_numpy()}
        regions: Mapping[str, Marks] = mark_regions(subject.regions, labels)
    else:
        numbers = {name: np.array([float(getattr(row, label)) for row in front.rows])
                   for name, label in (("cost", "macs"), ("quality", "pq"), ("error", "pq_se"))}  # fmt: skip
        regions = front.regions
    texts = region_texts(regions)
    return pd.DataFrame({"error": np.nan, **numbers, "regions": texts})[["cost", "quality", "error", "regions"]]


def against_front(proposals: pd.DataFrame, measured: FinalRows, front: Front | None) -> pd.DataFrame:
    """Compare every measured proposal with the labelled front, on the same images.

    Columns: region, group, place, architecture, macs, pq, se; rival, the network of the region's front that it must
    beat (see `Front.rival`); ahead, by how much it does, with standard error `ahead_se` and one-sided `p`; over, the
    difference from `below`, the best labelled network that needs no more multiply-adds, with `over_se`. Texts are empty
    and numbers NaN where there is no such network. Without a front there are no rows.
    """
    rows: list[tuple[Any, ...]] = []
    for region, group, place, text in proposals.loc[proposals["group"] != FRONT, CHOICE].itertuples(index=False):
        if front is not None and (row := measured.rows.get(text)) is not None:
            rival, below = front.rival(row, region), front.below(row)
            ahead, over = difference(row, rival), difference(row, below)
            names = ["" if other is None else other.architecture for other in (rival, below)]
            rows.append((region, group, place, text, row.macs, row.pq, row.pq_se,
                         names[0], *ahead, p_value(*ahead), names[1], *over))  # fmt: skip
    return pd.DataFrame(rows, columns=COMPARISON)


def difference(row: PairedMeasurement, other: PairedMeasurement | None) -> tuple[float, float]:
    """Return how much better a network is than another on the same images, and the standard error of that."""
    if other is None:
        return float("nan"), float("nan")
    return row.pq - other.pq, float(standard_error(row.left_out - other.left_out))


def p_value(ahead: float, error: float) -> float:
    """One-sided p-value of a difference; 1 for a network against itself, NaN for none."""
    return 1.0 if error == 0 else float(t.sf(ahead / error, PARTS - 1))


def mark_wins(networks: pd.DataFrame) -> pd.DataFrame:
    """Mark the networks that beat their rivals: further columns `wins`, `adjusted` (p by Holm), `sure`.

    `wins`: by more than two standard errors. `sure`: also after Holm's correction over all networks of a builder.
    """
    adjusted = np.ones(len(networks))
    for group in networks["group"].unique():
        members = (networks["group"] == group).to_numpy()
        adjusted[members] = holm(networks["p"].fillna(1.0).to_numpy()[members])
    wins = networks["ahead"] > ERRORS * networks["ahead_se"]
    return networks.assign(wins=wins, adjusted=adjusted, sure=wins & (adjusted < SIGNIFICANT))


def by_builder(networks: pd.DataFrame, measured: FinalRows) -> pd.DataFrame:
    """Average over the networks of a builder in a region; intervals are over images.

    Columns: region, group, networks, macs (mean), pq (mean), over (mean difference from the best labelled network with
    no more multiply-adds, where there is one) with its 95 % interval low, high; wins, sure (numbers of networks).
    """
    rows = []
    for key, group in networks.groupby(["region", "group"], sort=False):
        compared = group.dropna(subset=["over"])
        rows.append((*key, len(group), group["macs"].mean(), group["pq"].mean(), compared["over"].mean(),
                     *_interval(compared, measured), int(group["wins"].sum()), int(group["sure"].sum())))  # fmt: skip
    columns = ["region", "group", "networks", "macs", "pq", "over", "low", "high", "wins", "sure"]
    return pd.DataFrame(rows, columns=columns)


def _interval(networks: pd.DataFrame, measured: FinalRows) -> tuple[float, float]:
    """Ends of the 95 % interval over images of the mean of `over`."""
    if networks.empty:
        return float("nan"), float("nan")
    ours, theirs = (
        np.mean([measured.rows[text].left_out for text in networks[column]], axis=0)
        for column in ("architecture", "below")
    )
    half = HALF_INTERVAL * float(standard_error(ours - theirs))
    return float(networks["over"].mean() - half), float(networks["over"].mean() + half)

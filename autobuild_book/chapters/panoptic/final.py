"""Experiment 5: what was built against the labelled front, on images that no label was measured on (claim C6)."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t

from autobuild_book.chapters.panoptic.learning import Subject
from autobuild_book.chapters.panoptic.proposals import FRONT, LABELLED, front_rows, mark_regions
from autobuild_book.chapters.panoptic.task.measuring import Measurement
from autobuild_book.chapters.panoptic.task.paired import FINAL, PARTS, PairedMeasurement, measure_paired, standard_error
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.weights import load_bundled
from autobuild_book.chapters.shared.measured_again import beside_committed
from autobuild_lib.data.table import Table
from autobuild_lib.statistics import holm

Array = npt.NDArray[np.float64]
COMPARISON = ["region", "group", "place", "architecture", "macs", "pq", "se",
              "rival", "ahead", "ahead_se", "p", "below", "over", "over_se"]  # fmt: skip
AGAIN = ("pq", "sq", "rq", "pq_things", "pq_stuff", "macs", "parameters")  # what is measured once more
ERRORS = 2  # standard errors by which a built network must be better
SIGNIFICANT = 0.05
HALF_INTERVAL = float(t.ppf(0.975, PARTS - 1))  # standard errors


# -------------------------------------------------------------------- what is measured


@dataclass(frozen=True, eq=False)
class Measured:
    """Rows by architecture (text), how many of them were measured just now, and what is not yet measured."""

    rows: Mapping[str, PairedMeasurement]
    fresh: int
    missing: tuple[str, ...]


def complete(wanted: Iterable[str], known: Sequence[PairedMeasurement], out: Path, budget: float) -> Measured:
    """Look architectures up among known rows, and measure others with the bundled supernet for `budget` seconds.

    Rows that were measured are kept in the file `out`, where a later call finds them.
    """
    ours = load_bundled().id
    rows = {row.architecture: row for row in known if row.key[1:] == (ours, FINAL.images, FINAL.count, 0)}
    asked, fresh, until = list(dict.fromkeys(wanted)), 0, time.monotonic() + budget
    for text in asked:
        if text not in rows and time.monotonic() < until:
            (rows[text],) = measure_paired([backbone_space().parse(text)], out, progress=False)
            fresh += 1
    missing = tuple(text for text in asked if text not in rows)
    return Measured({text: rows[text] for text in asked if text in rows}, fresh, missing)


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
        table, rows, trainings: as for `panoptic_agreement.pairs`.
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
    regions: Mapping[str, npt.NDArray[np.bool_]]

    def rival(self, row: PairedMeasurement, region: str) -> PairedMeasurement | None:
        """Return the first network of the region that needs no fewer multiply-adds: on a front, the easiest to beat."""
        own = (other for other, marked in zip(self.rows, self.regions[region], strict=True) if marked)
        return next((other for other in own if other.macs >= row.macs), None)

    def below(self, row: PairedMeasurement) -> PairedMeasurement | None:
        """Return the best of all labelled networks that need no more multiply-adds."""
        return max((o for o in self.rows if o.macs <= row.macs), key=lambda o: o.pq, default=None)


def front_again(subject: Subject, proposals: pd.DataFrame, measured: Measured) -> Front:
    """Return the front of the labelled networks among the proposals, by what was measured again."""
    labelled = proposals[proposals["group"].isin([FRONT, LABELLED])]["architecture"]
    rows = [measured.rows[text] for text in dict.fromkeys(labelled) if text in measured.rows]
    if not rows:
        raise ValueError("no labelled network is measured again; give `budget` more seconds")
    frame = pd.DataFrame({"pq": [row.pq for row in rows], "macs": [float(row.macs) for row in rows]})
    chosen = front_rows(frame, "pq", "macs")
    return Front(tuple(rows[n] for n in chosen), mark_regions(subject, frame.iloc[chosen]))


def front_table(subject: Subject, known: Front | None = None) -> pd.DataFrame:
    """Return a front for a figure: columns cost, quality, error (standard error), regions (joined by commas).

    That of the labels, whose errors are not known here, where none was measured again.
    """
    if known is None:
        labels = subject.table.labels.iloc[front_rows(subject.table.labels, subject.quality, subject.cost)]
        numbers = {"cost": labels[subject.cost].to_numpy(), "quality": labels[subject.quality].to_numpy()}
        marks = mark_regions(subject, labels)
    else:
        numbers = {name: np.array([float(getattr(row, own)) for row in known.rows])
                   for name, own in (("cost", "macs"), ("quality", "pq"), ("error", "pq_se"))}  # fmt: skip
        marks = dict(known.regions)
    own = [", ".join(name for name, marked in marks.items() if marked[n]) for n in range(len(numbers["cost"]))]
    return pd.DataFrame({"error": np.nan, **numbers, "regions": own})[["cost", "quality", "error", "regions"]]


def compare(proposals: pd.DataFrame, measured: Measured, known: Front | None) -> pd.DataFrame:
    """Compare every measured proposal with the labelled front, on the same images.

    Columns: region, group, place, architecture, macs, pq, se; rival, the network of the region's front that it must
    beat (see `Front.rival`); ahead, by how much it does, with standard error `ahead_se` and one-sided `p`; over, the
    difference from `below`, the best labelled network that needs no more multiply-adds, with `over_se`. Texts are empty
    and numbers NaN where there is no such network. Without a front there are no rows.
    """
    rows: list[tuple[Any, ...]] = []
    for one in proposals[proposals["group"] != FRONT].itertuples():
        if known is not None and (row := measured.rows.get(str(one.architecture))) is not None:
            rival, below = known.rival(row, str(one.region)), known.below(row)
            ahead, over = difference(row, rival), difference(row, below)
            names = ["" if other is None else other.architecture for other in (rival, below)]
            rows.append((one.region, one.group, one.place, one.architecture, row.macs, row.pq, row.pq_se,
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


def judge(networks: pd.DataFrame) -> pd.DataFrame:
    """Mark the networks that beat their rivals: further columns `wins`, `adjusted` (p by Holm), `sure`.

    `wins`: by more than two standard errors. `sure`: also after Holm's correction over all networks of a builder.
    """
    adjusted = np.ones(len(networks))
    for group in networks["group"].unique():
        own = (networks["group"] == group).to_numpy()
        adjusted[own] = holm(networks["p"].fillna(1.0).to_numpy()[own])
    wins = networks["ahead"] > ERRORS * networks["ahead_se"]
    return networks.assign(wins=wins, adjusted=adjusted, sure=wins & (adjusted < SIGNIFICANT))


def summarise(networks: pd.DataFrame, measured: Measured) -> pd.DataFrame:
    """Average over the networks of a builder in a region; intervals are over images.

    Columns: region, group, networks, macs (mean), pq (mean), over (mean difference from the best labelled network with
    no more multiply-adds, where there is one) with its 95 % interval low, high; wins, sure (numbers of networks).
    """
    rows = []
    for key, own in networks.groupby(["region", "group"], sort=False):
        found = own.dropna(subset=["over"])
        rows.append((*key, len(own), own["macs"].mean(), own["pq"].mean(), found["over"].mean(),
                     *_interval(found, measured), int(own["wins"].sum()), int(own["sure"].sum())))  # fmt: skip
    columns = ["region", "group", "networks", "macs", "pq", "over", "low", "high", "wins", "sure"]
    return pd.DataFrame(rows, columns=columns)


def _interval(own: pd.DataFrame, measured: Measured) -> tuple[float, float]:
    """Ends of the 95 % interval over images of the mean of `over`."""
    if own.empty:
        return float("nan"), float("nan")
    mine = np.mean([measured.rows[text].left_out for text in own["architecture"]], axis=0)
    theirs = np.mean([measured.rows[text].left_out for text in own["below"]], axis=0)
    half = HALF_INTERVAL * float(standard_error(mine - theirs))
    return float(own["over"].mean() - half), float(own["over"].mean() + half)

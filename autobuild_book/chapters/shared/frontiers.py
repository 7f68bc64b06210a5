"""Who labels built networks, and the frontier of the training architectures that they are compared with."""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.panels import Panel, evaluator
from autobuild_book.dominance import hypervolume_curve
from autobuild_book.measured.teachers import label_codes, load_teachers
from autobuild_lib.predictor import Predictor
from autobuild_lib.search import costs, front
from autobuild_lib.search.pareto import Marks
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.surrogate import LABELS
from autobuild_lib.targets import Target

Array = npt.NDArray[np.float64]
Judge: TypeAlias = Callable[[Codes], pd.DataFrame]  # labels architectures given by their codes


def surrogate_judges(panels: Sequence[Panel]) -> dict[str, Judge]:
    """Return, by family, the surrogate without noise; families without one are left out."""
    surrogates = {panel.family: evaluator(panel) for panel in panels}
    return {family: surrogate.predict_codes for family, surrogate in surrogates.items() if surrogate is not None}


def published_judges(panels: Sequence[Panel], checkpoints: Path) -> dict[str, Judge]:
    """Return, by family, the published predictors in a folder; families without a surrogate have none."""
    return {
        family: functools.partial(_ask_teachers, load_teachers(family, checkpoints), space)
        for family, space in {p.family: p.split.train.space for p in panels if evaluator(p) is not None}.items()
    }


def _ask_teachers(teachers: Mapping[str, Predictor], space: SequenceSpace, codes: Codes) -> pd.DataFrame:
    return pd.DataFrame(label_codes(teachers, space, codes).T, columns=list(LABELS))


# -------------------------------------------------------------------- the training frontier


@dataclass(frozen=True, eq=False)
class Frontier:
    """The training architectures of a panel that no other one dominates, and the measure of hypervolumes.

    points: [n, 2] costs (latency, negative accuracy) by rising latency. regions: by region, which of them it covers.
    reference, scale: [2], the worst costs and the ranges of the whole training table.
    """

    points: Array
    regions: Mapping[str, Marks]
    reference: Array
    scale: Array

    def hypervolume(self, points: Array) -> float:
        """Return the hypervolume of `points` [N, 2] (costs) in units of the rectangle that the table spans."""
        return float(hypervolume_curve(points, self.reference, self.scale)[-1])


def training_labels(panels: Sequence[Panel], judges: Mapping[str, Judge]) -> dict[str, pd.DataFrame]:
    """Return, by family, the judge's labels of the training architectures; families without a judge are left out."""
    judged = {panel.family: panel.split.train for panel in panels if panel.family in judges}
    return {family: judges[family](table.space.to_codes(table.architectures)) for family, table in judged.items()}


def training_frontiers(
    panels: Sequence[Panel], labels: Mapping[str, pd.DataFrame], noisy: bool = False
) -> dict[tuple[str, str], Frontier]:
    """Return the frontier of every panel's training architectures, by family and device; see `training_labels`.

    The region of an equation is the part of the frontier that the equation values most (`mark_regions`). With `noisy`,
    the labels of the table decide who is on the frontier, as they do for whoever has no others; the points are the
    judge's all the same. Panels without labels are left out.
    """
    return {(p.family, p.device): _frontier(p, labels[p.family], noisy) for p in panels if p.family in labels}


def _frontier(panel: Panel, labels: pd.DataFrame, noisy: bool) -> Frontier:
    points = costs(labels, "acc", panel.latency)
    places = front_places(points, costs(panel.split.train.labels, "acc", panel.latency) if noisy else points)
    regions = mark_regions(panel.equations, labels.iloc[places])
    return Frontier(points[places], regions, points.max(0), np.ptp(points, axis=0))


def front_places(points: Array, deciding: Array | None = None) -> npt.NDArray[np.intp]:
    """Return the places of the `points` [N, 2] (costs) that no other one dominates, by rising first cost.

    deciding: [N, 2], costs by which one dominates another instead.
    """
    places = np.flatnonzero(front(points if deciding is None else deciding))
    return places[np.lexsort(points[places].T[::-1])]


def mark_regions(equations: Mapping[str, str], labels: pd.DataFrame) -> dict[str, Marks]:
    """Say, by region, which rows of a front belong to it: of n rows and r regions the ceil(n / r) of highest value."""
    size = -(-len(labels) // len(equations))
    return {region: _highest(Target(equation).evaluate(labels), size) for region, equation in equations.items()}


def region_texts(regions: Mapping[str, Marks]) -> list[str]:
    """Return the names of the regions that each point of a front belongs to, joined by commas."""
    marks = zip(*regions.values(), strict=True)
    return [", ".join(itertools.compress(regions, point)) for point in marks]


def frontier_table(frontiers: Mapping[tuple[str, str], Frontier]) -> pd.DataFrame:
    """Return a row per point: columns family, device, latency, acc, regions (joined by commas), hypervolume.

    The hypervolume is that of the whole frontier.
    """
    rows = []
    for names, frontier in frontiers.items():
        volume = frontier.hypervolume(frontier.points)
        for (latency, cost), regions in zip(frontier.points, region_texts(frontier.regions), strict=True):
            rows.append((*names, latency, -cost, regions, volume))
    return pd.DataFrame(rows, columns=["family", "device", "latency", "acc", "regions", "hypervolume"])


def _highest(values: Array, size: int) -> Marks:
    marks = np.zeros(len(values), dtype=np.bool_)
    marks[np.argsort(-values, kind="stable")[:size]] = True
    return marks

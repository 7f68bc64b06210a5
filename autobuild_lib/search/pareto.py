"""Two objectives: costs, non-dominated rows, and the hypervolume after each evaluation."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.targets import Target

Array = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
BLOCK = 256  # evaluations whose hypervolumes are computed at once


def costs(labels: pd.DataFrame, maximise: str, minimise: str) -> Array:
    """Return two numbers per row, [N, 2], both to be minimised: `minimise`, and the negative of `maximise`.

    Both are target equations over the labels. A row where a label is missing (a failed evaluation) is NaN.
    """
    targets = [Target(minimise), Target(maximise)]
    numbers = labels.drop(columns=["architecture", "round"], errors="ignore")
    needed = [name for name in numbers if name in {*targets[0].labels, *targets[1].labels}]
    labelled = numbers[needed].notna().all(axis=1).to_numpy()
    points = np.full((len(labels), 2), np.nan)
    points[labelled] = np.column_stack([target.evaluate(numbers[labelled]) for target in targets]) * [1, -1]
    return points


def front(points: Array) -> Marks:
    """Mark the rows of `points` [N, 2] (costs) that no other row dominates, [N]; rows with NaN are not among them.

    A row dominates another when it is no worse in both costs and better in one, so equal rows go together.
    """
    finite = np.all(np.isfinite(points), axis=1)
    x, y = np.where(finite[:, None], points, np.inf).T
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    best_before = np.minimum.accumulate(np.r_[np.inf, y])[:-1]
    kept = y < best_before  # true for the first of equal rows
    differs, marks = np.ones(len(points), dtype=np.bool_), np.empty(len(points), dtype=np.bool_)
    differs[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])  # from the row before
    marks[order] = kept[differs][np.cumsum(differs) - 1]
    return marks


def dominates(points: Array, others: Array) -> Marks:
    """Say which of `points` [N, 2] (costs) dominate which of `others` [M, 2], [N, M]: no worse twice, better once."""
    a, b = points[:, None], others[None]
    return np.asarray((a <= b).all(2) & (a < b).any(2))


def best_within(points: Array, budget: float) -> float:
    """Return the best accuracy among `points` [N, 2] (costs) within a latency budget; NaN when there is none."""
    fast = points[points[:, 0] <= budget, 1]
    return float(-fast.min()) if len(fast) else float("nan")


def hypervolume_curve(points: Array, reference: npt.ArrayLike, scale: npt.ArrayLike = (1.0, 1.0)) -> Array:
    """Return the hypervolume of the first n rows of `points` [N, 2] (costs), for n = 1 to N.

    It is the area that they dominate up to the `reference` point [2], in units of `scale` [2]. Rows with NaN, and
    those beyond the reference, add nothing.
    """
    sides = (np.asarray(reference, np.float64) - points) / np.asarray(scale, np.float64)  # of each row's rectangle
    sides = np.where((sides > 0).all(axis=1, keepdims=True), sides, 0.0)
    order = np.argsort(-sides[:, 0], kind="stable")  # columns: from the widest rectangle to the narrowest
    steps = -np.diff(sides[order, 0], append=0.0)
    column, tallest, areas = np.argsort(order), np.zeros(len(points)), np.empty(len(points))
    for start in range(0, len(points), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(points)))
        heights = np.zeros((len(rows), len(points)))
        heights[rows - start, column[rows]] = sides[rows, 1]
        heights[0] = np.maximum(heights[0], tallest)
        heights = np.maximum.accumulate(heights, axis=0)  # of the rectangles so far
        tallest = heights[-1]
        areas[rows] = (np.maximum.accumulate(heights, axis=1) * steps).sum(1)  # a wide tall one covers narrower ones
    return np.maximum.accumulate(areas)  # against rounding

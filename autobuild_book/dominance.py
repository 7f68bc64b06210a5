"""How sets of points of two costs compare: dominance, the best within a budget, and the hypervolume."""

import numpy as np
import numpy.typing as npt

from autobuild_lib.search.pareto import Marks
from autobuild_lib.values import Array

BLOCK = 256  # evaluations whose hypervolumes are computed at once


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

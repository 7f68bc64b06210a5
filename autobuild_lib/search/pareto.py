"""Two objectives: costs, and the rows that no other dominates."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.targets import Target
from autobuild_lib.values import Array

Marks = npt.NDArray[np.bool_]


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

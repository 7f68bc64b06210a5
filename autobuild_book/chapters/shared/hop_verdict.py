"""The verdict of experiment 1 on claim C1."""

import itertools

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.verdicts import Verdict
from autobuild_book.intervals import greater_than_zero, holm, mean_with_interval

RULE = (
    "On the paper preset, norms of the last hop reach 0.9 times the noise ceiling in 7 of 8 tasks; over tasks, "
    "each hop beats the one before and the head the last hop (paired t-tests, 5 % after Holm's correction). "
    "*Supported*: all of it; *partly*: at least half; *undecided*: fewer than four tasks."
)
# The four labels of one family. For the smallest of five p-values to hold after Holm's correction (below 0.01), the
# mean gain over n tasks must be t(0.99, n - 1) / sqrt(n) standard deviations: 2.3 for 4 tasks, 4.0 for 3, 22 for 2.
FEWEST_TASKS = 4


def judge(ranks: pd.DataFrame, references: pd.DataFrame, preset: str = "paper") -> Verdict:
    """Judge claim C1 on one preset by `RULE`.

    A ceiling that is not known counts as 1; a test over fewer than two tasks does not hold. Raises `ValueError` for a
    preset without rows.
    """
    if preset not in set(ranks.preset):
        presets = ", ".join(map(str, ranks.preset.unique())) or "none"
        raise ValueError(f"there is no predictor of preset {preset!r} to judge; there are: {presets}")
    mean = ranks[ranks.preset == preset].groupby(["family", "target", "level"]).srcc.mean().unstack("level")
    hops = [f"hop {hop}" for hop in range(mean.shape[1] - 1)]
    ceiling = references.set_index(["family", "target"]).ceiling.reindex(mean.index).fillna(1.0)
    reached = mean[hops[-1]] >= 0.9 * ceiling
    share = f"{int(reached.sum())} of {len(reached)} tasks"
    rows = [(f"{hops[-1]} reaches 0.9 x ceiling", share, bool(reached.sum() >= np.ceil(7 / 8 * len(reached))))]
    checks = pd.DataFrame([*rows, *_level_by_level(mean, [*hops, "head"])], columns=["check", "value", "holds"])
    return Verdict("Claim C1", checks, decidable=len(mean) >= FEWEST_TASKS)


def _level_by_level(mean: pd.DataFrame, levels: list[str]) -> list[tuple[str, str, bool]]:
    """Check over tasks (rows of `mean`) whether each level beats the one before."""
    pairs = list(itertools.pairwise(levels))
    differences = [(mean[after] - mean[before]).to_numpy() for before, after in pairs]
    rows = []
    for (before, after), difference, p in zip(
        pairs, differences, holm([greater_than_zero(d) for d in differences]), strict=True
    ):
        centre, low, high = mean_with_interval(difference)
        tested = f"[{low:+.4f}, {high:+.4f}], p = {p:.3g}" if len(difference) > 1 else "(no test: one task)"
        rows.append((f"{after} beats {before}", f"{centre:+.4f} {tested}", bool(p < 0.05)))
    return rows

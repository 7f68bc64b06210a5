"""Tables of rank correlations, made up."""

import math
from collections.abc import Callable, Mapping

import pandas as pd

from autobuild_book.chapters.ranking import rank_correlations
from autobuild_book.chapters.shared.splits import BUNDLED

TASKS = [(family, target) for family in BUNDLED for target in rank_correlations.default_targets()]
LEVELS = ["hop 0", "hop 1", "hop 2", "hop 3", "hop 4", "head"]
RISING = {level: 0.80 + 0.03 * i for i, level in enumerate(LEVELS)}  # hop 4 at 0.92, head at 0.95
Change = Callable[[int, str, float], float]


def ranks(
    levels: Mapping[str, float] = RISING, tasks: list[tuple[str, str]] = TASKS, change: Change = lambda _, __, x: x
) -> pd.DataFrame:
    """One row per task, level and two seeds; tasks differ a little, `change` edits one task's level."""
    rows = [
        (*task, "paper", seed, level, change(i, level, value) + 0.001 * ((3 * i + j) % 4) + 0.0001 * seed)
        for i, task in enumerate(tasks)
        for seed in (0, 1)
        for j, (level, value) in enumerate(levels.items())
    ]
    return pd.DataFrame(rows, columns=["family", "target", "preset", "seed", "level", "srcc"])


def references(tasks: list[tuple[str, str]] = TASKS, ceiling: float = 1.0) -> pd.DataFrame:
    rows = [(*task, ceiling, 0.9, 0.99) for task in tasks]
    return pd.DataFrame(rows, columns=["family", "target", "ceiling", "ridge", "published"])


def two_seeds_and_one() -> pd.DataFrame:
    rows = [
        ("f", "t", "paper", 0, "hop 0", 0.5, 0.4, 0.6, math.nan),
        ("f", "t", "paper", 1, "hop 0", 0.7, 0.6, 0.8, math.nan),
        ("f", "t", "paper", 0, "head", 0.8, 0.7, 0.9, 1.0),
        ("f", "t", "paper", 1, "head", 0.9, 0.8, 1.0, 1.0),
        ("f", "t", "tuned", 0, "hop 0", 0.6, 0.1, 0.7, math.nan),
        ("f", "t", "tuned", 0, "head", 0.95, 0.9, 0.97, 1.0),
    ]
    return pd.DataFrame(rows, columns=["family", "target", "preset", "seed", "level", "srcc", "low", "high", "mae"])

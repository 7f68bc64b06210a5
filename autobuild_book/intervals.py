"""Intervals and tests that several experiments use, and how they are written."""

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t, ttest_1samp

Array = npt.NDArray[np.float64]
Ends = tuple[float, float]
ANYWHERE, CORRELATION, SHARE = (-math.inf, math.inf), (-1.0, 1.0), (0.0, 1.0)
_CORRELATIONS = re.compile(r"srcc|spearman|kendall|\btau\b|correlation|\bhead\b|\bhop\b|hop_|_hop", re.IGNORECASE)


def ends_of(metric: str, values: Sequence[float] | Array) -> Ends:
    """Return the ends of what a metric can be, by its name and values: -1 and 1 for a rank correlation."""
    numbers = np.asarray(values, dtype=np.float64)
    is_correlation = _CORRELATIONS.search(metric) and not (np.abs(numbers[np.isfinite(numbers)]) > 1).any()
    return CORRELATION if is_correlation else ANYWHERE


def mean_with_interval(
    values: Sequence[float] | Array, confidence: float = 0.95, within: Ends = ANYWHERE
) -> tuple[float, float, float]:
    """Mean and its confidence interval by Student's t; the interval is NaN for a single value.

    within: what the mean can be; an interval of few values reaches further, and is cut there.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2:
        return float(array.mean()), float("nan"), float("nan")
    half = t.ppf(0.5 + confidence / 2, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return float(array.mean()), max(float(array.mean() - half), within[0]), min(float(array.mean() + half), within[1])


def interval_texts(values: pd.Series, low: pd.Series, high: pd.Series, digits: int = 3) -> list[str]:
    """Write numbers with intervals for a table, such as "-0.05 [-0.16, 0.05]"; what is NaN is left out."""
    texts = []
    for numbers in zip(values, low, high, strict=True):
        value, *ends = (f"{number:.{digits}f}" for number in numbers)
        interval = f" [{', '.join(ends)}]" if np.isfinite(numbers).all() else ""
        texts.append(f"{value}{interval}" if np.isfinite(numbers[0]) else "")
    return texts


def or_unknown(value: float, form: str) -> str:
    """Write a number in a format of Python, such as ".2f", and NaN as "unknown"."""
    return "unknown" if np.isnan(value) else format(value, form)


def greater_than_zero(differences: Sequence[float] | Array) -> float:
    """One-sided p-value of a paired t-test that the mean difference is above 0; NaN for fewer than two differences."""
    array = np.asarray(differences, dtype=np.float64)
    if len(array) < 2:
        return float("nan")
    if np.ptp(array) <= 1e-12 * np.abs(array).max():  # without spread the test's limit: sure, or not at all
        return 0.0 if array[0] > 0 else 1.0
    return float(ttest_1samp(array, 0.0, alternative="greater").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for several tests of one claim (Holm, 1979)."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return [float(value) for value in adjusted]

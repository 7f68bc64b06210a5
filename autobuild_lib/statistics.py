"""Rank correlation, with its interval."""

import numpy as np
from scipy.stats import norm, spearmanr

from autobuild_lib.values import Array


def srcc(predicted: Array, truth: Array) -> float:
    """Spearman correlation; NaN where there is none: fewer than two rows, or one side constant."""
    if len(truth) < 2 or np.ptp(predicted) == 0 or np.ptp(truth) == 0:
        return float("nan")
    return float(spearmanr(predicted, truth).statistic)


def srcc_with_interval(predicted: Array, truth: Array, confidence: float = 0.95) -> tuple[float, float, float]:
    """Spearman correlation and its confidence interval by Fisher's transformation (Bonett and Wright, 2000).

    The interval is NaN for fewer than four rows and for a correlation of exactly 1 or -1.
    """
    correlation, n = srcc(predicted, truth), len(truth)
    if n < 4 or not abs(correlation) < 1:
        return correlation, float("nan"), float("nan")
    half = norm.ppf(0.5 + confidence / 2) * np.sqrt((1 + correlation**2 / 2) / (n - 3))
    centre = np.arctanh(correlation)
    return correlation, float(np.tanh(centre - half)), float(np.tanh(centre + half))

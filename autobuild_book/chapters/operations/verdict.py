"""The verdict of experiment 2 on claim C2."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.operations.hop_zero import TRUE
from autobuild_book.chapters.operations.rankings import correlations, null_agreement, scores, seed_agreement
from autobuild_book.chapters.shared.verdicts import Verdict
from autobuild_book.intervals import CORRELATION, mean_with_interval

RULE = (
    "On the tuned preset, rankings of operations agree between seeds (mean Kendall tau at least 0.6), more than "
    "with shuffled labels (95th percentile), and with an ablation (interval above 0). *Supported*: all of it; "
    "*partly*: two of three; *undecided*: without two seeds and shuffled labels."
)
LEAST_AGREEMENT = 0.6  # of seeds


def judge(importance: pd.DataFrame, attribution: pd.DataFrame) -> Verdict:
    """Judge claim C2 on the cheap preset by `RULE`; the ablation is of the same predictor, its interval over seeds."""
    mean, low, high = seed_agreement(true := scores(importance, TRUE, "importance"))
    null = null_agreement(importance).dropna()
    if len(true) < 2 or not len(null):
        return Verdict("Claim C2", pd.DataFrame(columns=["check", "value", "holds"]))
    limit = float(np.quantile(null, 0.95))
    of_all = attribution[attribution.family == attribution.family.iloc[0]]
    related = mean_with_interval(correlations(true, scores(of_all, TRUE, "ablation")), within=CORRELATION)
    checks = [
        ("seeds agree (mean Kendall tau at least 0.6)", _text(mean, low, high), mean >= LEAST_AGREEMENT),
        ("more than with shuffled labels", f"{mean:.2f}; 95th percentile of {len(null)}: {limit:.2f}", mean > limit),
        ("importance agrees with ablation (Spearman, interval above 0)", _text(*related), related[1] > 0),
    ]
    return Verdict("Claim C2", pd.DataFrame(checks, columns=["check", "value", "holds"]).astype({"holds": bool}))


def _text(value: float, low: float, high: float) -> str:
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" if np.isfinite([low, high]).all() else f"{value:.2f} (no interval)"

"""Importances and attributions of thirteen operations, made up."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.operations.hop_zero import CHEAP, SHUFFLED, TRUE

NAMES = [f"op{n}" for n in range(13)]


def importance_of(noise: float, seeds: int = 5, shuffles: int = 10) -> pd.DataFrame:
    """Importances 0, 1, ... 12 plus noise for the true labels; nothing but noise for shuffled ones."""
    rng, rows = np.random.default_rng(0), []
    for seed in range(seeds):
        values = {TRUE: np.arange(13) + noise * rng.normal(size=13), "initial": rng.normal(size=13)}
        values |= {f"{SHUFFLED}_{n}": rng.normal(size=13) for n in range(1, shuffles + 1)}
        rows += [(CHEAP, seed, name, *pair) for name, own in values.items() for pair in zip(NAMES, own, strict=True)]
    return pd.DataFrame(rows, columns=["preset", "seed", "labels", "operation", "importance"])


def attribution_of(importance: pd.DataFrame, sign: float) -> pd.DataFrame:
    own = importance[importance.labels.isin([TRUE, f"{SHUFFLED}_1"])]
    ablation = 50 + sign * own.importance + np.random.default_rng(1).normal(0, 0.1, len(own))
    same = dict.fromkeys(("ablation", "level", "signed"), ablation)
    return own.assign(family="all", **same, integrated=-ablation, nodes=1.0, networks=9)

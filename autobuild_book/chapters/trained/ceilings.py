"""How well a second training of the same networks ranks them as the first did, which no predictor has to exceed."""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import rankdata

REPEATS = "accel-nasbench:repeats"  # networks that were trained with three seeds, in two ways
REGIMES = {"proxified": "short training, that of the table", "fewproxy": "long training"}


def seed_ceilings(labels: pd.DataFrame, samples: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Average the rank correlation of all pairs of seeds, within each way of training and between the two.

    Args:
        labels: accuracies, a column `acc_<regime>_<seed>` for each training, a row for each network.
        samples: of the networks, drawn with replacement, for the intervals of 95 %.

    Returns a row for each pair of regimes: `srcc`, its interval `low` and `high`, `pairs` of seeds, and `noise`, the
    standard deviation between the seeds of one network in points of accuracy (NaN between regimes).
    """
    regimes = [str(name).split("_")[1] for name in labels]
    columns = {regime: [place for place, other in enumerate(regimes) if other == regime] for regime in REGIMES}
    values, rng = labels.to_numpy(), np.random.default_rng(seed)
    drawn = [values[rng.integers(len(values), size=len(values))] for _ in range(samples)]
    ranks = [np.corrcoef(rankdata(sample, axis=0), rowvar=False) for sample in (values, *drawn)]
    rows = []
    for first, second in itertools.combinations_with_replacement(REGIMES, 2):
        pairs = [pair for pair in itertools.product(columns[first], columns[second]) if pair[0] < pair[1]]
        means = np.array([np.mean([correlations[pair] for pair in pairs]) for correlations in ranks])
        noise = np.sqrt(values[:, columns[first]].var(axis=1, ddof=1).mean()) if first == second else np.nan
        rows.append((first, second, means[0], *np.quantile(means[1:], [0.025, 0.975]), len(pairs), noise))
    return pd.DataFrame(rows, columns=["first", "second", "srcc", "low", "high", "pairs", "noise"])

"""How good a predicted ranking of networks is, for what it would be used for."""

import numpy as np
import numpy.typing as npt

from autobuild_lib.statistics import srcc

Array = npt.NDArray[np.float64]
LOOKED_AT = 10  # networks with the best predictions, of which the best one is taken


def quality(predicted: Array, truth: Array, lower_is_better: bool = False) -> dict[str, float]:
    """Judge predictions of rows [N] by what they would be used for.

    Returns:
        srcc: Spearman correlation with the truth. recall: share of the best tenth of the rows that is in the best tenth
        by prediction. regret: the best value of all, minus the best of the `LOOKED_AT` rows with the best predictions,
        in standard deviations of the truth; 0 is best.
    """
    sign = -1.0 if lower_is_better else 1.0
    order, true_order = (np.argsort(-sign * values, kind="stable") for values in (predicted, truth))
    tenth = max(1, round(len(truth) / 10))
    recall = len(set(order[:tenth]) & set(true_order[:tenth])) / tenth
    best, reached = sign * truth[true_order[0]], (sign * truth[order[:LOOKED_AT]]).max()
    spread = float(truth.std())
    return {
        "srcc": srcc(predicted, truth),
        "recall": recall,
        "regret": float(best - reached) / spread if spread else float("nan"),
    }


def true_rank(value: float, truth: Array, lower_is_better: bool = False) -> int:
    """Return the place of a label among all labels of its table [N]: 1 for the best, and for all that equal it."""
    return 1 + int(((truth < value) if lower_is_better else (truth > value)).sum())

"""Transfer entropy between series: what the past of one tells of the next step of another, beyond its own past.

Schreiber, "Measuring Information Transfer", Physical Review Letters, 2000; with histories of one step.
"""

import numpy as np
import numpy.typing as npt

Symbols = npt.NDArray[np.int64]


def transfer_entropy(source: Symbols, target: Symbols) -> float:
    """Return the transfer entropy in bits from `source` to `target`, from the frequencies of all steps.

    It is the sum over (next, now, past) of p(next, now, past) log2 [p(next | now, past) / p(next | now)], where next
    and now are steps of the target, and past is a step of the source.

    Args:
        source, target: symbols of series that run side by side, [series, steps].
    """
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] < 2:
        raise ValueError(f"series of shapes {source.shape} and {target.shape}; both need the same, two steps or more")
    steps = target[:, 1:].ravel(), target[:, :-1].ravel(), source[:, :-1].ravel()
    following, now, past = (np.unique(values, return_inverse=True)[1] for values in steps)
    counts = np.zeros((following.max() + 1, now.max() + 1, past.max() + 1))
    np.add.at(counts, (following, now, past), 1)
    joint = counts / counts.sum()
    told = joint / joint.sum(0, keepdims=True).clip(np.finfo(float).tiny)  # p(next | now, past)
    alone = joint.sum(2, keepdims=True) / joint.sum((0, 2), keepdims=True)  # p(next | now)
    ratio = np.divide(told, alone, out=np.ones_like(joint), where=joint > 0)
    return float((joint * np.log2(ratio)).sum())


def as_symbols(values: npt.NDArray[np.float64], bins: int = 3) -> Symbols:
    """Return which of `bins` equally full ranges each value lies in, 0 to bins - 1, in the shape of `values`."""
    edges = np.quantile(values, np.arange(1, bins) / bins)
    return np.searchsorted(edges, values, side="left").astype(np.int64)

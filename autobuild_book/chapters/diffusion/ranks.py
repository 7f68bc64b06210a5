"""Experiment 6: how well a few dozen labels let each model rank U-Nets that it has not seen, and beyond their MACs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from autobuild_book.chapters.shared.few_labels import Fold
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_lib.extras import extra
from autobuild_lib.targets import Target

with extra("book"):
    from sklearn.linear_model import LinearRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Array = npt.NDArray[np.float64]
HEAD, RIDGE, COST = "AutoBuild head", "additive ridge", "MACs alone"
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles


def out_of_fold(folds: Sequence[Fold], cost: str = "macs") -> pd.DataFrame:
    """Predict every row by models that did not see it.

    Norms of different folds are put on one scale by their mean and sd on training rows.

    Args:
        folds: with one predictor each.
        cost: label that a straight line in its logarithm predicts the target from; left out where it is missing.

    Returns:
        Columns repeat, architecture, model, predicted, truth, and cost where that label is there.
    """
    frames = []
    for fold in folds:
        truth = Target(fold.predictors[0].target).evaluate(fold.test.labels)
        costs = {"cost": fold.test.labels[cost].to_numpy()} if cost in fold.test.labels else {}
        common = {"repeat": fold.repeat, "architecture": list(map(str, fold.test.architectures)), "truth": truth}
        frames += [
            pd.DataFrame({**common, "model": model, "predicted": predicted, **costs})
            for model, predicted in _predict(fold, cost).items()
        ]
    return pd.concat(frames, ignore_index=True)


def _predict(fold: Fold, cost: str) -> dict[str, Array]:
    (predictor,), train, test = fold.predictors, fold.train, fold.test
    truth = Target(predictor.target).evaluate(train.labels)
    head, norms = predictor.predict_and_norms(test.architectures)
    seen = predictor.norms(train.architectures)
    levels = (norms - seen.mean(1, keepdims=True)) / seen.std(1, keepdims=True)
    predicted = {HEAD: head} | {f"hop {hop}": levels[hop] for hop in reversed(range(len(levels)))}
    predicted[RIDGE] = AdditiveRidge(train.space).fit(train.architectures, truth).predict(test.architectures)
    if cost in test.labels:
        x, x_test = (np.log(part.labels[[cost]].to_numpy()) for part in (train, test))
        with threadpool_limits(1):
            predicted[COST] = LinearRegression().fit(x, truth).predict(x_test)
    return predicted


def rank_quality(predictions: pd.DataFrame, seed: int = 0, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Compare the models, with 95 % intervals over architectures by the bootstrap; numbers are means over repeats.

    Args:
        predictions: from `out_of_fold`.
        seed: of the bootstrap.
        resamples: of the architectures.

    Returns:
        Columns model; `srcc`; `partial`, the rank correlation among architectures of equal cost (partial Spearman
        correlation, NaN without a cost); `gain`, the SRCC minus that of the cost alone; each with `_low` and `_high`.
    """
    wide = predictions.pivot(index=["model", "repeat"], columns="architecture", values="predicted")
    truths = predictions.drop_duplicates("architecture").set_index("architecture").loc[wide.columns]
    n = len(truths)
    drawn = np.random.default_rng([seed, 4]).integers(n, size=(resamples, n))
    rows = np.vstack([np.arange(n), drawn])  # the first row is the sample itself
    truth = _ranks(truths["truth"].to_numpy()[rows])
    cost = _ranks(truths["cost"].to_numpy()[rows]) if "cost" in truths else None
    by_model = {}
    for model in dict.fromkeys(predictions["model"]):
        ranked = [_ranks(predicted[rows]) for predicted in wide.loc[model].to_numpy()]
        srcc = np.mean([_correlation(predicted, truth) for predicted in ranked], axis=0)
        partial = np.full(len(rows), np.nan)
        if cost is not None and model != COST:
            partial = np.mean([_partial(predicted, truth, cost) for predicted in ranked], axis=0)
        by_model[model] = {"srcc": srcc, "partial": partial}
    baseline = by_model[COST]["srcc"] if COST in by_model else np.full(len(rows), np.nan)
    records = []
    for model, numbers in by_model.items():
        gains = numbers["srcc"] - baseline
        parts = [_with_interval(values) for values in (numbers["srcc"], numbers["partial"], gains)]
        records.append((model, *(number for part in parts for number in part)))
    columns = [f"{name}{end}" for name in ("srcc", "partial", "gain") for end in ("", "_low", "_high")]
    return pd.DataFrame(records, columns=["model", *columns])


def _ranks(values: Array) -> Array:
    """Centred ranks along the last axis, of length 1."""
    ranks = rankdata(values, axis=-1)
    ranks -= ranks.mean(-1, keepdims=True)
    return np.asarray(ranks / np.sqrt(np.square(ranks).sum(-1, keepdims=True)))


def _correlation(first: Array, second: Array) -> Array:
    return np.asarray((first * second).sum(-1))


def _partial(predicted: Array, truth: Array, cost: Array) -> Array:
    """Correlation of ranks from which what is linear in the ranks of the cost was taken."""
    pt, pc, tc = _correlation(predicted, truth), _correlation(predicted, cost), _correlation(truth, cost)
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN where a few resampled rows rank as their cost does
        return np.asarray((pt - pc * tc) / np.sqrt((1 - pc**2) * (1 - tc**2)))


def _with_interval(values: Array) -> tuple[float, float, float]:
    if np.isnan(values).all():
        return float("nan"), float("nan"), float("nan")
    low, high = np.nanpercentile(values[1:], INTERVAL)
    return float(values[0]), float(low), float(high)

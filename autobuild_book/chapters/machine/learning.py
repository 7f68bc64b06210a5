"""How well the labels measured on this machine repeat, and how well models learn from them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.machine.latency import medians
from autobuild_book.chapters.machine.subjects import Subject, known_labels
from autobuild_book.chapters.shared.few_labels import train
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_lib.data.files import FLOPS
from autobuild_lib.data.table import Table
from autobuild_lib.extras import extra
from autobuild_lib.predictor import Predictor
from autobuild_lib.statistics import srcc_with_interval
from autobuild_lib.targets import Target

with extra("book"):
    from sklearn.linear_model import LinearRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Array = npt.NDArray[np.float64]
MODELS = ("AutoBuild head", "AutoBuild last hop", "additive ridge", "multiply-adds")


def repeatability(subject: Subject, rounds: pd.DataFrame) -> pd.DataFrame:
    """Compare odd with even rounds: per target the SRCC with its interval, and the `ceiling` that follows.

    The median over all rounds correlates with the truth like sqrt(2 r / (1 + r)) (Spearman and Brown), where r is
    the correlation of the halves. Raises `ValueError` for fewer than two rounds.
    """
    odd, even = (subject.values(half) for half in halves(rounds))
    rows = []
    for target in subject.targets:
        srcc, low, high = srcc_with_interval(odd[target].to_numpy(), even[target].to_numpy())
        rows.append((target, srcc, low, high, np.sqrt(2 * max(srcc, 0.0) / (1 + max(srcc, 0.0)))))
    return pd.DataFrame(rows, columns=["target", "srcc", "low", "high", "ceiling"])


def care(lowest: float) -> str:
    """Say what to mind when this is how well two measurements agree at least (SRCC); "" where all is well."""
    if np.isnan(lowest):
        return "All networks measured the same: there is nothing to rank."
    return "" if lowest >= 0.9 else "That is below 0.9: the machine was busy, and what follows means little."


def half_by_half(subject: Subject, rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the label in odd and in even rounds for a figure: columns odd, even, and flops_m where it is known."""
    odd, even = halves(rounds)
    labels = known_labels(subject.space, list(odd["architecture"]))
    columns = {"odd": odd[subject.label], "even": even[subject.label]}
    return pd.DataFrame(columns).join(labels[[FLOPS]]) if FLOPS in labels else pd.DataFrame(columns)


def halves(rounds: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the medians over odd and over even rounds, in the same order of architectures."""
    if rounds["round"].nunique() < 2:
        raise ValueError("repeatability needs at least 2 rounds of measurements, given 1")
    return medians(rounds[rounds["round"] % 2 == 1]), medians(rounds[rounds["round"] % 2 == 0])


def learn(
    table: Table, targets: tuple[str, ...], seeds: Sequence[int], steps: int, folder: Path
) -> tuple[dict[str, list[Predictor]], pd.DataFrame]:
    """Train all targets by this page's recipe, on all rows and on all but one fold.

    Args:
        table: measured architectures.
        targets: equations over its labels.
        seeds: of the predictors that learn from all rows; the first one is that of the folds as well.
        steps: of the optimiser, about as many however many rows there are.
        folder: for trained predictors; a later call takes them from there.

    Returns:
        Per target one predictor per seed, and the predictions of every row from the other folds: columns target,
        model, predicted, truth. Norms of different folds are put on one scale by their mean and sd on training rows.
    """
    trained, folds = train(table, targets, seeds, steps, folder)
    frames = [_out_of_fold(predictor, fold.train, fold.test) for fold in folds for predictor in fold.predictors]
    return trained, pd.concat(frames, ignore_index=True)


def _out_of_fold(predictor: Predictor, train: Table, test: Table) -> pd.DataFrame:
    truth = Target(predictor.target).evaluate(test.labels)
    frames = [
        pd.DataFrame({"target": predictor.target, "model": model, "predicted": predicted, "truth": truth})
        for model, predicted in _predict(predictor, train, test).items()
    ]
    return pd.concat(frames)


def _predict(predictor: Predictor, train: Table, test: Table) -> dict[str, Array]:
    """Predict the test rows by every model of `MODELS` that the labels allow."""
    target = Target(predictor.target)
    ridge = AdditiveRidge(train.space).fit(train.architectures, target.evaluate(train.labels))
    head, norms = predictor.predict_and_norms(test.architectures)
    learnt = predictor.norms(train.architectures)[-1]
    predicted = [head, (norms[-1] - learnt.mean()) / learnt.std(), ridge.predict(test.architectures)]
    if FLOPS in test.labels:
        predicted.append(target.evaluate(_straight_lines(train, test)))
    return dict(zip(MODELS, predicted, strict=False))


def _straight_lines(train: Table, test: Table) -> pd.DataFrame:
    """Return the labels of the test rows with each measured one replaced by a straight line in multiply-adds."""
    known_costs, costs = train.labels[[FLOPS]].to_numpy(), test.labels[[FLOPS]].to_numpy()
    measured = [name for name in train.labels if name not in ("acc", FLOPS)]
    with threadpool_limits(1):
        lines = {str(n): LinearRegression().fit(known_costs, train.labels[n]).predict(costs) for n in measured}
    return test.labels.assign(**lines)


def rank_quality(predictions: pd.DataFrame) -> pd.DataFrame:
    """SRCC of the out-of-fold predictions with its interval over rows: columns target, model, srcc, low, high."""
    rows = [
        (*key, *srcc_with_interval(rows["predicted"].to_numpy(), rows["truth"].to_numpy()))
        for key, rows in predictions.groupby(["target", "model"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["target", "model", "srcc", "low", "high"])

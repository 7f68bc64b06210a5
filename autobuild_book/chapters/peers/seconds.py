"""What the models cost: seconds for features, training and predictions, side by side in one run, on one core."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.peers.proxy_tables import initial_network
from autobuild_book.chapters.shared.models.base import Fitted
from autobuild_book.chapters.shared.models.features import as_matrix, compute
from autobuild_book.chapters.shared.models.on_features import Regression
from autobuild_book.chapters.shared.models.proxies import measure_proxies
from autobuild_book.chapters.shared.models.registry import find_model
from autobuild_lib.data.table import Table
from autobuild_lib.networks import has_networks
from autobuild_lib.spaces import Architecture
from autobuild_lib.torch_settings import one_thread

TRIED = 3  # networks whose proxies are measured; the rest is multiplication


def model_seconds(table: Table, target: str, models: Iterable[str], size: int, seed: int = 0) -> pd.DataFrame:
    """Measure seconds of processor time, one target each: a row per model.

    Args:
        table: training architectures.
        target: what is learnt.
        models: names in the registry.
        size: number of random architectures that are predicted.
        seed: of these, and of training.

    Returns:
        Columns model, features (of the architectures that are predicted), train (features of the training rows
        included), predict, total.
    """
    drawn = table.space.sample(np.random.default_rng([seed, 4]), size)
    rows = []
    for name in models:
        model, fitted = find_model(name), list[Fitted]()
        with one_thread():
            train = _seconds(lambda: fitted.extend(model.fit_many(table, [target], seed)))  # noqa: B023
            features, predict = _predicting(fitted[0], drawn)
        rows.append((name, features, train, predict, features + train + predict))
    return pd.DataFrame(rows, columns=["model", "features", "train", "predict", "total"])


def _predicting(fitted: Fitted, drawn: Sequence[Architecture]) -> tuple[float, float]:
    """Seconds for the features of architectures, where a model has some, and for predicting from these."""
    if not isinstance(fitted, Regression):
        return 0.0, _seconds(lambda: fitted.predict(drawn))
    rows: list[Any] = []
    features = _seconds(lambda: rows.append(as_matrix(compute(fitted.kinds, fitted.space, drawn))))
    return features, _seconds(lambda: fitted.regressor.predict(rows[0]))


def proxy_seconds(table: Table, size: int) -> float:
    """Estimate the seconds for proxies of `size` networks from `TRIED` of them; NaN for spaces without networks."""
    if not has_networks(table.space):
        return float("nan")

    def measure() -> None:
        for architecture in table.architectures[:TRIED]:
            measure_proxies(initial_network(architecture))

    return _seconds(measure) * size / TRIED


def _seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started

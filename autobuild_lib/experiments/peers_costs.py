"""What the models cost: seconds for features, training and predictions, side by side in one run, on one core."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autobuild_lib.data.table import Table
from autobuild_lib.networks import has_networks
from autobuild_lib.peers.features import COMPUTED
from autobuild_lib.peers.models import FeatureModel, Fitted, find_model
from autobuild_lib.peers.proxies import measure_proxies
from autobuild_lib.spaces import Architecture
from autobuild_lib.tasks.proxies import initial_network
from autobuild_lib.training import one_thread

TRIED = 3  # networks whose proxies are measured; the rest is multiplication


def costs(table: Table, target: str, models: Iterable[str], size: int, seed: int = 0) -> pd.DataFrame:
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
    of_kind = {}
    for kind, compute in COMPUTED.items():
        compute(table.space, drawn[:10])  # what is done once only, is done before
        of_kind[kind] = _seconds(_computing(compute, table, drawn))
    rows = []
    for name in models:
        model, fitted = find_model(name), list[Fitted]()
        with one_thread():
            train = _seconds(lambda: fitted.extend(model.fit_many(table, [target], seed)))  # noqa: B023
            predict = _seconds(lambda: fitted[0].predict(drawn))  # noqa: B023
        features = sum(of_kind[kind] for kind in model.kinds) if isinstance(model, FeatureModel) else 0.0
        rows.append((name, features, train, max(predict - features, 0.0), train + max(predict, features)))
    return pd.DataFrame(rows, columns=["model", "features", "train", "predict", "total"])


def _computing(compute: Callable[..., Any], table: Table, drawn: Sequence[Architecture]) -> Callable[[], Any]:
    return lambda: compute(table.space, drawn)


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

"""The one network that a model puts first: which it is, how good it really is, and why it can be a bad one."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from autobuild_book.chapters.board.tables import BoardTable, load
from autobuild_book.chapters.shared.judging import true_rank
from autobuild_book.chapters.shared.models.base import Model
from autobuild_book.chapters.shared.splits import drawn_rows
from autobuild_lib.data.table import Table
from autobuild_lib.torch_settings import one_thread


def first_choices(board: BoardTable, model: Model, size: int, seeds: Iterable[int]) -> pd.DataFrame:
    """Fit a model to the first target of a table, as the board does, and return the unseen network that it puts first.

    Columns, a row per seed: seed, network, label, rank (its true one, 1 for the best).
    """
    table, target = load(board.name), board.targets[0]
    labels = table.labels[target].to_numpy(dtype=np.float64)
    rows = []
    for seed in seeds:
        with one_thread():
            drawn = drawn_rows(len(table), size, seed)
            (predictor,) = model.fit_many(table.take(drawn), [target], seed)
            liked = predictor.predict(table.architectures) * (-1 if board.lower else 1)
        liked[drawn] = -np.inf
        first = int(np.argmax(liked))
        network = str(table.architectures[first])
        rows.append((seed, network, labels[first], true_rank(labels[first], labels, board.lower)))
    return pd.DataFrame(rows, columns=["seed", "network", "label", "rank"])


def by_repeats(table: Table, target: str) -> pd.DataFrame:
    """Group networks by how many of their layers are the same, at most: a row per number.

    Columns: networks; best, worst: which share of them is among the best 1 % and the worst 1 % of the table.
    """
    labels = table.labels[target].to_numpy(dtype=np.float64)
    low, high = np.quantile(labels, [0.01, 0.99])
    codes = table.space.to_codes(table.architectures)
    layers, present = table.space.layers(codes), table.space.present(codes)
    alike = (layers[:, :, None] == layers[:, None]).all(-1) & present[:, :, None] & present[:, None]
    repeats = alike.sum(2).max(1)
    groups = pd.DataFrame({"best": labels >= high, "worst": labels <= low}).groupby(repeats)
    return groups.mean().assign(networks=groups.size()).rename_axis("same layers")[["networks", "best", "worst"]]

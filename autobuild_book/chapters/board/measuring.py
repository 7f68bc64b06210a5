"""Measuring models on trained tables: a row per model, table, target, number of training rows and seed."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kendalltau

from autobuild_book.chapters.board.tables import TABLES, BoardTable, load
from autobuild_book.chapters.shared.judging import quality, true_rank
from autobuild_book.chapters.shared.models.base import Model
from autobuild_book.chapters.shared.models.registry import MODELS
from autobuild_book.chapters.shared.splits import drawn_rows
from autobuild_book.measured import tasks
from autobuild_book.measured.rows import Row, RowFormat
from autobuild_lib.data.files import FILES
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread

Array = npt.NDArray[np.float64]
SIZES = (50, 100, 300, 1000, 2700)
SEEDS = range(3)
TESTED = 0.25  # of the rows of a table, at least: larger training sets are left out
BUNDLED_ROWS = FILES / "board.csv"
KEY = ["table", "target", "model", "size"]


@dataclass(frozen=True)
class BoardRow(Row):
    """A model that learnt one target from `size` rows, which `seed` drew, judged on all other rows of the table.

    srcc, tau: rank correlations with the labels (Spearman, Kendall), 0 where all predictions are the same.
    regret: what the best of the ten best predicted networks lacks, in standard deviations of the label.
    rank, share: place of the best predicted network among all rows of the table, 1 for the best; and by their number.
    fit_seconds, predict_seconds: of processor time, for a target; all rows of the table are predicted.
    """

    ASKED = ("table", "target", "model", "size", "seed")

    table: str
    target: str
    model: str
    size: int
    seed: int
    srcc: float
    tau: float
    regret: float
    rank: int
    share: float
    fit_seconds: float
    predict_seconds: float
    machine: str


ROWS = RowFormat(BoardRow, fractions=["share"], positive=["regret", "fit_seconds", "predict_seconds"])


@dataclass(frozen=True)
class BoardJob:
    """One model on one training set: all targets of a table."""

    table: BoardTable
    model: Model
    size: int
    seed: int

    @property
    def keys(self) -> list[tuple[str, str, str, int, int]]:
        """What identifies its rows."""
        return [(self.table.name, target, self.model.name, self.size, self.seed) for target in self.table.targets]

    def rows(self) -> list[BoardRow]:
        """Fit the model and judge it, on one thread."""
        table, made = load(self.table.name), []
        drawn = drawn_rows(len(table), self.size, self.seed)
        with one_thread():
            started = time.process_time()
            fitted = self.model.fit_many(table.take(drawn), self.table.targets, self.seed)
            fit_seconds = (time.process_time() - started) / len(fitted)
            for key, target, predictor in zip(self.keys, self.table.targets, fitted, strict=True):
                started = time.process_time()
                predicted = predictor.predict(table.architectures)
                seconds = round(fit_seconds, 3), round(time.process_time() - started, 3)
                judged = judge(predicted, Target(target).evaluate(table.labels), drawn, self.table.lower)
                made.append(BoardRow(*key, *judged, *seconds, tasks.machine()))
        return made


def judge(
    predicted: Array, labels: Array, drawn: npt.NDArray[np.int64], lower: bool = False
) -> tuple[float, float, float, int, float]:
    """Judge predictions of a table on the rows that were not trained on: srcc, tau, regret, rank and share.

    Args:
        predicted: of all rows, [N]. labels: the same, in label units, [N].
        drawn: places of the training rows.
        lower: less is better.
    """
    others = np.delete(np.arange(len(labels)), drawn)
    guesses, truth = predicted[others], labels[others]
    judged = quality(guesses, truth, lower)
    tau = float(kendalltau(guesses, truth).statistic)
    built = truth[np.argmin(guesses) if lower else np.argmax(guesses)]
    rank = true_rank(built, labels, lower)
    srcc, tau = (round(value, 5) if np.isfinite(value) else 0.0 for value in (judged["srcc"], tau))
    return srcc, tau, round(judged["regret"], 4), rank, round(rank / len(labels), 7)


def plan(
    tables: Sequence[BoardTable], models: Iterable[Model], sizes: Iterable[int] = SIZES, seeds: Iterable[int] = SEEDS
) -> list[BoardJob]:
    """Return the jobs for some tables, which must be here, and models, the small sizes first.

    Models that need proxies take no part; nor do sizes that leave less than `TESTED` of a table to judge by.
    """
    chosen, drawn = [model for model in models if not model.needs_proxies], list(seeds)
    return [
        BoardJob(table, model, size, seed)
        for size in sorted(set(sizes))
        for table in tables
        if size <= (1 - TESTED) * len(load(table.name))
        for model in chosen
        for seed in drawn
    ]


def measure(jobs: Sequence[BoardJob], out: Path, workers: int = 1, progress: bool = True) -> pd.DataFrame:
    """Run the jobs whose rows are not in the file, see `tasks.complete`; return the rows of all jobs."""
    return as_frame(tasks.complete(ROWS, jobs, out, unit="fit", workers=workers, progress=progress))


def read_rows(path: Path = BUNDLED_ROWS) -> pd.DataFrame:
    """Return measured rows: by default, those that come with the library."""
    return as_frame(ROWS.read(path))


def as_frame(rows: Sequence[BoardRow]) -> pd.DataFrame:
    """Return rows as a table with the columns of `BoardRow`, in the order of tables, targets, models, sizes, seeds."""
    frame = pd.DataFrame([vars(row) for row in rows], columns=list(ROWS.columns))
    tables, models = ({name: n for n, name in enumerate(names)} for names in ((t.name for t in TABLES), MODELS))
    places = frame.assign(table_place=frame["table"].map(tables), model_place=frame["model"].map(models))
    keys = ["table_place", "table", "target", "size", "model_place", "model", "seed"]
    return places.sort_values(keys, kind="stable", ignore_index=True)[list(ROWS.columns)]

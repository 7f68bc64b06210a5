"""How well predictors rank networks that were really trained and timed: every hop, the head, and other models (C1).

Each seed draws its own training rows, the same for all models; all other rows of the table are ranked.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.models.autobuild import AutoBuild
from autobuild_book.chapters.shared.models.base import Model
from autobuild_book.chapters.shared.models.features import GRAF
from autobuild_book.chapters.shared.models.on_features import FeatureModel
from autobuild_book.chapters.shared.models.registry import (
    BOOSTINGS,
    ENSEMBLE,
    FOREST_GRAF,
    GAUSSIAN,
    PAPER,
    RANK_FOREST,
    RIDGE,
    TUNED,
    named,
)
from autobuild_book.chapters.shared.splits import drawn_rows
from autobuild_book.chapters.trained.effects import ACCEL, GRAPHS
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.evaluation import evaluate
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread

LATENCIES = {**{f"nas-bench-graph:{name}": "latency" for name in GRAPHS}, ACCEL: "latency_zcu102"}
BOTH = "ranks(acc) - ranks({})"  # an equation of accuracy and latency, whatever their scales
BOOSTING = FeatureModel(named("boosting", (GRAF,)), (GRAF,), BOOSTINGS[(GRAF,)])
LEARN_ALL = (PAPER, TUNED, RIDGE, FOREST_GRAF)  # all three targets
LEARN_ACCURACY = (ENSEMBLE, RANK_FOREST, BOOSTING, GAUSSIAN)
HEAD = "head"
MODELS: dict[str, Model] = {model.name: model for model in (*LEARN_ALL, *LEARN_ACCURACY)}
SIZES = (50, 100, 300, 400, 1000, 2700)
ONLY = {400: ACCEL}  # a size that others have measured there
MOST_ROWS = {GAUSSIAN.name: 1000}  # its cost is the cube of their number
MOST_SHARE = 0.75  # of a table to learn from: the rest is ranked
COLUMNS = ["source", "target", "model", "size", "seed", "level", "srcc"]


def targets_of(source: str) -> tuple[str, str, str]:
    """Return what is learnt from a table: accuracy, latency, and an equation of both."""
    return "acc", LATENCIES[source], BOTH.format(LATENCIES[source])


@functools.lru_cache(maxsize=16)
def complete(source: str) -> Table:
    """Return the rows of a table that have accuracy and latency."""
    return data.load(source).complete("acc").complete(LATENCIES[source])


@dataclass(frozen=True)
class Ranking:
    """One model that learns from `size` rows of a table, drawn by a seed."""

    source: str
    model: str
    size: int
    seed: int

    @property
    def key(self) -> str:
        """Changes with the rows of the table and with how the model is made."""
        facts = repr(MODELS[self.model])
        return key_of("ranking", self.source, complete(self.source).sha256, facts, self.size, self.seed)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return {PAPER.name: 1 + self.size / 70, TUNED.name: 1 + self.size / 300}.get(self.model, 4.0)

    def measure(self) -> pd.DataFrame:
        """Return a row per target and level: "hop 0", ... for AutoBuild's own presets, and the "head" for all."""
        model, table = MODELS[self.model], complete(self.source)
        drawn = drawn_rows(len(table), self.size, self.seed)
        others = table.take(np.delete(np.arange(len(table)), drawn))
        targets = targets_of(self.source) if model in LEARN_ALL else ("acc",)
        with one_thread():
            fitted = model.fit_many(table.take(drawn), targets, self.seed)
            levels = _levels if isinstance(model, AutoBuild) else _head
            rows = [levels(learnt, others, target) for learnt, target in zip(fitted, targets, strict=True)]
        frame = pd.concat(rows, ignore_index=True)
        return frame.assign(source=self.source, model=self.model, size=self.size, seed=self.seed)[COLUMNS]


def _levels(learnt: Any, others: Table, target: str) -> pd.DataFrame:
    report = evaluate(learnt, others, target)
    return pd.DataFrame({"level": report.index, "srcc": report.srcc.to_numpy(), "target": target})


def _head(learnt: Any, others: Table, target: str) -> pd.DataFrame:
    correlation = srcc(learnt.predict(others.architectures), others.evaluate(Target(target)))
    return pd.DataFrame({"level": [HEAD], "srcc": [correlation], "target": target})


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[Ranking]:
    """Return a part per table, model, size and seed, the small sizes first, and sizes that leave rows to rank."""
    rows = {source: len(complete(source)) for source in LATENCIES}
    return [
        Ranking(source, name, size, seed)
        for size in sizes
        for seed in seeds
        for source in LATENCIES
        for name in MODELS
        if size <= MOST_ROWS.get(name, size) and size <= MOST_SHARE * rows[source]
        if ONLY.get(size, source) == source
    ]


SECTION = Section(
    "trained", "ranking", "how well every hop, the head and other models rank", plan, SIZES, tuple(range(5))
)

"""Experiment 5: the evolutionary search that gets as many evaluations as there are labels."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from autobuild_book.chapters.panoptic.task.measuring import Exam, Measurement, measure
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.weights import load_bundled
from autobuild_book.layer_mutation import LayerMutation
from autobuild_lib.search import Evaluator, evolve
from autobuild_lib.spaces import Architecture

SEED = 0
START, ROUNDS, MUTATIONS = 100, 10, 50  # 600 evaluations, as many as there are labels
QUALITY, COST = "pq", "macs"


def search(evaluate: Evaluator) -> pd.DataFrame:
    """Search the front of quality and multiply-adds by layer-level mutations; return all evaluations in order.

    The result depends on nothing but the labels that `evaluate` gives: columns architecture, pq, macs, round.
    """
    mutation = LayerMutation.full(backbone_space())
    return evolve(mutation, evaluate, maximise=QUALITY, minimise=COST, seed=SEED, start=START, rounds=ROUNDS,
                  mutations=MUTATIONS, progress=False)  # fmt: skip


def by_measuring(out: Path, supernet: Path | None = None, workers: int = 1) -> Evaluator:
    """Return an evaluator that measures as labels are measured, and keeps its rows in the file `out`."""

    def evaluate(architectures: list[Architecture], /) -> pd.DataFrame:
        return _labels(measure(architectures, out, folder=supernet, workers=workers))

    return evaluate


def by_looking_up(rows: Sequence[Measurement]) -> Evaluator:
    """Return an evaluator that knows these rows; any other architecture is a failed evaluation."""
    by_architecture = {row.architecture: row for row in rows}

    def evaluate(architectures: list[Architecture], /) -> pd.DataFrame:
        return _labels([by_architecture[str(architecture)] for architecture in architectures])

    return evaluate


def searched_before(rows: Sequence[Measurement]) -> pd.DataFrame | None:
    """Run the search on rows of the bundled supernet; None where there are fewer than it evaluates."""
    how = load_bundled().id, Exam().images, Exam().count, Exam().calibration
    searched = [row for row in rows if row.key[1:] == how]
    return search(by_looking_up(searched)) if len(searched) >= START + ROUNDS * MUTATIONS else None


def _labels(rows: Sequence[Measurement]) -> pd.DataFrame:
    return pd.DataFrame([asdict(row) for row in rows])[[QUALITY, COST]]

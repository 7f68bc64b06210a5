"""Learning and building from a few dozen labels: what the chapters with measured labels share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.fits import FitJob, fit_jobs, hop_options
from autobuild_book.chapters.shared.ridge import ridge_corpus
from autobuild_lib.data.table import Table
from autobuild_lib.predictor import Predictor
from autobuild_lib.units.corpus import UnitCorpus, score_units

FOLDS = 5
NORM, EFFECT, RIDGE = "built by norm score", "built by effect score", "built by additive ridge"
# The paper's network with the optimiser of the tuned preset: sums would make embeddings long where networks are deep,
# which are slow. Chosen on the bundled latency labels of other devices, at these sizes, before anything was measured.
BATCH = 8
RECIPE = {"convolution": "gatv2", "pooling": "mean", "batch_size": BATCH}


@dataclass(frozen=True)
class Fold:
    """Predictors, one per target, that learnt from the rows `train` and know nothing of the rows `test`."""

    repeat: int
    train: Table
    test: Table
    predictors: tuple[Predictor, ...]


def fit_job(table: Table, targets: tuple[str, ...], seed: int, steps: int) -> FitJob[Table]:
    """Return the training of all targets by the recipe for few labels."""
    epochs = max(1, round(steps / -(-len(table) // BATCH)))
    options = {**RECIPE, "epochs": epochs, **hop_options(table.space)}
    return FitJob(table, targets, seed, "tuned", tuple(sorted(options.items())))


def train(
    table: Table, targets: tuple[str, ...], seeds: Sequence[int], steps: int, folder: Path, repeats: int = 1
) -> tuple[dict[str, list[Predictor]], list[Fold]]:
    """Train all targets on all rows, and on all but one fold.

    Args:
        table: evaluated architectures.
        targets: equations over its labels.
        seeds: of the predictors that learn from all rows; the first ones are those of the repeats as well.
        steps: of the optimiser, about as many however many rows there are.
        folder: for trained predictors; a later call takes them from there.
        repeats: of cutting the rows into folds, each at random.

    Returns:
        Per target one predictor per seed; and the folds, every row once in each repeat.
    """
    parts = [
        (repeat, table.take(np.setdiff1d(order, test)), table.take(test))
        for repeat, order in ((n, np.random.default_rng(seeds[0] + n).permutation(len(table))) for n in range(repeats))
        for test in (np.sort(order[fold::FOLDS]) for fold in range(min(FOLDS, len(table))))
    ]
    jobs = [fit_job(table, targets, seed, steps) for seed in seeds]
    jobs += [fit_job(part, targets, seeds[0] + repeat, steps) for repeat, part, _ in parts]
    trained = fit_jobs(jobs, folder)
    final = dict(zip(targets, map(list, zip(*trained[: len(seeds)], strict=True)), strict=True))
    pairs = zip(parts, trained[len(seeds) :], strict=True)
    return final, [Fold(*part, tuple(predictors)) for part, predictors in pairs]


def score(table: Table, predictors: Mapping[str, Sequence[Predictor]]) -> dict[tuple[str, str], UnitCorpus]:
    """Score all modules: a corpus per target and group of built networks (`NORM`, `EFFECT`, `RIDGE`)."""
    corpora = {}
    for target, of_target in predictors.items():
        corpora[target, NORM] = score_units(of_target, score="norm")
        corpora[target, EFFECT] = score_units(of_target, score="effect")
        corpora[target, RIDGE] = ridge_corpus(table, target, corpora[target, NORM].head)
    return corpora


def best_modules(corpora: Mapping[tuple[str, str], UnitCorpus]) -> pd.DataFrame:
    """Return the best module of every unit as text: a row per target and score, a column per unit."""
    rows = {
        key: [
            group.texts(best.codes)[0]
            for group, best in zip(corpus.space.scoring_groups, corpus.top(1).groups, strict=True)
        ]
        for key, corpus in corpora.items()
    }
    index = pd.MultiIndex.from_tuples(rows, names=["target", "group"])
    return pd.DataFrame(rows.values(), index).rename(columns="unit {}".format)

"""Experiment 2: which operations matter, read at hop 0 of a predictor on op-level graphs (claim C2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.fits import FitJob, fit_jobs
from autobuild_book.chapters.shared.splits import BUNDLED
from autobuild_book.intervals import mean_with_interval
from autobuild_book.tracing.released import load_ir
from autobuild_lib import data
from autobuild_lib.data import DataError, IRTable
from autobuild_lib.evaluation import evaluate
from autobuild_lib.predictor import Network, Predictor
from autobuild_lib.spaces import SequenceSpace, SpaceError
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import plain_torch

Array = npt.NDArray[np.float64]
PAPER, CHEAP = "paper", "tuned"  # presets
TRUE, SHUFFLED, WITHIN, INITIAL = "true", "shuffled", "within", "initial"  # which labels a predictor has learnt
ALL = "both families"  # rows that a rank correlation is over


@dataclass(frozen=True)
class Plan:
    """How many predictors are trained, and how long; the cheap preset, "tuned", learns on some training rows only."""

    paper_seeds: int
    paper_epochs: int
    cheap_seeds: int
    cheap_epochs: int
    cheap_train: int
    shuffles: int  # of all labels
    family_shuffles: int  # of the labels inside each family


@dataclass(frozen=True)
class Fitted:
    """A trained predictor: its preset, its seed, and the labels it has learnt ("true", "shuffled_1", "within_1")."""

    preset: str
    seed: int
    labels: str
    predictor: Predictor

    @property
    def key(self) -> dict[str, Any]:
        """What tells it from the others, as columns."""
        return {"preset": self.preset, "seed": self.seed, "labels": self.labels}


# -------------------------------------------------------------------- data


def load_graphs(source: str, target: str, networks: int, space: SequenceSpace | None = None) -> tuple[IRTable, str]:
    """Load networks as IR graphs, at most `networks` of each family, and say in a note where others are shown instead.

    `source` is "bundled" (both families), a cache of IR graphs, or anything `data.load` takes, which is turned into IR
    graphs if its space has networks. Data without graphs, or without the labels of `target`, are replaced by the
    bundled tables.
    """
    try:
        table, note = _read(source, space), ""
    except SpaceError as error:
        table, note = _read("bundled"), f"{source} has no op-level graphs ({error})."
    if missing := sorted(set(Target(target).labels) - set(table.labels)):
        if source == "bundled":
            raise ValueError(f"the bundled tables have no {', '.join(missing)}: {', '.join(map(str, table.labels))}")
        table, note = _read("bundled"), f"{source} has no label {', '.join(missing)}, which {target} needs."
    rng, families = np.random.default_rng(12345), np.array(table.families)
    rows = [rng.permutation(np.flatnonzero(families == family))[:networks] for family in dict.fromkeys(families)]
    return table.take(np.sort(np.concatenate(rows))), note and f"{note} This page shows the bundled tables instead."


def _read(source: str, space: SequenceSpace | None = None) -> IRTable:
    if source == "bundled":
        return data.ir_table([data.load(name) for name in BUNDLED], progress=False)
    if source.endswith("_ir") or (source.endswith(".pkl") and space is None):
        try:
            return load_ir(source)
        except DataError as error:
            if "graph is a NoneType" not in str(error):
                raise  # otherwise it is a cache of architectures, without graphs
    return data.ir_table([data.load(source, space=space)], progress=False)


def family_rows(table: IRTable) -> dict[str, npt.NDArray[np.intp]]:
    """Return the rows of all families together, and of each, where there are several."""
    families = np.array(table.families)
    names = list(dict.fromkeys(table.families))
    by_family = {name: np.flatnonzero(families == name) for name in names}
    return by_family if len(names) == 1 else {ALL: np.arange(len(table)), **by_family}


# -------------------------------------------------------------------- training


def shuffle_labels(table: IRTable, target: str, plan: Plan) -> IRTable:
    """Add labels `shuffled_1`, ... (the target's values in random order) and `within_1`, ... (inside each family)."""
    values, rng = Target(target).evaluate(table.labels), np.random.default_rng(12345)
    every = [np.arange(len(table))]
    inside = [np.flatnonzero(np.array(table.families) == family) for family in dict.fromkeys(table.families)]
    columns = {}
    for kind, parts, number in ((SHUFFLED, every, plan.shuffles), (WITHIN, inside, plan.family_shuffles)):
        for copy in range(1, number + 1):
            columns[f"{kind}_{copy}"] = mixed = values.copy()
            for rows in parts:
                mixed[rows] = rng.permutation(values[rows])
    return replace(table, labels=table.labels.assign(**columns))


def train_presets(train: IRTable, target: str, seed: int, plan: Plan, folder: Path) -> list[Fitted]:
    """Train both presets on the true labels, and the cheap one on shuffled labels too, from the same seeds.

    Shuffled labels of one seed train side by side, from the same initial weights and with the same batches.
    """
    few = shuffle_labels(train.take(range(min(plan.cheap_train, len(train)))), target, plan)
    shuffled = tuple(str(name) for name in few.labels if name not in train.labels)
    jobs = [_job(train, (target,), seed + n, PAPER, plan.paper_epochs) for n in range(plan.paper_seeds)]
    for targets in filter(None, (shuffled, (target,))):  # the longest first
        jobs += [_job(few, targets, seed + n, CHEAP, plan.cheap_epochs) for n in range(plan.cheap_seeds)]
    return [
        Fitted(job.preset, job.seed, TRUE if job.targets == (target,) else name, predictor)
        for job, predictors in zip(jobs, fit_jobs(jobs, folder), strict=True)
        for name, predictor in zip(job.targets, predictors, strict=True)
    ]


def _job(table: IRTable, targets: tuple[str, ...], seed: int, preset: str, epochs: int) -> FitJob[IRTable]:
    return FitJob(table, targets, seed, preset, (("epochs", epochs),))


def learnt_truly(fitted: Sequence[Fitted]) -> list[Fitted]:
    """Return the predictors of true labels."""
    return [fit for fit in fitted if fit.labels == TRUE]


# -------------------------------------------------------------------- rank correlation by hop


def rank_families(fitted: Sequence[Fitted], test: IRTable) -> pd.DataFrame:
    """Evaluate on the test rows, of both families and of each: a row per predictor, family and level.

    Columns: family, target, preset, seed, level ("hop 0", ..., "head"), srcc, low, high (over the rows), mae.
    """
    reports = []
    for family, rows in family_rows(test).items():
        part = test.take(rows)
        for fit in learnt_truly(fitted):
            report = evaluate(fit.predictor, part).rename_axis("level").reset_index()
            reports.append(report.assign(family=family, target=fit.predictor.target, preset=fit.preset, seed=fit.seed))
    order = ["family", "target", "preset", "seed", "level", "srcc", "low", "high", "mae"]
    return pd.concat(reports, ignore_index=True)[order]


def family_references(test: IRTable, target: str) -> pd.DataFrame:
    """Return what the rank correlations of `rank_families` are to be compared with: a row per family.

    Columns: family, target; ceiling, the correlation of noise-free with noisy labels (NaN where they are unknown); and
    gap, that of the family's mean with the label: what knowing the family, and nothing else, is worth.
    """
    equation, rows = Target(target), []
    truth = equation.evaluate(test.labels)
    free = None if test.noise_free is None else equation.evaluate(test.noise_free)
    means = pd.Series(truth).groupby(list(test.families)).transform("mean").to_numpy()
    for family, places in family_rows(test).items():
        ceiling = float("nan") if free is None else srcc(free[places], truth[places])
        rows.append((family, str(equation), ceiling, srcc(means[places], truth[places])))
    return pd.DataFrame(rows, columns=["family", "target", "ceiling", "gap"])


# -------------------------------------------------------------------- importance


def importances(fitted: Sequence[Fitted]) -> pd.DataFrame:
    """Read the importance of every operation at hop 0: a row per predictor and operation.

    Columns: preset, seed, labels, operation, importance. Rows with labels "initial" are what the predictors of the true
    labels would have said before their first step.
    """
    tables = [fit.predictor.operation_importance().assign(**fit.key) for fit in fitted]
    for fit in learnt_truly(fitted):
        tables.append(_initial(fit.predictor, fit.seed).assign(**{**fit.key, "labels": INITIAL}))
    return pd.concat(tables, ignore_index=True)[["preset", "seed", "labels", "operation", "importance"]]


def _initial(predictor: Predictor, seed: int) -> pd.DataFrame:
    with plain_torch():
        scores = Network(predictor.network.encoder, predictor.network.config, [seed]).features.operation_scores()[0]
    return pd.DataFrame({"operation": predictor.operations, "importance": scores.abs().double().numpy()})


def importance_table(importance: pd.DataFrame) -> pd.DataFrame:
    """Summarise importance over seeds: a row per preset and operation, the most important of the cheap preset first.

    Columns: preset, operation, importance, low, high (95 % interval over seeds), rank_best, rank_worst (over seeds,
    from 1), seeds, null_low, null_median and null_high (5th, 50th and 95th percentile after shuffling all labels; NaN
    where nothing was shuffled), initial (mean before training).
    """
    ranked = importance.assign(
        rank=importance.groupby(["preset", "seed", "labels"]).importance.rank(ascending=False),
        kind=importance.labels.str.split("_").str[0],
    )
    rows = []
    for (preset, operation), group in ranked.groupby(["preset", "operation"], sort=False):
        true = group[group.kind == TRUE]
        null = group[group.kind == SHUFFLED].importance.quantile([0.05, 0.5, 0.95])
        mean = mean_with_interval(true.importance.to_numpy())
        initial = group[group.kind == INITIAL].importance.mean()
        rows.append((preset, operation, *mean, true["rank"].min(), true["rank"].max(), len(true), *null, initial))
    columns = ["preset", "operation", "importance", "low", "high", "rank_best", "rank_worst", "seeds"]
    table = pd.DataFrame(rows, columns=[*columns, "null_low", "null_median", "null_high", "initial"])
    preset = CHEAP if CHEAP in set(table.preset) else PAPER
    order = table[table.preset == preset].sort_values("importance", ascending=False).operation.tolist()
    places = table.operation.map(order.index)
    return table.assign(place=places).sort_values(["preset", "place"], ignore_index=True).drop(columns="place")

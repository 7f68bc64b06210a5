"""Experiment 5: what is learnt about panoptic backbones, from how many of them, beside two models without a graph."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.table import NAME
from autobuild_book.chapters.shared.fits import FitJob, fit_jobs, hop_options
from autobuild_book.chapters.shared.frontiers import front_places
from autobuild_book.chapters.shared.ranks import mean_ranks
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_book.intervals import SHARE, mean_with_interval, or_unknown
from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.evaluation import evaluate
from autobuild_lib.predictor import Predictor
from autobuild_lib.search import costs
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.statistics import srcc_with_interval
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread

Array = npt.NDArray[np.float64]
LABEL_PAIRS = (("pq", "macs"), ("pan_seg_PQ", "flops_pan_seg"), ("acc", "flops_m"))  # quality and cost in tables
QUALITY, COST = "{quality}", "{cost}"  # in an equation
RIDGE, LINE = "additive ridge", "multiply-adds alone"


@dataclass(frozen=True, eq=False)
class Subject:
    """Labelled backbones, what counts as their quality and their cost, and an equation for each region of the front."""

    table: Table
    quality: str
    cost: str
    regions: Mapping[str, str]

    @property
    def targets(self) -> dict[str, str]:
        """What is learnt: equations by name, the quality itself first."""
        return {self.quality: self.quality, **self.regions}

    @property
    def measurable(self) -> bool:
        """Whether further architectures can be measured here, as these were."""
        return self.table.source == NAME and self.table.space == backbone_space()

    def front_places(self) -> npt.NDArray[np.intp]:
        """Return the places of the labelled backbones that no other one dominates, by rising cost."""
        return front_places(costs(self.table.labels, self.quality, self.cost))

    def values(self, labels: pd.DataFrame, region: str) -> Array:
        """Evaluate the equation of a region, [N]."""
        return Target(self.regions[region]).evaluate(labels)


def load_subject(source: str, regions: Mapping[str, str], space: SequenceSpace | None = None) -> Subject:
    """Load "bundled" (the backbones measured here) or another source; `{quality}` and `{cost}` stand for its labels.

    Raises `ValueError` when the source has none of the pairs in `LABEL_PAIRS`, or a region has one of their names.
    """
    table = data.load(NAME if source == "bundled" else source, space=space)
    for quality, cost in LABEL_PAIRS:
        if quality in table.labels and cost in table.labels:
            break
    else:
        pairs = ", or ".join(" and ".join(pair) for pair in LABEL_PAIRS)
        raise ValueError(f"{source} has labels {', '.join(map(str, table.labels))}; needs {pairs}")
    if quality in regions or not regions:
        raise ValueError(f"regions {list(regions)}: give at least one, and none named {quality}")
    named = {name: e.replace(QUALITY, quality).replace(COST, cost) for name, e in regions.items()}
    return Subject(table, quality, cost, {name: str(Target(equation)) for name, equation in named.items()})


# -------------------------------------------------------------------- trainings


@dataclass(frozen=True, eq=False)
class Fit:
    """Predictors of all targets (by name) that one preset and seed learnt from `train`."""

    preset: str
    seed: int
    train: Table
    test: Table
    predictors: Mapping[str, Predictor]


def parts(table: Table, seed: int, sizes: Sequence[int]) -> Iterator[tuple[Table, Table]]:
    """Yield training rows of each size, each the beginning of a larger one, and the test rows that all share.

    The seed splits 90/10; the largest training part is always there, and sizes beyond it are left out.
    """
    train, test = table.split(0.9, seed=seed)
    for size in sorted({size for size in sizes if 2 <= size < len(train)} | {len(train)}):
        yield train.take(range(size)), test


def fit_all(
    subject: Subject, seeds: Sequence[int], sizes: Sequence[int], epochs: Mapping[str, int], folder: Path
) -> list[Fit]:
    """Train every preset in `epochs` on every size with every seed, which also splits the table; kept in `folder`."""
    targets = tuple(subject.targets.values())
    keys, jobs, hops = [], [], tuple(hop_options(subject.table.space).items())
    for preset, count in epochs.items():
        for seed in seeds:
            for train, test in parts(subject.table, seed, sizes):
                keys.append((preset, seed, train, test))
                jobs.append(FitJob(train, targets, seed, preset, (("epochs", count), *hops)))
    slow_first = sorted(range(len(jobs)), key=lambda n: -len(jobs[n].table))
    trained = dict(zip(slow_first, fit_jobs([jobs[n] for n in slow_first], folder), strict=True))
    return [Fit(*key, dict(zip(subject.targets, trained[n], strict=True))) for n, key in enumerate(keys)]


def full_size(fits: Sequence[Fit], preset: str) -> list[Fit]:
    """Return the trainings of a preset on the largest training parts, one per seed."""
    of_preset = [fit for fit in fits if fit.preset == preset]
    most = max(len(fit.train) for fit in of_preset)
    return [fit for fit in of_preset if len(fit.train) == most]


# -------------------------------------------------------------------- models without a graph


def costs_of(subject: Subject, table: Table) -> Array:
    """Return the cost label of a table, [N]; it must be positive."""
    values = table.labels[subject.cost].to_numpy(dtype=np.float64)
    if not (values > 0).all():
        raise ValueError(f"{table.source}: label {subject.cost} must be above 0, its least value is {values.min():g}")
    return values


def cost_curve(subject: Subject, table: Table) -> np.polynomial.Polynomial:
    """Fit quality by a parabola in the logarithm of the cost: what is known without looking at the architecture."""
    quality = table.labels[subject.quality].to_numpy(dtype=np.float64)
    return np.polynomial.Polynomial.fit(np.log(costs_of(subject, table)), quality, 2)


def predict_by_cost(subject: Subject, train: Table, test: Table, target: str) -> Array:
    """Predict an equation for the test rows from their cost alone, which is exact in it."""
    quality = cost_curve(subject, train)(np.log(costs_of(subject, test)))
    return Target(target).evaluate(test.labels.assign(**{subject.quality: quality}))


def _without_graph(subject: Subject, train: Table, test: Table, target: str) -> dict[str, Array]:
    ridge = AdditiveRidge(train.space).fit(train.architectures, Target(target).evaluate(train.labels))
    return {RIDGE: ridge.predict(test.architectures), LINE: predict_by_cost(subject, train, test, target)}


# -------------------------------------------------------------------- rank correlations


def ranks(subject: Subject, fits: Sequence[Fit]) -> pd.DataFrame:
    """Return the rank correlation on test rows of every hop and head, and of the models without a graph.

    Columns: target, model, level ("hop 0", ..., "head"), size, seed, srcc, and its interval over rows low, high.
    """
    rows: list[tuple[Any, ...]] = []
    done = set()
    for fit in fits:
        for name, predictor in fit.predictors.items():
            for level, srcc in evaluate(predictor, fit.test)[["srcc", "low", "high"]].iterrows():
                rows.append((name, f"{fit.preset} preset", level, len(fit.train), fit.seed, *srcc))
        if (key := (len(fit.train), fit.seed)) not in done:
            done.add(key)
            rows += _ranks_without_graph(subject, fit)
    columns = ["target", "model", "level", "size", "seed", "srcc", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _ranks_without_graph(subject: Subject, fit: Fit) -> Iterator[tuple[Any, ...]]:
    for name, target in subject.targets.items():
        truth = Target(target).evaluate(fit.test.labels)
        for model, predicted in _without_graph(subject, fit.train, fit.test, target).items():
            yield (name, model, "head", len(fit.train), fit.seed, *srcc_with_interval(predicted, truth))


def ranks_by_size(ranks: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds: columns target, model, level, size, srcc, low, high, seeds; intervals end at -1 and 1."""
    means = mean_ranks(ranks, ["target", "model", "level", "size"]).drop(columns="interval")
    return means.assign(low=means["low"].clip(-1, 1), high=means["high"].clip(-1, 1))


def readable(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the largest size for a page: a row per target, a column per model and level, with intervals as text."""
    largest = summary[summary["size"] == summary["size"].max()]
    text = [f"{r.srcc:.3f} [{r.low:.3f}, {r.high:.3f}]" for r in largest.itertuples()]
    hops = [level for level in largest["level"].unique() if level != "head"]
    shown = largest.assign(text=text, column=largest["model"] + ", " + largest["level"])
    shown = shown[shown["level"].isin(["head", *hops[-1:]])]
    wide = shown.pivot(index="column", columns="target", values="text")
    return pd.DataFrame(wide.reindex(index=shown["column"].unique(), columns=shown["target"].unique()))


def summary_numbers(summary: pd.DataFrame, quality: str) -> dict[str, str]:
    """Return what the summary of the chapter quotes: SRCC of each model with quality, from all training rows."""
    own = summary[(summary["size"] == summary["size"].max()) & (summary["target"] == quality)]
    srcc = {row.model: or_unknown(row.srcc, ".3f") for row in own[own["level"] == "head"].itertuples()}
    quoted = {"paper": "paper preset", "tuned": "tuned preset", "ridge": RIDGE, "macs": LINE}
    return {f"srcc_{name}": srcc[model] for name, model in quoted.items()}


# -------------------------------------------------------------------- what the FE-MLP says


def feature_importance(fits: Sequence[Fit], target: str) -> pd.DataFrame:
    """Return the magnitude that the FE-MLP gives each value of each feature, as part of the sum over all of them.

    Columns: feature, value, share, and its 95 % interval over trainings low, high (NaN for one). Features with a
    single value are left out: they tell no architecture from another.
    """
    every = pd.concat([_shares(fit.predictors[target]) for fit in fits])
    rows = [
        (*key, *mean_with_interval(group["share"].to_numpy(), within=SHARE))
        for key, group in every.groupby(["feature", "value"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["feature", "value", "share", "low", "high"])


@one_thread()
def _shares(predictor: Predictor) -> pd.DataFrame:
    network = predictor.network.features
    rows = [
        (category.name, str(value), abs(float(score)))
        for category in predictor.space.categories
        if len(category.values) > 1
        for value, score in zip(category.values, network.value_scores(category)[0].detach(), strict=False)
    ]
    frame = pd.DataFrame(rows, columns=["feature", "value", "share"])
    return frame.assign(share=frame["share"] / frame["share"].sum())

"""The models that stand beside each other: one registry, one way to fit and to predict.

Neighbours, Gaussian process, forests, boosting and AutoBuild's recipe for few labels were chosen on validation rows
taken out of the training split, from nine candidates each (`tests/benchmarks/peer_presets.py`), as was AutoBuild's
tuned preset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.chapters.shared.models.combined import embeddings, fit_with_graf
from autobuild_book.chapters.shared.models.features import GRAF, ONE_HOT, PROXIES, as_matrix, compute
from autobuild_book.chapters.shared.models.learners import Boosting, Forest, Gaussian, Learner, Neighbours
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_lib.data.table import Table
from autobuild_lib.extras import extra
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.targets import Target, normal_scores
from autobuild_lib.training import PRESETS, fit, fit_many

with extra("book"):
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Array = npt.NDArray[np.float64]


class Fitted(Protocol):
    """A model that has learnt one target."""

    def predict(self, architectures: Sequence[Architecture], /) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""


class Model(Protocol):
    """A model of the registry."""

    @property
    def name(self) -> str:
        """As in tables and figures."""

    @property
    def needs_proxies(self) -> bool:
        """Whether it can be used only where proxies have been measured."""

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> Sequence[Fitted]:
        """Learn each target from the rows of the table, and from nothing else.

        Args:
            table: training architectures with labels.
            targets: labels, or equations over labels.
            seed: of everything random.
            proxies: for models that need them: a column `architecture` and one per proxy.
        """


# -------------------------------------------------------------------- scikit-learn on features


@dataclass(frozen=True)
class Regression:
    """A regressor that has learnt from features of the given kinds."""

    space: SequenceSpace
    kinds: tuple[str, ...]
    regressor: Any
    proxies: pd.DataFrame | None = None

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        rows = as_matrix(compute(self.kinds, self.space, architectures, self.proxies))
        with threadpool_limits(1):
            return np.asarray(self.regressor.predict(rows), dtype=np.float64)


@dataclass(frozen=True)
class FeatureModel:
    """A learner on features of some kinds."""

    name: str
    kinds: tuple[str, ...]
    learner: Learner

    @property
    def needs_proxies(self) -> bool:
        """Whether proxies are among the features."""
        return PROXIES in self.kinds

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[Regression]:
        """Learn each target from the rows of the table (see `Model`); features are computed once."""
        rows = as_matrix(compute(self.kinds, table.space, table.architectures, proxies))
        fitted = []
        with threadpool_limits(1):  # parallelism comes from processes
            for target in targets:
                regressor = self.learner.make(seed).fit(rows, Target(target).evaluate(table.labels))
                fitted.append(Regression(table.space, self.kinds, regressor, proxies))
        return fitted


@dataclass(frozen=True)
class RidgeModel:
    """The additive ridge; leave-one-out errors choose its penalty anew in every fit."""

    name: str
    needs_proxies = False

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[AdditiveRidge]:
        """Learn each target from the rows of the table (see `Model`); nothing is random."""
        values = [Target(target).evaluate(table.labels) for target in targets]
        return [AdditiveRidge(table.space).fit(table.architectures, y) for y in values]


# -------------------------------------------------------------------- AutoBuild, alone and combined


@dataclass(frozen=True)
class AutoBuild:
    """AutoBuild's predictor in one of its presets.

    steps: of the optimiser, about as many however many rows there are; otherwise, the preset's epochs.
    """

    name: str
    preset: str
    overrides: tuple[tuple[str, Any], ...] = ()
    steps: int = 0
    needs_proxies = False

    def options(self, rows: int) -> dict[str, Any]:
        """Return what `training.fit` takes besides the preset, for so many training rows."""
        if not self.steps:
            return dict(self.overrides)
        batches = -(-rows // {**PRESETS[self.preset], **dict(self.overrides)}["batch_size"])
        return {**dict(self.overrides), "epochs": max(1, round(self.steps / batches))}

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[Predictor]:
        """Train a predictor per target, side by side (see `Model`)."""
        return fit_many(table.space, table, targets, seed, self.preset, progress=False, **self.options(len(table)))


@dataclass(frozen=True)
class AutoBuildEnsemble:
    """Several of AutoBuild's predictors per target, each with a seed of its own, trained side by side."""

    name: str
    autobuild: AutoBuild
    members: int
    needs_proxies = False

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> "list[Ensemble]":
        """Train the members for all targets (see `Model`)."""
        repeated = [target for target in targets for _ in range(self.members)]
        seeds = [seed * self.members + member for member in range(self.members)] * len(targets)
        options = self.autobuild.options(len(table))
        fitted = fit_many(table.space, table, repeated, seeds, self.autobuild.preset, progress=False, **options)
        return [Ensemble(fitted[start : start + self.members]) for start in range(0, len(fitted), self.members)]


@dataclass(frozen=True)
class Ensemble:
    """Predictors of one target."""

    predictors: Sequence[Predictor]

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units, the mean of all: architectures [N] -> [N]."""
        mean: Array = np.mean([predictor.predict(architectures) for predictor in self.predictors], axis=0)
        return mean


# -------------------------------------------------------------------- any of them, on ranks


@dataclass(frozen=True)
class OnRanks:
    """A model that learns normal scores of the target's ranks.

    A few failed networks, far below all others, are then not all that a squared error sees.
    """

    name: str
    model: Model

    @property
    def needs_proxies(self) -> bool:
        """Whether the model does."""
        return self.model.needs_proxies

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> "list[RankFit]":
        """Learn each target's ranks (see `Model`)."""
        fitted = self.model.fit_many(table, [f"ranks({target})" for target in targets], seed, proxies)
        labels = [np.sort(Target(target).evaluate(table.labels)) for target in targets]
        return [RankFit(learnt, values) for learnt, values in zip(fitted, labels, strict=True)]


@dataclass(frozen=True)
class RankFit:
    """A model that has learnt normal scores of some labels, [N] in ascending order."""

    scores: Fitted
    labels: Array

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units, with the labels' spread beyond them: architectures [N] -> [N]."""
        scores = self.scores.predict(architectures)
        values, first = np.unique(self.labels, return_index=True)
        places = normal_scores(self.labels)[first]
        beyond = scores - np.clip(scores, places[0], places[-1])
        predicted: Array = np.interp(scores, places, values) + beyond * self.labels.std()
        return predicted


@dataclass(frozen=True)
class ForestOnEmbeddings:
    """A forest on GRAF and on the graph embeddings of an AutoBuild predictor that learnt from the same rows."""

    name: str
    autobuild: AutoBuild
    learner: Forest
    needs_proxies = False

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> "list[EmbeddedForest]":
        """Train the predictors, then a forest for each (see `Model`)."""
        fitted = []
        for predictor in self.autobuild.fit_many(table, targets, seed):
            forest = EmbeddedForest(predictor, self.learner.make(seed))
            forest.regressor.fit(forest.features(table.architectures), Target(predictor.target).evaluate(table.labels))
            fitted.append(forest)
        return fitted


@dataclass(frozen=True)
class EmbeddedForest:
    """A forest on GRAF and on the graph embeddings of a predictor."""

    predictor: Predictor
    regressor: Any

    def features(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.float32]:
        """Return GRAF and graph embeddings side by side, [N, columns]."""
        graf = as_matrix(compute((GRAF,), self.predictor.space, architectures))
        return np.concatenate([graf, embeddings(self.predictor, architectures)], axis=1)

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        return np.asarray(self.regressor.predict(self.features(architectures)), dtype=np.float64)


@dataclass(frozen=True)
class AutoBuildOnGraf:
    """AutoBuild with the GRAF features that a forest on the same rows finds most important, as global features."""

    name: str
    autobuild: AutoBuild
    learner: Forest
    needs_proxies = False

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> Sequence[Fitted]:
        """Train a forest, choose columns, and train a predictor, for each target (see `Model`)."""
        options = self.autobuild.options(len(table))
        rows = compute((GRAF,), table.space, table.architectures)
        fitted = []
        for target in targets:
            forest = self.learner.make(seed).fit(as_matrix(rows), Target(target).evaluate(table.labels))

            def train(extended: Table, target: str = target) -> Predictor:
                return fit(extended.space, extended, target, seed, self.autobuild.preset, progress=False, **options)

            fitted.append(fit_with_graf(table, rows, forest.feature_importances_, train))
        return fitted


# -------------------------------------------------------------------- the registry

PAPER = AutoBuild("AutoBuild, paper preset", "paper")
TUNED = AutoBuild("AutoBuild, tuned preset", "tuned")
_RECIPE = (("batch_size", 8), ("convolution", "graphconv"), ("pooling", "sum"))
FEW = AutoBuild("AutoBuild, few labels", "tuned", _RECIPE, steps=800)
# Chosen on validation rows of tables of trained networks (`autobuild trained measure ablation`).
MEMBER = AutoBuild("AutoBuild, tuned for its head", "tuned", (("batch_size", 32), ("epochs", 80), ("rank_weight", 0.0)))
ENSEMBLE = OnRanks("AutoBuild, ensemble on ranks", AutoBuildEnsemble("AutoBuild, ensemble", MEMBER, 5))
RIDGE = RidgeModel("additive ridge")
NEIGHBOURS = FeatureModel("nearest neighbours", (ONE_HOT,), Neighbours(200))
GAUSSIAN = FeatureModel("Gaussian process", (ONE_HOT,), Gaussian(0.8))
FORESTS = {
    (ONE_HOT,): Forest(0.3, 2),
    (GRAF,): Forest(0.1, 1),
    (PROXIES,): Forest(0.3, 2),
    (ONE_HOT, GRAF): Forest(0.1, 1),
    (ONE_HOT, PROXIES): Forest(0.3, 1),
    (GRAF, PROXIES): Forest(0.1, 1),
    (ONE_HOT, GRAF, PROXIES): Forest(0.1, 2),
}
BOOSTINGS = {
    (ONE_HOT,): Boosting(0.2, 5),
    (GRAF,): Boosting(0.1, 5),
    (PROXIES,): Boosting(0.05, 5),
    (ONE_HOT, GRAF): Boosting(0.1, 5),
    (ONE_HOT, PROXIES): Boosting(0.1, 5),
    (GRAF, PROXIES): Boosting(0.1, 5),
    (ONE_HOT, GRAF, PROXIES): Boosting(0.1, 5),
}
EMBEDDED = ForestOnEmbeddings("forest: GRAF + embeddings", TUNED, FORESTS[(GRAF,)])
EXTENDED = AutoBuildOnGraf("AutoBuild, tuned + GRAF", TUNED, Forest(0.05, 1))


def named(learner: str, kinds: Sequence[str]) -> str:
    """Return the name of a model by its learner and the kinds of its features."""
    return f"{learner}: {' + '.join(kinds)}"


FOREST_GRAF = FeatureModel(named("forest", (GRAF,)), (GRAF,), FORESTS[(GRAF,)])
RANK_FOREST = OnRanks("forest: GRAF, on ranks", FOREST_GRAF)
_ALL: tuple[Model, ...] = (
    PAPER,
    TUNED,
    FEW,
    RIDGE,
    NEIGHBOURS,
    GAUSSIAN,
    *(FeatureModel(named("forest", kinds), kinds, learner) for kinds, learner in FORESTS.items()),
    *(FeatureModel(named("boosting", kinds), kinds, learner) for kinds, learner in BOOSTINGS.items()),
    EMBEDDED,
    EXTENDED,
    ENSEMBLE,
    RANK_FOREST,
)
MODELS: dict[str, Model] = {model.name: model for model in _ALL}


def find_model(name: str) -> Model:
    """Return a model of the registry; an unknown name is a `ValueError` that lists them."""
    return look_up("model", name, MODELS)

"""Module scores where architectures also choose how their units are linked: one reduced space for every structure.

A score is about a module in a structure. To choose among structures, what a score says of whole networks is compared:
the sum of the norm scores of their modules; or, where scores are effects on a prediction, the mean prediction for the
structure and the sum of the effects. The best structure is that of the highest mean over the networks that are built of
its `K` best modules per unit.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from autobuild_book.chapters.shared.models.autobuild import Ensemble
from autobuild_book.chapters.shared.models.on_ranks import RankFit
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.layout import LINKS
from autobuild_lib.units.corpus import score_units
from autobuild_lib.units.reduced import GroupContents, ReducedSpace

K = 3  # modules of a unit that are kept
Array = npt.NDArray[np.float64]
Predictions: TypeAlias = dict[str, tuple[ReducedSpace, Array]]


class Predicts(Protocol):
    """A model that has learnt a target."""

    def predict(self, architectures: Sequence[Architecture], /) -> Array:
        """Predict the target: architectures [N] -> [N]."""


@dataclass(frozen=True, eq=False)
class Structure:
    """All modules of a structure, the best of each unit first.

    mean: what the structure itself adds to a network's score. predicted: by position of the modules, what the model
    predicts for each network, [contents of the first group, ...].
    """

    name: str
    modules: ReducedSpace
    mean: float
    predicted: Array

    def top(self, k: int = K) -> ReducedSpace:
        """Return the product of the `k` best modules of every unit."""
        groups = tuple(GroupContents(group.codes[:k], group.scores[:k]) for group in self.modules.groups)
        return ReducedSpace(self.modules.space, self.modules.head, groups)

    @property
    def score(self) -> float:
        """The mean score of the networks of `top()`."""
        return self.mean + sum(float(group.scores[:K].mean()) for group in self.modules.groups)

    @property
    def mean_prediction(self) -> float:
        """The mean prediction for the networks of `top()`."""
        return float(self.predicted[(slice(K),) * self.predicted.ndim].mean())


def predict_all(model: Predicts, space: SequenceSpace) -> Predictions:
    """Predict every network of a space: by structure, the whole space and its predictions by position of modules."""
    predictions = {}
    for name, (every, architectures) in _everything(space).items():
        predictions[name] = every, model.predict(architectures).reshape([len(group) for group in every.groups])
    return predictions


@functools.lru_cache(2)
def _everything(space: SequenceSpace) -> dict[str, tuple[ReducedSpace, list[Architecture]]]:
    spaces = {name: ReducedSpace.full(space, **{LINKS: name}) for name, _ in space.links}
    return {name: (every, every.from_codes(every.codes())) for name, every in spaces.items()}


def members(model: object) -> Sequence[Predictor]:
    """Return the predictors of AutoBuild that a model consists of; other models have none."""
    model = model.scores if isinstance(model, RankFit) else model
    if isinstance(model, Ensemble):
        return model.predictors
    return [model] if isinstance(model, Predictor) else []


def by_norm(predictors: Sequence[Predictor], predictions: Predictions) -> list[Structure]:
    """Score modules by the paper's norm score, the mean of all predictors; the best structure first."""
    structures = []
    for name, (every, predicted) in predictions.items():
        modules = score_units(predictors, "norm", {LINKS: name}, progress=False).everything()
        places = [group.positions(best.codes) for group, best in zip(every.groups, modules.groups, strict=True)]
        structures.append(Structure(name, modules, 0.0, predicted[np.ix_(*places)]))
    return _best_first(structures)


def by_effect(predictions: Predictions) -> list[Structure]:
    """Score modules by their effect on predictions, every network a host; the best structure first."""
    structures = []
    for name, (every, predicted) in predictions.items():
        groups, places = [], []
        for axis, group in enumerate(every.groups):
            others = tuple(other for other in range(predicted.ndim) if other != axis)
            effects = predicted.mean(others) - predicted.mean()
            places.append(np.argsort(-effects, kind="stable"))
            groups.append(GroupContents(group.codes[places[-1]], effects[places[-1]]))
        modules = ReducedSpace(every.space, every.head, tuple(groups))
        structures.append(Structure(name, modules, float(predicted.mean()), predicted[np.ix_(*places)]))
    return _best_first(structures)


def score_all(model: Predicts, space: SequenceSpace) -> dict[str, list[Structure]]:
    """Score the modules of all structures by every score that a model has; the best structures first."""
    predictions = predict_all(model, space)
    predictors, effect = members(model), {"effect": by_effect(predictions)}
    return {"norm": by_norm(predictors, predictions), **effect} if predictors else effect


def scores_of(structures: Sequence[Structure], architectures: Sequence[Architecture]) -> Array:
    """Return the score of each network: what its structure adds and the summed scores of its modules, [N]."""
    by_head = {structure.modules.head: structure for structure in structures}
    heads = [architecture.code[: len(structures[0].modules.head)] for architecture in architectures]
    scores = np.empty(len(architectures))
    for head, structure in by_head.items():
        places = [place for place, other in enumerate(heads) if other == head]
        if places:
            scores[places] = structure.mean + structure.modules.scores([architectures[place] for place in places])
    return scores


def _best_first(structures: list[Structure]) -> list[Structure]:
    return sorted(structures, key=lambda structure: -structure.score)

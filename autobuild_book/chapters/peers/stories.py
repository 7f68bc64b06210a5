"""Interpretation against interpretation: what four models say about which units and which features matter."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.fits import FitJob, fit_jobs
from autobuild_book.chapters.shared.models.features import as_matrix
from autobuild_book.chapters.shared.models.on_features import Regression
from autobuild_book.chapters.shared.models.registry import FOREST_GRAF
from autobuild_book.chapters.shared.models.sequence_graf import feature_names, sequence_features, vocabularies
from autobuild_book.chapters.shared.ridge import ABSENT, AdditiveRidge, choices_of_codes
from autobuild_lib.data.table import Table
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.features import LAYERS
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread
from autobuild_lib.units.corpus import UnitCorpus, score_units

Array = npt.NDArray[np.float64]
DEPTH = "depth"
COEFFICIENTS, PERMUTATION, EFFECTS, HOP_0 = "ridge coefficients", "GRAF permutation", "module effects", "FE-MLP"
VIEWS = (COEFFICIENTS, PERMUTATION, EFFECTS, HOP_0)
MODULES = 400  # of each depth of a unit, whose effects are explained by an additive model
HOSTS = 4  # random networks that modules are placed in
PERMUTED = 1000  # rows at most


def stories(train: Table, targets: Sequence[str], seed: int, folder: Path) -> pd.DataFrame:
    """Ask four models that learnt from the same rows how much each unit and each feature of a layer matters.

    - `ridge coefficients`: standard deviation over the training rows of what the unit, or the feature, adds.
    - `GRAF permutation`: how far the predictions of a forest move (root mean square) when the columns that belong to
      the unit, or to the feature, are permuted together.
    - `module effects`: an additive model of AutoBuild's effect scores of modules, read like the ridge's coefficients.
    - `FE-MLP`: standard deviation over the values of a category of AutoBuild's hop-0 scores, for layers' features; mean
      magnitude of the score of a unit, for units.

    Returns:
        Columns target, view, part ("units" or "features"), name, share: shares add up to 1 for each view and part.
    """
    (predictors,) = fit_jobs([FitJob(train, tuple(targets), seed, "tuned")], folder, workers=1)
    frames = []
    for target, predictor in zip(targets, predictors, strict=True):
        (forest,) = FOREST_GRAF.fit_many(train, [target], seed)
        views: dict[str, dict[tuple[str, str], float]] = {
            COEFFICIENTS: _of_ridge(train, target),
            PERMUTATION: _of_forest(forest, train, seed),
            EFFECTS: _of_effects(predictor, train, seed),
            HOP_0: _of_hop_0(predictor),
        }
        rows = [(target, view, *key, value) for view, values in views.items() for key, value in values.items()]
        frames.append(pd.DataFrame(rows, columns=["target", "view", "part", "name", "share"]))
    frame = pd.concat(frames, ignore_index=True)
    frame["share"] /= frame.groupby(["target", "view", "part"])["share"].transform("sum")
    return frame


def view_agreement(shares: pd.DataFrame) -> pd.DataFrame:
    """Spearman correlation of the shares of two views, for each target and part; NaN for fewer than three names."""
    rows = []
    for (target, part), part_shares in shares.groupby(["target", "part"], sort=False):
        table = part_shares.pivot(index="name", columns="view", values="share")
        for view, other in itertools.combinations([view for view in VIEWS if view in table], 2):
            both = table[[view, other]].dropna()
            correlation = srcc(both[view].to_numpy(), both[other].to_numpy()) if len(both) > 2 else float("nan")
            rows.append((target, part, view, other, correlation))
    return pd.DataFrame(rows, columns=["target", "part", "one", "other", "srcc"])


# -------------------------------------------------------------------- parts of a space


def group_of_unit(space: SequenceSpace) -> dict[int, str]:
    """Name of the scoring group that each unit belongs to."""
    return {unit: f"unit {n}" for n, group in enumerate(space.scoring_groups) for unit in group.units}


def layer_names(space: SequenceSpace) -> list[str]:
    """Features of layers and units that have a choice."""
    shared = {"unit", "index", *(name for name, _ in space.global_features)}
    return [category.name for category in space.categories if category.size > 1 and category.name not in shared]


def owners(space: SequenceSpace) -> list[tuple[str, str]]:
    """Per byte of a code, the scoring group and the feature (or `DEPTH`) that it belongs to; "" for global features."""
    names, columns = group_of_unit(space), space.columns
    groups = ["" if column.unit is None else names[column.unit] for column in columns]
    features = [DEPTH if column.feature == LAYERS else column.feature for column in columns]
    return list(zip(groups, features, strict=True))


# -------------------------------------------------------------------- the four views


def contributions(space: SequenceSpace, model: AdditiveRidge, codes: Codes) -> dict[tuple[str, str], Array]:
    """What each scoring group and feature adds to the predictions of an additive model, [N] each.

    That a layer is absent counts as depth.
    """
    chosen, parts = choices_of_codes(space, codes), dict[tuple[str, str], Array]()
    encoder, coefficients = model.model[0], model.model[-1].coef_
    starts = np.cumsum([0, *map(len, encoder.categories_)])
    for place, (group, feature) in enumerate(owners(space)):
        for value, coefficient in zip(encoder.categories_[place], coefficients[starts[place] :], strict=False):
            key = (group, DEPTH if value == ABSENT else feature)
            added = np.where(chosen[:, place] == value, coefficient, 0.0)
            parts[key] = parts.get(key, np.zeros(len(codes))) + added
    return parts


def _spread(space: SequenceSpace, parts: Mapping[tuple[str, str], Array]) -> dict[tuple[str, str], float]:
    """Standard deviations of what units, and features, add together."""
    groups, features = dict.fromkeys(group_of_unit(space).values()), [DEPTH, *layer_names(space)]
    units = {("units", name): [v for (g, _), v in parts.items() if g == name] for name in groups}
    kinds = {("features", name): [v for (g, f), v in parts.items() if f == name and g] for name in features}
    return {key: float(np.sum(values, axis=0).std()) for key, values in (units | kinds).items() if values}


def _of_ridge(train: Table, target: str) -> dict[tuple[str, str], float]:
    model = AdditiveRidge(train.space).fit(train.architectures, Target(target).evaluate(train.labels))
    codes = train.space.to_codes(train.architectures)
    return _spread(train.space, contributions(train.space, model, codes))


def _of_effects(predictor: Predictor, train: Table, seed: int) -> dict[tuple[str, str], float]:
    space, rng = train.space, np.random.default_rng([seed, 5])
    corpus = score_units(predictor, score="effect", hosts=HOSTS, seed=seed, progress=False)
    codes, parts = space.to_codes(train.architectures), dict[tuple[str, str], Array]()
    for number, name in enumerate(dict.fromkeys(group_of_unit(space).values())):
        model = _explain(corpus, number, rng)
        added = contributions(space, model, codes)
        parts |= {key: values for key, values in added.items() if key[0] == name}
    return _spread(space, parts)


def _explain(corpus: UnitCorpus, number: int, rng: np.random.Generator) -> AdditiveRidge:
    """Fit an additive model to the effects of some modules of a scoring group, as many of each depth."""
    depths, group = corpus.depths(number), corpus.groups[number]
    some = [rng.permutation(np.flatnonzero(depths == depth))[:MODULES] for depth in np.unique(depths)]
    rows = np.concatenate(some)
    codes = corpus.space.scoring_groups[number].isolated(group.codes[rows], corpus.head)
    model = AdditiveRidge(corpus.space)
    model.model.fit(choices_of_codes(corpus.space, codes), group.scores[rows])
    return model


def _of_forest(forest: Regression, train: Table, seed: int) -> dict[tuple[str, str], float]:
    space, rng = train.space, np.random.default_rng([seed, 6])
    features = sequence_features(space, train.architectures[:PERMUTED])
    rows, names = as_matrix(features), feature_names(space)
    before, order = forest.regressor.predict(rows), rng.permutation(len(rows))
    moved = {}
    for key, columns in _columns(space, names).items():
        changed = rows.copy()
        changed[:, columns] = changed[order][:, columns]
        moved[key] = float(np.sqrt(np.square(forest.regressor.predict(changed) - before).mean()))
    return moved


def _columns(space: SequenceSpace, names: Sequence[str]) -> dict[tuple[str, str], list[int]]:
    """Columns of GRAF that belong to a unit, and to a feature of layers (alone, in whatever part of the network)."""
    places: dict[tuple[str, str], list[int]] = {}
    groups = group_of_unit(space)
    scopes = {"network": "", **{f"unit {unit}": name for unit, name in groups.items()}}
    kinds = [
        space.categories[v.columns[0]].name if len(v.columns) == 1 else ""
        for _ in scopes
        for v in vocabularies(space)
        for _ in v.names("")
    ]
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        scope = next(scope for scope in scopes if name.startswith(f"{scope} "))
        if scopes[scope]:
            places.setdefault(("units", scopes[scope]), []).append(place)
        if kind in layer_names(space):
            places.setdefault(("features", kind), []).append(place)
    return places


@one_thread()
def _of_hop_0(predictor: Predictor) -> dict[tuple[str, str], float]:
    space, features = predictor.space, predictor.network.features
    scores = {c.name: features.value_scores(c)[0].abs().detach().double().numpy()
              for c in space.categories}  # fmt: skip
    names = group_of_unit(space)
    by_group: dict[str, list[float]] = {}
    for unit, score in enumerate(scores["unit"]):
        by_group.setdefault(names[unit], []).append(float(score))
    units = {("units", name): float(np.mean(scores_of_unit)) for name, scores_of_unit in by_group.items()}
    return units | {("features", name): float(scores[name].std()) for name in layer_names(space)}

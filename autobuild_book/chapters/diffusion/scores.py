"""Experiment 6: what module scores say about each stage and feature of a U-Net."""

from collections.abc import Sequence

import pandas as pd

from autobuild_book.chapters.diffusion.task.space import STAGES, unet_space
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE
from autobuild_book.chapters.shared.panels import ridge_corpus
from autobuild_lib.data.table import Table
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.features import Value, values_of
from autobuild_lib.statistics import mean_with_interval
from autobuild_lib.units.corpus import UnitCorpus, score_units

BLOCKS = "blocks"
KEY = ["stage", "feature", "value"]


def main_effects(corpus: UnitCorpus) -> pd.DataFrame:
    """Return how much higher modules with a value score than the average module of their stage.

    Columns stage, feature ("blocks" is the number of layers, the others are features of the unit), value, effect.
    """
    rows = []
    for units, group in zip(corpus.space.scoring_groups, corpus.groups, strict=True):
        start = corpus.space.codecs[units[0]].start
        for unit in units:
            codec, features = corpus.space.codecs[unit], corpus.space.units[unit].features
            named: list[tuple[str, dict[int, Value]]] = [(BLOCKS, {depth: depth for depth in codec.depths})]
            every = dict(corpus.space.unit_features)
            named += [(name, dict(enumerate(values_of(every[name])))) for name, _ in features]
            for place, (feature, values) in enumerate(named, start=codec.start - start):
                means = pd.Series(group.scores).groupby(group.codes[:, place]).mean() - group.scores.mean()
                rows += [(stage_name(corpus.space, unit), feature, values[n], effect) for n, effect in means.items()]
    return pd.DataFrame(rows, columns=[*KEY, "effect"])


def stage_name(space: SequenceSpace, unit: int) -> str:
    """Return the name of a stage: D1, D2, M, U2, U1 in our U-Nets."""
    return STAGES[unit] if space == unet_space() else f"unit {unit}"


def effects_by_score(table: Table, predictors: Sequence[Predictor]) -> pd.DataFrame:
    """Return `main_effects` of every score, with 95 % intervals over predictors: columns score, ..., low, high.

    The additive ridge is one model of the table, without an interval.
    """
    corpora: dict[str, list[UnitCorpus]] = {
        NORM: [score_units(one, progress=False) for one in predictors],
        EFFECT: [score_units(one, "effect", progress=False) for one in predictors],
    }
    corpora[RIDGE] = [ridge_corpus(table, predictors[0].target, corpora[NORM][0].head)]
    return pd.concat([_averaged(score, own) for score, own in corpora.items()], ignore_index=True)


def _averaged(score: str, corpora: Sequence[UnitCorpus]) -> pd.DataFrame:
    effects = pd.concat(map(main_effects, corpora))
    rows = [
        (score, *key, *mean_with_interval(own.to_numpy())) for key, own in effects.groupby(KEY, sort=False)["effect"]
    ]
    return pd.DataFrame(rows, columns=["score", *KEY, "effect", "low", "high"])

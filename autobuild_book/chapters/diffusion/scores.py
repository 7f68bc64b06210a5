"""Experiment 6: what module scores say about each stage and feature of a U-Net."""

from collections.abc import Sequence

import pandas as pd

from autobuild_book.chapters.diffusion.task.space import STAGES, unet_space
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE
from autobuild_book.chapters.shared.ridge import ridge_corpus
from autobuild_book.intervals import mean_with_interval
from autobuild_lib.data.table import Table
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.features import LAYERS
from autobuild_lib.units.corpus import UnitCorpus, score_units

BLOCKS = "blocks"
KEY = ["stage", "feature", "value"]


def main_effects(corpus: UnitCorpus) -> pd.DataFrame:
    """Return how much higher modules with a value score than the average module of their stage.

    Columns stage, feature ("blocks" is the number of layers, the others are features of the unit), value, effect.
    """
    rows = []
    for members, group in zip(corpus.space.scoring_groups, corpus.groups, strict=True):
        for numbers, column in zip(group.codes.T, corpus.space.columns[members.place], strict=True):
            if column.layer is None and column.unit is not None:
                stage = stage_name(corpus.space, column.unit)
                feature = BLOCKS if column.feature == LAYERS else column.feature
                means = pd.Series(group.scores).groupby(numbers).mean() - group.scores.mean()
                rows += [(stage, feature, column.values[number], effect) for number, effect in means.items()]
    return pd.DataFrame(rows, columns=[*KEY, "effect"])


def stage_name(space: SequenceSpace, unit: int) -> str:
    """Return the name of a stage: D1, D2, M, U2, U1 in our U-Nets."""
    return STAGES[unit] if space == unet_space() else f"unit {unit}"


def effects_by_score(table: Table, predictors: Sequence[Predictor]) -> pd.DataFrame:
    """Return `main_effects` of every score, with 95 % intervals over predictors: columns score, ..., low, high.

    The additive ridge is one model of the table, without an interval.
    """
    corpora: dict[str, list[UnitCorpus]] = {
        NORM: [score_units(predictor, progress=False) for predictor in predictors],
        EFFECT: [score_units(predictor, "effect", progress=False) for predictor in predictors],
    }
    corpora[RIDGE] = [ridge_corpus(table, predictors[0].target, corpora[NORM][0].head)]
    return pd.concat([_averaged(score, some) for score, some in corpora.items()], ignore_index=True)


def _averaged(score: str, corpora: Sequence[UnitCorpus]) -> pd.DataFrame:
    effects = pd.concat(map(main_effects, corpora))
    groups = effects.groupby(KEY, sort=False)["effect"]
    rows = [(score, *key, *mean_with_interval(values.to_numpy())) for key, values in groups]
    return pd.DataFrame(rows, columns=["score", *KEY, "effect", "low", "high"])

"""An additive model: every choice adds its own amount to the label, whatever the other choices are."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autobuild_lib.data.table import Table
from autobuild_lib.extras import extra
from autobuild_lib.spaces import Architecture, Codes, SequenceSpace
from autobuild_lib.targets import Target
from autobuild_lib.units.corpus import ScoredGroup, UnitCorpus

with extra("book"):
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

ABSENT = -1  # the value of a feature of an absent layer
PENALTIES = np.logspace(-2, 4, 13)


def choices_of_codes(space: SequenceSpace, codes: Codes) -> npt.NDArray[np.int64]:
    """Codes [N, code_width] with a value of their own (`ABSENT`) for the features of absent layers."""
    return np.where(space.absent(codes), ABSENT, codes.astype(np.int64))


class AdditiveRidge:
    """Ridge regression on one-hot choices: one column per value of each feature at each place of a layer.

    The penalty is chosen by leave-one-out cross-validation on the training data.
    """

    def __init__(self, space: SequenceSpace) -> None:
        self.space = space
        self.model: Pipeline = make_pipeline(
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            StandardScaler(with_std=False),
            RidgeCV(PENALTIES),
        )

    def fit(self, architectures: Sequence[Architecture], target: npt.NDArray[np.float64]) -> "AdditiveRidge":
        """Fit to a target [N]."""
        with threadpool_limits(1):
            self.model.fit(choices_of_codes(self.space, self.space.to_codes(architectures)), target)
        return self

    def predict(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.float64]:
        """Predict the target: architectures [N] -> [N]."""
        return self.predict_codes(self.space.to_codes(architectures))

    def predict_codes(self, codes: Codes) -> npt.NDArray[np.float64]:
        """Predict the target of architectures given by their codes [N, code_width], [N].

        A unit without layers, which no architecture has, adds nothing: so the difference between two codes that hold
        one unit each is the difference of these units' coefficients.
        """
        return self.predict_encoded(self.encode(codes))

    def encode(self, codes: Codes) -> npt.NDArray[np.float64]:
        """Return codes [N, code_width] as columns [N, columns]; models of the same architectures have the same ones."""
        return np.asarray(self.model[:-1].transform(choices_of_codes(self.space, codes)), dtype=np.float64)

    def predict_encoded(self, columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Predict the target from `encode`'s columns, [N]."""
        with threadpool_limits(1):
            return np.asarray(self.model[-1].predict(columns), dtype=np.float64)


def ridge_corpus(table: Table, target: str, head: bytes) -> UnitCorpus:
    """Score every content of every unit by an additive ridge regression on a table: the sum of its coefficients.

    head: code of the global features, as in the corpus that it is compared with. The score is a prediction without
    the other units, so only differences within a unit mean something.
    """
    return ridge_corpora(table, [target], head)[target]


def ridge_corpora(table: Table, targets: Sequence[str], head: bytes) -> dict[str, UnitCorpus]:
    """Return `ridge_corpus` for each target; contents are encoded once for all of them."""
    space = table.space
    ridges = [AdditiveRidge(space).fit(table.architectures, Target(t).evaluate(table.labels)) for t in targets]
    scored: list[list[ScoredGroup]] = [[] for _ in targets]
    for group in space.scoring_groups:
        codes = group.contents()
        columns, no_end = ridges[0].encode(group.isolated(codes, head)), np.full(len(codes), np.nan)
        for groups, ridge in zip(scored, ridges, strict=True):
            groups.append(ScoredGroup(codes, ridge.predict_encoded(columns), no_end, no_end))
    pairs = zip(targets, scored, strict=True)
    return {target: UnitCorpus(space, target, "ridge", "none", head, tuple(groups)) for target, groups in pairs}

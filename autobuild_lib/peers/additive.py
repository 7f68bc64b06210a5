"""An additive model: every choice adds its own amount to the label, whatever the other choices are."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from autobuild_lib.spaces import Architecture, SequenceSpace

PENALTIES = np.logspace(-2, 4, 13)


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
        self.model.fit(self._choices(architectures), target)
        return self

    def predict(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.float64]:
        """Predict the target: architectures [N] -> [N]."""
        return np.asarray(self.model.predict(self._choices(architectures)), dtype=np.float64)

    def _choices(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.int64]:
        """Codes with a value of their own (-1) for the features of absent layers."""
        codes = self.space.to_codes(architectures).astype(np.int64)
        for codec in self.space.codecs:
            place = np.arange(codec.end - codec.first_layer) // len(self.space.layer_features)
            codes[:, codec.first_layer : codec.end][place >= codes[:, [codec.start]]] = -1
        return codes

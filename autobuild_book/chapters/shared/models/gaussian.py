"""A Gaussian process over architectures, whose kernel knows only how many choices differ (Hamming distance)."""

import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from autobuild_lib.extras import extra

with extra("book"):
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import (
        ConstantKernel,
        Hyperparameter,
        Kernel,
        NormalizedKernelMixin,
        StationaryKernelMixin,
        WhiteKernel,
    )

Array = npt.NDArray[np.float64]
CHUNK = 2048  # rows predicted at once: each has a kernel with every training row
MOST_TUNED = 400  # training rows that the kernel's parameters are fitted to


def hamming_distances(x: npt.ArrayLike, y: npt.ArrayLike) -> Array:
    """Count the places where choices differ: one-hot rows x [N, C], y [M, C] -> [N, M].

    Two rows differ in two columns for each such place: half the squared Euclidean distance.
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * (a @ b.T)
    return np.asarray(np.maximum(squares / 2, 0.0), dtype=np.float64)


class HammingKernel(StationaryKernelMixin, NormalizedKernelMixin, Kernel):  # type: ignore[misc]
    """k(x, y) = exp(-(h(x, y) / length)^power), h the Hamming distance of one-hot rows.

    It is positive definite for powers up to 1, since h is a squared Euclidean distance (Schoenberg, 1938).
    """

    def __init__(
        self, length: float = 10.0, power: float = 1.0, length_bounds: tuple[float, float] = (0.1, 1e5)
    ) -> None:
        self.length, self.power, self.length_bounds = length, power, length_bounds

    @property
    def hyperparameter_length(self) -> Hyperparameter:
        """The parameter that a fit changes."""
        return Hyperparameter("length", "numeric", self.length_bounds)

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:  # noqa: N803
        """Return the kernel [N, M] and, when asked, its gradient [N, N, 1] with respect to log(length)."""
        scaled = (hamming_distances(X, X if Y is None else Y) / self.length) ** self.power
        kernel = np.exp(-scaled)
        return (kernel, (kernel * scaled * self.power)[:, :, None]) if eval_gradient else kernel


class HammingProcess(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Gaussian process regression with a Hamming kernel, a scale and noise, for one-hot rows.

    The kernel's parameters maximise the marginal likelihood of at most `MOST_TUNED` training rows, drawn by `seed`; the
    process then takes all rows.

    Args:
        power: of the distance in the kernel, above 0 and at most 1.
        seed: of the rows.
    """

    def __init__(self, power: float = 1.0, seed: int = 0) -> None:
        self.power, self.seed = power, seed

    def fit(self, x: npt.ArrayLike, y: Array) -> Self:
        """Fit to one-hot rows x [N, C] and a target y [N]."""
        rows, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        some = np.sort(np.random.default_rng(self.seed).permutation(len(rows))[:MOST_TUNED])
        kernel = ConstantKernel(1.0, (1e-3, 1e5)) * HammingKernel(power=self.power) + WhiteKernel(0.1, (1e-7, 10.0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a parameter at its bound is an answer as well
            tuned = GaussianProcessRegressor(kernel, normalize_y=True).fit(rows[some], y[some])
        self.process_ = tuned
        if len(some) < len(rows):
            fixed = GaussianProcessRegressor(tuned.kernel_, optimizer=None, normalize_y=True)
            self.process_ = fixed.fit(rows, y)
        return self

    def predict(self, x: npt.ArrayLike) -> Array:
        """Return the mean of the process at one-hot rows [N, C], [N]."""
        rows = np.asarray(x, dtype=np.float64)
        parts = [self.process_.predict(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
        return np.concatenate(parts or [np.empty(0)])

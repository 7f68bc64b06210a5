"""A Gaussian process with the Weisfeiler-Lehman kernel, as in NAS-BOWL (Ru et al., ICLR 2021), as a model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.neighbours.graphs import chunks, vocabulary
from autobuild_book.chapters.neighbours.labels import labels_of
from autobuild_book.chapters.neighbours.learning import About
from autobuild_book.chapters.neighbours.weisfeiler_lehman import ITERATIONS, Kernel, Occurrences, of_graphs
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture, SequenceSpace

Array = npt.NDArray[np.float64]
NOISES = np.logspace(-4, 1, 21)  # variance of noise over that of the process


@dataclass(frozen=True, eq=False)
class Process:
    """A Gaussian process with the kernel; iterations, scale and noise are those of the highest marginal likelihood."""

    kernel: Kernel
    iterations: int
    vectors: Array  # of the kernel of the landmarks, [N, N]
    shrunk: Array  # its eigenvalues with noise, [N]
    weights: Array  # [N]
    mean: float
    variance: float

    @classmethod
    def fit(cls, levels: Sequence[Occurrences], y: Array) -> "Process":
        """Learn labels y [N] of networks."""
        kernel = Kernel.of(levels)
        centred, best, chosen = y - y.mean(), -np.inf, None
        for iterations, gram in enumerate(kernel.to(levels)):
            values, vectors = np.linalg.eigh(gram)
            projected = vectors.T @ centred
            for noise in NOISES:
                shrunk = values.clip(min=0) + noise
                variance = max(float((projected**2 / shrunk).mean()), 1e-12)
                likelihood = -len(y) / 2 * np.log(variance) - np.log(shrunk).sum() / 2
                if likelihood > best:
                    best = likelihood
                    weights = vectors @ (projected / shrunk)
                    chosen = cls(kernel, iterations, vectors, shrunk, weights, float(y.mean()), variance)
        if chosen is None:
            raise ValueError(f"labels {y[:3]}...; allowed are finite numbers")
        return chosen

    def predict(self, levels: Sequence[Occurrences]) -> tuple[Array, Array]:
        """Return mean and standard deviation of networks, without noise, [N] each."""
        rows = self.kernel.to(levels)[self.iterations]
        explained = ((rows @ self.vectors) ** 2 / self.shrunk).sum(1)
        return self.mean + rows @ self.weights, np.sqrt(self.variance * (1 - explained).clip(min=0))


@dataclass(frozen=True, eq=False)
class Learnt:
    """A process that has learnt one target of networks of a space."""

    space: SequenceSpace
    process: Process

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        parts = [self.process.predict([levels])[0] for levels in occurrences(self.space, architectures)]
        return np.concatenate(parts) if parts else np.empty(0)


def occurrences(space: SequenceSpace, architectures: Sequence[Architecture]) -> Iterator[Occurrences]:
    """Yield the labels of architectures, part by part."""
    return (of_graphs(graphs, vocabulary(space)) for graphs in chunks(space, architectures))


@dataclass(frozen=True)
class WeisfeilerLehman:
    """The process as a model of the registry; nothing about it is random."""

    name: str
    about: About = field(repr=False)
    iterations: int = ITERATIONS
    needs_proxies = False

    def describe(self) -> dict[str, Any]:
        """Return what the model is: name, paper, idea, how it differs, and its iterations."""
        return {"name": self.name, **vars(self.about), "iterations": self.iterations}

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[Learnt]:
        """Learn each target from the rows of the table; what cannot be learnt from is a `DataError`."""
        labels = labels_of(table, targets)
        parts = list(occurrences(table.space, table.architectures))
        every = Occurrences(np.concatenate([p.labels for p in parts], axis=1), np.concatenate([p.there for p in parts]))
        return [Learnt(table.space, Process.fit([every], y)) for y in labels]


WL_KERNEL = WeisfeilerLehman(
    "WL kernel",
    About(
        "Ru et al., Interpretable Neural Architecture Search via Bayesian Optimisation with Weisfeiler-Lehman Kernels, "
        "ICLR 2021; the kernel also of Schrodi et al., NeurIPS 2023",
        "a Gaussian process whose kernel counts the parts that two networks share, grown around each node",
        "a normalised kernel; its scale, noise and number of iterations are those of the highest marginal likelihood",
    ),
)

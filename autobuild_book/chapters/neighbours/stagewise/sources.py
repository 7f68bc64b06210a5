"""Where stage-wise search is measured: surrogates that label any network, and a table of few of its space."""

import functools
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.neighbours.stagewise.growth import Code, Snap, as_it_is
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.chapters.shared.panels import REGIONS
from autobuild_lib import data, surrogate
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.spaces.codec import as_keys
from autobuild_lib.surrogate import Surrogate
from autobuild_lib.targets import Target
from autobuild_lib.units.corpus import score_units

Array = npt.NDArray[np.float64]
ACCEL = "accel-nasbench"
FAMILIES = ("ofa_mbv3", "ofa_pn")
SOURCES = (*FAMILIES, ACCEL)
K = 3  # modules of a unit that AutoBuild keeps
REFERENCE, REFERENCE_SEED = 2_000, 12345  # random networks of a family that results are set against


class Source(Protocol):
    """Networks with labels."""

    @property
    def space(self) -> SequenceSpace:
        """What the networks are of."""

    @property
    def sha256(self) -> str:
        """Changes with the labels."""

    @property
    def targets(self) -> tuple[str, ...]:
        """What is maximised."""

    def labels(self, codes: Codes) -> pd.DataFrame:
        """Look labels up, a row per network."""

    def draw(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw different networks that have labels."""

    def snap(self) -> Snap:
        """Return what stands for networks without labels."""

    def built(self, predictor: Predictor, learnt: Codes, size: int) -> Codes:
        """Return the networks that AutoBuild builds, none of those that it has learnt from."""

    def reference(self, target: str) -> Array:
        """Values of the networks that results are set against."""


@dataclass(frozen=True)
class Family:
    """A once-for-all family labelled by its surrogate, without noise."""

    surrogate: Surrogate
    targets: tuple[str, ...] = ("acc", REGIONS["balanced"].format(latency="latency_gpu"))

    @property
    def space(self) -> SequenceSpace:
        """The family's."""
        return self.surrogate.space

    @property
    def sha256(self) -> str:
        """That of the surrogate's weights."""
        return self.surrogate.fingerprint

    def labels(self, codes: Codes) -> pd.DataFrame:
        """Predict them."""
        return self.surrogate.predict_codes(codes)

    def draw(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw from the whole space, where repeats are all but impossible."""
        return self.space.sample_codes(rng, size)

    def snap(self) -> Snap:
        """Every network has labels."""
        return as_it_is

    def built(self, predictor: Predictor, learnt: Codes, size: int) -> Codes:
        """Return the best of the product of the `K` best modules per unit."""
        seen, best = set(as_keys(learnt).tolist()), score_units(predictor, progress=False).top(K).best(2 * size)
        codes = self.space.to_codes(best)
        return codes[[key not in seen for key in as_keys(codes).tolist()]][:size]

    def reference(self, target: str) -> Array:
        """Values of random networks."""
        codes = self.draw(np.random.default_rng(REFERENCE_SEED), REFERENCE)
        return Target(target).evaluate(self.labels(codes))


@dataclass(frozen=True, eq=False)
class Trained:
    """A table of networks that were trained: few of the space, so that a deeper one is rarely among them.

    For a network that nobody trained stands the one that was, is as deep in the stages that were deepened, and differs
    in the fewest bytes of its code; at a start, of those that were no start before.
    """

    table: Table
    targets: tuple[str, ...] = ("acc",)

    @property
    def space(self) -> SequenceSpace:
        """The table's."""
        return self.table.space

    @property
    def sha256(self) -> str:
        """The table's."""
        return self.table.sha256

    @functools.cached_property
    def codes(self) -> Codes:
        """The table's networks, [rows, code_width]."""
        return self.space.to_codes(self.table.architectures)

    @functools.cached_property
    def _depths(self) -> npt.NDArray[np.int64]:
        return self.space.depths(self.codes)

    @functools.cached_property
    def _rows(self) -> dict[bytes, int]:
        return {code.tobytes(): row for row, code in enumerate(self.codes)}

    def labels(self, codes: Codes) -> pd.DataFrame:
        """Look them up; a network that is not in the table is a `KeyError`."""
        return self.table.labels.iloc[[self._rows[code.tobytes()] for code in codes]]

    def draw(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw different rows."""
        return self.codes[rng.permutation(len(self.table))[:size]]

    def snap(self) -> Snap:
        """Return the search for the nearest row; equally near ones are taken in the order of the table."""
        started = np.zeros(len(self.codes), dtype=bool)

        def nearest(code: Code, units: tuple[int, ...]) -> Code:
            depths = self.space.depths(code[None])[0]
            fitting = (self._depths[:, list(units)] == depths[list(units)]).all(1) if units else ~started
            rows = np.flatnonzero(fitting) if fitting.any() else np.arange(len(self.codes))
            row = rows[(self.codes[rows] != code).sum(1).argmin()]
            started[row] |= not units
            trained: Code = self.codes[row]
            return trained

        return nearest

    def built(self, predictor: Predictor, learnt: Codes, size: int) -> Codes:
        """Return the rows of the highest summed score of their modules."""
        scores = score_units(predictor, progress=False).everything().scores(self.table.architectures)
        scores[[self._rows[code.tobytes()] for code in learnt]] = -np.inf
        return self.codes[np.argsort(-scores, kind="stable")[:size]]

    def reference(self, target: str) -> Array:
        """Values of all rows."""
        return self.table.evaluate(Target(target))


@functools.cache
def load_source(name: str) -> Source:
    """Return a source by name; an unknown one is a `ValueError` that lists them."""
    look_up("source", name, dict.fromkeys(SOURCES))
    return Trained(data.load(ACCEL)) if name == ACCEL else Family(surrogate.load_bundled(name))


def as_table(source: Source, codes: Codes) -> Table:
    """Return networks with their labels as a table to learn from."""
    architectures = source.space.from_codes(codes)
    labels = source.labels(codes).reset_index(drop=True)
    return make_table(source.space, architectures, labels, source="drawn", kind="surrogate", duplicates="mean")


@functools.cache
def reference_of(name: str, target: str) -> tuple[float, float]:
    """Return mean and standard deviation of the networks that results on a source are set against."""
    values = load_source(name).reference(target)
    return float(values.mean()), float(values.std())

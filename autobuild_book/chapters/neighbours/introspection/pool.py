"""A small space of perceptrons of which every network was trained: error, and introspectability.

The original labels convolutional networks for image sets during the search, on many GPUs. Here 216 perceptrons are
trained once, as those of the chapter on one's own evaluator are: no dropout, one activation function for all layers of
a unit. Both objectives come from the 500 images for labels.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from autobuild_book.chapters.neighbours.introspection.score import activations_of, introspectability
from autobuild_book.chapters.shared.perceptrons import ACTIVATIONS, digits, mlp_space, train
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.data.table import ARCHITECTURE, Table, make_table
from autobuild_lib.spaces import Architecture, SequenceSpace, Unit

ERROR, INTROSPECTABILITY = "error", "introspectability"
WIDTH = 64  # of the first unit
FUNCTIONS = list(ACTIVATIONS)
SPACE = SequenceSpace(
    "introspected_mlps",
    [
        Unit(1, 2, features={"activation": FUNCTIONS}),
        Unit(1, 1, features={"activation": FUNCTIONS, "width": [6, 24]}),
        Unit(1, 2, features={"activation": FUNCTIONS}),
    ],
    {"op": ["dense"]},
)
CHUNK = 12  # networks of a part
COLUMNS = [ARCHITECTURE, "seed", ERROR, INTROSPECTABILITY]


def as_perceptron(architecture: Architecture) -> Architecture:
    """Return a network of the space as one that can be built and trained."""
    first, second, tail = architecture.units()
    widths = (f"width{WIDTH};", f"width{second['width']};", "")
    layers = [",".join([f"{unit['activation']}_dropout0"] * len(unit["layers"])) for unit in (first, second, tail)]
    return mlp_space().parse("|".join(width + run for width, run in zip(widths, layers, strict=True)))


def label(architecture: Architecture, seed: int) -> tuple[float, float]:
    """Train a network; return the share of images with a wrong class, and introspectability."""
    images, classes = digits("labels")
    activations, predicted = activations_of(train(as_perceptron(architecture), seed), images)
    return float((predicted != classes.numpy()).mean()), introspectability(activations, predicted)


@dataclass(frozen=True)
class PoolPart:
    """Some networks, trained with one seed."""

    architectures: tuple[str, ...]
    seed: int

    @property
    def key(self) -> str:
        """Changes with what is trained."""
        return key_of("pool", self.architectures, self.seed)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 0.5 * len(self.architectures)

    def measure(self) -> pd.DataFrame:
        """Return a row per network."""
        rows = [(text, self.seed, *label(SPACE.parse(text), self.seed)) for text in self.architectures]
        return pd.DataFrame(rows, columns=COLUMNS)


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[PoolPart]:
    """Return parts that cover the space, for each seed."""
    texts = [str(architecture) for architecture in SPACE]
    chunks = [tuple(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)]
    return [PoolPart(chunk, seed) for seed in seeds for chunk in chunks]


SECTION = Section("neighbours", "pool", "perceptrons with error and introspectability, all of a small space", plan,
                  seeds=(0,))  # fmt: skip


@functools.cache
def pool() -> Table:
    """Return the committed labels, the mean over seeds of each network."""
    rows = SECTION.committed()
    labels = rows.groupby(ARCHITECTURE, sort=False)[[ERROR, INTROSPECTABILITY]].mean()
    networks = [SPACE.parse(str(text)) for text in labels.index]
    return make_table(SPACE, networks, labels.reset_index(drop=True), source=SECTION.file.name, kind="measured here")

"""AutoBuild scores productions: what choosing one does to the prediction, as its effect score says of modules.

A production's effect is the mean over random derivations: the part below a random one of its nonterminals is derived
anew with this production at first, and the prediction after it is compared with the one before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.neighbours.cells import trained_cells
from autobuild_book.chapters.neighbours.evolution import row_of_derivation
from autobuild_book.chapters.neighbours.grammars.counting import Counts
from autobuild_book.chapters.neighbours.grammars.derivations import Derivation
from autobuild_book.chapters.neighbours.grammars.grammar import load_grammar
from autobuild_book.chapters.neighbours.grammars.networks import cell_of
from autobuild_book.chapters.neighbours.labels import FEWEST
from autobuild_book.chapters.shared.models.registry import TUNED
from autobuild_book.chapters.shared.splits import drawn_rows
from autobuild_book.intervals import mean_with_interval
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.torch_settings import one_thread

Array = npt.NDArray[np.float64]
Predict = Callable[[Sequence[Derivation]], Array]
HOSTS = 300
SIZES, SEEDS = (300,), tuple(range(5))
COLUMNS = ["size", "seed", "production", "place", "hosts", "effect", "true_effect"]


def effects(counts: Counts, predict: Sequence[Predict], rng: np.random.Generator, hosts: int = HOSTS) -> pd.DataFrame:
    """Return changes of predictions, a row per production and host: columns `production`, `place`, 0, 1, ...

    place: the child of the root in which the part stands; -1 for the whole. A column for each way of predicting.
    Nonterminals with one production are left out, and so are productions that cannot end in the depth that is left.
    """
    rows, before, after = [], list[Derivation](), list[Derivation]()
    for host in [counts.sample(rng) for _ in range(hosts)]:
        nodes = list(host.nodes())
        for symbol, rights in counts.grammar.productions.items():
            there = [path for path, node in nodes if node.symbol == symbol]
            if len(rights) < 2 or not there:
                continue
            path = there[rng.integers(len(there))]
            left = counts.depth - len(path)
            for number, many in enumerate(counts.each(symbol, left)):
                if many:
                    names = rights[number].nonterminals()
                    part = Derivation(symbol, number, tuple(counts.sample(rng, name, left - 1) for name in names))
                    before.append(host)
                    after.append(host.with_part(path, part))
                    rows.append((f"{symbol} = {rights[number]}", path[0] if path else -1))
    frame = pd.DataFrame(rows, columns=["production", "place"])
    return frame.assign(**{str(number): p(after) - p(before) for number, p in enumerate(predict)})


@dataclass(frozen=True)
class ProductionPart:
    """AutoBuild learns from some cells of NAS-Bench-201, and scores the productions of their grammar."""

    size: int
    seed: int

    @property
    def key(self) -> str:
        """A name for everything that the rows depend on but code."""
        return key_of("productions", trained_cells().table.sha256, repr(TUNED), self.size, self.seed, HOSTS)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 8.0

    def measure(self) -> pd.DataFrame:
        """Return mean effects by production and place, as predicted and as trained, see `COLUMNS`."""
        cells, counts = trained_cells(), Counts(load_grammar("cells"))
        if not FEWEST <= self.size <= len(cells.table):
            raise ValueError(f"{self.size} cells to learn from; allowed are {FEWEST} to {len(cells.table)}")
        learnt = cells.table.take(drawn_rows(len(cells.table), self.size, self.seed))
        row = row_of_derivation(cells, counts)

        def trained(derivations: Sequence[Derivation]) -> Array:
            return np.array([cells.accuracies[row(derivation)] for derivation in derivations])

        def predicted(derivations: Sequence[Derivation]) -> Array:
            return predictor.predict([cell_of(counts.grammar, derivation) for derivation in derivations])

        with one_thread():
            (predictor,) = TUNED.fit_many(learnt, ["acc"], self.seed)
            changes = effects(counts, [predicted, trained], np.random.default_rng(self.seed))
        groups = changes.groupby(["production", "place"], sort=False)
        means = groups[["0", "1"]].mean().set_axis(["effect", "true_effect"], axis=1)
        means.insert(0, "hosts", groups.size())
        return means.reset_index().assign(size=self.size, seed=self.seed)[COLUMNS]


def plan(sizes: Sequence[int] = SIZES, seeds: Sequence[int] = SEEDS) -> list[ProductionPart]:
    """Return a part per seed and number of cells to learn from."""
    return [ProductionPart(size, seed) for seed in seeds for size in sizes]


def top(rows: pd.DataFrame, by_place: bool = False) -> pd.DataFrame:
    """Mean effect over seeds with its 95 % interval, and the mean true effect, best first; a row per production.

    With `by_place`, a row per production and place: in the grammar "cells", the edge of the cell.
    """
    names = ["production", "place"] if by_place else ["production"]
    weighted = rows.assign(**{name: rows[name] * rows["hosts"] for name in ("effect", "true_effect")})
    sums = weighted.groupby([*names, "size", "seed"], sort=False)[["hosts", "effect", "true_effect"]].sum()
    seeds = sums[["effect", "true_effect"]].div(sums["hosts"], axis=0)
    means = []
    for name, group in seeds.groupby(names, sort=False):
        means.append((*name, *mean_with_interval(group["effect"].to_numpy()), group["true_effect"].mean()))
    frame = pd.DataFrame(means, columns=[*names, "effect", "low", "high", "true_effect"])
    return frame.sort_values("effect", ascending=False, ignore_index=True)


SECTION = Section("neighbours", "productions", "which productions AutoBuild likes on NAS-Bench-201", plan, SIZES, SEEDS)

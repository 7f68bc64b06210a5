"""Module scores of predictors that learnt from some trained networks: the norm score, the effect score, the ridge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.ridge import ridge_corpus
from autobuild_book.chapters.shared.splits import subset
from autobuild_book.chapters.trained.effects import ACCEL, ANY, GRAPHS, LABEL, LINKS, SOURCES, trained_table
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib.data.table import Table
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.features import Value, values_of
from autobuild_lib.targets import Target
from autobuild_lib.training import fit
from autobuild_lib.units.corpus import UnitCorpus, score_units

TUNED, PAPER, RIDGE = "tuned", "paper", "ridge"
SIZES, SEEDS = (100, 300), tuple(range(5))  # of the Accel-NASBench table: `LARGE` where others have these
LARGE = {100: 100, 300: 400, 1000: 2000}
MIDDLE, CLOSE = 300, (ACCEL, f"nas-bench-graph:{GRAPHS[0]}")  # looked at closely; the other tables at one size
FEWER = 3  # seeds
COLUMNS = ["source", "size", "seed", "model", "score", "structure", "unit", "scores"]


@dataclass(frozen=True)
class Scores:
    """Scores of every module by one model that learnt from `size` rows of one table, which `seed` draws."""

    source: str
    model: str
    size: int
    seed: int

    @property
    def key(self) -> str:
        """Changes with the rows of the table."""
        return key_of("scores", self.source, trained_table(self.source).sha256, self.model, self.size, self.seed)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        per_thousand = {TUNED: 5, PAPER: 17, RIDGE: 0}[self.model]
        return 2.5 + per_thousand * self.size / 1000

    def measure(self) -> pd.DataFrame:
        """Return a row per score, structure and unit; `scores` are those of its modules in the order of the corpus."""
        train = subset(trained_table(self.source), self.size, self.seed)
        rows = scored(train, self.model, self.seed)
        return rows.assign(source=self.source, size=self.size, seed=self.seed, model=self.model)[COLUMNS]


def scored(train: Table, model: str, seed: int) -> pd.DataFrame:
    """Return what `Scores` measures of one model on training rows: columns score, structure, unit, scores."""
    if model == RIDGE:
        corpora = [(RIDGE, ANY, ridge_corpus(train, LABEL, train.space.encode_globals(_first(train.space))))]
    else:
        predictor = fit(train.space, train, Target(LABEL), seed=seed, preset=model, progress=False)
        corpora = list(predictor_scores(predictor))
    return pd.DataFrame(
        [
            {"score": score, "structure": structure, "unit": unit, "scores": " ".join(f"{s:.5g}" for s in group.scores)}
            for score, structure, corpus in corpora
            for unit, group in enumerate(corpus.groups)
        ]
    )


def predictor_scores(predictor: Predictor) -> Iterator[tuple[str, str, UnitCorpus]]:
    """Yield the name of a score, the structure of its hosts and the scores; the norm score looks at no hosts."""
    yield "norm", ANY, score_units(predictor, progress=False)
    for name, choices in predictor.space.global_choices:
        if name == LINKS:
            for value in values_of(choices):
                corpus = score_units(predictor, "effect", {LINKS: value}, progress=False)
                yield "effect", f"{LINKS} {value}", corpus
            return
    yield "effect", ANY, score_units(predictor, "effect", progress=False)


def _first(space: SequenceSpace) -> dict[str, Value]:
    return {name: values_of(choices)[0] for name, choices in space.global_choices}


def long_form(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `Scores` with a row per module: `place` in its unit's corpus and `value` instead of `scores`."""
    rows = rows.reset_index(drop=True)
    values = [np.array(text.split(), float) for text in rows["scores"]]
    places = np.concatenate([np.arange(len(each)) for each in values])
    repeated = rows.drop(columns="scores").loc[rows.index.repeat([len(each) for each in values])]
    return repeated.reset_index(drop=True).assign(place=places, value=np.concatenate(values))


def plan(sizes: Sequence[int] = SIZES, seeds: Sequence[int] = SEEDS) -> list[Scores]:
    """Return a part per table, size, model and seed: two tables with all sizes, the others with one and fewer seeds.

    Of the paper preset, Accel-NASBench has one size.
    """
    parts = []
    for source in SOURCES:
        for size in sizes if source in CLOSE else sorted({MIDDLE} & set(sizes)):
            models = [TUNED, RIDGE, *[PAPER] * (source != ACCEL or size == MIDDLE)]
            rows = LARGE.get(size, size) if source == ACCEL else size
            drawn = seeds if source in CLOSE else seeds[:FEWER]
            parts += [Scores(source, model, rows, seed) for model in models for seed in drawn]
    return parts


SECTION = Section(
    "trained", "scores", "module scores of predictors that learnt from trained networks", plan, SIZES, SEEDS
)

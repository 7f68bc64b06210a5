"""Experiment 5: who proposes backbones for a region of the front, and with which modules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.panoptic.learning import Fit, Subject, cost_curve
from autobuild_book.chapters.panoptic.task.space import backbone_space, costs, costs_of_codes
from autobuild_book.chapters.shared.ridge import ridge_corpora
from autobuild_book.measured.extremes import sample_extreme_codes
from autobuild_book.parallel import in_threads
from autobuild_lib.spaces import Architecture
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.units.corpus import UnitCorpus, score_units

TOP = 3  # modules of each unit that a reduced space is made of, as in the paper
SIZE = 5  # networks that each builder proposes for a region
POOL, POOL_SEED = 20_000, 5  # random architectures of all costs
SCORES = ("norm", "effect", "ridge")
NORM, EFFECT, RIDGE = "norm score", "effect score", "additive ridge"
MACS, RANDOM, SEARCH, LABELLED = "multiply-adds alone", "random, equal multiply-adds", "search", "labelled, best"
FRONT = "labelled front"
BUILDERS = (NORM, EFFECT, RIDGE, MACS, RANDOM, SEARCH, LABELLED)
CHOICE = ["region", "group", "place", "architecture"]
Corpora = Mapping[tuple[str, str], UnitCorpus]


def score_modules(subject: Subject, fits: Sequence[Fit], hosts: int) -> dict[tuple[str, str], UnitCorpus]:
    """Score all modules for every target (by name) and score, averaged over trainings; the ridge sees all labels."""

    def score(task: tuple[str, str]) -> UnitCorpus:
        name, kind = task
        return score_units([fit.predictors[name] for fit in fits], kind, hosts=hosts, progress=False)

    tasks = [(name, kind) for name in subject.targets for kind in ("norm", "effect")]
    corpora = dict(zip(tasks, in_threads(score, tasks, "scoring"), strict=True))
    ridges = ridge_corpora(subject.table, list(subject.targets.values()), corpora[tasks[0]].head)
    return corpora | {(name, "ridge"): ridges[target] for name, target in subject.targets.items()}


def score_by_depth(corpora: Corpora, target: str) -> pd.DataFrame:
    """Summarise module scores of a target: columns score, unit, depth, mean, spread.

    `mean` is that over the modules of a unit and depth minus that over all depths of the unit (each counts alike);
    `spread` is the standard deviation over the modules, both in units of the target.
    """
    frames = []
    for (name, score), corpus in corpora.items():
        if name == target:
            groups = corpus.table.groupby(["unit", "depth"])["score"].agg(["mean", "std"]).reset_index()
            centre = groups.groupby("unit")["mean"].transform("mean")
            frames.append(groups.assign(score=score, mean=groups["mean"] - centre, spread=groups["std"].fillna(0.0)))
    return pd.concat(frames, ignore_index=True)[["score", "unit", "depth", "mean", "spread"]]


# -------------------------------------------------------------------- proposals


@dataclass(frozen=True, eq=False)
class Pool:
    """Random architectures of all costs, to draw some of given costs from; those in a table are left out."""

    codes: Codes
    macs: npt.NDArray[np.float64]

    @classmethod
    def beside(cls, architectures: Sequence[Architecture]) -> "Pool":
        """Draw the pool by a fixed seed."""
        space = backbone_space()
        drawn = np.unique(sample_extreme_codes(space, np.random.default_rng(POOL_SEED), POOL), axis=0)
        taken = {row.tobytes() for row in space.to_codes(architectures)}
        codes = drawn[[row.tobytes() not in taken for row in drawn]]
        return cls(codes, costs_of_codes(codes)["macs"].to_numpy(dtype=np.float64))

    def nearest(self, macs: Sequence[float]) -> list[Architecture]:
        """Return a different architecture for each number of multiply-adds, as near to it as there is."""
        left, chosen = self.macs.copy(), []
        for goal in macs:
            chosen.append(int(np.abs(left - goal).argmin()))
            left[chosen[-1]] = np.inf
        return backbone_space().from_codes(self.codes[chosen])


def by_summed_scores(corpora: Corpora, region: str) -> dict[str, list[Architecture]]:
    """Return the networks of highest summed score among the products of each unit's best modules, by builder."""
    names = dict(zip(SCORES, (NORM, EFFECT, RIDGE), strict=True))
    return {names[score]: corpora[region, score].top(TOP).best(SIZE) for score in SCORES}


def best_cost(subject: Subject, region: str, macs: npt.NDArray[np.float64]) -> float:
    """Return which of `macs` [N] has the highest value if quality followed from multiply-adds alone."""
    quality = cost_curve(subject, subject.table)(np.log(macs))
    return float(macs[subject.values(pd.DataFrame({subject.quality: quality, subject.cost: macs}), region).argmax()])


def best_of(subject: Subject, evaluated: pd.DataFrame, region: str) -> list[Architecture]:
    """Return the evaluated architectures (columns architecture, quality, cost) of highest value for a region."""
    order = np.argsort(-subject.values(evaluated, region), kind="stable")[:SIZE]
    return [evaluated["architecture"].iloc[place] for place in order]


def propose(subject: Subject, corpora: Corpora, searched: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what every builder proposes for every region: columns region, group, place (from 0), architecture (text).

    The random ones have the multiply-adds of those built by norm score, and "multiply-adds alone" proposes random
    networks at the cost that a regression on nothing else likes best; both only where multiply-adds can be counted.
    searched: the evaluations of a search, which proposes nothing without them.
    """
    architectures = pd.Series(list(subject.table.architectures), dtype=object, name="architecture")
    labelled = pd.concat([architectures, subject.table.labels], axis=1)
    pool = Pool.beside(subject.table.architectures) if subject.measurable else None
    rows = []
    for region in subject.regions:
        groups = by_summed_scores(corpora, region)
        if pool is not None:
            groups[MACS] = pool.nearest([best_cost(subject, region, pool.macs)] * SIZE)
            groups[RANDOM] = pool.nearest(costs(groups[NORM])["macs"].tolist())
        if searched is not None:
            groups[SEARCH] = best_of(subject, searched, region)
        groups[LABELLED] = best_of(subject, labelled, region)
        rows += [(region, group, place, str(a)) for group, some in groups.items() for place, a in enumerate(some)]
    return pd.DataFrame(rows, columns=CHOICE)


def labelled_front(subject: Subject) -> pd.DataFrame:
    """Return the labelled architectures that no other one dominates, by rising cost, as proposals of group `FRONT`."""
    architectures = [str(subject.table.architectures[row]) for row in subject.front_places()]
    return pd.DataFrame([("all", FRONT, place, text) for place, text in enumerate(architectures)], columns=CHOICE)

"""What another meaning of latency changes: modules that are best, and spaces built from them (claims C3 and C4).

The networks, their accuracy and the equations are those of the main chapters; only the latency in the equations is
another: the surrogate's, one GPU's with one image or with 64 at once, or multiply-adds. Measured latencies come from an
additive ridge on the logarithm of 5,000 measured ones.
"""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.frontiers import front_places, mark_regions
from autobuild_book.chapters.shared.panels import REGIONS
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_book.chapters.shared.splits import subset, train_and_test
from autobuild_book.chapters.trained.latency import label_of, measured, srcc
from autobuild_book.dominance import dominates
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib import data, networks, surrogate
from autobuild_lib.data.table import Table
from autobuild_lib.search import costs
from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.training import fit_many
from autobuild_lib.units.corpus import UnitCorpus, score_units

Array = npt.NDArray[np.float64]
GPU = "titan_rtx"
SURROGATE, FIRST, MANY, MACS = LATENCIES = ("surrogate", "batch 1", "batch 64", "multiply-adds")
COLUMN = {name: f"latency_{place}" for place, name in enumerate(LATENCIES)}  # names that an equation can hold
SHARE, OVERLAP, SRCC = "share", "overlap", "srcc"  # measures
EQUATIONS, SEEDS_ALIKE = "overlap of equations", "overlap of seeds"
SCORES, CLUSTER, TOP = ("norm", "effect"), 3, 0.01
AGAIN = 100  # added to a seed: the same rows learnt once more
COLUMNS = ["size", "seed", "score", "measure", "region", "first", "second", "value"]


@dataclass(frozen=True, eq=False)
class Judge:
    """Labels networks of a space with an accuracy and each of `LATENCIES`; `head` codes the resolution of `table`."""

    space: SequenceSpace
    head: bytes
    ridges: Mapping[str, AdditiveRidge]

    def __call__(self, codes: Codes) -> pd.DataFrame:
        """Label codes [N, code_width]: columns acc and those of `COLUMN`."""
        said = surrogate.ofa_mbv3().predict_codes(codes)
        there = np.hstack([np.tile(np.frombuffer(self.head, np.uint8), (len(codes), 1)), codes[:, len(self.head) :]])
        labels = {COLUMN[name]: np.exp(ridge.predict_codes(there)) for name, ridge in self.ridges.items()}
        macs = [networks.count_macs(architecture) / 1e6 for architecture in self.space.from_codes(codes)]
        labels |= {COLUMN[SURROGATE]: said["latency_gpu"].to_numpy(), COLUMN[MACS]: np.array(macs)}
        return pd.DataFrame({"acc": said["acc"].to_numpy(), **labels})


@functools.lru_cache(maxsize=1)
def training() -> tuple[Table, Judge, pd.DataFrame]:
    """Return the training rows with all latencies as labels, the judge, and its labels of these rows."""
    train, _ = train_and_test(data.load("ofa_mbv3"))
    table = measured()
    ridges = {}
    for name, batch in ((FIRST, 1), (MANY, 64)):
        values = np.log(table.labels[label_of(GPU, batch)].to_numpy())
        ridges[name] = AdditiveRidge(table.space).fit(table.architectures, values)
    judge = Judge(train.space, table.space.encode_globals({"resolution": 224}), ridges)
    labels = judge(train.space.to_codes(train.architectures))
    known = labels.assign(acc=train.labels["acc"])
    return replace(train, labels=known, noise_free=None), judge, labels


def equation(region: str, latency: str) -> str:
    """Return the equation of a region with one of `LATENCIES`."""
    return REGIONS[region].format(latency=COLUMN[latency])


# -------------------------------------------------------------------- modules


def top_modules(corpus: UnitCorpus) -> npt.NDArray[np.int64]:
    """Return the places of the best 1 % of all modules of a corpus."""
    scores = np.concatenate([group.scores for group in corpus.groups])
    return np.argsort(-scores, kind="stable")[: round(TOP * len(scores))]


def shared(first: UnitCorpus, second: UnitCorpus) -> float:
    """Return which share of the best 1 % of all modules two corpora have in common."""
    places = top_modules(first)
    return float(np.isin(places, top_modules(second)).mean())


def mean_srcc(first: UnitCorpus, second: UnitCorpus) -> float:
    """Return the mean over units of the rank correlation of two scores."""
    return float(np.mean([srcc(a.scores, b.scores) for a, b in zip(first.groups, second.groups, strict=True)]))


# -------------------------------------------------------------------- reduced spaces


def frontier_of(labels: pd.DataFrame, region: str, latency: str) -> Array:
    """Return the points (costs) of the frontier of labelled networks that a region's equation values most."""
    points = costs(labels, "acc", COLUMN[latency])
    places = front_places(points)
    marks = mark_regions({name: equation(name, latency) for name in REGIONS}, labels.iloc[places])
    return points[places][marks[region]]


def share_that_dominates(networks_of: pd.DataFrame, frontier: Array, latency: str) -> float:
    """Return which share of labelled networks dominates a point of a frontier."""
    return float(dominates(costs(networks_of, "acc", COLUMN[latency]), frontier).any(1).mean())


# -------------------------------------------------------------------- what the rows say


def likeness(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean overlap of the best 1 % of modules: of two latencies, two equations, and two training seeds.

    Columns: score, what, overlap, lowest.
    """
    overlaps = rows[rows["measure"].isin([OVERLAP, EQUATIONS, SEEDS_ALIKE])]
    pairs = overlaps["first"] + " and " + overlaps["second"]
    what = pairs.where(overlaps["measure"] == OVERLAP, overlaps["measure"].str.removeprefix("overlap of "))
    table = overlaps.assign(what=what).groupby(["score", "what"], sort=False)["value"].agg(["mean", "min"])
    return table.set_axis(["overlap", "lowest"], axis=1).reset_index()


def regions_that_hold(rows: pd.DataFrame) -> pd.DataFrame:
    """Count regions in which half of what was built for `first` or more improves the front by `second` (C4's rule).

    Shares are means over seeds. Columns: score, first, second, regions, of.
    """
    shares = rows[rows["measure"] == SHARE].groupby(["score", "first", "second", "region"], sort=False)["value"].mean()
    groups = (shares >= 0.5).groupby(["score", "first", "second"], sort=False)
    return groups.agg(["sum", "size"]).set_axis(["regions", "of"], axis=1).reset_index()


# -------------------------------------------------------------------- the section


@dataclass(frozen=True)
class Swapped:
    """Predictors of one training subset for every region and latency, and what differs between the latencies."""

    size: int
    seed: int

    @property
    def key(self) -> str:
        """Changes with the measured latencies and with the training rows."""
        return key_of("swapped", GPU, measured().sha256, data.load("ofa_mbv3").sha256, self.size, self.seed)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 30 + 45 * self.size / 1000

    def measure(self) -> pd.DataFrame:
        """Return a row per score, measure, region and pair of latencies."""
        table, judge, labels = training()
        keys = list(itertools.product(REGIONS, LATENCIES))
        rows = []
        train = subset(table, self.size, self.seed)
        predictors = fit_many(train.space, train, [equation(*key) for key in keys], self.seed, "tuned", False)
        again = [key for key in keys if key[0] == "balanced"]
        repeated = fit_many(train.space, train, [equation(*key) for key in again], self.seed + AGAIN, "tuned", False)
        for score in SCORES:
            corpora = {key: score_units(p, score, progress=False) for key, p in zip(keys, predictors, strict=True)}
            others = {key: score_units(p, score, progress=False) for key, p in zip(again, repeated, strict=True)}
            parts = itertools.chain(compare_modules(corpora, others), compare_spaces(corpora, judge, labels))
            rows += [(self.size, self.seed, score, *row) for row in parts]
        return pd.DataFrame(rows, columns=COLUMNS)


Corpora = Mapping[tuple[str, str], UnitCorpus]  # by region and latency
Row = tuple[str, str, str, str, float]  # measure, region, first, second, value


def compare_modules(corpora: Corpora, again: Corpora) -> Iterator[Row]:
    """Yield how alike module scores are: of two latencies, of two equations of one latency, of two training seeds."""
    for region, (first, second) in itertools.product(REGIONS, itertools.combinations(LATENCIES, 2)):
        pair = corpora[region, first], corpora[region, second]
        yield OVERLAP, region, first, second, shared(*pair)
        yield SRCC, region, first, second, mean_srcc(*pair)
    for latency, (one_end, other_end) in itertools.product(LATENCIES, itertools.combinations(REGIONS, 2)):
        value = shared(corpora[one_end, latency], corpora[other_end, latency])
        yield EQUATIONS, f"{one_end}, {other_end}", latency, latency, value
    for (region, latency), corpus in again.items():
        yield SEEDS_ALIKE, region, latency, latency, shared(corpora[region, latency], corpus)


def compare_spaces(corpora: Corpora, judge: Callable[[Codes], pd.DataFrame], labels: pd.DataFrame) -> Iterator[Row]:
    """Yield, of networks built for `first`, the share that dominates the training frontier by `second`."""
    for (region, first), corpus in corpora.items():
        built = judge(corpus.top(CLUSTER).codes())
        for second in LATENCIES:
            share = share_that_dominates(built, frontier_of(labels, region, second), second)
            yield SHARE, region, first, second, share


SIZES, SEEDS = (500,), tuple(range(3))


def plan(sizes: Sequence[int] = SIZES, seeds: Sequence[int] = SEEDS) -> list[Swapped]:
    """Return a part per training subset."""
    return [Swapped(size, seed) for size in sizes for seed in seeds]


SECTION = Section(
    "trained",
    "swapped",
    "what another latency changes: the best modules, and what is built of them",
    plan,
    SIZES,
    SEEDS,
)

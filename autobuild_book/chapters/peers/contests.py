"""Contests between models: the same rows to learn from, and the same test rows for all."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.judging import quality
from autobuild_book.chapters.shared.splits import computable, train_and_test
from autobuild_lib import data
from autobuild_lib.data.files import FLOPS, manifest
from autobuild_lib.data.table import ARCHITECTURE, Table
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.surrogate import LABELS
from autobuild_lib.targets import Target

LATENCIES = ("latency_gpu", "latency_cpu", "latency_npu")
TEST_WITH_PROXIES = 100  # the first rows of a table of proxies, which is in random order
FEW = 1000  # tables of fewer rows keep a quarter of them for testing, drawn anew by each seed
CEILING, RANDOM = "noise ceiling", "random order"
LARGE, SMALL, PROXIED = "large", "small", "with proxies"  # kinds of contests
REFERENCE_SEEDS = range(5)


@dataclass(frozen=True)
class Contest:
    """Some targets of one table of evaluated architectures.

    name: as in results. source: what `data.load` takes. targets: labels or equations. kind: what it is shown with.
    proxies: a bundled table of proxies; other rows are left out. lower: targets of which less is better.
    """

    name: str
    source: str
    targets: tuple[str, ...]
    kind: str = LARGE
    proxies: str = ""
    lower: tuple[str, ...] = LATENCIES


CONTESTS = (
    Contest("ofa_mbv3", "ofa_mbv3", LABELS),
    Contest("ofa_pn", "ofa_pn", LABELS),
    Contest("panoptic", "panoptic", ("pq",), SMALL),
    Contest("diffusion_unets", "diffusion_unets", ("-log_distance",), SMALL),
    Contest("ofa_mbv3, proxies", "ofa_mbv3", LABELS, PROXIED, "proxies_ofa_mbv3"),
    Contest("ofa_pn, proxies", "ofa_pn", LABELS, PROXIED, "proxies_ofa_pn"),
)


def contests_that_exist() -> list[Contest]:
    """Return the contests whose tables come with this version of the library."""
    return [contest for contest in CONTESTS if {contest.source, contest.proxies or contest.source} <= set(manifest())]


def choose(
    source: str, targets: Sequence[str], lower: Sequence[str], space: SequenceSpace | None = None
) -> list[Contest]:
    """Return the contests of a page: all bundled ones that exist, or one of your own data.

    The small tables have targets of their own. Targets without their labels are left out; it is a `ValueError` when
    none is left.
    """
    bundled = source == "bundled"
    contests = contests_that_exist() if bundled else [Contest(_load(source, space).space.name, source, ())]
    chosen = []
    for contest in contests:
        usable = contest.targets if contest.kind == SMALL else computable(targets, _load(contest.source, space))
        if usable:
            chosen.append(replace(contest, targets=usable, lower=tuple(str(Target(target)) for target in lower)))
    if not chosen:
        raise ValueError(f"{source}: no target of {list(targets)} can be computed")
    return chosen


def named(contests: Sequence[Contest], kind: str) -> list[str]:
    """Return the names of the contests of a kind."""
    return [contest.name for contest in contests if contest.kind == kind]


@dataclass(frozen=True)
class Field:
    """The rows of a contest. drawn: the seed of its test rows, or None where they are fixed.

    proxies: a column `architecture` and one per proxy, or None.
    """

    train: Table
    test: Table
    drawn: int | None = None
    proxies: pd.DataFrame | None = None

    def draw(self, size: int, seed: int) -> int:
        """Number the rows that `subset` and the split choose by a seed: 0 where every seed has the same ones."""
        return 0 if self.drawn is None and size >= len(self.train) else seed


def field_of(contest: Contest, seed: int = 0, space: SequenceSpace | None = None) -> Field:
    """Return the rows of a contest; `seed` matters for small tables only, whose test rows it draws.

    Large tables have the fixed test rows of the other chapters. With proxies, the first `TEST_WITH_PROXIES`
    architectures of the table of proxies are the test rows, the others are there to learn from.
    """
    table = _load(contest.source, space)
    if contest.proxies:
        return _with_proxies(table, contest.proxies)
    if len(table) >= FEW:
        return Field(*train_and_test(table))
    return Field(*table.split(0.75, seed=seed), drawn=seed)


@functools.lru_cache(maxsize=4)
def _load(source: str, space: SequenceSpace | None) -> Table:
    return data.load(source, space=space)


def _with_proxies(table: Table, name: str) -> Field:
    measured = _load(name, table.space)
    texts = [str(architecture) for architecture in measured.architectures]
    proxies = measured.labels.drop(columns=FLOPS, errors="ignore").assign(**{ARCHITECTURE: texts})
    place = {architecture: row for row, architecture in enumerate(table.architectures)}
    rows = [place[architecture] for architecture in measured.architectures]
    return Field(table.take(rows[TEST_WITH_PROXIES:]), table.take(rows[:TEST_WITH_PROXIES]), proxies=proxies)


def sizes_of(contest: Contest, sizes: Sequence[int], space: SequenceSpace | None = None) -> list[int]:
    """Return the sizes that the contest has rows for; all of its rows stand for what is larger."""
    most = len(field_of(contest, space=space).train)
    return sorted({min(size, most) for size in sizes})


def references(contests: Sequence[Contest], space: SequenceSpace | None = None) -> pd.DataFrame:
    """Judge noise-free labels (`CEILING`, where they are known) and random orders (`RANDOM`) as if predicted."""
    rows: list[Mapping[str, object]] = []
    for contest, seed in itertools.product(contests, REFERENCE_SEEDS):
        test = field_of(contest, seed, space).test
        for text in contest.targets:
            target, lower = Target(text), text in contest.lower
            truth, free = target.evaluate(test.labels), test.noise_free
            guesses = {RANDOM: np.random.default_rng([seed, 7]).normal(size=len(test))}
            if free is not None and set(target.labels) <= set(free):
                guesses[CEILING] = target.evaluate(free)
            key = {"contest": contest.name, "target": text, "seed": seed}
            rows += [{**key, "model": name, **quality(guess, truth, lower)} for name, guess in guesses.items()]
    return pd.DataFrame(rows)

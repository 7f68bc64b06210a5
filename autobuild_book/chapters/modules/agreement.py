"""Do module scores tell what modules do? Rank correlation of scores with effects measured in random hosts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autobuild_book.chapters.modules.ranking import ALL_SEEDS, Corpora, Key, Positions, corpus_cells, srcc_or_nan
from autobuild_book.chapters.shared.hosts import Array, Bench
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_book.parallel import in_threads
from autobuild_lib.data.table import Table
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.targets import Target
from autobuild_lib.units.corpus import UnitCorpus

AGREEMENT = [*Key._fields, "scope", "unit", "depth", "modules", "srcc", "spread"]
UNIT, ALIKE, CELL = "unit", "unit, depths alike", "unit and depth"  # scopes of a sample of modules
HALVES = (slice(0, None, 2), slice(1, None, 2), slice(None))  # hosts: every other one, the rest, all


@dataclass(frozen=True)
class Sample:
    """Some modules of one scoring group: their positions in its corpus, and the depth they share (-1: any)."""

    scope: str
    unit: int
    depth: int
    places: Positions


def draw_samples(corpus: UnitCorpus, modules: int, seed: int) -> list[Sample]:
    """Draw `modules` of each unit and depth and, apart from them, three times as many of each whole unit.

    Scopes: `CELL`; `ALIKE`, the modules of all cells of a unit put together; `UNIT`, where every module is as likely,
    so that the deepest, which are most, prevail. What has a single module is left out: there is nothing to rank.
    """
    rng, samples = np.random.default_rng([seed, 7]), []
    for unit, group in enumerate(corpus.groups):
        size, drawn = len(group.scores), []
        for depth, places in corpus_cells(corpus, unit):
            drawn.append(np.sort(rng.choice(places, min(modules, len(places)), replace=False)))
            samples.append(Sample(CELL, unit, depth, drawn[-1]))
        samples.append(Sample(ALIKE, unit, -1, np.concatenate(drawn)))
        samples.append(Sample(UNIT, unit, -1, np.sort(rng.choice(size, min(3 * modules, size), replace=False))))
    return [sample for sample in samples if len(sample.places) > 1]


def score_agreement(
    benches: Mapping[str, Bench], corpora: Corpora, tables: Mapping[str, Table], modules: int, seed: int
) -> pd.DataFrame:
    """Correlate module scores with measured effects (Spearman), over random modules (see `draw_samples`).

    A measured effect is the mean target over the hosts with the module in place. Besides the scores of `corpora`:
    "ridge", the sum over the module of the coefficients of an additive ridge regression on the family's training
    table; and "halves", no score, but the effects measured in one half of the hosts against those in the other.
    Columns: those of `Key`, scope, unit, depth (-1: all), modules, srcc (NaN where a score is constant or missing), and
    spread, the standard deviation of the modules' effects in those of the target over the hosts.
    """
    frames = []
    for family, bench in benches.items():
        of_family = {key: corpus for key, corpus in corpora.items() if key.family == family}
        frames.append(_agreement(bench, of_family, tables[family], modules, seed))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=AGREEMENT)


def _agreement(bench: Bench, corpora: Corpora, table: Table, modules: int, seed: int) -> pd.DataFrame:
    corpus = next(iter(corpora.values()))
    samples, units = draw_samples(corpus, modules, seed), range(len(corpus.groups))
    places = [np.unique([place for s in samples if s.unit == unit for place in s.places]).astype(int) for unit in units]
    contents = [group.codes[chosen] for group, chosen in zip(corpus.groups, places, strict=True)]
    placed = [bench.with_modules(unit, code) for unit in units for code in contents[unit]]
    labels = bench.label([bench.hosts, *placed])
    ends = np.cumsum([len(chosen) for chosen in places])[:-1]
    rows: list[tuple[object, ...]] = []
    targets = list(dict.fromkeys(key.target for key in corpora))
    ridges = in_threads(lambda target: _ridge_scores(table, target, contents, corpus.head), targets, "additive ridge")
    for target, ridge in zip(targets, ridges, strict=True):
        hosts, effects = np.split(bench.values(target, labels), [1])
        scored = {key: each for key, each in corpora.items() if key.target == target}
        for key, scores, measured in _compared(scored, places, ridge, np.split(effects, ends)):
            for sample in samples:
                mine = np.searchsorted(places[sample.unit], sample.places)
                truth = measured[sample.unit][mine]
                numbers = srcc_or_nan(scores[sample.unit][mine], truth), truth.std(ddof=1) / hosts.std(ddof=1)
                rows.append((*key, sample.scope, sample.unit, sample.depth, len(mine), *numbers))
    return pd.DataFrame(rows, columns=AGREEMENT)


def _compared(
    corpora: Corpora, places: Sequence[Positions], ridge: list[Array], effects: Sequence[Array]
) -> Iterator[tuple[Key, list[Array], list[Array]]]:
    """Yield what is compared for one target: two numbers per module, by scoring group; effects are [modules, hosts]."""
    even, odd, every = ([part[:, some].mean(1) for part in effects] for some in HALVES)
    for key, corpus in corpora.items():
        yield key, [group.scores[chosen] for group, chosen in zip(corpus.groups, places, strict=True)], every
    peer = next(iter(corpora))._replace(seed=ALL_SEEDS, score="ridge")
    yield peer, ridge, every
    yield peer._replace(score="halves"), even, odd


def _ridge_scores(table: Table, target: str, contents: Sequence[Codes], head: bytes) -> list[Array]:
    """Sums of the coefficients of an additive ridge regression over modules, by scoring group."""
    ridge = AdditiveRidge(table.space).fit(table.architectures, Target(target).evaluate(table.labels))
    groups = zip(table.space.scoring_groups, contents, strict=True)
    return [ridge.predict_codes(group.isolated(codes, head)) for group, codes in groups]


def median_srcc(correlations: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return median, lowest and highest `srcc` per group; NaN counts as 0, and `missing` says how often."""
    if correlations.empty:
        return pd.DataFrame(columns=[*by, "median", "low", "high", "missing"])
    filled = correlations.assign(missing=correlations.srcc.isna(), srcc=correlations.srcc.fillna(0.0))
    groups = filled.groupby(list(by), sort=False)
    return groups.agg(
        median=("srcc", "median"), low=("srcc", "min"), high=("srcc", "max"), missing=("missing", "sum")
    ).reset_index()


def worst_cells(correlations: pd.DataFrame, tasks: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the units and depths where the norm score agrees least with measured effects, worst first.

    Columns: family, label, unit, depth, spread, and the mean `srcc` over training seeds of every score. Without
    measured effects the table is empty.
    """
    if correlations.empty:
        return pd.DataFrame()
    cells = correlations[correlations.scope == CELL].assign(srcc=lambda frame: frame.srcc.fillna(0.0))
    table = cells.pivot_table("srcc", ["family", "target", "unit", "depth"], "score").reset_index()
    spread = cells.groupby(["family", "target", "unit", "depth"]).spread.mean().reset_index()
    joined = table.merge(spread).merge(tasks).nsmallest(number, "norm")
    return joined[["family", "label", "unit", "depth", "spread", "norm", "effect", "ridge", "halves"]]

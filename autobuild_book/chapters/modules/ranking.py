"""Experiment 3: the best and worst modules of every size, where they stand, and how firmly (paper, Figure 4)."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kendalltau

from autobuild_book.chapters.shared.panels import COMMON, SPECIAL, Panel, load_panels
from autobuild_book.chapters.shared.splits import load_splits
from autobuild_book.parallel import in_threads
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target
from autobuild_lib.units.corpus import UnitCorpus, score_units

KINDS = ("norm", "effect")  # the paper's score and ours
SHOWN = ("accuracy", "fast", "balanced", "accurate")  # equations by name, of most devices
SHOWN_ON = {"gpu": ("accuracy", "per latency", "power-log", "fast")}
TOP = 0.01
ALL_SEEDS = -1  # in a table: whatever has no training seed
Positions = npt.NDArray[np.intp]


class Key(NamedTuple):
    """Which scores a corpus holds: family and target it was trained on, training seed, and kind of score."""

    family: str
    target: str
    seed: int
    score: str


Corpora = Mapping[Key, UnitCorpus]


# -------------------------------------------------------------------- data, predictors, scores


def load_tasks(source: str, equations: Mapping[str, str], space: SequenceSpace | None = None) -> list[Panel]:
    """Load panels with the book's equations; or, with the reader's own `equations` by name, one panel of a source.

    Raises `ValueError` when no equation can be computed from the source.
    """
    if not equations:
        panels = load_panels(source, COMMON, SPECIAL, space)
        return [panel.only(SHOWN_ON.get(panel.device, SHOWN)) for panel in panels]
    named = {name: str(Target(equation)) for name, equation in equations.items()}
    splits = load_splits(source, list(equations.values()), space)
    return [Panel(split, "", {n: e for n, e in named.items() if e in split.targets}) for split in splits]


def task_table(panels: Sequence[Panel]) -> pd.DataFrame:
    """Return a row per family and target, in the order of the panels: columns family, target, label.

    The label is the name of the equation and, unless several devices share it, the device.
    """
    rows: dict[tuple[str, str], str] = {}
    for panel in panels:
        for name, target in panel.equations.items():
            label = f"{name}, {panel.device.upper()}" if panel.device else name
            rows[panel.family, target] = name if (panel.family, target) in rows else label
    return pd.DataFrame([(*key, label) for key, label in rows.items()], columns=["family", "target", "label"])


def score_all(
    panels: Sequence[Panel], trained: Mapping[tuple[str, str, int], Predictor], hosts: int
) -> dict[Key, UnitCorpus]:
    """Score every module of every unit for the equations of the panels, with both kinds of score."""
    shown = {(panel.family, target) for panel in panels for target in panel.equations.values()}
    keys = [Key(*which, kind) for which in trained if which[:2] in shown for kind in KINDS]

    def score(key: Key) -> UnitCorpus:
        return score_units(trained[key[:3]], key.score, hosts=hosts, progress=False)

    return dict(zip(keys, in_threads(score, keys, "scoring"), strict=True))


# -------------------------------------------------------------------- best and worst


def extremes(corpora: Corpora, seed: int) -> pd.DataFrame:
    """Return the best and the worst module of every unit and depth, one row each.

    Columns: those of `Key`, unit, depth, end ("best" or "worst"), module, value (its score), tied (how many modules of
    that unit and depth share the value), modules (how many there are). Of tied ones, `seed` draws; where scores are
    NaN, all are tied.
    """
    rows = []
    for key, corpus in corpora.items():
        rng = np.random.default_rng([seed, 4])
        for unit, group in enumerate(corpus.groups):
            for depth, places in corpus_cells(corpus, unit):
                scores = group.scores[places]
                for end, value in (("best", scores.max()), ("worst", scores.min())):
                    tied = places if np.isnan(value) else places[scores == value]
                    chosen = group.codes[[rng.choice(tied)]]
                    (text,) = corpus.space.scoring_groups[unit].texts(chosen)
                    rows.append((*key, unit, depth, end, text, value, len(tied), len(places)))
    return pd.DataFrame(rows, columns=[*Key._fields, "unit", "depth", "end", "module", "value", "tied", "modules"])


def corpus_cells(corpus: UnitCorpus, unit: int) -> list[tuple[int, Positions]]:
    """Positions of the contents of a scoring group, depth by depth."""
    depths = corpus.depths(unit)
    return [(int(depth), np.flatnonzero(depths == depth)) for depth in np.unique(depths)]


def top_set(corpus: UnitCorpus, seed: int, share: float = TOP) -> Positions:
    """Return the positions of the best `share` of all modules of all units; ties are broken at random."""
    scores = np.concatenate([group.scores for group in corpus.groups])
    scores = np.where(np.isnan(scores), -np.inf, scores)
    shuffled = np.random.default_rng([seed, 5]).random(len(scores))
    return np.lexsort((shuffled, -scores))[: max(1, round(share * len(scores)))]


def top_shares(corpora: Corpora, seed: int) -> pd.DataFrame:
    """Return which share of the best 1 % of all modules each unit and depth holds, and which share of all modules.

    Columns: those of `Key`, unit, depth, share, expected.
    """
    rows = []
    for key, corpus in corpora.items():
        units = np.repeat(np.arange(len(corpus.groups)), [len(group.scores) for group in corpus.groups])
        depths = np.concatenate([corpus.depths(unit) for unit in range(len(corpus.groups))])
        best = top_set(corpus, seed)
        for unit, depth in sorted(set(zip(units.tolist(), depths.tolist(), strict=True))):
            cell = (units == unit) & (depths == depth)
            rows.append((*key, unit, depth, cell[best].mean(), cell.mean()))
    return pd.DataFrame(rows, columns=[*Key._fields, "unit", "depth", "share", "expected"])


def best_of_size(extreme: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return, for each size, the best of the best modules over all units and the worst of the worst.

    Column `share` is that of the module's unit and depth in the best 1 % of all modules.
    """
    ranked = extreme.assign(order=np.where(extreme.end == "best", -extreme.value, extreme.value))
    first = ranked.sort_values("order", kind="stable").groupby([*Key._fields, "depth", "end"]).head(1)
    keys = [*Key._fields, "unit", "depth"]
    joined = first.drop(columns="order").merge(shares[[*keys, "share"]], on=keys)
    return joined.sort_values([*Key._fields, "depth", "end"], ignore_index=True)


def of_panel(table: pd.DataFrame, panel: Panel, **chosen: Any) -> pd.DataFrame:
    """Return the rows of a table that belong to a panel, with its device and the names of its equations, in order.

    `chosen` gives columns the value they must have, such as score="norm".
    """
    names = {target: name for name, target in panel.equations.items()}
    rows = table[(table.family == panel.family) & table.target.isin(list(names))]
    for column, value in chosen.items():
        rows = rows[rows[column] == value]
    order = list(panel.equations.values())
    return rows.assign(device=panel.device, name=rows.target.map(names)).sort_values(
        "target", key=lambda column: column.map(order.index), kind="stable", ignore_index=True
    )


# -------------------------------------------------------------------- how far rankings agree


def overlaps(panels: Sequence[Panel], corpora: Corpora, seed: int) -> pd.DataFrame:
    """Return which share of the best 1 % of modules two targets of one panel have in common.

    Columns: family, device, seed, score, first and second (names of the equations), overlap.
    """
    sets = {key: top_set(corpus, seed) for key, corpus in corpora.items()}
    rows = []
    for panel in panels:
        for seed_, kind in sorted({(key.seed, key.score) for key in corpora if key.family == panel.family}):
            for (first, equation), (second, other) in itertools.combinations(panel.equations.items(), 2):
                pair = (sets[Key(panel.family, target, seed_, kind)] for target in (equation, other))
                rows.append((panel.family, panel.device, seed_, kind, first, second, _shared(*pair)))
    return pd.DataFrame(rows, columns=["family", "device", "seed", "score", "first", "second", "overlap"])


def stability(panel: Panel, corpora: Corpora, seed: int) -> pd.DataFrame:
    """Compare the scores of two training seeds, for every pair of seeds that a target of the panel has.

    Columns: family, target, score, pair, measure, unit, depth, value. Measures: Spearman and Kendall correlation over
    the modules of a unit (depth -1), Spearman correlation within a unit and depth, and the share of the best 1 % of
    all modules that both have (unit and depth -1). NaN where a score is constant.
    """
    rows = []
    for target, kind in itertools.product(panel.equations.values(), KINDS):
        names = (panel.family, target, kind)
        by_seed = {key.seed: corpus for key, corpus in corpora.items() if (key.family, key.target, key.score) == names}
        for first, second in itertools.combinations(by_seed, 2):
            rows += [(*names, f"{first}, {second}", *row) for row in _compare(by_seed[first], by_seed[second], seed)]
    columns = ["family", "target", "score", "pair", "measure", "unit", "depth", "value"]
    return pd.DataFrame(rows, columns=columns)


def _compare(corpus: UnitCorpus, other: UnitCorpus, seed: int) -> list[tuple[str, int, int, float]]:
    rows = [("best 1 %", -1, -1, _shared(top_set(corpus, seed), top_set(other, seed)))]
    for unit, (mine, theirs) in enumerate(zip(corpus.groups, other.groups, strict=True)):
        rows.append(("Spearman", unit, -1, srcc_or_nan(mine.scores, theirs.scores)))
        rows.append(("Kendall", unit, -1, _kendall(mine.scores, theirs.scores)))
        for depth, places in corpus_cells(corpus, unit):
            rows.append(("Spearman, same depth", unit, depth, srcc_or_nan(mine.scores[places], theirs.scores[places])))
    return rows


def _shared(first: Positions, second: Positions) -> float:
    """Which share of one set the other has too; both are of one size."""
    return len(np.intersect1d(first, second)) / len(first)


def srcc_or_nan(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Spearman correlation; NaN where one side is constant or not finite."""
    finite = np.isfinite(first).all() and np.isfinite(second).all()
    return srcc(first, second) if finite else float("nan")


def _kendall(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    return float("nan") if np.isnan(srcc_or_nan(first, second)) else float(kendalltau(first, second).statistic)

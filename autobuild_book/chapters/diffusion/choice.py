"""Experiment 6, what is built: the rule by which U-Nets are chosen to be measured, fixed before all labels were there.

The target is the negative log distance, learnt by predictors of several seeds with the recipe for few labels. In each
of three settings a bound on the multiply-adds (MACs) is given. An architecture's score is the sum of the scores of its
five stages, and the highest sums of all 1,889,568 U-Nets within the bound are built: MACs are counted, not learnt.

| setting | bound | built by norm and by effect score | random ones |
|---|---|---|---|
| any size | none | 1 each | none |
| no larger than the best | MACs of the best labelled U-Net | 2 each | 2 |
| no larger than the median | median MACs of the table | 1 each | 1 |

Beside them stand, within each bound: one built by the additive ridge, the one with most MACs (what a regression on MACs
alone would build), and the best labelled one, measured again. Random ones have at most as many MACs as the first choice
of the norm score, and at least 95 % of them. The smallest U-Net of the space is measured too: it costs seconds.

Claim C7 is decided in the middle setting, by the networks built by norm score (see `verdict`).
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.diffusion.bundled_rows import CHOICE
from autobuild_book.chapters.diffusion.task.space import costs_of_codes, unet_space
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE, score, train
from autobuild_lib.data.table import Table
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.targets import Target
from autobuild_lib.units.corpus import UnitCorpus
from autobuild_lib.units.reduced import ReducedSpace

Array = npt.NDArray[np.float64]
TARGET = "-log_distance"
SEEDS = tuple(range(12345, 12355))  # of the predictors behind the committed choice
STEPS = 400  # of the optimiser, for each predictor
MOST_MACS, BEST, RANDOM, SMALLEST = "most MACs", "best labelled, again", "random, equal MACs", "smallest"
ANY, AS_BEST, AS_MEDIAN = "any size", "no larger than the best", "no larger than the median"
EQUAL = 0.95  # random ones have at least this part of the MACs


@dataclass(frozen=True)
class Setting:
    """A bound on MACs, and how many networks each score builds and chance draws."""

    name: str
    bound: float
    built: int
    random: int


def settings(table: Table, target: str = TARGET) -> list[Setting]:
    """Return the three settings of a table with the label `macs`; the one that decides the claim comes first."""
    macs = table.labels["macs"].to_numpy()
    best = macs[Target(target).evaluate(table.labels).argmax()]
    return [
        Setting(AS_BEST, float(best), 2, 2),
        Setting(AS_MEDIAN, float(np.median(macs)), 1, 1),
        Setting(ANY, np.inf, 1, 0),
    ]


def choose(
    table: Table, corpora: Mapping[tuple[str, str], UnitCorpus], seed: int, target: str = TARGET
) -> pd.DataFrame:
    """Return what is to be measured: columns setting, group, place (from 0, the first choice), architecture (text).

    table: U-Nets with labels. corpora: module scores by target and group. seed: of the random ones.
    """
    space, labels = unet_space(), table.labels.reset_index(drop=True)
    codes = ReducedSpace.full(space).codes()
    macs = costs_of_codes(codes)["macs"].to_numpy()
    sums = {group: summed_scores(corpora[target, group]) for group in (NORM, EFFECT, RIDGE)}
    values, texts = Target(target).evaluate(labels), list(map(str, table.architectures))
    rows: list[tuple[str, str, int, str]] = []

    def add(setting: Setting, group: str, chosen: Codes) -> None:
        rows.extend((setting.name, group, place, str(a)) for place, a in enumerate(space.from_codes(chosen)))

    for setting in settings(table, target):
        chosen = {group: highest_within(sums[group], macs, setting.bound, setting.built) for group in sums}
        for group, places in chosen.items():
            add(setting, group, codes[places[:1] if group == RIDGE else places])
        add(setting, MOST_MACS, codes[highest_within(macs, macs, setting.bound, 1)])
        best = highest_within(values, labels["macs"].to_numpy(), setting.bound, 1)[0]
        rows.append((setting.name, BEST, 0, texts[best]))
        most = macs[chosen[NORM][0]]
        alike = np.flatnonzero((macs <= most) & (macs >= EQUAL * most))
        drawn = np.random.default_rng([seed, len(rows)]).permutation(alike)
        add(setting, RANDOM, codes[drawn[: setting.random]])
    rows.append((ANY, SMALLEST, 0, str(space.from_codes(codes[[macs.argmin()]])[0])))
    return pd.DataFrame(rows, columns=CHOICE)


def propose(
    table: Table, corpora: Mapping[tuple[str, str], UnitCorpus], seed: int, target: str, n: int = 3
) -> pd.DataFrame:
    """Return what to measure next, as `choose` does; in another space, or without MACs, the `n` highest sums."""
    if has_costs(table):
        return choose(table, corpora, seed, target)
    rows = [
        (ANY, group, place, str(architecture))
        for (_, group), corpus in corpora.items()
        for place, architecture in enumerate(corpus.everything().best(n))
    ]
    return pd.DataFrame(rows, columns=CHOICE)


def has_costs(table: Table) -> bool:
    """Say whether a table is about our U-Nets and has their MACs, so that networks can be built within a bound."""
    return table.space == unet_space() and "macs" in table.labels


def summed_scores(corpus: UnitCorpus) -> Array:
    """Return the summed module scores of all architectures, in the order of `ReducedSpace.full(space).codes()`."""
    return np.asarray(functools.reduce(np.add.outer, [group.scores for group in corpus.groups])).ravel()


def highest_within(values: Array, macs: Array, bound: float, n: int) -> npt.NDArray[np.intp]:
    """Return the places of the `n` highest values [N] whose `macs` [N] are within the bound, best first."""
    allowed = np.flatnonzero(macs <= bound)
    n = min(n, len(allowed))
    if n:
        least = np.partition(values[allowed], -n)[-n]
        allowed = allowed[values[allowed] >= least]  # so that few are left to be sorted
    return np.asarray(allowed[np.argsort(-values[allowed], kind="stable")[:n]])


def choose_from(table: Table, seeds: Sequence[int], steps: int, folder: Path) -> pd.DataFrame:
    """Train predictors, kept in `folder`, score all modules and choose by the rule."""
    predictors, _ = train(table, (TARGET,), seeds, steps, folder, repeats=0)
    return choose(table, score(table, predictors), seeds[0])


def first_choices(chosen: pd.DataFrame) -> dict[str, str]:
    """Return what the pictures show, by group: first choices and the best labelled one of the deciding setting."""
    first = chosen[(chosen["setting"] == AS_BEST) & (chosen["place"] == 0)].set_index("group")["architecture"]
    return {group: str(first[group]) for group in (BEST, NORM, EFFECT)}

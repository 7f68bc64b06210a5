"""The networks that are measured at the end: built ones, and those that they are compared with."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from autobuild_book.chapters.machine.latency import medians
from autobuild_book.chapters.machine.subjects import Subject, smallest
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE
from autobuild_lib.data.table import Table
from autobuild_lib.targets import Target
from autobuild_lib.units.corpus import UnitCorpus

TOP = 3  # modules of each unit that a reduced space is made of, as in the paper
BEST, RANDOM, SMALLEST = "best measured, again", "random", "smallest"
GROUPS = (NORM, EFFECT, RIDGE, BEST, RANDOM, SMALLEST)


def candidates(
    subject: Subject, table: Table, corpora: Mapping[tuple[str, str], UnitCorpus], size: int, seed: int
) -> pd.DataFrame:
    """Return what is to be measured at the end: columns target, group, place (from 0, the first choice), architecture.

    Built networks are the `size` highest sums of scores in the product of each unit's `TOP` best modules. The best
    measured and the random ones are from the table, the random ones the same for all targets.
    """
    size = min(size, len(table))
    random = [table.architectures[i] for i in np.random.default_rng([seed, 3]).permutation(len(table))[:size]]
    rows = []
    for target in subject.targets:
        order = np.argsort(-Target(target).evaluate(table.labels), kind="stable")[:size]
        groups = {group: corpora[target, group].top(TOP).best(size) for group in (NORM, EFFECT, RIDGE)}
        groups |= {BEST: [table.architectures[i] for i in order], RANDOM: random, SMALLEST: [smallest(subject.space)]}
        for group, networks in groups.items():
            rows += [(target, group, place, network) for place, network in enumerate(networks)]
    return pd.DataFrame(rows, columns=["target", "group", "place", "architecture"])


def labels_of_built(subject: Subject, chosen: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the labels of the networks that AutoBuild built, with their target and group."""
    measured = medians(rounds)
    labels = pd.concat([measured[["architecture"]], subject.labels(measured)], axis=1)
    return chosen[chosen["group"].isin([NORM, EFFECT])].merge(labels, on="architecture")

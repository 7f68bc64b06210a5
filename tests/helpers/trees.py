"""A small benchmark whose units form trees, of operations and skips; networks that compute the same trained once."""

import numpy as np
import pandas as pd

import autobuild_lib as ab
from autobuild_book.chapters.trained.skips import trained_codes
from autobuild_book.chapters.trained.truth import Truth

TREES = ("0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123")
SPACE = ab.SequenceSpace(
    "trees",
    [ab.Unit(1, 1)] * 4,
    {"op": ["a", "b", "c", "skip"]},
    links={tree: [[int(digit) - 1] if digit != "0" else [] for digit in tree] for tree in TREES},
)
EVERY = SPACE.to_codes(list(SPACE))
WORTH = {"a": (3.0, 4.0), "b": (2.0, 1.5), "c": (0.5, 0.4)}  # accuracy and latency that an operation adds


def value(architecture: ab.Architecture) -> tuple[str, ...]:
    """What units hand to the output, sorted; skips add nothing to the text, and the bare input is no output."""
    values: list[str] = []
    for unit, links in zip(architecture.units(), architecture.links, strict=True):
        (operation,) = unit["layers"]
        source = values[links[0]] if links else "x"
        values.append(source if operation == "skip" else f"{operation}({source})")
    read = {unit for links in architecture.links for unit in links}
    return tuple(sorted(text for unit, text in enumerate(values) if unit not in read and text != "x"))


def worth(architecture: ab.Architecture) -> dict[str, float]:
    """Labels: sums over operations, and a deterministic part that depends on what the network computes."""
    terms, operations = value(architecture), [unit["layers"][0] for unit in architecture.units()]
    acc, latency = np.sum([WORTH[op] for op in operations if op in WORTH], axis=0)
    odd = np.random.default_rng(list(map(ord, "|".join(terms)))).random(3)
    return {"acc": 60 + acc + odd[0], "test_acc": 60 + acc + odd[1], "latency": 1 + latency + odd[2] - len(terms) / 8}


def trees_table() -> ab.data.Table:
    """One network for each thing that can be computed; of nothing but skips, none."""
    trained = SPACE.from_codes(np.unique(trained_codes(SPACE, EVERY), axis=0))
    return ab.data.from_records(SPACE, [(network, worth(network)) for network in trained if value(network)])


def trees_truth() -> Truth:
    """The truth of `trees_table`."""
    return Truth.of(trees_table())


def oracle(truth: Truth) -> pd.DataFrame:
    """Labels of `EVERY`, looked up by what networks compute and their number of skips; NaN where nothing is known."""
    key = {(value(a), str(a).count("skip")): place for place, a in enumerate(truth.table.architectures)}
    rows = [key.get((value(a), str(a).count("skip")), -1) for a in SPACE.from_codes(EVERY)]
    return truth.table.labels.reindex(rows).reset_index(drop=True)

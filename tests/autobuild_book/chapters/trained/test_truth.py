"""Labels of any network of a benchmark's space, against an oracle that asks what networks compute."""

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.trained.truth import Truth
from autobuild_lib.search import front
from tests.helpers.trees import EVERY, SPACE, oracle, trees_truth


@pytest.fixture(scope="module")
def truth() -> Truth:
    return trees_truth()


def test_every_network_has_the_labels_of_the_one_that_computes_the_same(truth: Truth) -> None:
    labels = truth.evaluate(SPACE.from_codes(EVERY))
    pd.testing.assert_frame_equal(labels, oracle(truth))
    assert labels["acc"].isna().sum() == 9  # nothing but skips, in nine structures
    assert len(np.unique(truth.rows(EVERY))) == len(truth.table) + 1


def test_distinct_rows_stand_once_in_order(truth: Truth) -> None:
    codes = truth.table.space.to_codes([truth.table.architectures[place] for place in (5, 3, 5, 4)])
    nothing = SPACE.to_codes([SPACE.parse("0123|skip|skip|skip|skip")])
    assert truth.distinct(np.concatenate([nothing, codes])).tolist() == [5, 3, 4]


def test_ranks_and_front_by_brute_force(truth: Truth) -> None:
    acc, latency = (truth.table.labels[name].to_numpy() for name in ("acc", "latency"))
    ranks = truth.ranks("acc")
    assert ranks.tolist() == [1 + int((acc > value).sum()) for value in acc]
    undominated = [
        row
        for row in range(len(acc))
        if not any((acc >= acc[row]) & (latency <= latency[row]) & ((acc > acc[row]) | (latency < latency[row])))
    ]
    assert sorted(truth.front) == undominated and np.all(np.diff(latency[truth.front]) >= 0)
    assert front(truth.points)[truth.front].all()


def test_without_links_only_trained_networks_have_rows() -> None:
    space = ab.SequenceSpace("row", [ab.Unit(1, 2)] * 3, {"op": ["a", "b"]})
    networks = list(space)[::7]
    truth = Truth.of(ab.data.from_records(space, [(each, {"acc": float(n)}) for n, each in enumerate(networks)]))
    rows = truth.rows(space.to_codes(list(space)))
    assert rows[::7].tolist() == list(range(len(networks))) and (np.delete(rows, np.s_[::7]) == -1).all()

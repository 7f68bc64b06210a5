"""The model zoo of the tutorial: counted costs by hand, distinct graphs, and the same graphs through files."""

import numpy as np
import pytest
import torch

from autobuild_book.chapters.your_space import zoo
from autobuild_book.tracing import fold_batch_norm, ir_from_module

IMAGE = torch.zeros(1, 3, 32, 32)


def test_costs_by_hand() -> None:
    costs = zoo.costs(zoo.networks(), IMAGE)
    stem, block, head = 9 * 3 * 16, 9 * 16 * 16, 16 * 10  # weights; the first two are used at each of 16 x 16 places
    pixels, norm = 16 * 16, 2 * 16
    assert costs.loc["plain, relu", "multiply_adds"] == (stem + block) * pixels + head
    assert costs.loc["plain, relu", "parameters"] == stem + block + 2 * norm + head + 10
    depthwise = (stem + 2 * 9 * 16) * pixels + head  # two blocks
    assert costs.loc["depthwise, relu", "multiply_adds"] == depthwise
    assert len(costs) == 12 and (costs > 0).all(axis=None)


def test_networks_are_distinct_and_survive_a_file() -> None:
    graphs = {name: ir_from_module(module, IMAGE) for name, module in zoo.networks().items()}
    assert len({tuple(graph.names) for graph in graphs.values()}) == 12
    for name, module in zoo.networks().items():
        read = zoo.through_a_file(module, IMAGE)
        folded = fold_batch_norm(graphs[name])
        assert read is not None and read.names == folded.names
        np.testing.assert_array_equal(read.shapes, folded.shapes)
        np.testing.assert_array_equal(read.attributes, folded.attributes)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "find_spec", lambda name: None)
    assert zoo.through_a_file(zoo.networks()["plain, relu"], IMAGE) is None

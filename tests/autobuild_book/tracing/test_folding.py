"""Folding batch normalisation: which pairs become one, by hand and by another way of counting."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from torch import nn, zeros

from autobuild_book.tracing import fold_batch_norm, ir_from_module
from autobuild_lib.graphs import IRGraph, IRNode, graph_of
from tests.helpers.random_dags import random_dag

IMAGE = (1, 4, 8, 8)
POINT = {"kernel": (1, 1), "groups": 1, "dilation": (1, 1)}


def chain(*operations: str, bias: bool = False) -> IRGraph:
    nodes = [IRNode("Input", output_shapes=[IMAGE])]
    for operation in operations:
        fields = {**POINT, "bias": bias} if operation == "Conv" else {}
        nodes.append(IRNode(operation, [len(nodes) - 1], [IMAGE], [IMAGE], **fields))  # type: ignore[arg-type]
    return graph_of(nodes)


@pytest.mark.parametrize(
    ("operations", "folded"),
    [
        (("Conv", "BatchNormalization", "Relu"), ("Conv", "Relu")),
        (("BatchNormalization", "Conv", "Relu"), ("BatchNormalization", "Conv", "Relu")),
        (("Conv", "Relu", "BatchNormalization"), ("Conv", "Relu", "BatchNormalization")),
        (("Conv", "BatchNormalization", "Conv", "BatchNormalization"), ("Conv", "Conv")),
        ((), ()),
    ],
)
def test_chains(operations: tuple[str, ...], folded: tuple[str, ...]) -> None:
    graph = fold_batch_norm(chain(*operations))
    biased = chain(*folded, bias="BatchNormalization" in operations and "BatchNormalization" not in folded)
    assert graph.names == biased.names
    for name in ("shapes", "attributes", "edges"):
        np.testing.assert_array_equal(getattr(graph, name), getattr(biased, name))


def test_what_something_else_reads_stays() -> None:
    shapes = {"input_shapes": [IMAGE], "output_shapes": [IMAGE]}
    nodes = [IRNode("Input", output_shapes=[IMAGE]), IRNode("Conv", [0], **shapes, **POINT)]  # type: ignore[arg-type]
    nodes += [IRNode("BatchNormalization", [1], **shapes), IRNode("Add", [1, 2], **shapes)]  # type: ignore[arg-type]
    graph = graph_of(nodes)
    assert fold_batch_norm(graph).names == graph.names and not fold_batch_norm(graph).attributes[:, -1].any()


def test_other_linear_operations() -> None:
    layers = [nn.Linear(4, 4, bias=False), nn.BatchNorm1d(4), nn.Unflatten(1, (4, 1, 1))]
    module = nn.Sequential(*layers, nn.ConvTranspose2d(4, 2, 2, bias=False), nn.BatchNorm2d(2))
    graph = fold_batch_norm(ir_from_module(module, zeros(2, 4)))
    assert graph.names == ["Input", "Gemm", "Reshape", "ConvTranspose", "Output"]
    assert graph.attributes[:, -1].tolist() == [0, 1, 0, 1, 0] and graph.edges.tolist() == [[0, 1, 2, 3], [1, 2, 3, 4]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_random_graphs(seed: int) -> None:
    graph = random_dag(np.random.default_rng(seed))
    before = [*map(np.copy, (graph.operations, graph.shapes, graph.attributes, graph.edges))]
    folded, (sources, targets) = fold_batch_norm(graph), graph.edges.tolist()
    pairs = 0
    for source, target in zip(sources, targets, strict=True):
        is_pair = (graph.names[source], graph.names[target]) == ("Conv", "BatchNormalization")
        pairs += is_pair and sources.count(source) == targets.count(target) == 1
    assert len(folded) == len(graph) - pairs and folded.edges.shape[1] == graph.edges.shape[1] - pairs
    after = (graph.operations, graph.shapes, graph.attributes, graph.edges)
    assert all(np.array_equal(array, copied) for array, copied in zip(after, before, strict=True))

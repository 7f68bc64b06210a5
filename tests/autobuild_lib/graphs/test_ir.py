"""The type of op-level graphs: its vocabulary, the features of a node, and what is refused."""

from typing import Any

import numpy as np
import pytest

from autobuild_lib.graphs import OPERATIONS, IRGraph, IRNode, graph_of

FROZEN = [
    "Input", "Output", "Conv", "BatchNormalization", "Relu", "Clip", "HardSwish", "HardSigmoid", "GlobalAveragePool",
    "ReduceMean", "Add", "Mul", "Div", "Sub", "Gemm", "MatMul", "Flatten", "Reshape", "Concat", "Sigmoid", "Softmax",
    "Tanh", "LeakyRelu", "Gelu", "Silu", "MaxPool", "AveragePool", "ConvTranspose", "LayerNormalization",
    "GroupNormalization", "Dropout", "Identity", "Transpose", "Squeeze", "Unsqueeze", "Pad", "Resize", "Slice",
    "Split", "Gather", "Expand", "GlobalMaxPool", "InstanceNormalization", "RMSNormalization", "PRelu", "Elu", "Mish",
    "Softplus", "LogSoftmax", "Erf", "Exp", "Log", "Sqrt", "Reciprocal", "Pow", "Neg", "Abs", "Max", "Min",
    "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "Attention", "Einsum", "DepthToSpace", "SpaceToDepth", "Sin",
    "Cos", "CumSum", "Where",
]  # fmt: skip


def test_the_vocabulary_only_grows_at_its_end() -> None:
    assert list(OPERATIONS[: len(FROZEN)]) == FROZEN
    assert len(set(OPERATIONS)) == len(OPERATIONS)


def test_a_graph_by_hand() -> None:
    image, middle = (1, 3, 64, 128), (1, 32, 32, 64)
    graph = graph_of([
        IRNode("Input", output_shapes=[image]),
        IRNode("Conv", [0], [image], [middle], kernel=(3, 5), groups=1, dilation=(1, 2), bias=True),
        IRNode("Conv", [1], [middle], [middle], kernel=(1, 1), groups=32, dilation=(1, 1)),
        IRNode("Add", [1, 2], [middle, middle], [middle]),
        IRNode("Gemm", [3], [(1, 32)], [(1, 1000)], bias=True),
    ])  # fmt: skip
    assert graph.names == ["Input", "Conv", "Conv", "Add", "Gemm"] and len(graph) == 5
    np.testing.assert_array_equal(graph.edges, [[0, 1, 1, 2, 3], [1, 2, 3, 3, 4]])
    i, m, none = [3 / 256, 0.5, 1.0], [0.125, 0.25, 0.5], [0.0, 0.0, 0.0]
    np.testing.assert_array_equal(
        graph.shapes,
        np.float32([
            [*none, *none, *i, *none],
            [*i, *none, *m, *none],
            [*m, *none, *m, *none],
            [*m, *m, *m, *none],
            [0.125, 0, 0, *none, 1000 / 256, 0, 0, *none],
        ]),
    )  # fmt: skip
    np.testing.assert_array_equal(
        graph.attributes,
        np.float32([
            [0, 0, 0, 0, 0, 0, 0, 0],
            [1, 5 / 3, 0, 1 / 32, 1, 2, 0, 1],
            [1 / 3, 1 / 3, 0, 1, 1, 1, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 1],
        ]),
    )  # fmt: skip
    assert graph.shapes.dtype == graph.attributes.dtype == np.float32
    assert graph.operations.dtype == graph.edges.dtype == np.int64


def test_what_exceeds_the_features_is_left_out() -> None:
    video = (1, 256, 128, 128, 999)
    node = IRNode("Concat", [0, 0, 0], [video] * 3, [video] * 3, kernel=(3, 6, 9, 12), dilation=(1, 2, 3, 4))
    assert node.shape_features() == [1.0] * 12
    assert node.attribute_features() == [1, 2, 3, 0, 1, 2, 3, 0]
    assert IRNode("ReduceSum", [0], [()], [()]).shape_features() == [0.0] * 12


def test_all_unknown_operations_are_named() -> None:
    with pytest.raises(ValueError, match=r"Loop, Roll .*: Input, Output, Conv"):
        graph_of([IRNode("Roll"), IRNode("Loop"), IRNode("Conv"), IRNode("Roll")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operations": np.array([0, 2, len(OPERATIONS)])}, "one place from 0 to"),
        ({"operations": np.array([0, -1, 2])}, "one place from 0 to"),
        ({"shapes": np.zeros((3, 11))}, r"shapes has shape \(3, 11\); 3 nodes need \(3, 12\)"),
        ({"attributes": np.zeros((2, 8))}, r"attributes has shape \(2, 8\); 3 nodes need \(3, 8\)"),
        ({"edges": np.zeros((3, 2), dtype=np.int64)}, r"edges has shape \(3, 2\)"),
        ({"edges": np.array([[1], [1]])}, "a node to a later"),
        ({"edges": np.array([[2], [1]])}, "a node to a later"),
        ({"edges": np.array([[0], [3]])}, "both from 0 to 2"),
        ({"edges": np.array([[-1], [1]])}, "both from 0 to 2"),
        ({"shapes": np.full((3, 12), np.nan)}, "finite"),
    ],
)
def test_malformed_graphs_are_refused(change: dict[str, Any], message: str) -> None:
    fields = {
        "operations": np.array([0, 2, 1]),
        "shapes": np.zeros((3, 12)),
        "attributes": np.zeros((3, 8)),
        "edges": np.array([[0, 1], [1, 2]]),
    }
    IRGraph(**fields)
    with pytest.raises(ValueError, match=message):
        IRGraph(**fields | change)


def test_an_empty_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        graph_of([])

"""The op-level IR: a network as a directed acyclic graph of operations in ONNX vocabulary (paper, Section 4.2).

The names are those of ONNX operators (`ai.onnx`, up to opset 24) but for the ends of a graph, `Input` and `Output`, and
`Silu`, which is ONNX's `Swish` with alpha = 1 (before opset 24 `Sigmoid` and `Mul`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt

# Append only: a graph stores the place of an operation in this list.
OPERATIONS = (
    "Input", "Output", "Conv", "BatchNormalization", "Relu", "Clip", "HardSwish", "HardSigmoid", "GlobalAveragePool",
    "ReduceMean", "Add", "Mul", "Div", "Sub", "Gemm", "MatMul", "Flatten", "Reshape", "Concat", "Sigmoid", "Softmax",
    "Tanh", "LeakyRelu", "Gelu", "Silu", "MaxPool", "AveragePool", "ConvTranspose", "LayerNormalization",
    "GroupNormalization", "Dropout", "Identity", "Transpose", "Squeeze", "Unsqueeze", "Pad", "Resize", "Slice",
    "Split", "Gather", "Expand", "GlobalMaxPool", "InstanceNormalization", "RMSNormalization", "PRelu", "Elu", "Mish",
    "Softplus", "LogSoftmax", "Erf", "Exp", "Log", "Sqrt", "Reciprocal", "Pow", "Neg", "Abs", "Max", "Min", "ReduceSum",
    "ReduceMax", "ReduceMin", "ReduceL2", "Attention", "Einsum", "DepthToSpace", "SpaceToDepth",
    "Sin", "Cos", "CumSum", "Where", "Selu", "Celu", "Shrink", "Sign", "Floor", "Ceil", "Round", "Mod", "Tan", "Asin",
    "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Greater", "GreaterOrEqual", "Less", "LessOrEqual",
    "Equal", "Not", "And", "Or", "Xor", "IsNaN", "IsInf", "ArgMax", "ArgMin", "TopK", "ReduceProd", "ReduceL1",
    "ReduceLogSumExp", "ScatterND", "ScatterElements", "Trilu", "OneHot", "GridSample", "Col2Im", "MaxUnpool", "Det",
    "LSTM", "GRU", "RNN",
)  # fmt: skip
PLACES = {name: place for place, name in enumerate(OPERATIONS)}
SHAPES = 12  # channels / 256, height / 128, width / 128 of two inputs, then of two outputs; 0 where there is none
ATTRIBUTES = 8  # kernel / 3 (three dimensions), groups / output channels, dilation (three dimensions), bias
SCALES = (256, 128, 128)  # of channels, height and width
TENSORS = 2  # inputs, and outputs, whose shapes are features
SIDES = 3  # most spatial dimensions of a kernel

Shape = Sequence[int]


@dataclass(frozen=True, eq=False)
class IRGraph:
    """One network as a graph of operations, nodes in topological order."""

    operations: npt.NDArray[np.int64]  # [nodes], place of each node's type in `OPERATIONS`
    shapes: npt.NDArray[np.float32]  # [nodes, SHAPES], scaled for the predictor's linear layers
    attributes: npt.NDArray[np.float32]  # [nodes, ATTRIBUTES], scaled too
    edges: npt.NDArray[np.int64]  # [2, edges], from the node that computes a tensor to one that reads it, per reading

    def __post_init__(self) -> None:
        nodes = len(self.operations)
        for name, rows, width in (("shapes", self.shapes, SHAPES), ("attributes", self.attributes, ATTRIBUTES)):
            if rows.shape != (nodes, width):
                raise ValueError(f"IR graph: {name} has shape {rows.shape}; {nodes} nodes need {(nodes, width)}")
            if not np.isfinite(rows).all():
                raise ValueError(f"IR graph: {name} must be finite numbers")
        if nodes == 0 or self.operations.min() < 0 or self.operations.max() >= len(OPERATIONS):
            raise ValueError(f"IR graph: operations must be at least one place from 0 to {len(OPERATIONS) - 1}")
        if self.edges.ndim != 2 or len(self.edges) != 2:
            raise ValueError(f"IR graph: edges has shape {self.edges.shape}; allowed is (2, edges)")
        source, target = self.edges
        if self.edges.size and not (source.min() >= 0 and (source < target).all() and target.max() < nodes):
            raise ValueError(f"IR graph: an edge must lead from a node to a later one, both from 0 to {nodes - 1}")

    def __len__(self) -> int:
        return len(self.operations)

    @property
    def names(self) -> list[str]:
        """The operation of each node."""
        return [OPERATIONS[place] for place in self.operations]


@dataclass(frozen=True, slots=True)
class IRNode:
    """One operation before its features are scaled.

    Shapes are those of tensors, batch first, whatever the other dimensions stand for; tensors after the second and
    dimensions after the fourth are left out. Parameters and constants are no inputs.
    """

    operation: str  # one of `OPERATIONS`
    inputs: Sequence[int] = ()  # places of the nodes that compute what it reads, once per reading
    input_shapes: Sequence[Shape] = ()
    output_shapes: Sequence[Shape] = ()
    kernel: Sequence[int] = ()  # per spatial dimension, of convolutions and pooling
    groups: int = 0  # of convolutions
    dilation: Sequence[int] = ()  # per spatial dimension, of convolutions
    bias: bool = False  # whether a convolution or `Gemm` adds one

    def shape_features(self) -> list[float]:
        """The node's row of `IRGraph.shapes`."""
        return [*_scaled(self.input_shapes), *_scaled(self.output_shapes)]

    def attribute_features(self) -> list[float]:
        """The node's row of `IRGraph.attributes`."""
        channels = self.output_shapes[0][1] if self.groups else 1
        kernel = [side / 3 for side in _filled(self.kernel, SIDES)]
        return [*kernel, self.groups / channels, *_filled(self.dilation, SIDES), float(self.bias)]


def graph_of(nodes: Sequence[IRNode]) -> IRGraph:
    """Assemble a graph from nodes in topological order; an operation outside the vocabulary is a `ValueError`."""
    check_operations(node.operation for node in nodes)
    edges = [(source, target) for target, node in enumerate(nodes) for source in node.inputs]
    return IRGraph(
        np.array([PLACES[node.operation] for node in nodes], dtype=np.int64),
        np.array([node.shape_features() for node in nodes], dtype=np.float32).reshape(-1, SHAPES),
        np.array([node.attribute_features() for node in nodes], dtype=np.float32).reshape(-1, ATTRIBUTES),
        np.array(edges, dtype=np.int64).reshape(-1, 2).T,
    )


def ir_from_networkx(graph: Any) -> IRGraph:
    """Return the IR graph of a `networkx.DiGraph`, whose edges lead to the node that reads, in the order of reading.

    A node has an attribute `operation`, and may have others by the names of `IRNode`'s fields; without `input_shapes`
    they are the first outputs of what it reads. Raises `ValueError` for a cycle or an unknown operation.
    """
    order = TopologicalSorter({name: [*graph.predecessors(name)] for name in graph}).static_order()
    places, nodes = {name: place for place, name in enumerate(order)}, list[IRNode]()
    for name in places:
        inputs = [places[source] for source, _ in graph.in_edges(name)]
        fields = {"operation": f"(none, of node {name!r:.60})", **graph.nodes[name], "inputs": inputs}
        fields.setdefault("input_shapes", [shape for place in inputs for shape in nodes[place].output_shapes[:1]])
        nodes.append(IRNode(**{key: value for key, value in fields.items() if key in IRNode.__slots__}))
    return graph_of(nodes)


def needed(nodes: Sequence[IRNode]) -> list[IRNode]:
    """Return the ends of a graph and what leads to an output, of nodes in topological order."""
    reached: set[int] = set()
    for place in reversed(range(len(nodes))):
        if place in reached or nodes[place].operation in ("Input", "Output"):
            reached.update([place, *nodes[place].inputs])
    number = {place: new for new, place in enumerate(sorted(reached))}
    return [replace(nodes[place], inputs=[number[source] for source in nodes[place].inputs]) for place in number]


def check_operations(names: Iterable[str]) -> None:
    """Raise `ValueError`, naming all of them, for operations outside the vocabulary."""
    if unknown := sorted(map(str, set(names) - set(PLACES))):
        raise ValueError(f"operations {', '.join(unknown)} are not in the vocabulary: {', '.join(OPERATIONS)}")


def _scaled(shapes: Sequence[Shape]) -> list[float]:
    sizes = [_filled(shape[1:], len(SCALES)) for shape in [*shapes[:TENSORS], *[()] * (TENSORS - len(shapes))]]
    return [size / scale for shape in sizes for size, scale in zip(shape, SCALES, strict=True)]


def _filled(sizes: Sequence[int], length: int) -> list[int]:
    return [*sizes[:length], *[0] * (length - len(sizes))]

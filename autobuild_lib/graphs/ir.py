"""The op-level IR: a network as a directed acyclic graph of operations in ONNX vocabulary (paper, Section 4.2)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Append only: a saved predictor stores the place of an operation in this list.
OPERATIONS = (
    "Input", "Output", "Conv", "BatchNormalization", "Relu", "Clip", "HardSwish", "HardSigmoid", "GlobalAveragePool",
    "ReduceMean", "Add", "Mul", "Div", "Sub", "Gemm", "MatMul", "Flatten", "Reshape", "Concat", "Sigmoid", "Softmax",
    "Tanh", "LeakyRelu", "Gelu", "Silu", "MaxPool", "AveragePool", "ConvTranspose", "LayerNormalization",
    "GroupNormalization", "Dropout", "Identity", "Transpose", "Squeeze", "Unsqueeze", "Pad", "Resize", "Slice",
)  # fmt: skip
SHAPES = 12  # channels / 256, height / 128, width / 128 of two inputs, then of two outputs; 0 where there is none
ATTRIBUTES = 8  # kernel / 3 (three dimensions), groups / output channels, dilation (three dimensions), bias


@dataclass(frozen=True, eq=False)
class IRGraph:
    """One network as a graph of operations, nodes in topological order.

    operations: [nodes], place of each node's type in `OPERATIONS`.
    shapes: [nodes, SHAPES], attributes: [nodes, ATTRIBUTES], scaled for the predictor's linear layers.
    edges: [2, edges], from the node that computes a tensor to the node that reads it.
    """

    operations: npt.NDArray[np.int64]
    shapes: npt.NDArray[np.float32]
    attributes: npt.NDArray[np.float32]
    edges: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.operations)

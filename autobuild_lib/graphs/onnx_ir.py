"""IR graphs of networks in ONNX files, whatever wrote them; nothing of a network is run, and its weights are not read.

Where exporters differ, a node gets the name that it has in a traced module, as far as a file lets that be seen:

- What depends on parameters, constants and shapes alone is no node; `Identity`, `Dropout` and casts are none either
  (exporters add `Identity` where two parameters happen to be equal, so that training would change the graph).
- The mean (maximum) over all sides of an image is `GlobalAveragePool` (`GlobalMaxPool`, also `MaxPool` of its size).
- `Reshape` that merges the last dimensions into one is `Flatten`.
- A tensor times its `Sigmoid` is `Silu`, times its `HardSigmoid` is `HardSwish`.
- `MatMul` by a constant matrix is `Gemm`, and a constant vector that is added to it is its bias.

Batch normalisation that an exporter has folded into a convolution is not restored: leave it out where it is compared
(`autobuild_book.tracing.fold_batch_norm` does). A bias is what the file says: exporters may drop or add one of zeros.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from autobuild_lib.extras import extra
from autobuild_lib.graphs.ir import PLACES, IRGraph, IRNode, Shape, graph_of, needed

with extra("onnx"):
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto, helper
    from onnx.numpy_helper import from_array, to_array
    from onnx.reference import ReferenceEvaluator
    from onnx.shape_inference import infer_shapes

MOST_BYTES, MOST_NODES = 2**31 - 1, 100_000  # of a file; weights may lie in others
MOST_CHARACTERS, SMALL = 2000, 1024  # of an error; elements of a constant that a shape may rest on
TRANSPARENT = {"Identity", "Dropout", "Cast", "CastLike"}  # stand for their first input
CONSTANT = {"Shape", "Size", "EyeLike", "RandomNormalLike", "RandomUniformLike"}  # do not depend on values
RENAMED = {"Swish": "Silu", "Tile": "Expand", "GatherElements": "Gather", "GatherND": "Gather", "Sum": "Add"}
GATED = {"Sigmoid": "Silu", "HardSigmoid": "HardSwish"}
# Shapes are computed with these, which are evaluated on a few numbers.
ARITHMETIC = {
    "Shape", "Size", "Constant", "ConstantOfShape", "Range", "Identity", "Cast", "Add", "Sub", "Mul", "Div", "Mod",
    "Neg", "Abs", "Min", "Max", "Floor", "Ceil", "Sqrt", "Equal", "Less", "Greater", "Not", "Where", "Concat", "Gather",
    "Slice", "Squeeze", "Unsqueeze", "Reshape", "Transpose", "Expand", "Flatten", "ReduceProd", "ReduceSum",
}  # fmt: skip


def ir_from_onnx(path: Path | str) -> IRGraph:
    """Read the IR graph of the network in an ONNX file, of any operator set; weights in further files are not opened.

    Shapes are those of ONNX's shape inference; the first dimension of an input is 1 where it is no number. Which nodes
    there are, whichever exporter wrote the file, says `help(autobuild_lib.graphs.onnx_ir)`. Raises `ValueError` for a
    file that is no valid model, has functions, shapes that depend on values, or operators that the IR does not have
    (all are listed), such as sub-graphs and those of other domains; `ModuleNotFoundError` without the package `onnx`.
    """
    with Path(path).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    try:
        model = ModelProto.FromString(content)
        if len(content) > MOST_BYTES or len(model.graph.node) > MOST_NODES or not model.graph.output or model.functions:
            limits = f"{MOST_BYTES:,} bytes and {MOST_NODES:,} nodes, with outputs, without functions"
            raise ValueError(f"allowed are networks of at most {limits} (onnx.inliner.inline_local_functions)")
        return graph_of(_Reader(model).read())
    except Exception as error:  # whatever onnx may raise about malformed content
        reason = " ".join(f"{type(error).__name__}: {error}".split()).removeprefix("ValueError: ")
        raise ValueError(f"{path} cannot be read as an ONNX network: {reason[:MOST_CHARACTERS]}") from None


class _Reader:
    """Turns the nodes of a graph, one after the other, into IR nodes."""

    def __init__(self, model: ModelProto) -> None:
        self.graph = model.graph
        self.opset = max(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx"))
        weights = {tensor.name: tensor for tensor in self.graph.initializer}
        self.types = {name: helper.make_tensor_type_proto(t.data_type, t.dims) for name, t in weights.items()}
        self.inputs = {value.name: _sized(value) for value in self.graph.input if value.name not in weights}
        self.types |= self.inputs
        self.values = {name: to_array(tensor) for name, tensor in weights.items() if _is_small(tensor)}
        self.gates: dict[tuple[str, ...], str] = {}  # for a tensor and its gate, what their product is

    def read(self) -> list[IRNode]:
        self._check_operators()
        self.nodes = [IRNode("Input", output_shapes=[self.shape(name)]) for name in self.inputs]
        self.places = {name: place for place, name in enumerate(self.inputs)}  # of the nodes; constants have none
        for node in self.graph.node:
            self._next(node, [name for name in node.output if name])
        ends = {value.name: self.shape(value.name) for value in self.graph.output}  # of all: they must be there
        outputs = [IRNode("Output", [self.places[name]], [ends[name]]) for name in ends if name in self.places]
        return needed([*self.nodes, *outputs])

    def shape(self, name: str) -> Shape:
        kind = self.types[name].tensor_type if name in self.types else TypeProto.Tensor()
        if not kind.HasField("shape") or not all(size.HasField("dim_value") for size in kind.shape.dim):
            raise ValueError(f"the shape of tensor {name} is not known, or depends on values")
        return tuple(size.dim_value for size in kind.shape.dim)

    def _check_operators(self) -> None:
        live, unsupported = set(self.inputs), set()
        for node in self.graph.node:
            reads, is_foreign = not live.isdisjoint(node.input), node.domain not in ("", "ai.onnx")
            has_graph = any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute)
            is_unknown = node.op_type not in PLACES.keys() | RENAMED.keys() | TRANSPARENT | CONSTANT
            if is_foreign or has_graph or (reads and is_unknown):
                unsupported.add(f"{node.domain}::{node.op_type}" if is_foreign else node.op_type)
            node.domain = ""
            if reads and node.op_type not in CONSTANT:
                live.update(node.output)
        if unsupported:
            raise ValueError(f"operators {', '.join(sorted(unsupported))} are not in the IR (ab.graphs.OPERATIONS)")

    def _next(self, node: NodeProto, outputs: Sequence[str]) -> None:
        names = {name for name in node.input if name}
        if wrong := names - self.types.keys() or self.types.keys() & {*outputs}:
            raise ValueError(f"tensor {min(wrong)}, of a node {node.op_type}, is computed later, twice, or never")
        if node.op_type == "Expand" and math.prod(self.shape(node.input[1])) > SMALL:  # onnx would make a list of it
            raise ValueError(f"tensor {outputs[0]} has more than {SMALL:,} dimensions")
        inputs = [ValueInfoProto(name=name, type=self.types[name]) for name in names]
        constants = [from_array(self.values[name], name) for name in names if name in self.values]
        alone = helper.make_graph([node], "node", inputs, [ValueInfoProto(name=name) for name in outputs], constants)
        model = helper.make_model(alone, opset_imports=[helper.make_opsetid("", self.opset)])
        model = infer_shapes(model, check_type=True, strict_mode=True)
        self.types |= {value.name: value.type for value in model.graph.output}
        if node.op_type == "GroupNormalization":  # onnx 1.23 infers nothing
            self.types[node.output[0]] = self.types[node.input[0]]
        read = [name for name in node.input if name in self.places]
        if node.op_type in TRANSPARENT and node.input[0] in self.places:
            self.places[node.output[0]] = self.places[node.input[0]]
        elif read and node.op_type not in CONSTANT | TRANSPARENT:
            self.nodes.append(self._translated(node, read, [self.shape(name) for name in outputs]))
            self.places |= dict.fromkeys(outputs, len(self.nodes) - 1)
        elif node.op_type in ARITHMETIC and all(_is_small(attribute.t) for attribute in node.attribute):
            self._evaluate(node, outputs, alone)

    def _evaluate(self, node: NodeProto, outputs: Sequence[str], alone: GraphProto) -> None:
        """Compute a constant, if what it rests on is known and it has few elements."""
        with suppress(KeyError, ValueError), np.errstate(all="ignore"):
            if node.op_type in CONSTANT:  # only the shape matters
                read = {node.input[0]: np.broadcast_to(np.float32(0), self.shape(node.input[0]))}
            else:
                read = {name: self.values[name] for name in node.input if name}
            if sum(math.prod(self.shape(name)) for name in outputs) <= SMALL:
                results = ReferenceEvaluator(alone, {"": self.opset}).run(None, read)
                self.values |= dict(zip(outputs, [*results], strict=True))

    def _translated(self, node: NodeProto, read: Sequence[str], outputs: Sequence[Shape]) -> IRNode:
        places, shapes = [self.places[name] for name in read], [self.shape(name) for name in read]
        before, constants = self.nodes[places[0]], [len(self.shape(n)) for n in node.input if n and n not in read]
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        fields: dict[str, Any] = {}
        operation = RENAMED.get(node.op_type, node.op_type)
        first, kernel, bias = shapes[0], attributes.get("kernel_shape"), any(node.input[2:])
        match node.op_type:
            case "Sigmoid" | "HardSigmoid":
                self.gates |= dict.fromkeys(permutations((read[0], node.output[0])), GATED[node.op_type])
            case "Mul" if gated := self.gates.get(tuple(node.input)):
                operation, places, shapes = gated, [min(places)], [first]
            case "Add" if (before.operation, before.bias, constants) == ("Gemm", False, [1]):  # a vector
                return replace(before, bias=True, output_shapes=outputs)
            case "Conv" | "ConvTranspose":
                kernel = kernel or self.shape(node.input[1])[2:]
                fields = {"kernel": kernel, "dilation": attributes.get("dilations", [1] * len(kernel)), "bias": bias}
                fields["groups"] = attributes.get("group", 1)
            case "MaxPool" if kernel == [*first[2:]] and set(outputs[0][2:]) == {1}:
                operation = "GlobalMaxPool"
            case "MaxPool" | "AveragePool":
                fields = {"kernel": kernel}
            case "ReduceMean" | "ReduceMax" if len(first) > 3:
                axes = attributes.get("axes", self.values.get("".join(node.input[1:]), ()))
                if {axis % len(first) for axis in axes} == {*range(2, len(first))}:
                    operation = "GlobalAveragePool" if node.op_type == "ReduceMean" else "GlobalMaxPool"
            case "Reshape" if len(outputs[0]) < len(first) and outputs[0][:-1] == first[: len(outputs[0]) - 1]:
                operation = "Flatten"
            case "MatMul" if constants == [2] and read == node.input[:1]:
                operation = "Gemm"
            case "Gemm":
                fields = {"bias": bias}
        return IRNode(operation, places, shapes, outputs, **fields)


def _is_small(tensor: TensorProto) -> bool:
    return tensor.data_location != TensorProto.EXTERNAL and math.prod(tensor.dims) <= SMALL


def _sized(value: ValueInfoProto) -> TypeProto:
    """Return the type of an input whose batch may have no size yet; its other dimensions must have theirs."""
    sizes = value.type.tensor_type.shape.dim
    if not value.type.tensor_type.HasField("shape") or any(size.dim_value < 1 for size in sizes[1:]):
        text = ", ".join(size.dim_param or str(size.dim_value) for size in sizes)
        raise ValueError(f"input {value.name} has shape ({text}); allowed are numbers from 1, but for the first")
    for size in sizes[:1]:
        size.dim_value = max(size.dim_value, 1)
    return value.type

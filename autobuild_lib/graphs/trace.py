"""The IR graph of any PyTorch module that `torch.export` can trace.

PyTorch reports a module's operations as calls of its ATen library, with the shape of every result, whether they were
written as modules, functions, methods or operators. Each becomes the ONNX operation of that meaning:

- A mean over both spatial dimensions of [N, C, H, W], and adaptive pooling to 1 x 1, are `GlobalAveragePool`; any other
  mean is `ReduceMean`. `ReLU6`, `Hardtanh` and `clamp` are `Clip`; `x.flatten` is `Flatten`, `x.view` is `Reshape`.
- The module is traced for inference: identities, dropout and copies are not nodes; their readers read what they read.
- What depends on parameters and constants alone is no node, and parameters are no inputs (they show in the attributes
  of an operation, or not at all).
- Each tensor given to the module is an `Input` node, each tensor it returns feeds an `Output` node.
- An operation in place stands for its tensor from then on; writing into a part of a tensor is not supported.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves

from autobuild_lib.graphs.ir import IRGraph, IRNode, Shape, graph_of

Attributes = dict[str, Any]  # fields of `IRNode`
Arguments = Mapping[str, Any]  # of an ATen operation, by name


def ir_from_module(module: nn.Module, example_input: Tensor | Sequence[Tensor]) -> IRGraph:
    """Trace any module that `torch.export` can trace to its IR graph.

    Args:
        module: in any mode; it is traced as in evaluation, and left as it was. May be on the `meta` device.
        example_input: what it is called with, [N, ...] each; only the shapes matter.

    Raises:
        ValueError: PyTorch cannot trace the module, or it uses operations without a counterpart; all are listed.
    """
    inputs = (example_input,) if isinstance(example_input, Tensor) else tuple(example_input)
    with _evaluation(module):
        try:
            program = torch.export.export(module, inputs)
        except Exception as error:  # whatever the module's own code raises
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"cannot trace {type(module).__name__}: {type(error).__name__}: {reason}") from error
    return graph_of(_Reader(set(program.graph_signature.user_inputs)).read(program.graph))


@contextmanager
def _evaluation(module: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


class _Reader:
    """Turns the calls of a traced graph, one after the other, into IR nodes."""

    def __init__(self, inputs: set[object]) -> None:
        self.inputs = inputs  # names of what the module is called with
        self.nodes: list[IRNode] = []
        self.places: dict[fx.Node, int] = {}  # of the node that computes a value; constants have none
        self.unsupported: set[str] = set()

    def read(self, graph: fx.Graph) -> list[IRNode]:
        for node in graph.nodes:
            if node.op == "placeholder" and node.name in self.inputs:
                self._add(node, IRNode("Input", output_shapes=_shapes(node)))
            elif node.op == "call_function":
                self._call(node)
            elif node.op == "output":
                self._outputs(node)
        if self.unsupported:
            names = ", ".join(sorted(self.unsupported))
            raise ValueError(f"operations {names} have no counterpart in the IR; write the module without them")
        return self.nodes

    def _add(self, node: fx.Node, made: IRNode) -> None:
        self.places[node] = len(self.nodes)
        self.nodes.append(made)

    def _call(self, node: fx.Node) -> None:
        read = [source for source in tree_leaves((node.args, node.kwargs)) if source in self.places]
        shapes = _shapes(node)
        name = _name(node)
        if not read or not shapes or name in SHAPE_ONLY:
            return  # a constant, or a number about shapes
        if name in TRANSPARENT:
            self.places[node] = self.places[read[0]]
        elif (rule := RULES.get(name.removesuffix("_"))) is None:
            self.unsupported.add(name)
            self.places[node] = 0  # its readers are checked too
        else:
            inputs = [shape for source in read for shape in _shapes(source)[:1]]
            operation, attributes = rule(_arguments(node), inputs, shapes)
            self._add(node, IRNode(operation, [self.places[s] for s in read], inputs, shapes, **attributes))
        if name.endswith("_") and isinstance(changed := node.args[0], fx.Node):
            self.places[changed] = self.places[node]

    def _outputs(self, node: fx.Node) -> None:
        for source in tree_leaves(node.args):
            if source in self.places:
                self.nodes.append(IRNode("Output", [self.places[source]], _shapes(source)))


def _name(node: fx.Node) -> str:
    """The name of an ATen operation without its overload, or of whatever else is called."""
    packet = getattr(node.target, "overloadpacket", node.target)
    return str(getattr(packet, "__name__", packet))


def _shapes(node: fx.Node) -> list[Shape]:
    """Shapes of the tensors that a node computes."""
    return [tuple(value.shape) for value in tree_leaves(node.meta.get("val")) if isinstance(value, Tensor)]


def _arguments(node: fx.Node) -> Arguments:
    """Arguments of an ATen operation by name, defaults included; tensors are `fx.Node`."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return dict(node.kwargs)
    schema = node.target._schema.arguments
    given = dict(zip([argument.name for argument in schema], node.args, strict=False))
    return {argument.name: argument.default_value for argument in schema} | given | dict(node.kwargs)


# -------------------------------------------------------------------- operations and their attributes

Rule = Callable[[Arguments, list[Shape], list[Shape]], tuple[str, Attributes]]


def _plain(operation: str) -> Rule:
    return lambda arguments, inputs, outputs: (operation, {})


def _convolution(operation: str) -> Rule:
    def rule(arguments: Arguments, inputs: list[Shape], outputs: list[Shape]) -> tuple[str, Attributes]:
        kernel = _shapes(arguments["weight"])[0][2:]
        dilation = _sides(arguments["dilation"], len(kernel))
        bias = arguments["bias"] is not None
        return operation, {"kernel": kernel, "dilation": dilation, "groups": arguments["groups"], "bias": bias}

    return rule


def _pooling(operation: str) -> Rule:
    def rule(arguments: Arguments, inputs: list[Shape], outputs: list[Shape]) -> tuple[str, Attributes]:
        return operation, {"kernel": _sides(arguments["kernel_size"], _spatial(inputs))}

    return rule


def _adaptive_pooling(kind: str) -> Rule:
    """Global when the result has one element per channel; else the kernel that covers the input evenly."""

    def rule(arguments: Arguments, inputs: list[Shape], outputs: list[Shape]) -> tuple[str, Attributes]:
        dimensions = len(_sides(arguments["output_size"], 1))
        before, after = inputs[0][-dimensions:], outputs[0][-dimensions:]
        if all(side == 1 for side in after):
            return f"Global{kind}Pool", {}
        return f"{kind}Pool", {"kernel": [-(-i // o) for i, o in zip(before, after, strict=True)]}

    return rule


def _mean(arguments: Arguments, inputs: list[Shape], outputs: list[Shape]) -> tuple[str, Attributes]:
    dimensions = len(inputs[0])
    over = {axis % dimensions for axis in _sides(arguments.get("dim") or [], 1)}
    return ("GlobalAveragePool" if dimensions == 4 and over == {2, 3} else "ReduceMean"), {}


def _linear(arguments: Arguments, inputs: list[Shape], outputs: list[Shape]) -> tuple[str, Attributes]:
    return "Gemm", {"bias": arguments["bias"] is not None}


def _spatial(shapes: list[Shape]) -> int:
    return len(shapes[0]) - 2


def _sides(sizes: Any, dimensions: int) -> list[int]:
    """One size for every dimension, or a size each."""
    listed = list(sizes) if isinstance(sizes, Sequence) else [sizes]
    return listed * dimensions if len(listed) == 1 else listed


TRANSPARENT = {
    "dropout", "dropout_", "feature_dropout", "alpha_dropout", "getitem", "clone", "contiguous", "detach", "detach_",
    "alias", "to", "_to_copy", "type_as", "lift_fresh_copy", "resolve_conj", "resolve_neg",
}  # fmt: skip

SHAPE_ONLY = {"zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty"}

# ATen operations (in-place forms included) of one ONNX operation without attributes.
PLAIN = {
    "Add": ["add"], "Sub": ["sub", "rsub", "subtract"], "Mul": ["mul", "multiply"],
    "Div": ["div", "divide", "true_divide"], "MatMul": ["matmul", "mm", "bmm"], "Gemm": ["addmm"],
    "Einsum": ["einsum"], "Pow": ["pow", "square"], "Neg": ["neg"], "Abs": ["abs"], "Sqrt": ["sqrt"],
    "Reciprocal": ["reciprocal"], "Exp": ["exp"], "Log": ["log"], "Erf": ["erf"],
    "Sin": ["sin"], "Cos": ["cos"], "CumSum": ["cumsum"], "Where": ["where", "masked_fill"],
    "Max": ["maximum"], "Min": ["minimum"], "Relu": ["relu"],
    "Clip": ["relu6", "hardtanh", "clamp", "clip", "clamp_min"],
    "HardSwish": ["hardswish"], "HardSigmoid": ["hardsigmoid"], "Sigmoid": ["sigmoid"], "Tanh": ["tanh"],
    "LeakyRelu": ["leaky_relu"], "PRelu": ["prelu"], "Elu": ["elu"], "Gelu": ["gelu"], "Silu": ["silu"],
    "Mish": ["mish"], "Softplus": ["softplus"], "Softmax": ["softmax"], "LogSoftmax": ["log_softmax"],
    "BatchNormalization": ["batch_norm"], "InstanceNormalization": ["instance_norm"],
    "LayerNormalization": ["layer_norm"], "GroupNormalization": ["group_norm"], "RMSNormalization": ["rms_norm"],
    "Attention": ["scaled_dot_product_attention"], "Gather": ["embedding", "index_select", "gather", "index", "select"],
    "Flatten": ["flatten"], "Reshape": ["view", "reshape", "_unsafe_view", "unflatten"],
    "Transpose": ["permute", "transpose", "swapaxes", "t", "numpy_T", "movedim"], "Squeeze": ["squeeze"],
    "Unsqueeze": ["unsqueeze"], "Expand": ["expand", "expand_as", "repeat"], "Concat": ["cat", "concat", "stack"],
    "Split": ["split", "split_with_sizes", "chunk", "unbind"], "Slice": ["slice", "narrow"],
    "Pad": ["pad", "constant_pad_nd"], "DepthToSpace": ["pixel_shuffle"], "SpaceToDepth": ["pixel_unshuffle"],
    "Resize": ["upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "upsample_linear1d",
               "upsample_bilinear2d", "upsample_trilinear3d", "upsample_bicubic2d"],
    "ReduceSum": ["sum"], "ReduceMax": ["amax"], "ReduceMin": ["amin"],
    "ReduceL2": ["linalg_vector_norm"],
}  # fmt: skip

RULES: dict[str, Rule] = {
    **{name: _plain(operation) for operation, names in PLAIN.items() for name in names},
    **{f"conv{n}d": _convolution("Conv") for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _convolution("ConvTranspose") for n in (1, 2, 3)},
    **{f"max_pool{n}d": _pooling("MaxPool") for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _pooling("AveragePool") for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": _adaptive_pooling("Average") for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive_pooling("Max") for n in (1, 2, 3)},
    "mean": _mean,
    "linear": _linear,
}

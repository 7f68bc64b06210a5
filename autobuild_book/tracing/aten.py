"""Operations of PyTorch's ATen library as operations of the IR, with their attributes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils._pytree import tree_leaves

from autobuild_lib.graphs.ir import Shape

Attributes = dict[str, Any]  # fields of `IRNode`
Arguments = Mapping[str, Any]  # of an ATen operation, by name
REACH = "help(ir_from_module) says what is out of reach"
Rule = Callable[[Arguments, list[Shape], list[Shape]], tuple[str, Attributes] | None]


def name_of(node: fx.Node) -> str:
    """Return the name of an ATen operation without its overload; of another library's, `library::name`."""
    packet = getattr(node.target, "overloadpacket", node.target)
    library = getattr(node.target, "namespace", "aten")
    name = str(getattr(packet, "__name__", packet))
    return name if library in ("aten", "higher_order") else f"{library}::{name}"


def tensors_of(node: fx.Node) -> list[Tensor]:
    """Return what stands for the tensors that a node computes: they have shapes, and no values."""
    return [value for value in tree_leaves(node.meta.get("val")) if isinstance(value, Tensor)]


def shapes_of(node: fx.Node) -> list[Shape]:
    """Return the shapes of the tensors that a node computes; one that depends on values is a `ValueError`."""
    shapes: list[Shape] = [tuple(value.shape) for value in tensors_of(node)]
    if not all(isinstance(size, int) for shape in shapes for size in shape):
        raise ValueError(f"the shape of what {name_of(node)} returns depends on values; {REACH}")
    return shapes


def arguments_of(node: fx.Node) -> Arguments:
    """Return the arguments of an ATen operation by name, defaults included; tensors are `fx.Node`."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return dict(node.kwargs)
    schema = node.target._schema.arguments
    passed = dict(zip([argument.name for argument in schema], node.args, strict=False))
    return {argument.name: argument.default_value for argument in schema} | passed | dict(node.kwargs)


# -------------------------------------------------------------------- operations with attributes


def _plain(operation: str) -> Rule:
    return lambda arguments, inputs, outputs: (operation, {})


def _convolution(operation: str) -> Rule:
    def rule(arguments: Arguments, inputs: list[Shape], outputs: list[Shape]) -> tuple[str, Attributes]:
        kernel = shapes_of(arguments["weight"])[0][2:]
        dilation = _sides(arguments["dilation"], len(kernel))
        bias = arguments["bias"] is not None
        return operation, {"kernel": kernel, "dilation": dilation, "groups": arguments["groups"], "bias": bias}

    return rule


def _pooling(operation: str) -> Rule:
    def rule(arguments: Arguments, inputs: list[Shape], outputs: list[Shape]) -> tuple[str, Attributes]:
        return operation, {"kernel": _sides(arguments["kernel_size"], len(inputs[0]) - 2)}

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
    """Over both spatial dimensions of [N, C, H, W] it is pooling."""
    dimensions = len(inputs[0])
    over = {axis % dimensions for axis in _sides(arguments.get("dim") or [], 1)}
    return ("GlobalAveragePool" if dimensions == 4 and over == {2, 3} else "ReduceMean"), {}


def _extremum(operation: str) -> Rule:
    """Of two tensors, or of one over dimensions; with the place of it, an operation for each (see `exact.py`)."""

    def rule(arguments: Arguments, inputs: list[Shape], outputs: list[Shape]) -> tuple[str, Attributes] | None:
        if "other" in arguments:
            return operation, {}
        return None if "dim" in arguments else (f"Reduce{operation}", {})

    return rule


def _sides(sizes: Any, dimensions: int) -> list[int]:
    """One size for every dimension, or a size each."""
    listed = list(sizes) if isinstance(sizes, Sequence) else [sizes]
    return listed * dimensions if len(listed) == 1 else listed


# -------------------------------------------------------------------- tables of operations

TRANSPARENT = {
    "dropout", "dropout_", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "getitem", "clone",
    "contiguous", "detach", "detach_", "alias", "to", "_to_copy", "type_as", "lift_fresh_copy", "resolve_conj",
    "resolve_neg",
}  # fmt: skip

# What does not depend on the values of what it reads.
CONSTANT = {
    "zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "randint_like", "new_zeros",
    "new_ones", "new_full", "new_empty",
}  # fmt: skip

# For operations of the IR without attributes, those of ATen (in-place forms included) that they are.
PLAIN = {
    "Add": "add", "Sub": "sub rsub subtract", "Mul": "mul multiply", "Div": "div divide true_divide",
    "MatMul": "matmul mm bmm mv dot", "Gemm": "addmm", "Einsum": "einsum", "Pow": "pow square", "Neg": "neg",
    "Abs": "abs", "Sqrt": "sqrt", "Reciprocal": "reciprocal", "Exp": "exp", "Log": "log", "Erf": "erf", "Sign": "sign",
    "Floor": "floor", "Ceil": "ceil", "Round": "round", "Mod": "remainder fmod", "Sin": "sin", "Cos": "cos",
    "Tan": "tan", "Asin": "asin", "Acos": "acos", "Atan": "atan", "Sinh": "sinh", "Cosh": "cosh", "Asinh": "asinh",
    "Acosh": "acosh", "Atanh": "atanh", "Greater": "gt", "GreaterOrEqual": "ge", "Less": "lt", "LessOrEqual": "le",
    "Equal": "eq", "Not": "logical_not bitwise_not", "And": "logical_and bitwise_and __and__",
    "Or": "logical_or bitwise_or __or__", "Xor": "logical_xor bitwise_xor __xor__", "IsNaN": "isnan", "IsInf": "isinf",
    "CumSum": "cumsum", "Where": "where masked_fill", "Max": "maximum", "Min": "minimum", "Relu": "relu",
    "Clip": "relu6 hardtanh clamp clip clamp_min clamp_max", "HardSwish": "hardswish", "HardSigmoid": "hardsigmoid",
    "Sigmoid": "sigmoid", "Tanh": "tanh", "LeakyRelu": "leaky_relu rrelu", "PRelu": "prelu", "Elu": "elu",
    "Selu": "selu", "Celu": "celu", "Gelu": "gelu", "Silu": "silu", "Mish": "mish", "Softplus": "softplus",
    "Softmax": "softmax", "LogSoftmax": "log_softmax", "Shrink": "hardshrink softshrink",
    "BatchNormalization": "batch_norm", "InstanceNormalization": "instance_norm", "LayerNormalization": "layer_norm",
    "GroupNormalization": "group_norm", "RMSNormalization": "rms_norm", "Attention": "scaled_dot_product_attention",
    "LSTM": "lstm", "GRU": "gru", "RNN": "rnn_tanh rnn_relu",
    "Gather": "embedding index_select gather index select take_along_dim diagonal unfold",
    "ScatterElements": "scatter scatter_add scatter_reduce index_add index_copy",
    "ScatterND": "index_put slice_scatter select_scatter", "TopK": "topk sort argsort", "ArgMax": "argmax",
    "ArgMin": "argmin", "OneHot": "one_hot", "Trilu": "tril triu", "Det": "det linalg_det", "Flatten": "flatten",
    "Reshape": "view reshape _unsafe_view unflatten view_as reshape_as ravel",
    "Transpose": "permute transpose swapaxes swapdims t numpy_T mT movedim moveaxis", "Squeeze": "squeeze",
    "Unsqueeze": "unsqueeze", "Expand": "expand expand_as repeat tile",
    "Concat": "cat concat concatenate stack hstack vstack",
    "Split": "split split_with_sizes chunk unbind tensor_split", "Slice": "slice narrow flip",
    "Pad": "pad constant_pad_nd", "DepthToSpace": "pixel_shuffle", "SpaceToDepth": "pixel_unshuffle",
    "Col2Im": "col2im", "GridSample": "grid_sampler", "MaxUnpool": "max_unpool2d max_unpool3d",
    "Resize": "upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d "
        "_upsample_nearest_exact2d _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d "
        "upsample_trilinear3d upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa",
    "ReduceSum": "sum", "ReduceMax": "amax any", "ReduceMin": "amin all", "ReduceProd": "prod",
    "ReduceLogSumExp": "logsumexp",
}  # fmt: skip
NORMS: dict[float, tuple[str, Attributes]] = {1: ("ReduceL1", {}), 2: ("ReduceL2", {})}  # others: see `exact.py`

RULES: dict[str, Rule] = {
    **{name: _plain(operation) for operation, names in PLAIN.items() for name in names.split()},
    **{f"conv{n}d": _convolution("Conv") for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _convolution("ConvTranspose") for n in (1, 2, 3)},
    **{f"max_pool{n}d": _pooling("MaxPool") for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": _pooling("MaxPool") for n in (2, 3)},
    **{f"avg_pool{n}d": _pooling("AveragePool") for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": _adaptive_pooling("Average") for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive_pooling("Max") for n in (1, 2, 3)},
    "max": _extremum("Max"),
    "min": _extremum("Min"),
    "mean": _mean,
    "linear": lambda arguments, inputs, outputs: ("Gemm", {"bias": arguments["bias"] is not None}),
    "linalg_vector_norm": lambda arguments, inputs, outputs: NORMS.get(arguments["ord"]),
}

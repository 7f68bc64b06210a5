"""A campaign over what users' networks hold: the operations that each layer or function becomes, and refusals."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils import checkpoint

from autobuild_book.tracing import ir_from_module
from autobuild_book.tracing.aten import RULES
from autobuild_book.tracing.exact import EXACT

IMAGE, WORDS, LINE, VOLUME = (1, 8, 8, 8), (2, 10, 16), (1, 8, 16), (1, 4, 6, 6, 6)
PADDING = ("constant", "reflect", "replicate", "circular")
RESIZING = ("nearest", "nearest-exact", "bilinear", "bicubic")
Zoo = dict[str, tuple[Callable[..., object], list[tuple[int, ...]], str]]  # what, shapes of inputs, operations


class Call(nn.Module):
    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> object:
        return self.function(*tensors)


def operations(function: Callable[..., object], shapes: list[tuple[int, ...]]) -> str:
    """What stands between the inputs and the outputs."""
    module = function if isinstance(function, nn.Module) else Call(function)
    names = ir_from_module(module, [torch.zeros(shape) for shape in shapes]).names
    return " ".join(name for name in names if name not in ("Input", "Output"))


def images(zoo: dict[str, tuple[Callable[..., object], str]]) -> Zoo:
    return {name: (function, [IMAGE], wanted) for name, (function, wanted) in zoo.items()}


ACTIVATIONS = images({
    "ELU": (nn.ELU(), "Elu"),
    "Hardshrink": (nn.Hardshrink(), "Shrink"), "Hardsigmoid": (nn.Hardsigmoid(), "HardSigmoid"),
    "Hardtanh": (nn.Hardtanh(), "Clip"), "Hardswish": (nn.Hardswish(), "HardSwish"), "GELU": (nn.GELU(), "Gelu"),
    "LeakyReLU": (nn.LeakyReLU(), "LeakyRelu"), "LogSigmoid": (nn.LogSigmoid(), "Sigmoid Log"),
    "PReLU": (nn.PReLU(), "PRelu"), "RReLU": (nn.RReLU(), "LeakyRelu"), "SELU": (nn.SELU(), "Selu"),
    "CELU": (nn.CELU(), "Celu"), "SiLU": (nn.SiLU(inplace=True), "Silu"), "Mish": (nn.Mish(), "Mish"),
    "Softplus": (nn.Softplus(), "Softplus"), "Softshrink": (nn.Softshrink(), "Shrink"),
    "Softsign": (nn.Softsign(), "Abs Add Div"), "Tanhshrink": (nn.Tanhshrink(), "Tanh Sub"),
    "Threshold": (nn.Threshold(0.1, 2), "Greater Where"), "GLU": (nn.GLU(1), "Split Sigmoid Mul"),
    "Softmin": (nn.Softmin(1), "Neg Softmax"), "LogSoftmax": (nn.LogSoftmax(1), "LogSoftmax"),
    "in place": (lambda y: functional.selu_(y * 2) + nn.Threshold(0, 1, inplace=True)(y * 3),
                 "Mul Selu Mul Greater Where Add"),
})  # fmt: skip

LAYERS: Zoo = images({
    "BatchNorm": (nn.BatchNorm2d(8), "BatchNormalization"), "GroupNorm": (nn.GroupNorm(2, 8), "GroupNormalization"),
    "LayerNorm": (nn.LayerNorm(8), "LayerNormalization"), "RMSNorm": (nn.RMSNorm(8), "RMSNormalization"),
    "InstanceNorm": (nn.InstanceNorm2d(8), "InstanceNormalization"),
    "normalize": (lambda y: functional.normalize(y, dim=1), "ReduceL2 Clip Expand Div"),
    "weight norm": (nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 8, 1)), "Conv"),
    "PixelShuffle": (nn.PixelShuffle(2), "DepthToSpace"), "PixelUnshuffle": (nn.PixelUnshuffle(2), "SpaceToDepth"),
    "ChannelShuffle": (nn.ChannelShuffle(2), "Reshape Transpose Reshape"),
    "adaptive": (nn.AdaptiveAvgPool2d(2), "AveragePool"), "adaptive max": (nn.AdaptiveMaxPool2d(1), "GlobalMaxPool"),
    "unpooling": (lambda y: functional.max_unpool2d(*functional.max_pool2d(y, 2, return_indices=True), [2, 2]),
                  "MaxPool MaxUnpool"),
    "grouped": (nn.Conv2d(8, 8, 3, groups=4, dilation=2), "Conv"),
    "transposed": (nn.ConvTranspose2d(8, 4, 2, 2), "ConvTranspose"),
    "circular": (nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular"), "Pad Conv"),
    "dropout": (nn.Sequential(nn.Dropout(), nn.Dropout2d(), nn.AlphaDropout(), nn.FeatureAlphaDropout()), ""),
    "unfold": (nn.Unfold(2), "Pad Gather Transpose Reshape"),
}) | {
    "conv1d": (nn.Conv1d(8, 4, 3), [LINE], "Conv"), "conv3d": (nn.Conv3d(4, 4, 3), [VOLUME], "Conv"),
    "linear": (nn.Linear(16, 4), [WORDS], "Gemm"), "fold": (nn.Fold(4, 2), [(1, 8, 9)], "Col2Im"),
    "bilinear": (nn.Bilinear(4, 4, 3), [(2, 4), (2, 4)], "Einsum Add"),
    "attention": (functional.scaled_dot_product_attention, [WORDS] * 3, "Attention"),
    "LSTM": (nn.LSTM(16, 8, 2), [WORDS], "LSTM"),
    "GRU": (nn.GRU(16, 8), [WORDS], "GRU"), "RNN": (nn.RNN(16, 8), [WORDS], "RNN"),
    "GRU cell": (nn.GRUCell(16, 8), [(2, 16)], "Gemm Split Add Sigmoid Add Sigmoid Mul Add Tanh Sub Mul Add"),
}  # fmt: skip

FUNCTIONS: Zoo = images({
    "roll": (lambda y: y.roll((-2, 0, 1), (2, 1, 3)), "Slice Slice Concat Slice Slice Concat"),
    "flip": (lambda y: y.flip(3), "Slice"), "tile": (lambda y: y.tile(1, 2, 1, 1), "Expand"),
    "repeat": (lambda y: y.repeat_interleave(2, 1), "Unsqueeze Expand Reshape"),
    "rsqrt": (torch.rsqrt, "Sqrt Reciprocal"),
    "maximum": (lambda y: y.max(1, keepdim=True)[0], "ReduceMax"), "its place": (lambda y: y.max(1)[1], "ArgMax"),
    "both": (lambda y: y.min(1), "ReduceMin ArgMin"), "of all": (torch.max, "ReduceMax"),
    "of two": (lambda y: torch.max(y, y * 2), "Mul Max"), "norm": (lambda y: y.norm(1, dim=1), "ReduceL1"),
    "cubic norm": (lambda y: y.norm(3, dim=1), "Abs Pow ReduceSum Pow"),
    "largest norm": (lambda y: y.norm(float("inf"), dim=1), "Abs ReduceMax"),
    "var": (lambda y: y.var((2, 3)), "GlobalAveragePool Sub Pow ReduceSum Div"),
    "std": (lambda y: y.std(), "ReduceMean Sub Pow ReduceSum Div Sqrt"),
    "var and mean": (lambda y: torch.var_mean(y, 1)[0], "ReduceMean Sub Pow ReduceSum Div"),
    "mask": (lambda y: y.masked_fill(y > 0, 1.0), "Greater Where"),
    "where": (lambda y: torch.where(y == 0, y, 2), "Equal Where"),
    "booleans": (lambda y: ((y > 0) & ~(y >= 1) | (y != 2)).float(), "Greater GreaterOrEqual Not And Equal Not Or"),
    "topk": (lambda y: y.topk(2, 1)[0], "TopK"), "argmax": (lambda y: y.argmax(1), "ArgMax"),
    "one-hot": (lambda y: functional.one_hot(y.argmax(1), 8), "ArgMax OneHot"),
    "scatter": (lambda y: torch.zeros_like(y).scatter(1, y.argmax(1, True), 1.0), "ArgMax ScatterElements"),
    "gather": (lambda y: y.gather(1, torch.zeros(1, 8, 8, 8, dtype=torch.long)), "Gather"),
    "pick": (lambda y: y[:, [0, 2]], "Gather"),
    "split": (lambda y: torch.cat([*y.split(4, 1), *y.chunk(2, 1), *torch.tensor_split(y, 2, 1)]),
              "Split Split Split Concat"),
    "unbind": (lambda y: torch.stack(y.unbind(1)), "Split Concat"), "cumsum": (lambda y: y.cumsum(1), "CumSum"),
    "triangle": (lambda y: y.tril(), "Trilu"), "noise": (lambda y: y + torch.randn_like(y), "Add"),
    "padding": (lambda y: [functional.pad(y, (1, 1, 1, 1), mode) for mode in PADDING],
                "Pad Pad Pad Pad"),
    "resizing": (lambda y: [functional.interpolate(y, (5, 5), mode=mode) for mode in RESIZING],
                 "Resize Resize Resize Resize"),
    "smooth resizing": (lambda y: functional.interpolate(y, (5, 5), mode="bilinear", antialias=True), "Resize"),
    "area": (lambda y: functional.interpolate(y, (4, 4), mode="area"), "AveragePool"),
    "grid": (lambda y: functional.grid_sample(y, torch.zeros(1, 4, 4, 2), align_corners=False), "GridSample"),
}) | {
    "einsum": (lambda a, b: torch.einsum("nij,nkj->nik", a, b), [WORDS, WORDS], "Einsum"),
    "products": (lambda a, b: a.bmm(b.mT) @ a, [WORDS, WORDS], "Transpose MatMul MatMul"),
    "cosine": (functional.cosine_similarity, [WORDS, WORDS], "ReduceL2 ReduceL2 Clip Clip Div Div Mul ReduceSum"),
    "distances": (torch.cdist, [WORDS, WORDS], "Unsqueeze Unsqueeze Sub ReduceL2"),
}  # fmt: skip


def frozen(y: Tensor) -> Tensor:
    with torch.no_grad():
        return functional.avg_pool2d(y, 2)


def changed_without_gradient(y: Tensor) -> Tensor:
    y = y + 1
    with torch.no_grad():
        y.relu_()
    return y * 2


def cast(y: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return functional.conv2d(y, torch.ones(8, 8, 1, 1)).sigmoid()


def half_in_place(y: Tensor) -> Tensor:
    y = y.clone()
    y[:, :4] = y[:, :4].relu()
    return y.tanh()


def view_in_place(y: Tensor) -> tuple[Tensor, Tensor]:
    y = y + 1
    part, whole = y[:, :4], y.view(1, -1)
    part.relu_()
    return part.tanh(), whole.sigmoid()  # the view is of what was written


def filled_in_place(y: Tensor) -> Tensor:
    empty = torch.zeros(1, 16, 8, 8)
    empty[:, :8], empty[:, 8:] = y, 0
    return empty.neg()


BLOCKS = images({
    "no_grad": (frozen, "AveragePool"), "no_grad in place": (changed_without_gradient, "Add Relu Mul"),
    "autocast": (cast, "Conv Sigmoid"),
    "checkpoint": (lambda y: checkpoint.checkpoint(lambda z: z.relu() * 2, y, use_reentrant=False), "Relu Mul"),
    "half in place": (half_in_place, "Slice Relu ScatterND Tanh"),
    "view in place": (view_in_place, "Add Slice Relu ScatterND Tanh Reshape Sigmoid"),
    "filled in place": (filled_in_place, "ScatterND ScatterND Neg"),
})  # fmt: skip
ALL = ACTIVATIONS | LAYERS | FUNCTIONS | BLOCKS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ALL)
def test_what_a_network_may_hold(name: str) -> None:
    function, shapes, wanted = ALL[name]
    assert operations(function, shapes) == wanted


def test_embeddings_and_transformers() -> None:
    words = torch.zeros(2, 3, dtype=torch.long)
    assert ir_from_module(nn.Embedding(5, 4), words).names == ["Input", "Gather", "Output"]
    layer = nn.TransformerDecoderLayer(16, 2, 32, batch_first=True)
    assert operations(layer, [WORDS, WORDS]).split().count("Attention") == 2
    assert "Attention" in operations(Call(lambda x: layer.self_attn(x, x, x, need_weights=False)[0]), [WORDS])


def test_edges_of_writing_into_a_part() -> None:
    graph = ir_from_module(Call(view_in_place), torch.zeros(IMAGE))
    place = {name: number for number, name in enumerate(graph.names)}
    edges = {(int(a), int(b)) for a, b in graph.edges.T}
    assert {(place["Add"], place["ScatterND"]), (place["Relu"], place["ScatterND"])} <= edges
    assert {(place["Relu"], place["Tanh"]), (place["ScatterND"], place["Reshape"])} <= edges


ARGUMENTS: dict[str, list[tuple[Any, ...]]] = {
    "roll": [((1, -2), (0, 1)), ((3,),)], "glu": [(1,)], "threshold": [(0.3, 2.0)],
    "logcumsumexp": [(1,)], "logit": [(), (0.1,)], "max": [(1,), (0, True)], "min": [(1, True)],
    "var": [(), ([1],), ([0, 1], False, True)], "std": [(False,)], "var_mean": [([1],)], "std_mean": [([0],)],
    "linalg_vector_norm": [(3,), (float("inf"), [1]), (float("-inf"), [0], True)],
}  # fmt: skip
SECOND = {"floor_divide", "ne", "hypot", "outer", "lerp", "cdist"}


@pytest.mark.parametrize("name", sorted(set(EXACT) - {"bilinear"}))
def test_a_decomposition_computes_the_same(name: str) -> None:
    x, y = torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(0)).double() * 0.9 + 0.05
    x, y = (x[0], y[0]) if name == "outer" else (x, y)
    for arguments in ARGUMENTS.get(name, [()]):
        passed = (x, *((y,) if name in SECOND else ()), *((0.3,) if name == "lerp" else ()), *arguments)
        wanted = getattr(torch.ops.aten, name)(*passed)
        torch.testing.assert_close(EXACT[name](*passed), wanted)


def test_decompositions_are_for_operations_of_pytorch() -> None:
    assert all(hasattr(torch.ops.aten, name) for name in EXACT)
    assert not {name for name in EXACT if name in RULES} - {"max", "min", "linalg_vector_norm"}


# -------------------------------------------------------------------- what stays out


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lambda y: torch.fft.rfft2(y).abs(), "fft_rfft2|_fft_r2c"),
        (lambda y: torch.linalg.eigvals(y).abs() + y.atan2(y), "atan2, linalg_eigvals"),
        (torch.bernoulli, "bernoulli"),
        (lambda y: torch.cond(y.sum() > 0, torch.sin, torch.cos, (y,)), "cond"),
    ],
)
def test_all_operations_that_are_out_of_reach_are_listed(function: Callable[..., object], names: str) -> None:
    with pytest.raises(ValueError, match=f"^operations ({names}) have") as caught:
        operations(function, [IMAGE])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("function", [torch.nonzero, lambda y: y[y > 0]])
def test_shapes_that_depend_on_values(function: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match=r"(nonzero|index) returns"):
        operations(function, [IMAGE])


@torch.library.custom_op("testing_ir::relu", mutates_args=())
def foreign(x: Tensor) -> Tensor:
    return x.clone()


@foreign.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


def test_an_operator_of_another_library_is_not_taken_for_one_of_pytorch() -> None:
    with pytest.raises(ValueError, match="testing_ir::relu"):
        operations(foreign, [IMAGE])

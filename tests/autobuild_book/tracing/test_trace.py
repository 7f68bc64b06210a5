"""Graphs of modules: operations by any spelling, shapes, attributes, edges, and what cannot be traced."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import autobuild_lib as ab
from autobuild_book.tracing import ir_from_module
from autobuild_book.tracing.aten import CONSTANT, PLAIN, RULES, TRANSPARENT
from autobuild_lib.graphs import OPERATIONS, IRGraph, IRNode, graph_of


class Call(nn.Module):
    """A module that calls a function."""

    def __init__(self, function: Callable[..., object], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *tensors: Tensor) -> object:
        return self.function(self, *tensors)


def inner(graph: IRGraph) -> list[str]:
    """Operations between inputs and outputs."""
    return [name for name in graph.names if name not in ("Input", "Output")]


def edges(graph: IRGraph) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in graph.edges.T]


def same(a: IRGraph, b: IRGraph) -> None:
    assert a.names == b.names and edges(a) == edges(b)
    np.testing.assert_array_equal(a.shapes, b.shapes)
    np.testing.assert_array_equal(a.attributes, b.attributes)


class SqueezeExcitation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.expand(functional.relu(self.reduce(x.mean((2, 3), keepdim=True))))
        return x * functional.hardsigmoid(weights)


class Residual(nn.Module):
    """A small network with everything that OFA networks have."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(inplace=True))
        self.depthwise = nn.Conv2d(8, 8, 5, padding=4, dilation=2, groups=8, bias=False)
        self.se, self.drop, self.head = SqueezeExcitation(), nn.Dropout(0.5), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.se(nn.Identity()(self.depthwise(x))) + x
        return self.head(self.drop(functional.adaptive_avg_pool2d(x, 1).flatten(1)))


def residual_by_hand() -> IRGraph:
    image, inside, pooled, squeezed = (2, 3, 32, 48), (2, 8, 16, 24), (2, 8, 1, 1), (2, 2, 1, 1)
    point = {"kernel": (1, 1), "groups": 1, "dilation": (1, 1), "bias": True}
    return graph_of([
        IRNode("Input", output_shapes=[image]),
        IRNode("Conv", [0], [image], [inside], kernel=(3, 3), groups=1, dilation=(1, 1)),
        IRNode("BatchNormalization", [1], [inside], [inside]),
        IRNode("HardSwish", [2], [inside], [inside]),
        IRNode("Conv", [3], [inside], [inside], kernel=(5, 5), groups=8, dilation=(2, 2)),
        IRNode("GlobalAveragePool", [4], [inside], [pooled]),
        IRNode("Conv", [5], [pooled], [squeezed], **point),
        IRNode("Relu", [6], [squeezed], [squeezed]),
        IRNode("Conv", [7], [squeezed], [pooled], **point),
        IRNode("HardSigmoid", [8], [pooled], [pooled]),
        IRNode("Mul", [4, 9], [inside, pooled], [inside]),
        IRNode("Add", [10, 3], [inside, inside], [inside]),
        IRNode("GlobalAveragePool", [11], [inside], [pooled]),
        IRNode("Flatten", [12], [pooled], [(2, 8)]),
        IRNode("Gemm", [13], [(2, 8)], [(2, 10)], bias=True),
        IRNode("Output", [14], [(2, 10)]),
    ])  # fmt: skip


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_residual_network_by_hand(device: str) -> None:
    with torch.device(device):
        module, image = Residual(), torch.empty(2, 3, 32, 48)
    module.drop.eval()
    same(ir_from_module(module, image), residual_by_hand())
    assert module.training and module.stem.training and not module.drop.training


def test_inception_block() -> None:
    parts = {"a": nn.Conv2d(4, 6, 1), "b": nn.Conv2d(4, 5, 3, padding="same"), "p": nn.MaxPool2d(3, 1, 1)}
    graph = ir_from_module(
        Call(lambda self, x: torch.cat([self.a(x), self.b(x).relu(), self.p(x), x], dim=1), **parts),
        torch.zeros(1, 4, 8, 8),
    )
    assert inner(graph) == ["Conv", "Conv", "Relu", "MaxPool", "Concat"]
    assert edges(graph) == [(0, 1), (0, 2), (2, 3), (0, 4), (1, 5), (3, 5), (4, 5), (0, 5), (5, 6)]
    sides = [8 / 128, 8 / 128]
    wanted = [6 / 256, *sides, 5 / 256, *sides, 19 / 256, *sides, 0, 0, 0]  # two of four inputs, and the output
    np.testing.assert_allclose(graph.shapes[5], wanted)
    np.testing.assert_allclose(graph.attributes[4], [1, 1, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(graph.attributes[2], [1, 1, 0, 1 / 5, 1, 1, 0, 1])


def test_transformer_layer() -> None:
    module = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu", batch_first=True)
    found = Counter(inner(ir_from_module(module, torch.zeros(1, 10, 16))))
    found.subtract({"LayerNormalization": 2, "Add": 2, "Gelu": 1, "Gemm": 4, "Attention": 1})
    assert {name for name, number in found.items() if number} == {
        "Reshape", "Transpose", "Gather", "Squeeze", "Unsqueeze",
    }  # fmt: skip


SPELLINGS: dict[str, tuple[list[str], list[Callable[..., object]]]] = {
    "add": (["Add"], [lambda m, x, y: x + y, lambda m, x, y: torch.add(x, y), lambda m, x, y: x.add_(y)]),
    "scalar": (["Mul", "Sub"], [lambda m, x, y: 1 - x * 2, lambda m, x, y: torch.rsub(x.mul(2), 1)]),
    "divide": (["Div"], [lambda m, x, y: x / y, lambda m, x, y: x.div(y)]),
    "relu": (["Relu"], [lambda m, x, y: functional.relu(x, inplace=True), lambda m, x, y: nn.ReLU()(x)]),
    "clip": (
        ["Clip"],
        [lambda m, x, y: nn.ReLU6()(x), lambda m, x, y: functional.hardtanh(x), lambda m, x, y: x.clamp(0, 6)],
    ),
    "concat": (["Concat"], [lambda m, x, y: torch.cat((x, y)), lambda m, x, y: torch.concat([x, y], 1)]),
    "flatten": (["Flatten"], [lambda m, x, y: x.flatten(1), lambda m, x, y: nn.Flatten()(x)]),
    "reshape": (["Reshape"], [lambda m, x, y: x.view(x.size(0), -1), lambda m, x, y: x.reshape(x.shape[0], -1)]),
    "global": (
        ["GlobalAveragePool"],
        [
            lambda m, x, y: x.mean((2, 3)),
            lambda m, x, y: x.mean([-1, -2], keepdim=True),
            lambda m, x, y: nn.AdaptiveAvgPool2d(1)(x),
        ],
    ),
    "mean": (["ReduceMean"], [lambda m, x, y: x.mean(1), lambda m, x, y: x.mean(), lambda m, x, y: torch.mean(x, 3)]),
    "product": (["MatMul"], [lambda m, x, y: x @ y, lambda m, x, y: torch.matmul(x, y)]),
    "softmax": (["Softmax"], [lambda m, x, y: x.softmax(1), lambda m, x, y: nn.Softmax(-1)(x)]),
    "normalised": (
        ["LayerNormalization", "Gelu", "Silu"],
        [lambda m, x, y: functional.silu(functional.gelu(functional.layer_norm(x, [8])))],
    ),
    "transposed": (["Transpose"], [lambda m, x, y: x.transpose(2, 3), lambda m, x, y: x.permute(0, 2, 3, 1)]),
    "resized": (["Resize"], [lambda m, x, y: functional.interpolate(x, scale_factor=2)]),
    "nothing": ([], [lambda m, x, y: functional.dropout(x.contiguous(), 0.1, training=False).detach().clone()]),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings_of_one_operation(name: str) -> None:
    wanted, functions = SPELLINGS[name]
    for function in functions:
        graph = ir_from_module(Call(function), (torch.zeros(2, 4, 8, 8), torch.zeros(2, 4, 8, 8)))
        assert graph.names == ["Input", "Input", *wanted, "Output"]


def one(function: Callable[..., object], shape: Sequence[int] = (2, 4, 9, 9), **parts: nn.Module) -> IRGraph:
    return ir_from_module(Call(function, **parts), torch.zeros(*shape))


def test_every_rule_is_about_an_operation_of_pytorch_and_one_of_the_vocabulary() -> None:
    names = {*RULES, *CONSTANT, *TRANSPARENT} - {"getitem"}
    assert not [name for name in names if not hasattr(torch.ops.aten, name)]
    assert set(PLAIN) <= set(OPERATIONS) and not set(RULES) & (CONSTANT | TRANSPARENT)


def test_pooling() -> None:
    halves = one(lambda m, x: functional.adaptive_max_pool2d(functional.avg_pool2d(x, 3, 2), 2))
    assert inner(halves) == ["AveragePool", "MaxPool"]
    np.testing.assert_allclose(halves.attributes[1:3, :3], [[1, 1, 0], [2 / 3, 2 / 3, 0]])
    assert inner(one(lambda m, x: functional.adaptive_max_pool1d(x, 1), (2, 4, 9))) == ["GlobalMaxPool"]


def test_convolutions_of_other_dimensions() -> None:
    line = one(lambda m, x: m.c(x), (1, 4, 9), c=nn.Conv1d(4, 8, 3, groups=2, dilation=2))
    np.testing.assert_allclose(line.attributes[1], [1, 0, 0, 2 / 8, 2, 0, 0, 1])
    up = one(lambda m, x: m.c(x), (1, 4, 3, 5, 5), c=nn.ConvTranspose3d(4, 6, (1, 2, 3), 2, bias=False))
    np.testing.assert_allclose(up.attributes[1], [1 / 3, 2 / 3, 1, 1 / 6, 1, 1, 1, 0], rtol=1e-6)
    assert inner(line) == ["Conv"] and inner(up) == ["ConvTranspose"]


def test_a_tensor_read_twice_has_two_edges() -> None:
    assert edges(one(lambda m, x: x * x)) == [(0, 1), (0, 1), (1, 2)]


def test_constants_are_no_nodes() -> None:
    scale = nn.Parameter(torch.ones(4))

    def function(module: Call, x: Tensor) -> Tensor:
        bias = torch.arange(4).float().sqrt()[:, None, None] + torch.zeros_like(x)
        return x * module.scale.view(-1, 1, 1) + bias

    graph = one(function, scale=scale)
    assert inner(graph) == ["Mul", "Add"] and edges(graph) == [(0, 1), (1, 2), (2, 3)]
    assert not graph.shapes[1:3, 3:6].any()  # parameters are no inputs


def test_an_operation_in_place_stands_for_its_tensor() -> None:
    def function(module: Call, x: Tensor) -> Tensor:
        y = x + 1
        functional.relu_(y)
        return y * 2

    assert inner(one(function)) == ["Add", "Relu", "Mul"]
    assert edges(one(function)) == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_parts_of_a_split_and_several_outputs() -> None:
    def function(module: Call, x: Tensor) -> dict[str, Tensor]:
        a, b = x.chunk(2, dim=1)
        return {"sum": a + b, "part": b}

    graph = one(function)
    assert graph.names == ["Input", "Split", "Add", "Output", "Output"]
    assert edges(graph) == [(0, 1), (1, 2), (1, 2), (2, 3), (1, 4)]
    half = [2 / 256, 9 / 128, 9 / 128]
    np.testing.assert_allclose(graph.shapes[1, 6:], [*half, *half])
    np.testing.assert_allclose(graph.shapes[2, :6], [*half, *half])


@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_traced_is_one_line() -> None:
    for function in (lambda m, x: x if x.sum() > 0 else -x, lambda m, x: x @ torch.zeros(5, 5)):
        module = Call(function).train()
        with pytest.raises(ValueError, match=r"^cannot trace Call: \w+: ") as caught:
            ir_from_module(module, torch.zeros(2, 4))
        assert "\n" not in str(caught.value) and module.training


def test_a_network_of_the_readers_own() -> None:
    """From modules to predictions: what the docstrings promise for any traceable model."""

    def network(width: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Conv2d(3, width, 3), torch.nn.ReLU(), torch.nn.Flatten())

    graphs = [ir_from_module(network(width), torch.zeros(1, 3, 8, 8)) for width in (4, 8, 16)]
    labels = pd.DataFrame({"width": [4.0, 8.0, 16.0]})
    table = ab.data.make_ir_table(graphs, labels, families=["mine"] * 3, names=["a", "b", "c"])
    predictor = ab.fit_ir(table, "width", epochs=2, hops=2, progress=False)
    assert np.isfinite(predictor.predict(graphs)).all()
    assert set(predictor.operation_importance()["operation"]) == {"Input", "Conv", "Relu", "Flatten", "Output"}

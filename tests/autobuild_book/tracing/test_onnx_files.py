"""Graphs of exported files are those of the modules, whichever exporter wrote them, up to folded normalisation."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import autobuild_lib as ab
from autobuild_book.tracing import fold_batch_norm, ir_from_module
from autobuild_lib.graphs import IRGraph, ir_from_onnx, ir_graph
from tests.helpers.onnx_files import exported, trained

SPACES = {"mbv3": ab.spaces.ofa_mbv3((128,)), "pn": ab.spaces.ofa_pn((128,))}
IMAGE = torch.zeros(1, 3, 16, 16)
OLDER = [(False, opset) for opset in (11, 13, 17, 20)]  # the newest of it
NEWER = [(True, opset) for opset in (18, 20, 23)]
EXPORTS = OLDER + NEWER


def same(graph: IRGraph, other: IRGraph) -> None:
    assert graph.names == other.names
    for name in ("shapes", "attributes", "edges"):
        np.testing.assert_array_equal(getattr(graph, name), getattr(other, name), err_msg=name)


class Small(nn.Module):
    """Convolutions of all kinds with normalisation, a gate, a residual, and two ways of pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        wide = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False)
        self.wide = nn.Sequential(wide, nn.BatchNorm2d(8), nn.ReLU6())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Hardsigmoid())
        self.act, self.drop, self.head = nn.SiLU(), nn.Dropout(0.5), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.act(x + self.wide(x) * self.gate(x))
        x = functional.max_pool2d(x, 2)
        return self.head(self.drop(x.mean((2, 3))))


@pytest.fixture(scope="module")
def small() -> nn.Module:
    torch.manual_seed(0)
    return trained(Small())


@pytest.mark.parametrize("fold", [True, False], ids=["folded", "unfolded"])
@pytest.mark.parametrize(("newer", "opset"), EXPORTS)
def test_a_file_is_its_module(small: nn.Module, newer: bool, opset: int, fold: bool, tmp_path: Path) -> None:
    path = exported(tmp_path / "small.onnx", small, [IMAGE], newer, opset, fold)
    versions = {entry.domain: entry.version for entry in onnx.load(path).opset_import}
    traced = ir_from_module(small, IMAGE)
    assert versions[""] == opset and traced.names.count("BatchNormalization") == 2
    graph = ir_from_onnx(path)
    if newer and not fold:  # what is not optimised has biases of zeros
        convolutions = np.array(graph.names) == "Conv"
        assert graph.attributes[convolutions, -1].all()
        graph.attributes[:, -1] = traced.attributes[:, -1]
    same(graph, fold_batch_norm(traced) if fold else traced)


@pytest.mark.parametrize("newer", [False, True])
def test_a_symbolic_batch_and_weights_elsewhere(small: nn.Module, newer: bool, tmp_path: Path) -> None:
    path = exported(tmp_path / "small.onnx", small, [torch.zeros(2, 3, 16, 16)], newer, symbolic=True)
    model = onnx.load(path)
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    elsewhere = {"save_as_external_data": True, "location": "weights.bin", "convert_attribute": True}
    onnx.save(model, path, size_threshold=100, **elsewhere)
    (tmp_path / "weights.bin").unlink()
    same(ir_from_onnx(path), fold_batch_norm(ir_from_module(small, IMAGE)))
    if newer:
        onnx.save(model, path, size_threshold=0, **elsewhere)  # also the axes of means
        with pytest.raises(ValueError, match="shape of tensor"):
            ir_from_onnx(path)


def test_weights_that_the_newer_exporter_puts_elsewhere(small: nn.Module, tmp_path: Path) -> None:
    path = exported(tmp_path / "small.onnx", small, [IMAGE], True, symbolic=True, external_data=True)
    weights = tmp_path / "small.onnx.data"
    assert weights.is_file() and weights.unlink() is None
    same(ir_from_onnx(path), fold_batch_norm(ir_from_module(small, IMAGE)))


def test_training_does_not_change_the_older_graph(tmp_path: Path) -> None:
    """The older exporter adds Identity nodes for folded biases that are equal, before training all of them."""
    path, graphs, operators = tmp_path / "small.onnx", [], []
    for module in (Small(), trained(Small())):
        graphs.append(ir_from_onnx(exported(path, module, [IMAGE], False)))
        operators.append(Counter(node.op_type for node in onnx.load(path).graph.node))
    assert operators[0]["Identity"] > operators[1]["Identity"]
    same(*graphs)


def test_the_newer_exporter_drops_biases_of_zeros(tmp_path: Path) -> None:
    untrained = Small()
    graph = ir_from_onnx(exported(tmp_path / "small.onnx", untrained, [IMAGE], True))
    folded = fold_batch_norm(ir_from_module(untrained, IMAGE))
    assert graph.names == folded.names
    changed = np.argwhere(graph.attributes != folded.attributes)
    assert {(graph.names[node], attribute) for node, attribute in changed} == {("Conv", 7)} and len(changed) == 2


@pytest.mark.parametrize("fold", [True, False], ids=["folded", "unfolded"])
@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("family", SPACES)
def test_once_for_all_networks_of_the_older_exporter(family: str, opset: int, fold: bool, tmp_path: Path) -> None:
    architecture = SPACES[family].sample(np.random.default_rng(opset))
    module = ab.networks.build(architecture)
    path = exported(tmp_path / "ofa.onnx", module, [torch.zeros(1, 3, 128, 128)], False, opset, fold)
    graph = ir_graph(architecture)
    same(ir_from_onnx(path), fold_batch_norm(graph) if fold else graph)


@pytest.mark.slow
@pytest.mark.parametrize("opset", [18, 20, 23])
@pytest.mark.parametrize("family", SPACES)
def test_once_for_all_networks_of_the_newer_exporter(family: str, opset: int, tmp_path: Path) -> None:
    architecture = SPACES[family].sample(np.random.default_rng(opset))
    module = trained(ab.networks.build(architecture))
    path = exported(tmp_path / "ofa.onnx", module, [torch.zeros(1, 3, 128, 128)], True, opset)
    same(ir_from_onnx(path), fold_batch_norm(ir_graph(architecture)))


WORDS, BATCHES = torch.zeros(2, 5, 16), torch.zeros(2, 16)
PICTURE = torch.zeros(2, 8, 6, 6)
LAYERS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "silu": (nn.SiLU, PICTURE), "elu": (nn.ELU, PICTURE),
    "glu": (lambda: nn.GLU(1), PICTURE), "hard swish": (nn.Hardswish, PICTURE), "clip": (nn.ReLU6, PICTURE),
    "linear": (lambda: nn.Linear(16, 4), WORDS), "no bias": (lambda: nn.Linear(16, 4, bias=False), BATCHES),
    "words": (lambda: nn.Linear(16, 4, bias=False), WORDS), "flat": (nn.Flatten, PICTURE),
    "flat sides": (lambda: nn.Flatten(2), PICTURE), "pooled": (lambda: nn.AdaptiveAvgPool2d(1), PICTURE),
    "pooled volume": (lambda: nn.AdaptiveAvgPool3d(1), torch.zeros(1, 2, 4, 4, 4)),
    "pool": (lambda: nn.MaxPool2d(2), PICTURE),
    "transposed": (lambda: nn.ConvTranspose2d(8, 4, 2, 2), PICTURE), "line": (lambda: nn.Conv1d(5, 4, 3), WORDS),
    "upsampled": (lambda: nn.Upsample(scale_factor=2), PICTURE), "pad": (lambda: nn.ZeroPad2d(1), PICTURE),
    "shuffled": (lambda: nn.PixelShuffle(2), PICTURE), "dropout": (nn.Dropout, PICTURE),
}  # fmt: skip


@pytest.mark.parametrize("opset", [11, 13, *(pytest.param(newer, marks=pytest.mark.slow) for newer in (17, 20))])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_the_older_exporter(name: str, opset: int, tmp_path: Path) -> None:
    make, example = LAYERS[name]
    module = make()
    path = exported(tmp_path / "layer.onnx", module, [example], False, opset, symbolic=opset == 13)
    same(ir_from_onnx(path), ir_from_module(module, example))


@pytest.mark.slow
@pytest.mark.parametrize("opset", [18, 23])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_the_newer_exporter(name: str, opset: int, tmp_path: Path) -> None:
    make, example = LAYERS[name]
    module = make()
    path = exported(tmp_path / "layer.onnx", module, [example], True, opset)
    same(ir_from_onnx(path), ir_from_module(module, example))


LATER: dict[str, tuple[Callable[[], nn.Module], Tensor, bool, int, str]] = {
    "layer norm": (lambda: nn.LayerNorm(16), WORDS, False, 17, "ReduceMean Sub Pow ReduceMean Add Sqrt Div Mul Add"),
    "gelu": (nn.GELU, PICTURE, False, 20, "Div Erf Add Mul Mul"),
    "mish": (nn.Mish, PICTURE, True, 18, "Softplus Tanh Mul"),
    "group norm": (lambda: nn.GroupNorm(2, 8), PICTURE, True, 23, "Reshape InstanceNormalization Reshape Mul Add"),
    "rms norm": (lambda: nn.RMSNorm(16), WORDS, True, 23, ""),
}


@pytest.mark.parametrize("name", LATER)
def test_layers_of_newer_operator_sets(name: str, tmp_path: Path) -> None:
    """Before their operator set they are several nodes."""
    make, example, newer, opset, spelt_out = LATER[name]
    module, path = make(), tmp_path / "layer.onnx"
    same(ir_from_onnx(exported(path, module, [example], newer, opset)), ir_from_module(module, example))
    if spelt_out:
        graph = ir_from_onnx(exported(path, module, [example], False, 11))
        assert " ".join(graph.names[1:-1]) == spelt_out

"""A dozen small convolutional networks, with costs that are counted, as the model zoo of the tutorial."""

import itertools
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from autobuild_lib import graphs

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "hard swish": nn.Hardswish}
KINDS = ("plain", "depthwise", "gated", "residual")
WIDTH = 16


class Gate(nn.Module):
    """Squeeze and excitation: multiply every channel by a weight that depends on the means of all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted channels."""
        product: Tensor = x * self.weight(x)
        return product


class Residual(nn.Module):
    """Layers in a row, whose input is added to their output."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        y: Tensor = self.body(x)
        return x + y


def networks() -> dict[str, nn.Module]:
    """Return untrained networks for images [N, 3, 32, 32] by name: four kinds of blocks, three activations each."""
    return {f"{kind}, {name}": _network(kind, name) for kind, name in itertools.product(KINDS, ACTIVATIONS)}


def _network(kind: str, activation: str) -> nn.Module:
    depth = 1 + KINDS.index(kind) % 2 + list(ACTIVATIONS).index(activation)  # so that costs differ in many ways
    body = [_block(kind, ACTIVATIONS[activation]) for _ in range(depth)]
    stem = [nn.Conv2d(3, WIDTH, 3, 2, 1, bias=False), nn.BatchNorm2d(WIDTH), ACTIVATIONS[activation]()]
    return nn.Sequential(*stem, *body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, 10)).eval()


def _block(kind: str, activation: type[nn.Module]) -> nn.Module:
    groups = WIDTH if kind == "depthwise" else 1
    layers = [nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=groups, bias=False), nn.BatchNorm2d(WIDTH), activation()]
    if kind == "gated":
        layers.append(Gate(WIDTH))
    return Residual(*layers) if kind == "residual" else nn.Sequential(*layers)


def costs(modules: dict[str, nn.Module], image: Tensor) -> pd.DataFrame:
    """Count `multiply_adds` for one image, with PyTorch's own counter, and `parameters`: a row for each network."""
    rows = []
    for module in modules.values():
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(image)
        parameters = sum(parameter.numel() for parameter in module.parameters())
        rows.append((counter.get_total_flops() / 2, parameters))  # it counts a multiply-add as two
    return pd.DataFrame(rows, columns=["multiply_adds", "parameters"], index=pd.Index(modules, name="network"))


def through_a_file(module: nn.Module, image: Tensor) -> graphs.IRGraph | None:
    """Return the graph of a network that is exported to an ONNX file and read again; None where `onnx` is missing."""
    if find_spec("onnx") is None:
        return None
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the older one; the newer needs another package
        path = Path(folder) / "network.onnx"
        torch.onnx.export(module, (image,), path, dynamo=False, opset_version=17)
        return graphs.ir_from_onnx(path)

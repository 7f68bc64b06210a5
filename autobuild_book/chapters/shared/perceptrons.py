"""Small perceptrons for handwritten digits: real networks that train in about a second, and a space of them."""

from collections.abc import Iterable
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from autobuild_lib.extras import extra
from autobuild_lib.spaces import Architecture, Continuous, SequenceSpace, Unit
from autobuild_lib.torch_settings import one_thread

NAME = "digit_mlps"
PARTS = {"train": 797, "labels": 500, "final": 500}  # images: to train, for labels, for comparisons at the end
SPLIT_SEED = 12345
PIXELS, CLASSES = 64, 10
EPOCHS, BATCH, LEARNING_RATE = 25, 64, 3e-3
ACTIVATIONS: dict[str, type[nn.Module]] = {"linear": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh}


@cache
def mlp_space() -> SequenceSpace:
    """Return the perceptrons: a wide unit, a bottleneck, and a tail that keeps the bottleneck's width."""
    return SequenceSpace(
        name=NAME,
        units=[
            Unit(1, 3, features={"width": [32, 64, 96]}),
            Unit(1, 2, features={"width": [6, 12, 24]}),
            Unit(1, 4),
        ],
        layer_features={"activation": list(ACTIVATIONS), "dropout": Continuous(values=[0.0, 0.1, 0.3])},
    )


def build(architecture: Architecture) -> nn.Sequential:
    """Return the network: images [N, 64] -> a number for each class [N, 10]; weights come from PyTorch's generator."""
    layers: list[nn.Module] = []
    inputs = width = PIXELS
    for unit in mlp_space().adopt(architecture).units():
        width = unit.get("width", width)
        for layer in unit["layers"]:
            activation, dropout = layer.split("_dropout")
            layers += [nn.Linear(inputs, width), ACTIVATIONS[activation](), nn.Dropout(float(dropout))]
            inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, CLASSES))


def count_parameters(architecture: Architecture) -> int:
    """Return the number of weights and biases."""
    return sum(weights.numel() for weights in build(architecture).parameters())


@cache
def digits(part: str) -> tuple[Tensor, Tensor]:
    """Return images [N, 64] in [-1, 1] and classes [N] of a part: "train", "labels" or "final".

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
    """
    if part not in PARTS:
        raise ValueError(f"part={part!r}; choose from {', '.join(PARTS)}")
    with extra("book"):
        from sklearn.datasets import load_digits  # noqa: PLC0415
    bunch = load_digits()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(bunch.target))
    chosen = dict(zip(PARTS, np.split(order, np.cumsum(list(PARTS.values()))[:-1]), strict=True))[part]
    return torch.from_numpy(bunch.data[chosen] / 8 - 1).float(), torch.from_numpy(bunch.target[chosen])


def train(architecture: Architecture, seed: int) -> nn.Sequential:
    """Train a network from scratch with Adam: 25 passes over 797 images in batches of 64. One thread."""
    images, classes = digits("train")
    rng = np.random.default_rng(seed)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(architecture).train()
        optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE, fused=True)
        orders = (torch.from_numpy(rng.permutation(len(images))) for _ in range(EPOCHS))
        learn(network, optimizer, images, classes, orders)
    return network.eval()


def learn(
    network: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, classes: Tensor, orders: Iterable[Tensor]
) -> None:
    """Take a step of the optimizer for each batch of `BATCH` images, in a pass for each order of the images [N]."""
    loss = nn.CrossEntropyLoss()
    for order in orders:
        for batch in torch.split(order, BATCH):
            network.zero_grad()
            loss(network(images[batch]), classes[batch]).backward()
            optimizer.step()


@torch.no_grad()
@one_thread()
def accuracy(network: nn.Module, part: str = "labels") -> float:
    """Return the fraction of a part's images that a network classifies rightly."""
    images, classes = digits(part)
    return float((network(images).argmax(1) == classes).double().mean())

"""EM-DARTS, small: operations within stages and links around them are relaxed, and searched by turns; then depth.

Qin, Zhu, Jin, Yu, El-Yacoubi and Yang, "EM-DARTS: Hierarchical Differentiable Architecture Search for Eye Movement
Recognition", arXiv 2409.14432, 2024. After its abstract: a *local* search finds the operations of each cell, every cell
its own; a *global* search finds the architecture around the cells; both are differentiable and take turns; and the
transfer entropy between layers says which layers carry little information and go. The exact equations of the paper,
its cells and its thresholds are not those here: the relaxation is that of DARTS (Liu et al., ICLR 2019) of first
order, and the transfer entropy that of Schreiber.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from autobuild_book.chapters.neighbours.darts.networks import (
    CHANNELS,
    LAYERS,
    LEARNING_RATE,
    LINKS,
    OPERATIONS,
    SPACE,
    STAGES,
    Mean,
    first_layer,
    operation,
    series,
)
from autobuild_book.chapters.neighbours.darts.transfer import as_symbols, transfer_entropy
from autobuild_book.chapters.shared.perceptrons import CLASSES, learn
from autobuild_lib.spaces import Architecture
from autobuild_lib.torch_settings import one_thread

EPOCHS, RATE_OF_CHOICES = 20, 3e-2
LITTLE = 0.5  # of the mean transfer entropy over stages: a second layer with less goes


class Supernet(nn.Module):
    """All operations in all layers, weighted by a softmax over each layer's choices.

    operations: [STAGES, LAYERS, operations] and links: [STAGES, links] hold the logits of the choices.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = nn.Parameter(torch.zeros(STAGES, LAYERS, len(OPERATIONS)))
        self.links = nn.Parameter(torch.zeros(STAGES, len(LINKS)))
        self.first, self.last = first_layer(), nn.Sequential(Mean(), nn.Linear(CHANNELS, CLASSES))
        layers = [[nn.ModuleList(map(operation, OPERATIONS)) for _ in range(LAYERS)] for _ in range(STAGES)]
        self.stages = nn.ModuleList(nn.ModuleList(stage) for stage in layers)

    @property
    def weights(self) -> list[nn.Parameter]:
        """All that is no choice."""
        choices = {id(self.operations), id(self.links)}
        return [parameter for parameter in self.parameters() if id(parameter) not in choices]

    def layers_of(self, values: Tensor) -> tuple[list[list[Tensor]], Tensor]:
        """Return what comes out of every layer of every stage, and of the last stage: [N, CHANNELS, STEPS] each."""
        mixed, linked = self.operations.softmax(-1), self.links.softmax(-1)
        values, kept = self.first(values), []
        for number, stage in enumerate(self.stages):
            outputs = [values]
            for layer, shares in zip(cast(nn.ModuleList, stage), mixed[number], strict=True):
                choices = zip(shares, cast(nn.ModuleList, layer), strict=True)
                some = [share * each(outputs[-1]) for share, each in choices]
                outputs.append(torch.stack(some).sum(0))
            values = outputs[-1] + linked[number, LINKS.index("residual")] * values
            kept.append(outputs[1:])
        return kept, values

    def forward(self, values: Tensor) -> Tensor:
        """Series [N, INPUTS, STEPS] -> a number for each class [N, 10]."""
        out: Tensor = self.last(self.layers_of(values)[1])
        return out


@dataclass(frozen=True)
class Searched:
    """What a search ends with.

    transferred: bits from the first to the second layer of each stage. passes: images times operations that the search
    has run forwards and backwards.
    """

    architecture: Architecture
    transferred: tuple[float, ...]
    passes: int


def passes_of_search(epochs: int = EPOCHS) -> int:
    """Images times operations of a search: each batch to train, and each to choose by, goes through all operations."""
    images = len(series("train")[1]) + len(series("labels")[1])
    return epochs * images * STAGES * LAYERS * len(OPERATIONS)


def search(seed: int, epochs: int = EPOCHS) -> Searched:
    """Search: weights learn from the images to train; choices from those for labels, local and global ones by turns."""
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        supernet = Supernet()
        alternate(supernet, epochs)
        transferred = transfers(supernet)
    return Searched(derive(supernet, transferred), transferred, passes_of_search(epochs))


def alternate(supernet: Supernet, epochs: int) -> None:
    """Train weights in every epoch, operations in the first, third, ..., and links in the second, fourth, ... ."""
    weights = torch.optim.Adam(supernet.weights, LEARNING_RATE)
    local, around = (torch.optim.Adam([each], RATE_OF_CHOICES) for each in (supernet.operations, supernet.links))
    for epoch in range(epochs):
        _pass(supernet, weights, "train")
        _pass(supernet, local if epoch % 2 == 0 else around, "labels")


def _pass(supernet: Supernet, optimizer: torch.optim.Optimizer, part: str) -> None:
    """Go through a part of the images once, and change what the optimizer has."""
    images, classes = series(part)
    learn(supernet, optimizer, images, classes, [torch.randperm(len(images))])


@torch.no_grad()
def transfers(supernet: Supernet) -> tuple[float, ...]:
    """Return the bits from the first layer of each stage to its second, [STAGES], on the images for labels.

    The series are means over channels, in three equally full ranges.
    """
    kept, _ = supernet.layers_of(series("labels")[0])
    symbols = [[as_symbols(layer.mean(1).double().numpy()) for layer in stage] for stage in kept]
    return tuple(transfer_entropy(first, second) for first, second in symbols)


def derive(supernet: Supernet, transferred: tuple[float, ...]) -> Architecture:
    """Return the network of the heaviest choices, without second layers that get little of the first."""
    chosen, links = supernet.operations.argmax(-1).tolist(), supernet.links.argmax(-1).tolist()
    enough = LITTLE * float(np.mean(transferred))
    units = []
    for places, link, bits in zip(chosen, links, transferred, strict=True):
        depth = LAYERS if bits >= enough else 1
        units.append({"link": LINKS[link], "layers": [{"op": OPERATIONS[place]} for place in places[:depth]]})
    return SPACE.architecture(units)

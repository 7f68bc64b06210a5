"""CARL: what decides the label of a network is told apart from what merely comes along (Ji et al.).

Ji et al., CARL: Causality-guided Architecture Representation Learning for an Interpretable Performance Predictor,
ICCV 2025.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_book.chapters.neighbours.convolutions import BothWays, normalized
from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary
from autobuild_book.chapters.neighbours.learning import About, GraphModel

PAPER = (
    "Ji et al., CARL: Causality-guided Architecture Representation Learning for an Interpretable Performance "
    "Predictor, ICCV 2025"
)


@dataclass(frozen=True)
class Masks:
    """Shares of nodes and of edges that are critical, 0 to 1; the rest of each is redundant.

    nodes: [N, nodes, 1]. edges: [N, nodes, nodes], of the node of the row that reads the node of the column.
    """

    nodes: Tensor
    edges: Tensor

    def rest(self) -> "Masks":
        """Return the redundant shares."""
        return Masks(1 - self.nodes, 1 - self.edges)


class Part(nn.Module):
    """A part of each network becomes a vector: nodes and edges count as much as masks let them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = BothWays(width, width)

    def forward(self, graphs: Graphs, values: Tensor, masks: Masks) -> Tensor:
        """Graphs [N], values of nodes [N, nodes, width] and masks -> [N, width]."""
        reads = graphs.reads * masks.edges
        return graphs.mean(self.layer(values * masks.nodes, normalized(reads), normalized(reads.mT)))


def head(width: int) -> nn.Sequential:
    """Two layers from vectors [..., N, width] to scores [..., N]."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1), nn.Flatten(-2))


class Causal(nn.Module):
    """Graph convolutions, masks of the critical part, and a predictor that reads this part alone."""

    def __init__(self, words: Vocabulary, nodes: int, width: int = 64, layers: int = 2) -> None:
        super().__init__()
        self.encoder = nn.ModuleList([BothWays(*pair) for pair in pairwise([words.width, *[width] * layers])])
        self.nodes, self.readers, self.sources = nn.Linear(width, 1), nn.Linear(width, 1), nn.Linear(width, 1)
        self.critical, self.redundant = Part(width), Part(width)
        self.score, self.score_redundant, self.score_pair = head(width), head(width), head(width)

    def encode(self, graphs: Graphs) -> Tensor:
        """Graphs [N, nodes] -> values of nodes, [N, nodes, width]."""
        values, reads, read_by = graphs.features, normalized(graphs.reads), normalized(graphs.reads.mT)
        for layer in self.encoder:
            values = layer(values, reads, read_by)
        return values

    def masks(self, values: Tensor) -> Masks:
        """Values of nodes [N, nodes, width] -> how critical nodes and edges are.

        The softmax over critical and redundant is the sigmoid of the difference of both; that of an edge is a linear
        layer on the values of its ends, so a sum of a number of each.
        """
        return Masks(torch.sigmoid(self.nodes(values)), torch.sigmoid(self.readers(values) + self.sources(values).mT))

    def parts(self, graphs: Graphs) -> tuple[Tensor, Tensor]:
        """Graphs [N] -> the critical and the redundant part of each, [N, width] both."""
        values = self.encode(graphs)
        masks = self.masks(values)
        return self.critical(graphs, values, masks), self.redundant(graphs, values, masks.rest())

    def forward(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> scores [N], of the critical parts."""
        values = self.encode(graphs)
        return self.score(self.critical(graphs, values, self.masks(values)))  # type: ignore[no-any-return]


def intervened(critical: Tensor, redundant: Tensor, partners: Tensor) -> Tensor:
    """Pair critical parts with the redundant parts of other networks, as a sum of both.

    Parts [N, width] and places of partners [interventions, N] -> [interventions, N, width].
    """
    return critical + redundant[partners]


@dataclass(frozen=True)
class CausalModel(GraphModel):
    """A causal predictor as a model of the registry.

    loss: (f(c) - y)^2 + weight * g(r)^2 + weight * mean over interventions of (h(c + r') - y)^2, with y standardised,
    c the critical part, r the redundant one and r' that of another network of the batch. A redundant part that tells
    nothing is scored by the mean label, 0.

    interventions: partners of each network in a batch; none leaves the last term out.
    """

    interventions: int = 4
    weight: float = 0.5

    def loss(self, module: Any, graphs: Graphs, target: Tensor) -> Tensor:
        """Return the three terms of a batch: graphs [N], standardised labels [N] -> a number."""
        critical, redundant = module.parts(graphs)
        wrong = functional.mse_loss(module.score(critical), target)
        loss: Tensor = wrong + self.weight * module.score_redundant(redundant).square().mean()
        if not self.interventions:
            return loss
        partners = torch.stack([torch.randperm(len(graphs)) for _ in range(self.interventions)])
        scores = module.score_pair(intervened(critical, redundant, partners))
        return loss + self.weight * functional.mse_loss(scores, target.expand_as(scores))

    def describe(self) -> dict[str, Any]:
        """Return what the model is: name, paper, idea, how it differs, and settings."""
        return {**super().describe(), "interventions": self.interventions, "weight": self.weight}


CARL = CausalModel(
    "CARL",
    About(
        PAPER,
        "learnt masks tell critical from redundant nodes and edges; pairs with the redundant part of other networks "
        "teach that only the critical part counts",
        "64 channels, 800 steps; terms and weights of the loss are those of causal attention (Sui et al., KDD 2022), "
        "with squared errors for labels, and may differ from the paper's",
    ),
    Causal,
)
CARL_ALONE = replace(CARL, name="CARL, no interventions", interventions=0)

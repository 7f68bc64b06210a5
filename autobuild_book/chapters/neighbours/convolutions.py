"""The neural predictor: a graph convolutional network whose layers pass messages along the edges and against them."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary
from autobuild_book.chapters.neighbours.learning import About, Choices, GraphModel, Recipe


def normalized(reads: Tensor) -> Tensor:
    """Adjacency matrices [N, nodes, nodes] with loops, rows of sum 1; as Wen et al. have them."""
    looped = reads + torch.eye(reads.shape[-1])
    return looped / looped.sum(-1, keepdim=True)


class BothWays(nn.Module):
    """A layer of the neural predictor: V' = (ReLU(A V W+) + ReLU(A^T V W-)) / 2 (Wen et al., ECCV 2020)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.along, self.against = nn.Linear(inputs, outputs, bias=False), nn.Linear(inputs, outputs, bias=False)
        for layer in (self.along, self.against):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, values: Tensor, reads: Tensor, read_by: Tensor) -> Tensor:
        """Values [N, nodes, inputs], normalized adjacency and that of the reverse graph -> [N, nodes, outputs]."""
        return (functional.relu(reads @ self.along(values)) + functional.relu(read_by @ self.against(values))) / 2


class NeuralPredictor(nn.Module):
    """Graph convolutions, the mean over nodes, and two linear layers (Wen et al., ECCV 2020)."""

    def __init__(
        self, words: Vocabulary, nodes: int, embedding: int = 0, width: int = 64, layers: int = 3, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.choices = Choices(words, embedding)
        widths = [self.choices.width, *[width] * layers]
        self.layers = nn.ModuleList([BothWays(*pair) for pair in pairwise(widths)])
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), self.dropout, nn.Linear(width, 1))

    def forward(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> scores [N]."""
        values, reads, read_by = self.choices(graphs), normalized(graphs.reads), normalized(graphs.reads.mT)
        for layer in self.layers:
            values = self.dropout(layer(values, reads, read_by))
        return self.head(graphs.mean(values)).squeeze(-1)  # type: ignore[no-any-return]


GCN = GraphModel(
    "neural predictor",
    About(
        "Wen et al., Neural Predictor for Neural Architecture Search, ECCV 2020",
        "graph convolutions along the edges and against them, then the mean over nodes",
        "64 channels for 144; 800 steps with batches of 64 for 300 passes with batches of 10; no classifier before it "
        "that leaves bad networks out",
    ),
    NeuralPredictor,
    Recipe(),
)

"""GATES: a virtual flow of information encodes a network; every operation gates it (Ning et al., ECCV 2020)."""

import torch
from torch import Tensor, nn

from autobuild_book.chapters.neighbours.graphs import OUTPUT, Graphs, Vocabulary
from autobuild_book.chapters.neighbours.learning import About, Choices, GraphModel, Recipe


class Flow(nn.Module):
    """A step of the flow: an operation's output is its gate times what flows into it.

    y_o = sigmoid(E_o W_o) * sum over the operations p that o reads from of (y_p W_x)

    The sum over what operations read from is the state of the node where their edges begin, so that these are the
    equations for operations on edges, on the line graph. What an operation with output zero sends is 0.
    """

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.states, self.gates = nn.Linear(width, width, bias=False), nn.Linear(embedding, width, bias=False)

    def forward(self, flow: Tensor, choices: Tensor, carries: Tensor, reads: Tensor) -> Tensor:
        """Flow [N, nodes, width], choices [N, nodes, embedding], 0 for what sends nothing [N, nodes, 1] -> flow."""
        return torch.sigmoid(self.gates(choices)) * carries * (reads @ self.states(flow))  # type: ignore[no-any-return]


class Gates(nn.Module):
    """The flow from the input through the operations; the mean over nodes, and of it a score.

    Each step carries the flow one operation further; a node keeps what it had, and the input sends the same each time.
    """

    def __init__(self, words: Vocabulary, nodes: int, embedding: int = 48, width: int = 64, layers: int = 5) -> None:
        super().__init__()
        self.choices = Choices(words, embedding)
        self.first = nn.Parameter(torch.randn(width))
        self.layers = nn.ModuleList([Flow(width, embedding) for _ in range(layers)])
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
        self.nothing = list(words.nothing)

    def forward(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> scores [N]."""
        return self.head(self.encode(graphs)).squeeze(-1)  # type: ignore[no-any-return]

    def encode(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> what the network is to the predictor, [N, width]."""
        choices = self.choices(graphs)
        carries = 1 - graphs.features[..., self.nothing].sum(-1, keepdim=True)
        flow = graphs.features[..., OUTPUT - 1, None] * self.first
        for layer in self.layers:
            flow = flow + layer(flow, choices, carries, graphs.reads)
        return graphs.mean(flow)


GATES = GraphModel(
    "GATES",
    About(
        "Ning et al., A Generic Graph-based Neural Architecture Encoding Scheme for Predictor-based NAS, ECCV 2020",
        "information flows from the input to the output, and every operation lets through a part of it that is learnt",
        "64 channels, 800 steps; operations on edges are nodes of a line graph, and the mean over nodes is read, as "
        "the flow does not reach the output of deep networks; a node adds what it had, in the authors' code a linear "
        "image of it",
    ),
    Gates,
    Recipe(loss="pairs"),
)

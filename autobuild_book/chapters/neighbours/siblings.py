"""NN-Former: attention among neighbours and among siblings, which share a source or a reader (Xu et al., CVPR 2025)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary
from autobuild_book.chapters.neighbours.learning import About, Choices, GraphModel, Recipe


def masks(reads: Tensor) -> Tensor:
    """Who attends to whom in each of four heads, [N, 4, nodes, nodes]; every node to itself.

    What a node reads, what reads it, what shares a reader with it, and what shares a source: A, A^T, A^T A and A A^T.
    """
    back = reads.mT
    heads = torch.stack([reads, back, back @ reads, reads @ back], dim=1)
    return heads + torch.eye(reads.shape[-1]) > 0


class SiblingAttention(nn.Module):
    """Four heads of attention, each of which sees only its mask."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, values: Tensor, seen: Tensor) -> Tensor:
        """Values [N, nodes, width], masks [N, 4, nodes, nodes] -> [N, nodes, width]."""
        query, key, value = self.project(values).unflatten(-1, (3, 4, -1)).permute(2, 0, 3, 1, 4)
        heads = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return self.join(heads.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class BothWaysFeedForward(nn.Module):
    """The feed-forward of a graph isomorphism network, both ways: ReLU(X W + [A X W+, A^T X W-]) W'."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.here, self.last = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.along, self.against = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)

    def forward(self, values: Tensor, reads: Tensor) -> Tensor:
        """Values [N, nodes, width], adjacency [N, nodes, nodes] -> [N, nodes, width]."""
        passed = torch.cat([reads @ self.along(values), reads.mT @ self.against(values)], dim=-1)
        return self.last(functional.relu(self.here(values) + passed))  # type: ignore[no-any-return]


class Siblings(nn.Module):
    """Layers of sibling attention and of the feed-forward, each added to its input; the mean over nodes is scored."""

    def __init__(self, words: Vocabulary, nodes: int, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        self.choices = Choices(words, width)
        self.attention = nn.ModuleList([SiblingAttention(width) for _ in range(layers)])
        self.forwards = nn.ModuleList([BothWaysFeedForward(width) for _ in range(layers)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2 * layers)])
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> scores [N]."""
        values, seen = self.choices(graphs), masks(graphs.reads)
        pairs = zip(self.attention, self.forwards, self.norms[::2], self.norms[1::2], strict=True)
        for attention, forward, before, between in pairs:
            values = values + attention(before(values), seen)
            values = values + forward(between(values), graphs.reads)
        return self.head(graphs.mean(values)).squeeze(-1)  # type: ignore[no-any-return]


NN_FORMER = GraphModel(
    "NN-Former",
    About(
        "Xu et al., NN-Former: Rethinking Graph Structure in Neural Architecture Representation, CVPR 2025",
        "attention among what a node reads, what reads it, and its siblings: those with the same sources or readers",
        "3 layers of 64 for 12 of 160, 800 steps for 3,000 passes, no embedding of depths; the mean over nodes is read "
        "for a class token, so that its loss for consistency between orders of nodes is 0",
    ),
    Siblings,
    Recipe(rate=2e-3, loss="squared and differences"),
)

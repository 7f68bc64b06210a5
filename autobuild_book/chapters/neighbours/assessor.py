"""The semi-supervised assessor: networks without labels shape embeddings and a graph of similar networks.

Tang et al., A Semi-Supervised Assessor of Neural Architectures, CVPR 2020. The paper is known here by its abstract: an
autoencoder, a graph of labelled and unlabelled networks by how similar they are, graph convolutions on it. How these
are put together in detail is ours. Networks without labels are drawn from the whole space.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_book.chapters.neighbours.convolutions import BothWays, normalized
from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary, graphs_of_codes, joined
from autobuild_book.chapters.neighbours.learning import About, GraphModel, Recipe, descend
from autobuild_lib.spaces import SequenceSpace

REACH, LEAST = 2.0, 0.01  # standard deviation of the kernel; a similarity below the least is no edge


def similarities(embedded: Tensor, others: Tensor) -> Tensor:
    """Edges of the graph over architectures: exp(-|z_i - z_j|^2 / (2 * REACH^2)), and 0 where that is below LEAST.

    Embeddings [N, latent] and [M, latent] -> [N, M].
    """
    squares = embedded.square().sum(-1, keepdim=True) + others.square().sum(-1) - 2 * embedded @ others.T
    alike = torch.exp(-squares.clamp(min=0) / (2 * REACH**2))
    return alike * (alike >= LEAST)


class Assessor(nn.Module):
    """An autoencoder of architectures, and graph convolutions over the graph of similar ones.

    An embedding z gives choices and edges back. With S the similarities of all z, and D their sums over rows:
    H' = ReLU(D^-1/2 S D^-1/2 H W) from H = z on, and the last H is scored. The moments of z are fixed, so that REACH
    is a distance that means the same all along.
    """

    def __init__(self, words: Vocabulary, nodes: int, width: int = 64, latent: int = 16, layers: int = 2) -> None:
        super().__init__()
        self.encoder = nn.ModuleList([BothWays(*pair) for pair in pairwise([words.width, *[width] * layers])])
        self.latent = nn.Sequential(nn.Linear(nodes * width, latent), nn.BatchNorm1d(latent, affine=False))
        self.decoder = nn.Sequential(
            nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, nodes * (words.width + nodes))
        )  # fmt: skip
        widths = [latent, *[width] * layers]
        self.layers, self.head = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(widths)]), nn.Linear(width, 1)
        self.stored = [torch.empty(0, inputs) for inputs in widths[:-1]]  # what each layer reads, [M, inputs]
        self.degrees = torch.empty(0)  # of stored networks

    def embed(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> embeddings, [N, latent]."""
        values, reads, read_by = graphs.features, normalized(graphs.reads), normalized(graphs.reads.mT)
        for layer in self.encoder:
            values = layer(values, reads, read_by)
        return self.latent(values.flatten(1))  # type: ignore[no-any-return]

    def astray(self, graphs: Graphs, embedded: Tensor) -> Tensor:
        """Mean over nodes of the squared errors of choices and edges that embeddings [N, latent] give back."""
        truth = torch.cat([graphs.features, graphs.reads], dim=-1)
        errors: Tensor = (self.decoder(embedded).view_as(truth) - truth).square().sum(-1)
        return (errors * graphs.there).sum() / graphs.there.sum()

    def convolve(self, embedded: Tensor, edges: Tensor) -> list[Tensor]:
        """Return the embeddings and the output of each layer, [N, width], on a graph with similarities [N, N]."""
        scale, values = edges.sum(1).rsqrt(), [embedded]
        passed = scale[:, None] * edges * scale
        for layer in self.layers:
            values.append(functional.relu(layer(passed @ values[-1])))
        return values

    def assess(self, embedded: Tensor) -> Tensor:
        """Embeddings of all architectures of a graph [N, latent] -> scores [N]."""
        return self.head(self.convolve(embedded, similarities(embedded, embedded))[-1]).squeeze(-1)  # type: ignore[no-any-return]

    def store(self, graphs: Graphs) -> None:
        """Keep the graph that new architectures join."""
        embedded = self.embed(graphs)
        edges = similarities(embedded, embedded)
        self.stored, self.degrees = self.convolve(embedded, edges)[:-1], edges.sum(1)

    def forward(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> scores [N]: each joins the stored graph by itself, and stored ones do not read it."""
        values = self.embed(graphs)
        edges = similarities(values, self.stored[0])
        degrees = 1 + edges.sum(1, keepdim=True)
        passed = edges * degrees.rsqrt() * self.degrees.rsqrt()
        for layer, stored in zip(self.layers, self.stored, strict=True):
            values = functional.relu(layer(passed @ stored + values / degrees))
        return self.head(values).squeeze(-1)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class AssessorModel(GraphModel):
    """An assessor as a model of the registry; its loss is (1 - weight) * that of labels + weight * that of decoding.

    unlabelled: networks that are drawn from the space; a batch has some of them beside its rows.
    beside: how many of them at most.
    """

    unlabelled: int = 512
    beside: int = 192
    weight: float = 0.5

    def describe(self) -> dict[str, Any]:
        """Return what the model is: name, paper, idea, how it differs, and settings."""
        return {**super().describe(), "unlabelled": self.unlabelled, "weight": self.weight}

    def train(self, module: Any, space: SequenceSpace, graphs: Graphs, target: Tensor, seed: int) -> None:
        """Train on batches of rows and networks without labels, the graph of each batch apart; then store them all."""
        others = graphs_of_codes(space, space.sample_codes(np.random.default_rng(seed), self.unlabelled))

        def loss_of(rows: Tensor) -> Tensor:
            batch = joined(graphs.take(rows), others.take(torch.randperm(len(others))[: self.beside]))
            embedded = module.embed(batch)
            wrong = functional.mse_loss(module.assess(embedded)[: len(rows)], target[rows])
            astray: Tensor = module.astray(batch, embedded)
            return (1 - self.weight) * wrong + self.weight * astray

        descend(module, len(graphs), self.recipe, seed, loss_of)
        with torch.no_grad():
            module.store(joined(graphs, others))


ASSESSOR = AssessorModel(
    "semi-supervised assessor",
    About(
        "Tang et al., A Semi-Supervised Assessor of Neural Architectures, CVPR 2020",
        "an autoencoder also of networks without labels gives embeddings; graph convolutions over similar networks "
        "predict",
        "after the abstract, as the paper itself was not at hand: encoder, decoder, similarity and losses are ours; "
        "512 networks without labels, drawn from the whole space, 192 of them beside a batch; new networks join the "
        "graph of those that were learnt from",
    ),
    Assessor,
    Recipe(steps=300, batch=256, rate=1e-2),
)
ASSESSOR_ALONE = replace(ASSESSOR, name="assessor, labels alone", unlabelled=0)

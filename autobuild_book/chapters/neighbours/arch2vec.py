"""arch2vec: a variational graph autoencoder learns architectures without labels (Yan et al., NeurIPS 2020)."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary, chunks, graphs_of_codes, vocabulary
from autobuild_book.chapters.neighbours.labels import labels_of
from autobuild_book.chapters.neighbours.learning import About, Recipe, descend, seeded
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_lib.data.table import Table
from autobuild_lib.extras import extra
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.torch_settings import plain_torch

with extra("book"):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import StandardScaler

Array = npt.NDArray[np.float64]
DIVERGENCE = 1 / 32  # weight of the divergence
PLAIN = Recipe(rate=1e-2, decay=0.0)
RIDGE, PROCESS = "ridge", "Gaussian process"


class Isomorphism(nn.Module):
    """A layer of a graph isomorphism network: MLP((1 + e) h_v + sum of h over neighbours), e learnt."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.own_weight = nn.Parameter(torch.zeros(()))
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width),
            nn.BatchNorm1d(width), nn.ReLU(),
        )  # fmt: skip

    def forward(self, values: Tensor, both: Tensor, there: Tensor) -> Tensor:
        """Values [N, nodes, inputs], adjacency without direction [N, nodes, nodes] -> [N, nodes, width]."""
        summed = (1 + self.own_weight) * values + both @ values
        made = self.layers(summed[there])  # padding takes no part in the moments of a batch
        empty: Tensor = made.new_zeros(*there.shape, made.shape[-1])
        return empty.masked_scatter(there[..., None], made)


class Autoencoder(nn.Module):
    """Nodes become normal distributions, whose samples z give edges and choices back.

    p(A_ij = 1) = sigmoid(z_i . z_j + a) for edges of either direction; p(X_i) = sigmoid(W z_i + b). Ours are the bias
    a, and a sigmoid for each choice, as nodes make several in some spaces, for the paper's softmax over operations.
    """

    def __init__(self, words: Vocabulary, width: int = 64, latent: int = 16, layers: int = 4) -> None:
        super().__init__()
        widths = [words.width, *[width] * (layers - 1)]
        self.layers = nn.ModuleList([Isomorphism(inputs, width) for inputs in widths])
        self.mean, self.spread = nn.Linear(width, latent), nn.Linear(width, latent)
        self.choices, self.bias = nn.Linear(latent, words.width), nn.Parameter(torch.zeros(()))

    def encode(self, graphs: Graphs) -> tuple[Tensor, Tensor]:
        """Graphs [N, nodes] -> means and log standard deviations of nodes, [N, nodes, latent] each."""
        values, both, there = graphs.features, graphs.reads + graphs.reads.mT, graphs.there.bool()
        for layer in self.layers:
            values = layer(values, both, there)
        return self.mean(values), self.spread(values)

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Latent nodes [N, nodes, latent] -> log odds of choices [N, nodes, width] and edges [N, nodes, nodes]."""
        return self.choices(latent), latent @ latent.mT + self.bias

    def loss(self, graphs: Graphs) -> Tensor:
        """Return what is to be minimised, the negative evidence lower bound."""
        means, spreads = self.encode(graphs)
        choices, edges = self.decode(means + torch.randn_like(means) * spreads.exp())
        nodes = graphs.there
        pairs = (
            nodes[:, :, None] * nodes[:, None] * (1 - torch.eye(nodes.shape[1]))
        )  # a node is never its own neighbour
        both = graphs.reads + graphs.reads.mT
        wrong = functional.binary_cross_entropy_with_logits(choices, graphs.features, reduction="none").sum(-1)
        astray = functional.binary_cross_entropy_with_logits(edges, both, reduction="none")
        divergence = (means.square() + (2 * spreads).exp() - 1 - 2 * spreads).sum(-1) / 2
        per_node = wrong + (astray * pairs).sum(-1) + DIVERGENCE * divergence
        return (per_node * nodes).sum() / nodes.sum()

    def embed(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> the mean over nodes of what they are, [N, latent]."""
        return graphs.mean(self.encode(graphs)[0])


@functools.lru_cache(maxsize=8)
def pretrained(space: SequenceSpace, networks: int, recipe: Recipe, seed: int) -> Autoencoder:
    """Train an autoencoder on networks of a space, which the seed draws; labels take no part.

    It is kept: what learns from it with other rows, or with another regression, does not train it again.
    """
    graphs = graphs_of_codes(space, space.sample_codes(np.random.default_rng(seed), networks))

    def work(module: Autoencoder) -> None:
        descend(module, len(graphs), recipe, seed, lambda batch: module.loss(graphs.take(batch)))

    return seeded(lambda: Autoencoder(vocabulary(space)), seed, work)


@dataclass(frozen=True, eq=False)
class OnEmbeddings:
    """A regression that has learnt one target from embeddings."""

    space: SequenceSpace
    autoencoder: Autoencoder
    regressor: Any

    def embeddings(self, architectures: Sequence[Architecture]) -> Array:
        """Return the embeddings of architectures, [N, latent]."""
        with plain_torch():
            parts = [self.autoencoder.embed(graphs) for graphs in chunks(self.space, architectures)]
        return torch.cat(parts).double().numpy()

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        if not len(architectures):
            return np.empty(0)
        return np.asarray(self.regressor.predict(self.embeddings(architectures)), dtype=np.float64)


@dataclass(frozen=True)
class Arch2Vec:
    """A regression on embeddings that came from networks without labels.

    head: "ridge" or "Gaussian process"; another is a `ValueError`. networks: drawn for the autoencoder.
    """

    name: str
    about: About = field(repr=False)
    head: str = PROCESS
    networks: int = 4000
    recipe: Recipe = PLAIN
    needs_proxies = False

    def describe(self) -> dict[str, Any]:
        """Return what the model is: name, paper, idea, how it differs, and settings."""
        return {
            "name": self.name,
            **vars(self.about),
            "head": self.head,
            "networks": self.networks,
            **vars(self.recipe),
        }

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[OnEmbeddings]:
        """Learn each target from the embeddings of the rows; what cannot be learnt from is a `DataError`."""
        labels, space = labels_of(table, targets), table.space
        autoencoder = pretrained(space, self.networks, self.recipe, seed)
        fitted = [OnEmbeddings(space, autoencoder, self._regressor()) for _ in targets]
        for learnt, y in zip(fitted, labels, strict=True):
            learnt.regressor.fit(learnt.embeddings(table.architectures), y)
        return fitted

    def _regressor(self) -> Pipeline:
        return make_pipeline(StandardScaler(), look_up("head", self.head, HEADS)())


def _process() -> GaussianProcessRegressor:
    kernel = ConstantKernel(1.0) * RBF(4.0, (0.3, 100.0)) + WhiteKernel(0.1, (1e-4, 10.0))
    return GaussianProcessRegressor(kernel, normalize_y=True)


HEADS: dict[str, Callable[[], Any]] = {RIDGE: lambda: RidgeCV(np.logspace(-4, 3, 15)), PROCESS: _process}


_PAPER = (
    "Yan et al., Does Unsupervised Architecture Representation Learning Help Neural Architecture Search?, NeurIPS 2020"
)
_IDEA = (
    "an autoencoder of graphs learns a vector for every network without labels; a small model on it learns the label"
)
_SMALL = (
    "4 layers of 64 for 5 of 128; 4,000 networks of the space, 800 steps with batches of 64; a sigmoid for each choice "
    "of a node, and a bias for edges"
)
ARCH2VEC = Arch2Vec("arch2vec", About(_PAPER, _IDEA, _SMALL))
ARCH2VEC_RIDGE = Arch2Vec("arch2vec, ridge", About(_PAPER, _IDEA, _SMALL), RIDGE)

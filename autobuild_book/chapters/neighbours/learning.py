"""How neural networks on graphs learn a target: one loop over batches, deterministic for a seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary, chunks, graphs_of, vocabulary
from autobuild_book.chapters.neighbours.labels import labels_of
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.torch_settings import plain_torch

Array = npt.NDArray[np.float64]
Module = TypeVar("Module", bound=nn.Module)
MARGIN = 0.1  # of scores of two networks, in standard deviations of the label
RANKING = 0.2  # weight of what looks at pairs, beside squared errors


@dataclass(frozen=True)
class About:
    """What a system is.

    paper: authors, place and year. idea: in a sentence. differs: how ours departs from the original.
    """

    paper: str
    idea: str
    differs: str


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: AdamW, whose rate falls along half a cosine.

    steps: in whole passes through the rows, so about as many however many rows there are.
    loss: "squared" error, "pairs": the hinge over all pairs of a batch, as only their order counts, or a sum of both;
        or squared errors with absolute ones of differences within pairs.
    """

    steps: int = 800
    batch: int = 64
    rate: float = 4e-3
    decay: float = 1e-3
    loss: str = "squared"


def pair_hinge(scores: Tensor, target: Tensor) -> Tensor:
    """Mean over pairs with target i above j of max(0, margin - (score i - score j)): scores, target [N] -> a number.

    As GATES learns (Ning et al., ECCV 2020).
    """
    above = (target[:, None] > target).float()
    short = functional.relu(MARGIN - (scores[:, None] - scores))
    return (short * above).sum() / above.sum().clamp(min=1)


def squared_and_pairs(scores: Tensor, target: Tensor) -> Tensor:
    """Mean squared error and, with a weight of 0.2, the hinge over pairs: scores, target [N] -> a number."""
    return functional.mse_loss(scores, target) + RANKING * pair_hinge(scores, target)


def squared_and_differences(scores: Tensor, target: Tensor) -> Tensor:
    """Mean squared error and, with a weight of 0.2, the mean absolute error of differences within pairs.

    NN-Former (Xu et al., CVPR 2025), whose pairs are each network and another of the batch; here all pairs of it.
    """
    errors = scores - target
    return functional.mse_loss(scores, target) + RANKING * (errors[:, None] - errors).abs().mean()


PAIRS = "pairs"  # the loss whose scores are no standardised labels
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared": functional.mse_loss, PAIRS: pair_hinge, "squared and pairs": squared_and_pairs,
    "squared and differences": squared_and_differences,
}  # fmt: skip


def descend(module: nn.Module, rows: int, recipe: Recipe, seed: int, loss_of: Callable[[Tensor], Tensor]) -> None:
    """Train a module; `loss_of` takes the places of a batch among the rows, which the seed draws."""
    optimiser = torch.optim.AdamW(module.parameters(), recipe.rate, weight_decay=recipe.decay, fused=True)
    batches = -(-rows // recipe.batch)
    epochs = -(-recipe.steps // batches)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * batches)
    order = torch.Generator().manual_seed(seed)
    module.train()
    for _ in range(epochs):
        for batch in torch.randperm(rows, generator=order).tensor_split(batches):
            optimiser.zero_grad()
            loss_of(batch).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    module.eval()


def seeded(build: Callable[[], Module], seed: int, work: Callable[[Module], None]) -> Module:
    """Build a module and work on it with PyTorch's random numbers from a seed; the caller's are left as they were."""
    with plain_torch(gradients=True), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build()
        work(module)
    return module


@dataclass(frozen=True, eq=False)
class Learnt:
    """A network that has learnt one target; its scores are a line away from labels."""

    space: SequenceSpace
    module: nn.Module
    slope: float
    intercept: float

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        with plain_torch():
            scores = [self.module(graphs) for graphs in chunks(self.space, architectures)]
        joined = torch.cat(scores).double().numpy() if scores else np.empty(0)
        return np.asarray(self.slope * joined + self.intercept, dtype=np.float64)


@dataclass(frozen=True)
class GraphModel:
    """A network on graphs as a model of the registry.

    network: made of the space's vocabulary, the number of nodes, and the options; graphs go in, scores [N] come out.
    """

    name: str
    about: About = field(repr=False)  # no part of what a measurement depends on
    network: type[nn.Module]
    recipe: Recipe = Recipe()
    options: tuple[tuple[str, Any], ...] = ()
    needs_proxies = False

    def describe(self) -> dict[str, Any]:
        """Return what the model is: name, paper, idea, how it differs, and the recipe."""
        return {"name": self.name, **vars(self.about), **vars(self.recipe), **dict(self.options)}

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[Learnt]:
        """Learn each target from the rows of the table; what cannot be learnt from is a `DataError` (`labels_of`)."""
        labels, graphs = labels_of(table, targets), graphs_of(table.space, table.architectures)
        return [self._fit(table.space, graphs, y, seed) for y in labels]

    def _fit(self, space: SequenceSpace, graphs: Graphs, y: Array, seed: int) -> Learnt:
        mean, spread = float(y.mean()), float(y.std())
        target = torch.from_numpy((y - mean) / spread).float()

        def build() -> nn.Module:
            return self.network(vocabulary(space), graphs.there.shape[1], **dict(self.options))

        module = seeded(build, seed, lambda module: self.train(module, space, graphs, target, seed))
        if self.recipe.loss != PAIRS:
            return Learnt(space, module, spread, mean)
        with plain_torch():
            return Learnt(space, module, *line(module(graphs).double().numpy(), y))

    def train(self, module: Any, space: SequenceSpace, graphs: Graphs, target: Tensor, seed: int) -> None:
        """Train a network on graphs of a space [N] and their standardised labels [N]."""
        descend(module, len(graphs), self.recipe, seed, lambda rows: self.loss(module, graphs.take(rows), target[rows]))

    def loss(self, module: Any, graphs: Graphs, target: Tensor) -> Tensor:
        """Return what a batch adds to what is minimised: graphs [N], standardised labels [N] -> a number."""
        return look_up("loss", self.recipe.loss, LOSSES)(module(graphs), target)


def line(scores: Array, y: Array) -> tuple[float, float]:
    """Return slope, at least 0, and intercept of the line that takes scores [N] closest to labels y [N]."""
    spread = float(scores.std())
    slope = max(float(((scores - scores.mean()) * y).mean()) / spread**2, 0.0) if spread > 0 else 0.0
    return slope, float(y.mean() - slope * scores.mean())


class Choices(nn.Module):
    """The first layer of a network: one-hot codes as they are, or learnt vectors in their place.

    Operation embeddings (Chatzianastasis et al., ICCV Workshops 2021): an operation is a row of a matrix
    that is learnt with the rest and shared by all positions; a node that makes several choices is the sum of theirs.
    """

    def __init__(self, words: Vocabulary, embedding: int = 0) -> None:
        super().__init__()
        self.width = embedding or words.width
        self.vectors = nn.Parameter(torch.randn(words.width, embedding)) if embedding else None

    def forward(self, graphs: Graphs) -> Tensor:
        """Graphs [N, nodes] -> [N, nodes, width]."""
        return graphs.features if self.vectors is None else graphs.features @ self.vectors

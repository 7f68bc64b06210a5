"""CTNAS: a comparator says which of two networks is better; wins rank them (Chen et al., CVPR 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_book.chapters.neighbours.convolutions import normalized
from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary, chunks, graphs_of_codes, vocabulary
from autobuild_book.chapters.neighbours.labels import labels_of
from autobuild_book.chapters.neighbours.learning import About, Choices, Recipe, descend, line, seeded
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.torch_settings import plain_torch

Array = npt.NDArray[np.float64]


class Comparator(nn.Module):
    """The probability that network a is at least as good as b: p = sigmoid([f_a; f_b] w + c).

    f is the mean over nodes of two graph convolutions. As w is a row for each of both, the log odds are a sum of one
    number of a and one of b: numbers of all networks give all pairs, and no pair needs a pass of its own.
    """

    def __init__(self, words: Vocabulary, embedding: int = 16, width: int = 64) -> None:
        super().__init__()
        self.choices = Choices(words, embedding)
        self.first, self.second = nn.Linear(embedding, width), nn.Linear(width, width)
        self.sides = nn.Linear(width, 2)

    def forward(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> their numbers as the first and as the second of a pair, [N, 2]."""
        reads = normalized(graphs.reads)
        values = functional.relu(reads @ self.first(self.choices(graphs)))
        values = functional.relu(reads @ self.second(values))
        return self.sides(graphs.mean(values))  # type: ignore[no-any-return]


def log_odds(first: Tensor, second: Tensor) -> Tensor:
    """Log odds that each of the first is at least as good as each of the second: [N, 2], [M, 2] -> [N, M]."""
    return first[:, None, 0] + second[:, 1]


def pair_loss(numbers: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of all pairs of different networks, in both orders: [N, 2], [N] -> a number."""
    truth = (target[:, None] >= target).float()
    losses = functional.binary_cross_entropy_with_logits(log_odds(numbers, numbers), truth, reduction="none")
    different = 1 - torch.eye(len(target))
    return (losses * different).sum() / different.sum().clamp(min=1)


def confident_pairs(numbers: Tensor, pairs: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Keep the pairs that the comparator is surest of, with what it says: data exploration.

    Args:
        numbers: of unlabelled networks, [N, 2]. pairs: places of two networks each, [2, pairs].
        share: of pairs to keep; the sureness of one is |p - 1/2|.
    """
    odds = numbers[pairs[0], 0] + numbers[pairs[1], 1]
    surest = odds.abs().topk(round(share * pairs.shape[1])).indices
    return pairs[:, surest], (odds[surest] >= 0).float()


@dataclass(frozen=True, eq=False)
class Wins:
    """A comparator, the networks that it compares with, and the line from the log odds of a win to labels."""

    space: SequenceSpace
    comparator: Comparator
    rivals: Tensor  # numbers of the training networks, [M, 2]
    line: tuple[float, float] = (1.0, 0.0)

    def chances(self, architectures: Sequence[Architecture]) -> Array:
        """Return the mean probability that each is at least as good as a training network: [N] -> [N]."""
        with plain_torch():
            parts = [log_odds(self.comparator(g), self.rivals).double().sigmoid().mean(1)
                     for g in chunks(self.space, architectures)]  # fmt: skip
        return torch.cat(parts).numpy() if parts else np.empty(0)

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        slope, intercept = self.line
        return np.asarray(slope * _odds(self.chances(architectures)) + intercept, dtype=np.float64)


def _odds(chances: Array) -> Array:
    kept = np.clip(chances, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(kept / (1 - kept)), dtype=np.float64)


@dataclass(frozen=True)
class ComparatorModel:
    """A comparator as a model of the registry.

    explored: unlabelled networks whose surest comparisons join the training, in `share` of as many pairs.
    """

    name: str
    about: About = field(repr=False)
    recipe: Recipe
    explored: int = 2000
    share: float = 0.2
    weight: float = 0.2
    needs_proxies = False

    def describe(self) -> dict[str, Any]:
        """Return what the model is: name, paper, idea, how it differs, and settings."""
        return {"name": self.name, **vars(self.about), "explored": self.explored, **vars(self.recipe)}

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[Wins]:
        """Learn each target from the pairs of rows of the table; what cannot be learnt from is a `DataError`."""
        labels, space = labels_of(table, targets), table.space
        graphs = graphs_of_codes(space, space.to_codes(table.architectures))
        drawn = space.sample_codes(np.random.default_rng(seed), self.explored) if self.explored else None
        others = None if drawn is None else graphs_of_codes(space, drawn)
        fitted = []
        for y in labels:
            comparator = self._train(space, graphs, torch.from_numpy(y), others, seed)
            with plain_torch():
                learnt = Wins(space, comparator, comparator(graphs))
            fitted.append(Wins(space, comparator, learnt.rivals, line(_odds(learnt.chances(table.architectures)), y)))
        return fitted

    def _train(
        self, space: SequenceSpace, graphs: Graphs, target: Tensor, others: Graphs | None, seed: int
    ) -> Comparator:
        """Train on pairs with labels; then again, with the surest pairs of unlabelled networks beside them."""

        def work(comparator: Comparator) -> None:
            def labelled(batch: Tensor) -> Tensor:
                return pair_loss(comparator(graphs.take(batch)), target[batch])

            descend(comparator, len(graphs), self.recipe, seed, labelled)
            if others is None:
                return
            pairs = torch.randint(len(others), (2, len(others)))
            with torch.no_grad():
                pairs, says = confident_pairs(comparator(others), pairs, self.share)

            def explored(batch: Tensor) -> Tensor:
                some = torch.randint(len(says), (len(batch),))
                first, second = (comparator(others.take(side[some])) for side in pairs)
                odds = first[:, 0] + second[:, 1]
                return labelled(batch) + self.weight * functional.binary_cross_entropy_with_logits(odds, says[some])

            descend(comparator, len(graphs), self.recipe, seed + 1, explored)

        return seeded(lambda: Comparator(vocabulary(space)), seed, work)


_PAPER = "Chen et al., Contrastive Neural Architecture Search with Neural Architecture Comparators, CVPR 2021"
_IDEA = "a graph network says which of two networks is better; a network's rank is how often it wins"
CTNAS = ComparatorModel(
    "CTNAS comparator",
    About(
        _PAPER,
        _IDEA,
        "64 channels for 128, one round of exploration, and no controller that is learnt with it; wins are counted "
        "against the networks that were learnt from",
    ),
    Recipe(steps=250),
)
CTNAS_LABELLED = ComparatorModel(
    "CTNAS, labels alone", About(_PAPER, _IDEA, "as the comparator, without exploration"), Recipe(steps=800), explored=0
)

"""Layers over classes of equal neighbourhoods in IR graphs, P predictors side by side: [P, classes, channels]."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_lib.graphs.ir import ATTRIBUTES, OPERATIONS, PLACES, SHAPES
from autobuild_lib.graphs.neighbourhoods import Level, Neighbourhoods
from autobuild_lib.layers import PathGATv2, PathGraphConv, StackedEmbedding, StackedLinear

WIDTH = 3  # of each category's embedding
CATEGORIES = 3  # operation, shapes, attributes


class IRFeatures(nn.Module):
    """Hop 0: operation, shapes and attributes of a node become one scalar each; a node is the list of their magnitudes.

    operations: the vocabulary, those of the training data. Shapes: classes of hop 0 -> [P, classes, CATEGORIES].
    """

    rows: Tensor

    def __init__(self, operations: Sequence[str], seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.embeddings, self.scores = nn.ModuleDict(), nn.ModuleDict()
        self.embeddings["operation"] = StackedEmbedding(len(operations), WIDTH, seeds)
        self.embeddings["shapes"] = StackedLinear(SHAPES, WIDTH, seeds)
        self.embeddings["attributes"] = StackedLinear(ATTRIBUTES, WIDTH, seeds)
        for name in self.embeddings:
            self.scores[name] = StackedLinear(WIDTH, 1, seeds)
        rows = torch.full((len(OPERATIONS),), -1)
        rows[[PLACES[name] for name in operations]] = torch.arange(len(operations))
        self.register_buffer("rows", rows, persistent=False)

    def operation_scores(self) -> Tensor:
        """Score of each operation of the vocabulary, [P, operations]: its magnitude is the operation's importance."""
        scores: Tensor = self.scores["operation"](self.embeddings["operation"]())
        return scores.squeeze(2)

    def forward(self, graphs: Neighbourhoods) -> Tensor:
        """Score the classes of hop 0."""
        parts = [self.operation_scores().index_select(1, self.rows.index_select(0, graphs.operations))]
        for name, values in (("shapes", graphs.shapes), ("attributes", graphs.attributes)):
            embedded = self.embeddings[name](values.expand(len(parts[0]), -1, -1))
            parts.append(self.scores[name](embedded).squeeze(2))
        return torch.stack(parts, dim=2).abs()


class IRGATv2(PathGATv2):
    """Graph attention (Brody et al., ICLR 2022; one head, with self-loops) over multisets of predecessors.

    A node attends over itself and its predecessors; a class of predecessors that occurs k times has k times the weight.
    """

    def forward(self, x: Tensor, level: Level) -> Tensor:  # type: ignore[override]
        """Pass messages: x [P, classes of the hop before, in] -> [P, classes, out]."""
        source, target = self.project(x)
        message = level.of_source @ source  # [P, pairs, out]
        own_logit = self._logit(source + target).gather(1, level.own.expand(len(x), -1))
        logit = self._logit(message + level.of_root @ target)
        pairs = level.target.expand(len(x), -1)
        most = own_logit.detach().scatter_reduce(1, pairs, logit.detach(), "amax")
        own_weight = (own_logit - most).exp()
        weight = (logit - most.gather(1, pairs)).exp() * level.times
        total = own_weight.scatter_add(1, pairs, weight)
        own = level.of_own @ source * own_weight.unsqueeze(2)
        others = level.of_target.T @ (message * weight.unsqueeze(2))
        return (own + others) / total.unsqueeze(2) + self.bias

    def _logit(self, x: Tensor) -> Tensor:
        return (functional.leaky_relu(x, 0.2) @ self.attention.mT).squeeze(2)


class IRGraphConv(PathGraphConv):
    """Graph convolution (Morris et al., AAAI 2019): x_v W_root plus the sum of x_u W_neighbour over predecessors u."""

    def forward(self, x: Tensor, level: Level) -> Tensor:  # type: ignore[override]
        """Pass messages: x [P, classes of the hop before, in] -> [P, classes, out]."""
        root, neighbour = self.project(x)
        message = (level.of_source @ neighbour) * level.times[:, None]
        return level.of_own @ root + level.of_target.T @ message + self.neighbour.bias

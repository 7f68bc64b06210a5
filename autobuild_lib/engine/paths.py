"""Stacked layers: P predictors of the same shape computed side by side on the same path graphs.

Every tensor carries the stack first: node features are [P, nodes, channels], weights [P, in, out]. A path needs no
scatter: node v attends over itself and node v - 1, so message passing is a shift by one row.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_lib.spaces import Category


def _uniform(shape: Sequence[int], bound: float, seeds: Sequence[torch.Generator]) -> nn.Parameter:
    return nn.Parameter(torch.stack([torch.empty(*shape).uniform_(-bound, bound, generator=g) for g in seeds]))


class StackedLinear(nn.Module):
    """Affine maps [P, n, in] -> [P, n, out], initialised as PyTorch's (`glorot`: as PyTorch Geometric's GATv2)."""

    def __init__(self, fan_in: int, fan_out: int, seeds: Sequence[torch.Generator], glorot: bool = False) -> None:
        super().__init__()
        bound = math.sqrt(6 / (fan_in + fan_out)) if glorot else 1 / math.sqrt(fan_in)
        self.weight = _uniform((fan_in, fan_out), bound, seeds)
        self.bias = _uniform((1, fan_out), 1 / math.sqrt(fan_in), seeds)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the map of each predictor to its own x."""
        return torch.baddbmm(self.bias, x, self.weight)


class StackedEmbedding(nn.Module):
    """One learnt vector per value of a categorical feature, [P, values, width], standard normal at first."""

    def __init__(self, values: int, width: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([torch.randn(values, width, generator=g) for g in seeds]))

    def forward(self) -> Tensor:
        """Return the vectors of all values."""
        return self.weight


class StackedScale(StackedLinear):
    """A linear layer 1 -> width over the numbers of a continuous feature, [P, values, width]."""

    numbers: Tensor

    def __init__(self, numbers: Sequence[float], width: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__(1, width, seeds)
        self.register_buffer("numbers", torch.tensor(numbers)[:, None].expand(len(seeds), -1, 1), persistent=False)

    def forward(self) -> Tensor:  # type: ignore[override]
        """Return the vectors of all numbers."""
        return super().forward(self.numbers)


def _embedding(category: Category, seeds: Sequence[torch.Generator]) -> nn.Module:
    if category.scaled is None:
        return StackedEmbedding(len(category.values), category.width, seeds)
    return StackedScale(category.scaled, category.width, seeds)


TAKEN = frozenset(dir(nn.ModuleDict()))  # names that PyTorch keeps for itself, such as `type`


def _key(category: Category) -> str:
    return f"{category.name}_" if category.name in TAKEN else category.name


class FeatureMLP(nn.Module):
    """Hop 0: every feature value becomes one scalar score, and a node is the list of its |scores| (paper, Section 3.2).

    A category with V values has an embedding [V, width] (or, if continuous, a linear layer 1 -> width), then a linear
    layer to a scalar. An absent feature scores 0.

    Shapes: codes [nodes, categories] -> [P, nodes, categories].
    """

    offsets: Tensor

    def __init__(self, categories: Sequence[Category], seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.categories = tuple(categories)
        self.embeddings, self.scores = nn.ModuleDict(), nn.ModuleDict()
        for category in categories:
            self.embeddings[_key(category)] = _embedding(category, seeds)
            self.scores[_key(category)] = StackedLinear(category.width, 1, seeds)
        sizes = torch.tensor([category.size for category in categories])
        self.register_buffer("offsets", sizes.cumsum(0) - sizes, persistent=False)

    def value_scores(self, category: Category) -> Tensor:
        """Score of each value of a category, [P, values]: its magnitude is the value's importance."""
        scores: Tensor = self.scores[_key(category)](self.embeddings[_key(category)]()).squeeze(2)
        return functional.pad(scores, (0, 1)) if category.may_be_absent else scores

    def forward(self, codes: Tensor) -> Tensor:
        """Look every node's scores up."""
        table = torch.cat([self.value_scores(c) for c in self.categories], dim=1).abs()  # [P, all values]
        places = (codes + self.offsets).flatten()
        return table.index_select(1, places).reshape(len(table), *codes.shape)


class PathGATv2(nn.Module):
    """Graph attention (Brody et al., ICLR 2022; one head, with self-loops) over each node and the one before it.

    With l = x W_l, r = x W_r and e(u, v) = a . LeakyReLU(l_u + r_v), node v gets the mean of l_v and l_(v-1), weighted
    by the softmax of e(v, v) and e(v-1, v): a sigmoid of their difference.
    """

    def __init__(self, fan_in: int, fan_out: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.source = StackedLinear(fan_in, fan_out, seeds, glorot=True)
        self.target = StackedLinear(fan_in, fan_out, seeds, glorot=True)
        self.attention = _uniform((1, fan_out), math.sqrt(6 / (1 + fan_out)), seeds)
        self.bias = nn.Parameter(torch.zeros(len(seeds), 1, fan_out))

    def forward(self, x: Tensor, has_previous: Tensor) -> Tensor:
        """Pass messages: x [P, nodes, in], has_previous [nodes, 1] -> [P, nodes, out]."""
        source, target = self.project(x)
        step = functional.pad(source[:, :-1] - source[:, 1:], (0, 0, 1, 0))  # from each node to the one before
        return self._attend(source, target, step, has_previous)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return l and r of the nodes x [P, nodes, in]."""
        return self.source(x), self.target(x)

    def combine(self, own: tuple[Tensor, Tensor], previous: tuple[Tensor, Tensor] | None) -> Tensor:
        """Pass a message to nodes from those before them (None: a path starts), both projected; shapes broadcast."""
        source, target = own
        if previous is None:
            return source + self.bias
        return self._attend(source, target, previous[0] - source, 1.0)

    def _attend(self, source: Tensor, target: Tensor, step: Tensor, has_previous: Tensor | float) -> Tensor:
        own = source + target
        difference = functional.leaky_relu(own + step, 0.2) - functional.leaky_relu(own, 0.2)
        gate = torch.sigmoid((difference * self.attention).sum(-1, keepdim=True)) * has_previous
        return torch.addcmul(source + self.bias, gate, step)


class PathGraphConv(nn.Module):
    """Graph convolution (Morris et al., AAAI 2019): x_v W_root + x_(v-1) W_neighbour."""

    def __init__(self, fan_in: int, fan_out: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.neighbour = StackedLinear(fan_in, fan_out, seeds)
        self.root = _uniform((fan_in, fan_out), 1 / math.sqrt(fan_in), seeds)

    def forward(self, x: Tensor, has_previous: Tensor) -> Tensor:
        """Pass messages: x [P, nodes, in], has_previous [nodes, 1] -> [P, nodes, out]."""
        previous = functional.pad(x[:, :-1], (0, 0, 1, 0)) * has_previous
        return torch.baddbmm(self.neighbour(previous), x, self.root)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x W_root and x W_neighbour, the bias left out, of the nodes x [P, nodes, in]."""
        return x @ self.root, x @ self.neighbour.weight

    def combine(self, own: tuple[Tensor, Tensor], previous: tuple[Tensor, Tensor] | None) -> Tensor:
        """Pass a message to nodes from those before them (None: a path starts), both projected; shapes broadcast."""
        new = own[0] + self.neighbour.bias
        return new if previous is None else new + previous[1]


class StackedBatchNorm(nn.Module):
    """Batch normalisation over the nodes, each predictor with its own statistics."""

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, stack: int, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.weight = nn.Parameter(torch.ones(stack, 1, channels))
        self.bias = nn.Parameter(torch.zeros(stack, 1, channels))
        self.register_buffer("mean", torch.zeros(stack, 1, channels))
        self.register_buffer("variance", torch.ones(stack, 1, channels))

    def forward(self, x: Tensor, counts: Tensor | None = None) -> Tensor:
        """Normalise x [P, nodes, channels] by the batch (training) or the running statistics.

        With counts [nodes], row v stands for counts[v] equal nodes.
        """
        if not self.training:
            scale = self.weight * torch.rsqrt(self.variance + self.epsilon)
            return torch.addcmul(self.bias - self.mean * scale, x, scale)
        nodes = x.shape[1] if counts is None else int(counts.sum())
        mean = _total(x, counts) / nodes
        centred = x - mean
        variance = _total(centred * centred, counts) / nodes
        with torch.no_grad():
            self.mean.lerp_(mean, self.momentum)
            self.variance.lerp_(variance * (nodes / max(nodes - 1, 1)), self.momentum)
        return torch.addcmul(self.bias, centred, self.weight * torch.rsqrt(variance + self.epsilon))


def _total(x: Tensor, counts: Tensor | None) -> Tensor:
    return x.sum(1, keepdim=True) if counts is None else counts[None, None] @ x


def pool(x: Tensor, lengths: Tensor, how: str) -> Tensor:
    """Pool the nodes of each path: x [P, nodes, C], lengths [graphs] -> [P, graphs, C]; `how` is mean, sum or max."""
    graph = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    empty = x.new_zeros(len(x), len(lengths), x.shape[2])
    if how == "max":
        return empty.scatter_reduce(1, graph[None, :, None].expand_as(x), x, "amax", include_self=False)
    total = empty.index_add(1, graph, x)
    return total / lengths[:, None] if how == "mean" else total

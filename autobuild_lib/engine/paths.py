"""Architectures as paths of layers: hop 0, message passing, and the encoder that puts them together.

A path needs no scatter: node v attends over itself and node v - 1, so message passing is a shift by one row.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_lib.engine.encoder import Encoder, Hop
from autobuild_lib.engine.stacked import StackedEmbedding, StackedLinear, StackedScale, uniform
from autobuild_lib.graphs import PathGraphs, path_graphs_from_codes
from autobuild_lib.spaces import Architecture, Category, Codes, SequenceSpace

TAKEN = frozenset(dir(nn.ModuleDict()))  # names that PyTorch keeps for itself, such as `type`


def _key(category: Category) -> str:
    return f"{category.name}_" if category.name in TAKEN else category.name


class FeatureMLP(nn.Module):
    """Hop 0: every feature value becomes one scalar score, and a node is the list of its |scores| (paper, Section 3.2).

    A category with V values has an embedding [V, width] (or, if continuous, a linear layer 1 -> width), then a linear
    layer to a scalar. An absent feature scores 0. Shapes: codes [nodes, categories] -> [P, nodes, categories].
    """

    offsets: Tensor

    def __init__(self, categories: Sequence[Category], seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.categories = tuple(categories)
        self.embeddings, self.scores = nn.ModuleDict(), nn.ModuleDict()
        for category in categories:
            key, width, numbers = _key(category), category.width, category.scaled
            self.embeddings[key] = (StackedEmbedding(len(category.values), width, seeds) if numbers is None
                                    else StackedScale(numbers, width, seeds))  # fmt: skip
            self.scores[key] = StackedLinear(width, 1, seeds)
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
        self.attention = uniform((1, fan_out), math.sqrt(6 / (1 + fan_out)), seeds)
        self.bias = nn.Parameter(torch.zeros(len(seeds), 1, fan_out))

    def forward(self, x: Tensor, has_previous: Tensor) -> Tensor:
        """Pass messages: x [P, nodes, in], has_previous [nodes, 1] -> [P, nodes, out]."""
        source, target = self.project(x)
        step = functional.pad(source[:, :-1] - source[:, 1:], (0, 0, 1, 0))  # from each node to the one before
        return self._attend(source, target, step, has_previous)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return l and r of the nodes x [P, nodes, in]."""
        return self.source(x), self.target(x)

    def combine(self, nodes: tuple[Tensor, Tensor], previous: tuple[Tensor, Tensor] | None) -> Tensor:
        """Pass a message to nodes from those before them (None: a path starts), both projected; shapes broadcast."""
        source, target = nodes
        return source + self.bias if previous is None else self._attend(source, target, previous[0] - source, 1.0)

    def _attend(self, source: Tensor, target: Tensor, step: Tensor, has_previous: Tensor | float) -> Tensor:
        itself = source + target
        difference = functional.leaky_relu(itself + step, 0.2) - functional.leaky_relu(itself, 0.2)
        gate = torch.sigmoid((difference * self.attention).sum(-1, keepdim=True)) * has_previous
        return torch.addcmul(source + self.bias, gate, step)


class PathGraphConv(nn.Module):
    """Graph convolution (Morris et al., AAAI 2019): x_v W_root + x_(v-1) W_neighbour."""

    def __init__(self, fan_in: int, fan_out: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.neighbour = StackedLinear(fan_in, fan_out, seeds)
        self.root = uniform((fan_in, fan_out), 1 / math.sqrt(fan_in), seeds)

    def forward(self, x: Tensor, has_previous: Tensor) -> Tensor:
        """Pass messages: x [P, nodes, in], has_previous [nodes, 1] -> [P, nodes, out]."""
        previous = functional.pad(x[:, :-1], (0, 0, 1, 0)) * has_previous
        return torch.baddbmm(self.neighbour(previous), x, self.root)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x W_root and x W_neighbour, the bias left out, of the nodes x [P, nodes, in]."""
        return x @ self.root, x @ self.neighbour.weight

    def combine(self, nodes: tuple[Tensor, Tensor], previous: tuple[Tensor, Tensor] | None) -> Tensor:
        """Pass a message to nodes from those before them (None: a path starts), both projected; shapes broadcast."""
        new = nodes[0] + self.neighbour.bias
        return new if previous is None else new + previous[1]


def pool(x: Tensor, lengths: Tensor, how: str) -> Tensor:
    """Pool the nodes of each path: x [P, nodes, C], lengths [graphs] -> [P, graphs, C]; `how` is mean, sum or max."""
    graph = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    empty = x.new_zeros(len(x), len(lengths), x.shape[2])
    if how == "max":
        return empty.scatter_reduce(1, graph[None, :, None].expand_as(x), x, "amax", include_self=False)
    total = empty.index_add(1, graph, x)
    return total / lengths[:, None] if how == "mean" else total


@dataclass(frozen=True)
class LayerEncoder(Encoder[Architecture]):
    """Architectures of a sequence space, one node per layer (paper, Section 3.1)."""

    FORMATS = ("autobuild-predictor-1", "autobuild-predictor-2")
    CONVOLUTIONS = MappingProxyType({"gatv2": PathGATv2, "graphconv": PathGraphConv})
    POOLINGS = ("mean", "sum", "max")
    CHUNK = 1024
    space: SequenceSpace

    @property
    def categories(self) -> int:
        """Number of feature categories, the channels of hop 0."""
        return len(self.space.categories)

    def features(self, seeds: Sequence[torch.Generator]) -> FeatureMLP:
        """Return an untrained hop 0."""
        return FeatureMLP(self.space.categories, seeds)

    def read(self, inputs: Sequence[Architecture]) -> Codes:
        """Return the codes of architectures, [N, code_width]; those of another space are a `SpaceError`."""
        return self.space.to_codes(inputs)

    def graphs(self, inputs: Codes, hops: int) -> PathGraphs:
        """Return the paths of some codes."""
        return path_graphs_from_codes(self.space, inputs)

    def values(self, graphs: PathGraphs) -> Tensor:
        """Return what hop 0 reads, [nodes, categories]."""
        return graphs.codes

    def hops(self, graphs: PathGraphs, hops: int, pooling: str) -> list[Hop]:
        """Return what every hop needs to know about a batch."""
        has_previous = torch.ones(len(graphs.codes), 1)
        has_previous[graphs.starts] = 0
        return [Hop(has_previous, partial(pool, lengths=graphs.lengths, how=pooling))] * (hops + 1)

    def to_json(self) -> dict[str, Any]:
        """Return what tells this encoder from others, fit for JSON."""
        return {"space": self.space.to_json()}

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(SequenceSpace.from_json(config["space"]))

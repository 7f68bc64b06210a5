"""Networks as op-level graphs (paper, Section 4.2): hop 0, message passing, and the encoder that puts them together.

Rows are classes of equal neighbourhoods, which are computed once: embeddings are [P, classes, channels].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import matmul
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_lib.engine.encoder import Encoder, Hop
from autobuild_lib.engine.neighbourhoods import Composition, Level, Neighbourhoods, neighbourhoods
from autobuild_lib.engine.paths import PathGATv2, PathGraphConv
from autobuild_lib.engine.sparse import Bags, Sparse, sparse
from autobuild_lib.engine.stacked import StackedEmbedding, StackedLinear
from autobuild_lib.graphs.ir import ATTRIBUTES, OPERATIONS, PLACES, SHAPES, IRGraph, check_operations
from autobuild_lib.values import shown

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
        rows = _two_maps(x, (self.source.weight, self.target.weight), (self.source.bias, self.target.bias))
        sums, place, read = _attention(level)
        logits = (functional.leaky_relu(sums @ rows, 0.2) @ self.attention.mT).squeeze(2)
        entries = logits.gather(1, place.expand(len(x), -1))
        reader = level.reader.expand(len(x), -1)
        most = entries.new_full((len(x), len(level)), -torch.inf).scatter_reduce(1, reader, entries.detach(), "amax")
        weight = (entries - most.gather(1, reader)).exp() * level.weights
        total = weight.new_zeros(most.shape).scatter_add(1, reader, weight)
        return read.weighted(rows, weight / total.gather(1, reader)) + self.bias


def _attention(level: Level) -> tuple[Sparse, Tensor, Sparse]:
    """What attention over a level needs.

    Rows are those of `_two_maps`, r_0, l_0, ...: sums of l_u + r_v for all pairs (u, v), then for (v, v) of all classes
    of the hop before; the place of each entry's sum among those; the l that each entry reads.
    """
    classes, pairs = torch.arange(level.before), torch.arange(len(level.target))
    left = torch.cat([level.source, classes])
    right = torch.cat([level.itself.index_select(0, level.target), classes])
    sums = torch.stack([2 * left, 2 * right + 1], dim=1)
    ends, rows = torch.arange(0, sums.numel() + 1, 2), 2 * level.before
    both = sparse(Bags(sums.flatten(), ends), torch.arange(sums.numel()) // 2, rows)
    read = sparse(Bags(2 * level.merged(level.itself, level.source), level.starts), level.reader, rows)
    return both, level.merged(level.itself + len(pairs), pairs), read


class IRGraphConv(PathGraphConv):
    """Graph convolution (Morris et al., AAAI 2019): x_v W_root plus the sum of x_u W_neighbour over predecessors u."""

    def forward(self, x: Tensor, level: Level) -> Tensor:  # type: ignore[override]
        """Pass messages: x [P, classes of the hop before, in] -> [P, classes, out]."""
        rows = _two_maps(x, (self.root, self.neighbour.weight))
        read = Bags(level.merged(2 * level.itself, 2 * level.source + 1), level.starts, level.weights)
        return sparse(read, level.reader, 2 * level.before) @ rows + self.neighbour.bias


def _two_maps(x: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor] | None = None) -> Tensor:
    """Apply two maps at once: x [P, rows, in] -> [P, 2 rows, out], where row 2i + k is map k of row i."""
    weight = torch.cat(list(weights), dim=2)
    both = x @ weight if biases is None else torch.baddbmm(torch.cat(list(biases), dim=2), x, weight)
    return both.view(len(x), -1, weight.shape[2] // 2)


def _pool(x: Tensor, composition: Composition, nodes: Tensor | None) -> Tensor:
    """Pool the classes of each graph: [P, classes, C] -> [P, graphs, C]; the mean where `nodes` [graphs, 1] are."""
    total = composition.pool @ x
    return total if nodes is None else total / nodes


@dataclass(frozen=True)
class OperationEncoder(Encoder[IRGraph]):
    """Op-level graphs of networks of any family; `operations` is the vocabulary, those of the training data."""

    FORMATS = ("autobuild-ir-predictor-1", "autobuild-ir-predictor-2")
    CONVOLUTIONS = MappingProxyType({"gatv2": IRGATv2, "graphconv": IRGraphConv})
    POOLINGS = ("mean", "sum")
    CHUNK = 2048
    categories = CATEGORIES

    operations: tuple[str, ...]

    def features(self, seeds: Sequence[torch.Generator]) -> IRFeatures:
        """Return an untrained hop 0."""
        return IRFeatures(self.operations, seeds)

    def read(self, inputs: Sequence[IRGraph]) -> Sequence[IRGraph]:
        """Return the graphs; a `ValueError` names all operations that were not in the training data."""
        if others := [graph for graph in inputs if not isinstance(graph, IRGraph)]:
            raise ValueError(f"given {shown(others[0])}; this predictor takes op-level graphs, as of `ir_graph`")
        occurring = {OPERATIONS[place] for graph in inputs for place in np.unique(graph.operations)}
        if unknown := sorted(occurring - set(self.operations)):
            learnt = ", ".join(self.operations)
            raise ValueError(f"operations {', '.join(unknown)} were not in the training data, which had {learnt}")
        return inputs

    def graphs(self, inputs: Sequence[IRGraph], hops: int) -> Neighbourhoods:
        """Group equal neighbourhoods of some graphs."""
        return neighbourhoods(inputs, hops)

    def hops(self, graphs: Neighbourhoods, hops: int, pooling: str) -> list[Hop]:
        """Return what every hop needs to know about a batch."""
        nodes = graphs.sizes[:, None] if pooling == "mean" else None
        first, *others = graphs.compositions()
        return [Hop(None, partial(_pool, composition=first, nodes=nodes))] + [
            Hop(level, partial(_pool, composition=c, nodes=nodes), c.counts, partial(matmul, level.of_itself))
            for level, c in zip(graphs.levels, others, strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return what tells this encoder from others, fit for JSON."""
        return {"operations": list(self.operations)}

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave; unknown operations are a `ValueError`."""
        operations = tuple(config["operations"])
        check_operations(operations)
        return cls(operations)

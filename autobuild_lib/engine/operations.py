"""Networks as op-level graphs: hop 0, and the encoder that says what a network reads (paper, Section 4.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from autobuild_lib.engine.encoder import Encoder
from autobuild_lib.engine.neighbourhoods import Neighbourhoods, neighbourhoods
from autobuild_lib.engine.passing import Messages, Pooling
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


@dataclass(frozen=True)
class OperationEncoder(Encoder[IRGraph]):
    """Op-level graphs of networks of any family; `operations` is the vocabulary, those of the training data."""

    FORMATS = ("autobuild-ir-predictor-1", "autobuild-ir-predictor-2")
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

    def structure(self, graphs: Neighbourhoods, hops: int) -> tuple[list[Messages], list[Pooling]]:
        """Return what classes read, and which classes the graphs have, at every hop."""
        return graphs.structure()

    def to_json(self) -> dict[str, Any]:
        """Return what tells this encoder from others, fit for JSON."""
        return {"operations": list(self.operations)}

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave; unknown operations are a `ValueError`."""
        operations = tuple(config["operations"])
        check_operations(operations)
        return cls(operations)

"""Architectures as graphs of layers: hop 0, and the encoder that says what a network reads (paper, Section 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_lib.engine.encoder import Encoder
from autobuild_lib.engine.passing import Messages, Pooling
from autobuild_lib.engine.stacked import StackedEmbedding, StackedLinear, StackedScale
from autobuild_lib.graphs import LayerGraphs, layer_graphs_from_codes
from autobuild_lib.graphs.layers import ends_of
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
        return table.index_select(1, (codes + self.offsets).flatten()).reshape(len(table), *codes.shape)


@dataclass(frozen=True)
class LayerEncoder(Encoder[Architecture]):
    """Architectures of a sequence space, one node per layer (paper, Section 3.1)."""

    FORMATS = ("autobuild-predictor-1", "autobuild-predictor-2")
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

    def graphs(self, inputs: Codes, hops: int) -> LayerGraphs:
        """Return the paths of some codes."""
        return layer_graphs_from_codes(self.space, inputs)

    def values(self, graphs: LayerGraphs) -> Tensor:
        """Return what hop 0 reads, [rows, categories]."""
        return graphs.layers

    def structure(self, graphs: LayerGraphs, hops: int) -> tuple[list[Messages], list[Pooling]]:
        """Return what nodes read, and which nodes the graphs have; rows of hop 0 are layers that differ."""
        nodes, each = torch.arange(len(graphs.kind)), torch.ones(len(graphs.kind))
        sources = torch.repeat_interleave(graphs.degrees) - graphs.steps
        messages = Messages(ends_of(graphs.degrees), sources, torch.ones(len(sources)), each)
        first = replace(messages, sources=graphs.kind.index_select(0, sources))
        pooling = Pooling.of(graphs.lengths, nodes, each)
        return [first] + [messages] * (hops - 1), [pooling.before(graphs.kind)] + [pooling] * hops

    def to_json(self) -> dict[str, Any]:
        """Return what tells this encoder from others, fit for JSON."""
        return {"space": self.space.to_json()}

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(SequenceSpace.from_json(config["space"]))

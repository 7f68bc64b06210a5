"""Graphs of architectures: a sequence architecture is a directed path, one node per layer (paper, Section 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autobuild_lib.graphs.ragged import entries_of, starts_of
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.features import values_of
from autobuild_lib.spaces.sequence import Codes


@dataclass(frozen=True)
class PathGraphs:
    """Path graphs laid end to end: node v receives a message from node v - 1 unless it starts a path.

    codes: [nodes, categories], position of each feature's value in its category (`space.categories`).
    lengths: [graphs], nodes of each path.
    """

    codes: Tensor
    lengths: Tensor

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def starts(self) -> Tensor:
        """First node of each path, [graphs]."""
        return starts_of(self.lengths)

    def take(self, graphs: Tensor) -> "PathGraphs":
        """Return the given graphs, in that order."""
        return PathGraphs(self.codes[entries_of(self.lengths, graphs)], self.lengths[graphs])

    def split(self, size: int) -> "list[PathGraphs]":
        """Cut into consecutive batches of `size` graphs (the last may be smaller)."""
        batches = torch.split(self.lengths, size)
        codes = torch.split(self.codes, [int(n.sum()) for n in batches])
        return [PathGraphs(c, n) for c, n in zip(codes, batches, strict=True)]

    def edge_index(self) -> Tensor:
        """Return the edges as in PyTorch Geometric, [2, edges], self-loops not included."""
        target = torch.ones(len(self.codes), dtype=torch.bool)
        target[self.starts] = False
        nodes = target.nonzero().flatten()
        return torch.stack([nodes - 1, nodes])


def path_graphs(space: SequenceSpace, architectures: Sequence[Architecture]) -> PathGraphs:
    """Encode architectures of `space` as path graphs, all at once."""
    return path_graphs_from_codes(space, space.to_codes(architectures))


def path_graphs_from_codes(space: SequenceSpace, codes: Codes) -> PathGraphs:
    """Encode the codes of architectures, [N, space.code_width], as path graphs."""
    places, constants = _places(space)
    table = np.concatenate([codes, np.broadcast_to(constants, (len(codes), len(constants)))], axis=1)
    depths = codes[:, [codec.start for codec in space.codecs]]  # [N, units]
    most = np.array([unit.max_layers for unit in space.units])
    index = np.concatenate([np.arange(n) for n in most])
    present = index < np.repeat(depths, most, axis=1)  # [N, places]
    nodes = np.stack([table[:, columns][present] for columns in places], axis=1)
    return PathGraphs(torch.from_numpy(nodes.astype(np.int64)), torch.from_numpy(depths.sum(1, dtype=np.int64)))


def _places(space: SequenceSpace) -> tuple[list[list[int]], npt.NDArray[np.uint8]]:
    """Per category, where the code of each layer's value lies in a row: a code, or one of the constants behind it."""
    layers = [(unit, index) for unit, u in enumerate(space.units) for index in range(u.max_layers)]
    constants = np.arange(max(category.size for category in space.categories), dtype=np.uint8)
    fixed = space.code_width  # place of constant 0
    places = [[fixed + unit for unit, _ in layers], [fixed + index for _, index in layers]]
    for feature, _ in enumerate(space.layer_features):
        width = len(space.layer_features)
        places.append([space.codecs[unit].first_layer + width * index + feature for unit, index in layers])
    for name, choices in space.unit_features:
        own = [[n for n, _ in unit.features] for unit in space.units]
        absent = fixed + len(values_of(choices))
        at = [
            codec.start + 1 + n.index(name) if name in n else absent for codec, n in zip(space.codecs, own, strict=True)
        ]
        places.append([at[unit] for unit, _ in layers])
    places += [[column] * len(layers) for column in range(len(space.global_features))]
    return places, constants

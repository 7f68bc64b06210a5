"""Graphs of architectures, one node per layer (paper, Section 3.1): a path, or units that read from several others."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from autobuild_lib.spaces import Architecture, Codes, SequenceSpace

FEW = 10_000  # numbers that are marked in no time


@dataclass(frozen=True)
class LayerGraphs:
    """Graphs laid end to end: node v reads `degrees[v]` nodes, itself first, which stand `steps` places before it.

    layers [kinds, categories]: the layers that differ, each the position of every feature's value in its category
        (`space.categories`). kind [nodes]: which of them a node is.
    lengths [graphs]: nodes of each graph. degrees [nodes]. steps [entries]: of node after node; 0, 1 in a path.
    """

    layers: Tensor
    kind: Tensor
    lengths: Tensor
    degrees: Tensor
    steps: Tensor

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def codes(self) -> Tensor:
        """The layer of every node, [nodes, categories]."""
        return self.layers.index_select(0, self.kind)

    @property
    def starts(self) -> Tensor:
        """First node of each graph, [graphs]."""
        return ends_of(self.lengths)[:-1]

    def take(self, graphs: Tensor) -> "LayerGraphs":
        """Return some graphs, in that order."""
        nodes = entries_of(self.lengths, graphs)
        steps = self.steps[entries_of(self.degrees, nodes)]
        return LayerGraphs(self.layers, self.kind[nodes], self.lengths[graphs], self.degrees[nodes], steps)

    def split(self, size: int) -> "Iterator[LayerGraphs]":
        """Cut into consecutive batches of `size` graphs (the last may be smaller)."""
        lengths = torch.split(self.lengths, size)
        nodes = [int(batch.sum()) for batch in lengths]
        degrees = torch.split(self.degrees, nodes)
        steps = torch.split(self.steps, [int(batch.sum()) for batch in degrees])
        for kind, *rest in zip(torch.split(self.kind, nodes), lengths, degrees, steps, strict=True):
            few = len(self.layers) <= len(kind)
            layers, kind = (self.layers, kind) if few else _distinct(self.layers.index_select(0, kind))
            yield LayerGraphs(layers, kind, *rest)


def layer_graphs(space: SequenceSpace, architectures: Sequence[Architecture]) -> LayerGraphs:
    """Encode architectures of `space` as graphs."""
    return layer_graphs_from_codes(space, space.to_codes(architectures))


def layer_graphs_from_codes(space: SequenceSpace, codes: Codes) -> LayerGraphs:
    """Encode the codes of architectures, [N, space.code_width], as graphs."""
    layers, kind = _distinct(torch.from_numpy(space.nodes(codes)))
    degrees, steps = space.predecessors(codes)
    reads = torch.from_numpy(np.insert(steps, degrees.cumsum() - degrees, 0))
    return LayerGraphs(layers, kind, torch.from_numpy(space.depths(codes).sum(1)), torch.from_numpy(degrees + 1), reads)


def _distinct(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Rows [N, categories] that differ, and the place of each among them; rows of many values stay as they are."""
    sizes = functional.pad(rows, (0, 0, 0, 1)).amax(0) + 1
    if math.prod(sizes.tolist()) > len(rows) + FEW:
        return rows, torch.arange(len(rows))
    strides = sizes.flip(0).cumprod(0).flip(0) // sizes
    number = (rows * strides).sum(1)
    occurs = torch.bincount(number) > 0
    return occurs.nonzero() // strides % sizes, (occurs.cumsum(0) - 1).index_select(0, number)


# -------------------------------------------------------------------- ragged rows, laid end to end


def ends_of(lengths: Tensor) -> Tensor:
    """Where each row starts, and where the last ends: lengths [rows] -> [rows + 1]."""
    return functional.pad(lengths.cumsum(0), (1, 0))


def entries_of(lengths: Tensor, rows: Tensor) -> Tensor:
    """Places of all entries of some rows, in the order of `rows`: lengths [rows of all] -> [entries]."""
    chosen = lengths[rows]
    shift = ends_of(lengths)[rows] - ends_of(chosen)[:-1]  # from an entry's new place to its old one
    return torch.arange(int(chosen.sum())) + torch.repeat_interleave(shift, chosen)

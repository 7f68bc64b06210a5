"""Graphs of architectures: a sequence architecture is a directed path, one node per layer (paper, Section 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autobuild_lib.spaces import Architecture, Codes, SequenceSpace


@dataclass(frozen=True)
class PathGraphs:
    """Path graphs laid end to end: node v receives a message from node v - 1 unless it starts a path."""

    codes: Tensor  # [nodes, categories], position of each feature's value in its category (`space.categories`)
    lengths: Tensor  # [graphs], nodes of each path

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def starts(self) -> Tensor:
        """First node of each path, [graphs]."""
        return starts_of(self.lengths)

    def take(self, graphs: Tensor) -> "PathGraphs":
        """Return some graphs, in that order."""
        return PathGraphs(self.codes[entries_of(self.lengths, graphs)], self.lengths[graphs])

    def split(self, size: int) -> "list[PathGraphs]":
        """Cut into consecutive batches of `size` graphs (the last may be smaller)."""
        batches = torch.split(self.lengths, size)
        codes = torch.split(self.codes, [int(n.sum()) for n in batches])
        return [PathGraphs(c, n) for c, n in zip(codes, batches, strict=True)]

    def edge_index(self) -> Tensor:
        """Return the edges as in PyTorch Geometric, [2, edges], self-loops not included."""
        nodes = torch.arange(len(self.codes))
        targets = nodes[~torch.isin(nodes, self.starts)]
        return torch.stack([targets - 1, targets])


def path_graphs(space: SequenceSpace, architectures: Sequence[Architecture]) -> PathGraphs:
    """Encode architectures of `space` as path graphs."""
    return path_graphs_from_codes(space, space.to_codes(architectures))


def path_graphs_from_codes(space: SequenceSpace, codes: Codes) -> PathGraphs:
    """Encode the codes of architectures, [N, space.code_width], as path graphs."""
    return PathGraphs(torch.from_numpy(space.nodes(codes)), torch.from_numpy(space.depths(codes).sum(1)))


# -------------------------------------------------------------------- ragged rows, laid end to end


def starts_of(lengths: Tensor) -> Tensor:
    """Where each row starts: lengths [rows] -> [rows]."""
    return lengths.cumsum(0) - lengths


def entries_of(lengths: Tensor, rows: Tensor) -> Tensor:
    """Places of all entries of some rows, in the order of `rows`: lengths [rows of all] -> [entries]."""
    chosen = lengths[rows]
    shift = starts_of(lengths)[rows] - starts_of(chosen)  # from an entry's new place to its old one
    return torch.arange(int(chosen.sum())) + torch.repeat_interleave(shift, chosen)

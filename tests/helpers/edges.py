"""Graphs of layers as other packages hold them."""

import torch

from autobuild_lib.graphs import LayerGraphs


def edge_index(graphs: LayerGraphs) -> torch.Tensor:
    """Return the edges as in PyTorch Geometric, [2, edges], self-loops not included."""
    targets = torch.repeat_interleave(graphs.degrees)
    return torch.stack([targets - graphs.steps, targets])[:, graphs.steps != 0]

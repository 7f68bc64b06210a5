"""Layers of message passing with the same weights: the reference's, the library's, and those of PyTorch Geometric."""

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv, GraphConv as PublicGraphConv

from autobuild_lib.engine.passing import BatchNorm, GATv2, GraphConv, Messages, Pooling
from autobuild_lib.graphs.layers import ends_of
from tests.helpers import reference_passing as reference
from tests.helpers.reference_passing import Graphs

Layer = reference.GATv2 | reference.GraphConv
Module = TypeVar("Module", bound=nn.Module)
NAMES = {  # of the parameters in the order of the reference's: the library's, and PyTorch Geometric's
    reference.GATv2: (
        ["source.weight", "source.bias", "target.weight", "target.bias", "attention", "bias"],
        ["lin_l.weight", "lin_l.bias", "lin_r.weight", "lin_r.bias", "att", "bias"],
    ),
    reference.GraphConv: (
        ["root", "neighbour.weight", "neighbour.bias"],
        ["lin_root.weight", "lin_rel.weight", "lin_rel.bias"],
    ),
}


def public_twin(layer: Layer) -> tuple[nn.Module, list[Tensor], list[Tensor]]:
    """The layer of PyTorch Geometric with the same weights, and both layers' parameters in one order."""
    fan_in, fan_out = next(iter(vars(layer).values())).shape
    public: nn.Module = PublicGraphConv(fan_in, fan_out, aggr="add")
    if isinstance(layer, reference.GATv2):
        public = GATv2Conv(fan_in, fan_out, heads=1, add_self_loops=True)
    ours, theirs = list(vars(layer).values()), [public.get_parameter(name) for name in NAMES[type(layer)][1]]
    with torch.no_grad():
        for mine, other in zip(ours, theirs, strict=True):
            other.data = (mine.T if mine.dim() == 2 else mine.view_as(other)).clone()
    return public, ours, theirs


def public_norm(norm: reference.BatchNorm) -> nn.BatchNorm1d:
    """PyTorch's normalisation in the state of the reference's."""
    public = nn.BatchNorm1d(len(norm.weight)).to(norm.weight.dtype)
    public.load_state_dict({"weight": norm.weight, "bias": norm.bias, "running_mean": norm.mean,
                            "running_var": norm.variance, "num_batches_tracked": torch.tensor(1)})  # fmt: skip
    return public


def engine_twin(layers: Sequence[Layer], norms: Sequence[reference.BatchNorm]) -> tuple[GATv2 | GraphConv, BatchNorm]:
    """The library's layers with the weights of P of the reference's side by side, in their precision."""
    fan_in, fan_out = next(iter(vars(layers[0]).values())).shape
    kind = GATv2 if isinstance(layers[0], reference.GATv2) else GraphConv
    convolution = kind(fan_in, fan_out, [torch.Generator()] * len(layers))
    weights = {name: torch.stack([list(vars(layer).values())[place] for layer in layers])
               for place, name in enumerate(NAMES[type(layers[0])][0])}  # fmt: skip
    states = {name: torch.stack([getattr(norm, name) for norm in norms])
              for name in ("weight", "bias", "mean", "variance")}  # fmt: skip
    return filled(convolution, weights), filled(BatchNorm(fan_out, len(norms)), states)


def filled(module: Module, state: dict[str, Tensor]) -> Module:
    """Give a module a state of its shapes but for axes of one."""
    module.to(next(iter(state.values())).dtype)
    shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
    module.load_state_dict({name: tensor.detach().reshape(shapes[name]) for name, tensor in state.items()})
    return module


def engine_parameters(convolution: GATv2 | GraphConv, norm: BatchNorm) -> list[nn.Parameter]:
    """The parameters in the order of the reference's, then weight and bias of the normalisation."""
    kind = reference.GATv2 if isinstance(convolution, GATv2) else reference.GraphConv
    return [*(convolution.get_parameter(name) for name in NAMES[kind][0]), norm.weight, norm.bias]


def messages_of(graphs: Graphs, times: Tensor | None = None, counts: Tensor | None = None) -> Messages:
    """What the nodes of some graphs read: each itself first, then those that its edges come from."""
    nodes, edges = len(graphs.graph), graphs.edges
    itself, each = torch.arange(nodes), torch.ones(nodes)
    order = torch.argsort(torch.cat([itself, edges[1]]), stable=True)
    times = torch.ones(edges.shape[1]) if times is None else times
    starts = ends_of(1 + torch.bincount(edges[1], minlength=nodes))
    sources, often = torch.cat([itself, edges[0]])[order], torch.cat([each, times])[order]
    return Messages(starts, sources, often, each if counts is None else counts)


def pooling_of(graphs: Graphs, counts: Tensor) -> Pooling:
    """Which nodes the graphs have."""
    return Pooling.of(torch.bincount(graphs.graph), torch.arange(len(counts)), counts)

"""Message passing over any directed graph, node by node: slow, and plain enough to be seen to be right.

The parameters are those of the library for one predictor, weights [in, out] and biases [out]; autograd differentiates.
Nodes may stand for several (`counts`), and edges may occur several times (`times`). Exactness is that of the tensors.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

SLOPE, EPSILON, MOMENTUM = 0.2, 1e-5, 0.1
POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {  # of nodes [n, C] that stand for counts [n, 1]
    "mean": lambda nodes, counts: (nodes * counts).sum(0) / counts.sum(),
    "sum": lambda nodes, counts: (nodes * counts).sum(0),
    "max": lambda nodes, counts: nodes.max(0).values,
}


@dataclass(frozen=True)
class Graphs:
    """Graphs laid end to end: edges [2, E] from source to target, graph [nodes]: which graph a node is of."""

    edges: Tensor
    graph: Tensor

    def __len__(self) -> int:
        return int(self.graph.max()) + 1

    def readers(self) -> list[Tensor]:
        """Return the edges that enter each node, as places in `edges`."""
        return [(self.edges[1] == node).nonzero().flatten() for node in range(len(self.graph))]


@dataclass(frozen=True)
class GATv2:
    """Graph attention with one head and self-loops (Brody et al., ICLR 2022, Equation 7)."""

    source: Tensor
    source_bias: Tensor
    target: Tensor
    target_bias: Tensor
    attention: Tensor  # [out]
    bias: Tensor

    def __call__(self, x: Tensor, graphs: Graphs, times: Tensor | None = None) -> Tensor:
        """Pass messages: x [nodes, in] -> [nodes, out]."""
        left, right = x @ self.source + self.source_bias, x @ self.target + self.target_bias
        new = []
        for node, entering in enumerate(graphs.readers()):
            read = torch.cat([torch.tensor([node]), graphs.edges[0, entering]])
            how_often = torch.cat([x.new_ones(1), x.new_ones(len(entering)) if times is None else times[entering]])
            logits = functional.leaky_relu(left[read] + right[node], SLOPE) @ self.attention
            weights = torch.softmax(logits + how_often.log(), dim=0)
            new.append(weights @ left[read] + self.bias)
        return torch.stack(new)


@dataclass(frozen=True)
class GraphConv:
    """Graph convolution (Morris et al., AAAI 2019): the node's own map plus the sum of those it reads."""

    root: Tensor
    neighbour: Tensor
    bias: Tensor

    def __call__(self, x: Tensor, graphs: Graphs, times: Tensor | None = None) -> Tensor:
        """Pass messages: x [nodes, in] -> [nodes, out]."""
        new = []
        for node, entering in enumerate(graphs.readers()):
            read = x[graphs.edges[0, entering]]
            total = (read if times is None else times[entering, None] * read).sum(0)
            new.append(x[node] @ self.root + total @ self.neighbour + self.bias)
        return torch.stack(new)


@dataclass
class BatchNorm:
    """Batch normalisation of nodes; running statistics [C] move when it is called for training."""

    weight: Tensor
    bias: Tensor
    mean: Tensor = field(init=False)
    variance: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.mean, self.variance = torch.zeros_like(self.weight).detach(), torch.ones_like(self.weight).detach()

    def __call__(self, x: Tensor, counts: Tensor | None = None, training: bool = True) -> Tensor:
        """Normalise x [nodes, C]; node v stands for counts[v] nodes."""
        if not training:
            return self._normalised(x, self.mean, self.variance)
        weights = torch.ones_like(x[:, :1]) if counts is None else counts[:, None]
        nodes = weights.sum()
        mean = (weights * x).sum(0) / nodes
        variance = (weights * (x - mean) ** 2).sum(0) / nodes
        unbiased = variance * nodes / (nodes - 1).clamp(min=1)
        self.mean = (1 - MOMENTUM) * self.mean + MOMENTUM * mean.detach()
        self.variance = (1 - MOMENTUM) * self.variance + MOMENTUM * unbiased.detach()
        return self._normalised(x, mean, variance)

    def _normalised(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return (x - mean) / torch.sqrt(variance + EPSILON) * self.weight + self.bias


def hop(
    x: Tensor,
    graphs: Graphs,
    convolution: GATv2 | GraphConv,
    norm: BatchNorm,
    activation: Callable[[Tensor], Tensor] = torch.relu,
    residual: bool = False,
    times: Tensor | None = None,
    counts: Tensor | None = None,
    training: bool = True,
) -> Tensor:
    """Apply one whole hop to x [nodes, in]: message passing, batch normalisation, activation, residual."""
    new = activation(norm(convolution(x, graphs, times), counts, training))
    return new + x if residual else new


def pool(x: Tensor, graphs: Graphs, how: str, counts: Tensor | None = None) -> Tensor:
    """Pool the nodes of each graph: x [nodes, C] -> [graphs, C]; `how` is mean, sum or max."""
    weights = torch.ones_like(x[:, :1]) if counts is None else counts[:, None]
    members = [graphs.graph == number for number in range(len(graphs))]
    return torch.stack([POOLINGS[how](x[nodes], weights[nodes]) for nodes in members])


# -------------------------------------------------------------------- random graphs and parameters


def random_graphs(generator: torch.Generator, graphs: int = 6, most: int = 7, is_simple: bool = True) -> Graphs:
    """Draw directed acyclic graphs, nodes in any order: the first of one node, the second without edges.

    Nodes read none, one or several others; where not `is_simple`, edges may occur more than once.
    """
    edges, sizes, start = [torch.zeros(2, 0, dtype=torch.int64)], [], 0
    for number in range(graphs):
        size = 1 if number == 0 else int(torch.randint(2, most + 1, (1,), generator=generator))
        names = start + torch.randperm(size, generator=generator)
        density = 0.0 if number == 1 else float(torch.rand((), generator=generator))
        occurs = torch.rand(size, size, generator=generator).triu(1) > 1 - density
        pairs = occurs.triu(1).nonzero().T
        copies = torch.randint(1, 2 if is_simple else 4, (pairs.shape[1],), generator=generator)
        edges.append(names[torch.repeat_interleave(pairs, copies, dim=1)])
        sizes.append(size)
        start += size
    joined = torch.cat(edges, dim=1)
    return Graphs(joined[:, torch.randperm(joined.shape[1], generator=generator)],
                  torch.repeat_interleave(torch.tensor(sizes)))  # fmt: skip


def random_convolution(kind: str, fan_in: int, fan_out: int, draw: Callable[..., Tensor]) -> GATv2 | GraphConv:
    """Return a layer of kind gatv2 or graphconv; `draw(*shape)` gives each parameter."""
    if kind == "gatv2":
        maps = [draw(*shape) for shape in 2 * [(fan_in, fan_out), (fan_out,)]]
        return GATv2(*maps, attention=draw(fan_out), bias=draw(fan_out))
    return GraphConv(draw(fan_in, fan_out), draw(fan_in, fan_out), draw(fan_out))

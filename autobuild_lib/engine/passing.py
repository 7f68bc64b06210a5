"""Message passing over any graphs, as differentiable operators: convolutions, batch normalisation, pooling.

P predictors of the same shape are computed side by side. Rows are the nodes of a batch, or classes of equal ones:
embeddings are [P, rows, channels], weights [P, in, out]. The loops are in `kernels`; these classes say what they mean.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from autobuild_lib.engine import kernels
from autobuild_lib.engine.stacked import StackedLinear, uniform
from autobuild_lib.graphs.layers import ends_of

Array = npt.NDArray[Any]
ACTIVATIONS: dict[str, nn.Module] = {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(), "gelu": nn.GELU()}
SLOPES = {"relu": 0.0, "leaky_relu": 0.01}  # below 0, of those that kernels compute


@dataclass(frozen=True)
class Messages:
    """Which rows of the hop before each row reads, in compressed sparse rows; the first is what it was itself there.

    starts [rows + 1]: where the entries of each row begin, and the end of all. sources, times [entries]: the row that
    is read, and how often. counts [rows]: nodes that each row stands for.
    """

    starts: Tensor
    sources: Tensor
    times: Tensor
    counts: Tensor

    @property
    def itself(self) -> Tensor:
        """What each row was at the hop before, [rows]."""
        return self.sources.index_select(0, self.starts[:-1])

    def entries(self, like: Tensor) -> list[Array]:
        """What kernels take beside rows `like` these."""
        return [self.starts.numpy(), self.sources.numpy(), self.times.to(like.dtype).numpy()]


@dataclass(frozen=True)
class Pooling:
    """Which rows the graphs have: graph g has members [entries] from starts[g] to starts[g + 1].

    nodes, shares [entries]: how many of its nodes an entry stands for, and which part of all.
    """

    starts: Tensor
    members: Tensor
    nodes: Tensor
    shares: Tensor

    @classmethod
    def of(cls, lengths: Tensor, members: Tensor, nodes: Tensor) -> "Pooling":
        """Describe graphs with so many members each."""
        graph = torch.repeat_interleave(lengths)
        sizes = nodes.new_zeros(len(lengths)).index_add_(0, graph, nodes)
        return cls(ends_of(lengths), members, nodes, nodes / sizes.index_select(0, graph))

    def before(self, itself: Tensor) -> "Pooling":
        """Return which rows of the hop before the same nodes are, given what each row was there."""
        return replace(self, members=itself.index_select(0, self.members))

    def __call__(self, x: Tensor, how: str) -> Tensor:
        """Pool x [P, rows, C] -> [P, graphs, C]; `how` is mean, sum or max."""
        if how == "max":
            members, lengths = x.index_select(1, self.members), self.starts.diff()
            graph = torch.repeat_interleave(lengths)[None, :, None].expand_as(members)
            empty = x.new_zeros(len(x), len(lengths), x.shape[2])
            return empty.scatter_reduce(1, graph, members, "amax", include_self=False)
        weights = self.shares if how == "mean" else self.nodes
        return _Pool.apply(x, self.starts, self.members, weights)  # type: ignore[no-any-return,no-untyped-call]


class GATv2(nn.Module):
    """Graph attention over oneself and one's sources (Brody et al., ICLR 2022; one head).

    With l = x W_l, r = x W_r and e(u, v) = a . LeakyReLU(l_u + r_v), node v gets the mean of l_v and of l_u over its
    sources u, weighted by the softmax of e(v, v) and e(u, v).
    """

    def __init__(self, fan_in: int, fan_out: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.source = StackedLinear(fan_in, fan_out, seeds, glorot=True)
        self.target = StackedLinear(fan_in, fan_out, seeds, glorot=True)
        self.attention = uniform((1, fan_out), math.sqrt(6 / (1 + fan_out)), seeds)
        self.bias = nn.Parameter(torch.zeros(len(seeds), 1, fan_out))

    def parts(self) -> tuple[Tensor, ...]:
        """Return both maps side by side, [P, in, 2 C], and what else `combine` takes, [P, 1, ...]."""
        shift = torch.cat([self.source.bias, self.target.bias], dim=2)
        return torch.cat([self.source.weight, self.target.weight], dim=2), shift, self.attention, self.bias

    @staticmethod
    def combine(rows: Array, parts: Sequence[Array], entries: Sequence[Array]) -> tuple[Array, tuple[Array, ...]]:
        """Pass messages, given both maps of x and the other parts [P, ...]; returns what `gradients` needs, too."""
        new, weights = kernels.attend(rows, *parts, *entries)
        return new, (rows, *parts[:2], *entries[:2], weights)

    @staticmethod
    def gradients(kept: Sequence[Array], upstream: Array) -> tuple[Array, ...]:
        """Return the gradients of rows and parts from that of the result."""
        return kernels.attend_backward(*kept, upstream)  # type: ignore[no-any-return]


class GraphConv(nn.Module):
    """Graph convolution (Morris et al., AAAI 2019): x_v W_root plus the sum of x_u W_neighbour over sources u."""

    def __init__(self, fan_in: int, fan_out: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.neighbour = StackedLinear(fan_in, fan_out, seeds)
        self.root = uniform((fan_in, fan_out), 1 / math.sqrt(fan_in), seeds)

    def parts(self) -> tuple[Tensor, ...]:
        """Return both maps side by side, [P, in, 2 C], and the bias, [P, 1, C]."""
        return torch.cat([self.root, self.neighbour.weight], dim=2), self.neighbour.bias

    @staticmethod
    def combine(rows: Array, parts: Sequence[Array], entries: Sequence[Array]) -> tuple[Array, tuple[Any, ...]]:
        """Pass messages, given both maps of x and the bias [P, C]; returns what `gradients` needs, too."""
        starts, sources, times = entries
        stack, before, channels = rows.shape
        halves = 2 * sources + 1  # rows of both maps by turns, x_0 W_root, x_0 W_neighbour, ...
        halves[starts[:-1]] -= 1
        new = kernels.pool(rows.reshape(stack, 2 * before, channels // 2), starts, halves, times)
        new += parts[0][:, None]
        return new, (2 * before, starts, halves, times)

    @staticmethod
    def gradients(kept: Sequence[Any], upstream: Array) -> tuple[Array, ...]:
        """Return the gradients of rows and of the bias from that of the result."""
        of_rows = kernels.pool_backward(*kept, upstream)
        return of_rows.reshape(len(upstream), -1, 2 * upstream.shape[2]), upstream.sum(1)


class BatchNorm(nn.Module):
    """Batch normalisation over the nodes: weights and running statistics, which each predictor has of its own."""

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, stack: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(stack, 1, channels))
        self.bias = nn.Parameter(torch.zeros(stack, 1, channels))
        self.register_buffer("mean", torch.zeros(stack, 1, channels))
        self.register_buffer("variance", torch.ones(stack, 1, channels))

    def statistics(self, x: Array, counts: Array) -> tuple[Array, Array]:
        """Return the means and variances, each [P, C], that normalise x; in training those of the batch."""
        if not self.training:
            return self.mean.numpy()[:, 0].astype(x.dtype), self.variance.numpy()[:, 0].astype(x.dtype)
        means, variances = kernels.moments(x, counts)
        nodes = float(counts.sum())
        self.mean.lerp_(torch.from_numpy(means)[:, None], self.momentum)
        self.variance.lerp_(torch.from_numpy(variances * (nodes / max(nodes - 1, 1)))[:, None], self.momentum)
        return means, variances


def pass_messages(
    convolution: GATv2 | GraphConv, norm: BatchNorm, x: Tensor, messages: Messages, activation: str, residual: bool
) -> Tensor:
    """One hop: convolve x [P, rows before, in], normalise, activate and, if `residual`, add x -> [P, rows, out]."""
    slope = SLOPES.get(activation, 1.0)  # a slope of 1 changes nothing
    inside = residual and activation in SLOPES
    arguments = x, *convolution.parts(), norm.weight, norm.bias
    new: Tensor = _Hop.apply(convolution, norm, messages, slope, inside, *arguments)  # type: ignore[no-untyped-call]
    if activation not in SLOPES:
        new = ACTIVATIONS[activation](new)
    return new + x.index_select(1, messages.itself) if residual and not inside else new


class _Hop(Function):
    """What autograd needs to know about a hop whose loops are compiled: its result, and its gradients."""

    @staticmethod
    def forward(
        ctx: Any, convolution: GATv2 | GraphConv, norm: BatchNorm, messages: Messages, slope: float, residual: bool,
        x: Tensor, maps: Tensor, *others: Tensor,
    ) -> Tensor:  # fmt: skip
        entries, counts = messages.entries(x), messages.counts.to(x.dtype).numpy()
        *of_convolution, weights, biases = (part.detach()[:, 0].contiguous().numpy() for part in others)
        before = x.detach()
        convolved, kept = convolution.combine(torch.bmm(before, maps.detach()).numpy(), of_convolution, entries)
        normal = convolved, *norm.statistics(convolved, counts), weights, biases
        previous = (before if residual else before[:, :0]).numpy()
        ctx.save_for_backward(x, maps)
        ctx.convolution, ctx.kept, ctx.normal = convolution, kept, (*normal, slope, counts, norm.training)
        ctx.entries, ctx.residual = entries[:2], residual
        return torch.from_numpy(kernels.normalise(*normal, previous, *entries[:2], slope))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        x, maps = ctx.saved_tensors
        g = upstream[0].contiguous().numpy()
        change, *of_norm = kernels.normalise_backward(*ctx.normal, g)
        of_rows, *of_others = ctx.convolution.gradients(ctx.kept, change)
        rows = torch.from_numpy(of_rows)
        of_x = torch.bmm(rows, maps.mT)
        if ctx.residual:
            kernels.keep_backward(*ctx.entries, g, of_x.numpy())
        of_parts = (torch.from_numpy(part)[:, None] for part in (*of_others, *of_norm))
        return *[None] * 5, of_x, torch.bmm(x.mT, rows), *of_parts


class _Pool(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, starts: Tensor, members: Tensor, weights: Tensor) -> Tensor:
        ctx.entries = starts.numpy(), members.numpy(), weights.to(x.dtype).numpy()
        ctx.rows = x.shape[1]
        return torch.from_numpy(kernels.pool(x.detach().contiguous().numpy(), *ctx.entries))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        of_x = kernels.pool_backward(ctx.rows, *ctx.entries, upstream[0].contiguous().numpy())
        return torch.from_numpy(of_x), None, None, None

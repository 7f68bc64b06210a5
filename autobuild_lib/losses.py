"""Soft ranks and the hop-level ranking loss (paper, Equation 4; Blondel et al., ICML 2020, for the soft rank)."""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import isotonic_regression
from scipy.stats import rankdata
from torch import Tensor

from autobuild_lib.values import Array

RankLoss = Literal["released", "spearman", "off"]
RANK_LOSSES: tuple[str, ...] = get_args(RankLoss)


def soft_rank(values: Tensor, regularization_strength: float = 1.0) -> Tensor:
    """Return differentiable ascending ranks along the last dimension: about 1 for the smallest, n for the largest.

    The ranks are the Euclidean projection of values / strength onto the permutahedron of (1, ..., n); a small
    strength approaches hard ranks, a large one a constant (n + 1) / 2.

    Shapes: values [..., n] -> [..., n]. Raises `ValueError` for a strength that is not positive, for values that are
    not finite, and for a tensor without a dimension.
    """
    if values.dim() == 0:
        raise ValueError("soft_rank needs values of shape [..., n], given a single number")
    if not regularization_strength > 0:
        raise ValueError(f"regularization_strength must be positive, given {regularization_strength}")
    if values.numel() == 0:
        return values
    return _SoftRank.apply(values, regularization_strength)  # type: ignore[no-any-return,no-untyped-call]


class _SoftRank(torch.autograd.Function):
    """Projection onto the permutahedron; its Jacobian subtracts from each entry the mean of its block."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, values: Tensor, strength: float) -> Tensor:
        rows = values.detach().double()[None].flatten(0, -2).numpy()  # [R, n]
        if not np.isfinite(rows).all():
            raise ValueError("soft_rank needs finite values")
        order = np.argsort(rows, axis=1, kind="stable")
        ascending = _from_zero(np.take_along_axis(rows, order, axis=1), strength)
        excess = ascending - np.arange(1, rows.shape[1] + 1)
        blocks = _pooled_blocks(excess)
        ctx.saved = order, blocks, strength  # type: ignore[attr-defined]
        ranks = np.empty_like(rows)
        np.put_along_axis(ranks, order, ascending - _block_means(excess, blocks), axis=1)
        return torch.from_numpy(ranks).to(values.dtype).reshape(values.shape)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *upstream: Tensor) -> tuple[Tensor, None]:
        order, blocks, strength = ctx.saved  # type: ignore[attr-defined]
        rows = upstream[0].double().reshape(order.shape).numpy()
        sorted_rows = np.take_along_axis(rows, order, axis=1)
        gradient = np.empty_like(rows)
        np.put_along_axis(gradient, order, (sorted_rows - _block_means(sorted_rows, blocks)) / strength, axis=1)
        return torch.from_numpy(gradient).to(upstream[0].dtype).reshape(upstream[0].shape), None


def _from_zero(ascending: Array, strength: float) -> Array:
    """Sorted rows / strength, moved to begin at 0; gaps of n or more part any blocks, so they may shrink to n."""
    with np.errstate(over="ignore"):
        steps = np.minimum(np.diff(ascending, axis=1, prepend=ascending[:, :1]) / strength, ascending.shape[1])
    return np.cumsum(steps, axis=1)


def _pooled_blocks(rows: Array) -> npt.NDArray[np.intp]:
    """Borders of the constant pieces of each row's nondecreasing fit; rows are laid end to end for one SciPy call."""
    spread = np.ptp(rows, axis=1) + 1.0
    floor = np.cumsum(spread) - spread - rows.min(axis=1)  # lifts each row above the one before: no block spans two
    result = isotonic_regression((rows + floor[:, None]).ravel(), increasing=True)
    return np.asarray(result.blocks)


def _block_means(rows: Array, blocks: npt.NDArray[np.intp]) -> Array:
    means = np.add.reduceat(rows.ravel(), blocks[:-1]) / np.diff(blocks)
    return np.repeat(means, np.diff(blocks)).reshape(rows.shape)


def correlation(a: Tensor, b: Tensor, epsilon: float = 1e-12) -> Tensor:
    """Pearson correlation along the last dimension, [..., n] and [..., n] -> [...]; 0 where either is constant."""
    a, b = a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True)
    return (a * b).sum(-1) / ((a * a).sum(-1) * (b * b).sum(-1) + epsilon).sqrt()


def rank_loss(norms: Tensor, targets: Tensor, kind: RankLoss = "released") -> Tensor:
    """Mean over hops of 1 - rho, where rho compares the soft ranks of the norms with the targets.

    `released` correlates with the targets themselves, as the public implementation does; `spearman` with their hard
    (average) ranks. Shapes: norms [P, hops + 1, n], targets [P, n] -> [P].
    """
    if kind not in RANK_LOSSES:
        raise ValueError(f"rank_loss={kind!r}; choose from {', '.join(RANK_LOSSES)}")
    if kind == "off" or norms.shape[-1] < 2:
        return norms.new_zeros(len(norms))
    if kind == "spearman":
        targets = torch.from_numpy(rankdata(targets.numpy(), axis=-1)).to(norms.dtype)
    return (1 - correlation(soft_rank(norms), targets[:, None])).mean(1)

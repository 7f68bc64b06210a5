"""Soft ranks and the hop-level ranking loss (paper, Equation 4; Blondel et al., ICML 2020, for the soft rank)."""

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import isotonic_regression
from scipy.stats import rankdata
from torch import Tensor

from autobuild_lib.values import Array

RankLoss = Literal["released", "spearman", "off"]
RANK_LOSSES: tuple[str, ...] = get_args(RankLoss)


def soft_rank(values: Any, regularization_strength: float = 1.0) -> Any:
    """Return differentiable ascending ranks along the last dimension: about 1 for the smallest, n for the largest.

    The ranks are the Euclidean projection of values / strength onto the permutahedron of (1, ..., n); a small
    strength approaches hard ranks, a large one a constant (n + 1) / 2. All losses take arrays and lists as well.

    Shapes: values [..., n] -> [..., n]. `ValueError` for a strength that is not positive, and for other values.
    """
    if not isinstance(values, Tensor):
        return soft_rank(_tensor(values), regularization_strength).numpy()
    if values.dim() == 0:
        raise ValueError("soft_rank needs values of shape [..., n], given a single number")
    if not regularization_strength > 0:
        raise ValueError(f"regularization_strength must be positive, given {regularization_strength}")
    return _SoftRank.apply(values, regularization_strength) if values.numel() else values  # type: ignore[no-untyped-call]


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
        ranks = np.take_along_axis(ascending - _block_means(excess, blocks), np.argsort(order, axis=1), axis=1)
        return torch.from_numpy(ranks).to(values.dtype).reshape(values.shape)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *upstream: Tensor) -> tuple[Tensor, None]:
        order, blocks, strength = ctx.saved  # type: ignore[attr-defined]
        sorted_rows = np.take_along_axis(upstream[0].double().reshape(order.shape).numpy(), order, axis=1)
        ascending = (sorted_rows - _block_means(sorted_rows, blocks)) / strength
        gradient = np.take_along_axis(ascending, np.argsort(order, axis=1), axis=1)
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
    return np.asarray(isotonic_regression((rows + floor[:, None]).ravel(), increasing=True).blocks)


def _block_means(rows: Array, blocks: npt.NDArray[np.intp]) -> Array:
    means = np.add.reduceat(rows.ravel(), blocks[:-1]) / np.diff(blocks)
    return np.repeat(means, np.diff(blocks)).reshape(rows.shape)


def _tensor(values: Any) -> Tensor:
    return values if isinstance(values, Tensor) else torch.from_numpy(np.array(values, np.float64))


def correlation(a: Any, b: Any, epsilon: float = 1e-12) -> Any:
    """Pearson correlation along the last dimension, [..., n] and [..., n] -> [...]; 0 where either is constant."""
    if not (isinstance(a, Tensor) or isinstance(b, Tensor)):
        return correlation(_tensor(a), _tensor(b), epsilon).numpy()[()]
    a, b = (row - row.mean(-1, keepdim=True) for row in map(_tensor, (a, b)))
    return (a * b).sum(-1) / ((a * a).sum(-1) * (b * b).sum(-1) + epsilon).sqrt()


def rank_loss(norms: Any, targets: Any, kind: RankLoss = "released") -> Any:
    """Mean over hops of 1 - rho, where rho compares the soft ranks of the norms with the targets.

    `released` correlates with the targets themselves, as the public implementation does; `spearman` with their hard
    (average) ranks. Shapes: norms [..., hops + 1, n], targets [..., n] -> [...].
    """
    if kind not in RANK_LOSSES:
        raise ValueError(f"rank_loss={kind!r}; choose from {', '.join(RANK_LOSSES)}")
    if not isinstance(norms, Tensor):
        return rank_loss(_tensor(norms), targets, kind).numpy()[()]
    if kind == "off" or norms.shape[-1] < 2:
        return norms.new_zeros(norms.shape[:-2])
    targets = _tensor(rankdata(targets, axis=-1) if kind == "spearman" else targets).to(norms.dtype)
    return (1 - correlation(soft_rank(norms), targets[..., None, :])).mean(-1)

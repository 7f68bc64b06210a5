"""Sparse matrices as differentiable operators on stacks of rows, [P, rows, channels].

Gathering rows, adding rows up and counting neighbourhoods are all products with a sparse matrix, and the gradient is
the product with its transpose. `embedding_bag` computes either several times faster than `index_add`.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Bags:
    """Lists of rows laid end to end: index [entries], starts [bags + 1], weights [entries] (1 where left out)."""

    index: Tensor
    starts: Tensor
    weights: Tensor | None = None

    def sums(self, x: Tensor) -> Tensor:
        """Add the rows of each bag up: x [P, rows, C] -> [P, bags, C]."""
        bag = functools.partial(functional.embedding_bag, self.index, mode="sum", include_last_offset=True)
        sums = [bag(rows, self.starts, per_sample_weights=self.weights) for rows in x]
        return torch.stack(sums) if len(sums) > 1 else sums[0][None]


@dataclass(frozen=True)
class Sparse:
    """A sparse matrix, by rows and by columns."""

    rows: Bags
    columns: Bags

    @property
    def T(self) -> "Sparse":  # noqa: N802 - as in PyTorch
        """The transpose."""
        return Sparse(self.columns, self.rows)

    def __matmul__(self, x: Tensor) -> Tensor:
        """Multiply each predictor's rows: x [P, columns, C] -> [P, rows, C]."""
        return _Product.apply(x, self)  # type: ignore[no-any-return,no-untyped-call]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: Sparse) -> Tensor:
        ctx.matrix = matrix
        return matrix.rows.sums(x)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:
        return ctx.matrix.columns.sums(upstream[0].contiguous()), None


def selection(index: Tensor, rows: int, is_sorted: bool = False) -> Sparse:
    """The matrix that picks row index[i] of `rows` rows for every i; its transpose adds up what was picked."""
    places = torch.arange(len(index) + 1)
    order = places[:-1] if is_sorted else order_of(index)
    return Sparse(Bags(index, places), Bags(order, ends_of(index, rows)))


def order_of(index: Tensor) -> Tensor:
    """Return a stable order that sorts an index [entries]."""
    entries = len(index)
    key = index.numpy() * entries + np.arange(entries)  # sorting values is several times faster than sorting places
    return torch.from_numpy(np.sort(key) % max(entries, 1))


def ends_of(index: Tensor, rows: int) -> Tensor:
    """Where the entries of each row start once they are sorted, and where the last end: [rows + 1]."""
    starts = torch.zeros(rows + 1, dtype=torch.int64)
    torch.cumsum(torch.bincount(index, minlength=rows), 0, out=starts[1:])
    return starts

"""Sparse matrices as differentiable operators on stacks of rows, [P, rows, channels].

Gathering rows, adding rows up, attention and counting are all products with a sparse matrix, and the gradient is the
product with its transpose. `embedding_bag` computes either several times faster than `index_add`.
"""

import functools
from collections.abc import Sequence
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

    def sums(self, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Add the rows of each bag up: x [P, rows, C] -> [P, bags, C]; weights [P, entries] are used where given."""
        bag = functools.partial(functional.embedding_bag, self.index, mode="sum", include_last_offset=True)
        each: Sequence[Tensor | None] = [self.weights] * len(x) if weights is None else list(weights)
        sums = [bag(rows, self.starts, per_sample_weights=w) for rows, w in zip(x, each, strict=True)]
        return torch.stack(sums) if len(sums) > 1 else sums[0][None]


@dataclass(frozen=True)
class Sparse:
    """A sparse matrix, by rows and by columns.

    row_of [entries]: the row of each entry. order [entries]: the entries sorted by column.
    """

    rows: Bags
    columns: Bags
    row_of: Tensor
    order: Tensor

    def __matmul__(self, x: Tensor) -> Tensor:
        """Multiply each predictor's rows: x [P, columns, C] -> [P, rows, C]."""
        return _Product.apply(x, self)  # type: ignore[no-any-return,no-untyped-call]

    def weighted(self, x: Tensor, weights: Tensor) -> Tensor:
        """As `@`, with the entries given: x [P, columns, C], weights [P, entries] -> [P, rows, C]."""
        return _WeightedProduct.apply(x, weights, self)  # type: ignore[no-any-return,no-untyped-call]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: Sparse) -> Tensor:
        ctx.matrix = matrix
        return matrix.rows.sums(x)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:
        return ctx.matrix.columns.sums(upstream[0].contiguous()), None


class _WeightedProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor, matrix: Sparse) -> Tensor:
        ctx.matrix = matrix
        ctx.save_for_backward(x, weights)
        return matrix.rows.sums(x, weights)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weights = ctx.saved_tensors
        matrix, gradient = ctx.matrix, upstream[0].contiguous()
        of_x = matrix.columns.sums(gradient, weights.index_select(1, matrix.order))
        pairs = gradient.index_select(1, matrix.row_of).mul_(x.index_select(1, matrix.rows.index))
        return of_x, pairs.sum(2), None


def sparse(rows: Bags, row_of: Tensor, columns: int) -> Sparse:
    """Return the matrix with the given rows; row_of [entries] is the row of each entry, `columns` their number."""
    order = order_of(rows.index, columns)
    weights = None if rows.weights is None else rows.weights.index_select(0, order)
    transposed = Bags(row_of.index_select(0, order), ends_of(rows.index, columns), weights)
    return Sparse(rows, transposed, row_of, order)


def order_of(index: Tensor, rows: int) -> Tensor:
    """Return a stable order that sorts an index [entries] of that many rows."""
    entries = len(index)
    key = index.numpy() * entries + np.arange(entries)  # sorting values is several times faster than sorting places
    if rows * entries < 2**31:
        key = key.astype(np.int32)  # and small ones faster still
    return torch.from_numpy(np.sort(key) % max(entries, 1)).long()


def ends_of(index: Tensor, rows: int) -> Tensor:
    """Where the entries of each row start once they are sorted, and where the last end: [rows + 1]."""
    starts = torch.zeros(rows + 1, dtype=torch.int64)
    torch.cumsum(torch.bincount(index, minlength=rows), 0, out=starts[1:])
    return starts

"""Sparse matrices equal dense ones, in products and in gradients."""

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor

from autobuild_lib.engine.sparse import Bags, Sparse, ends_of, order_of, sparse


def random_matrix(rows: int, columns: int, is_weighted: bool, generator: torch.Generator) -> tuple[Sparse, Tensor]:
    """A matrix whose rows have 0 to 4 entries, some of them in one place, and the same with [rows, columns] numbers."""
    lengths = torch.randint(5, (rows,), generator=generator)
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    row_of = torch.repeat_interleave(lengths)
    index = torch.randint(columns, (len(row_of),), generator=generator)
    weights = torch.randn(len(row_of), generator=generator) if is_weighted else None
    dense = torch.zeros(rows, columns)
    dense.index_put_((row_of, index), torch.ones(len(row_of)) if weights is None else weights, accumulate=True)
    return sparse(Bags(index, starts, weights), row_of, columns), dense


@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6), st.booleans(), st.integers(0, 99))
def test_products(stack: int, rows: int, columns: int, is_weighted: bool, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    matrix, dense = random_matrix(rows, columns, is_weighted, generator)
    x = torch.randn(stack, columns, 3, generator=generator).requires_grad_()
    upstream = torch.randn(stack, rows, 3, generator=generator)
    torch.testing.assert_close(matrix @ x, dense @ x)
    (found,) = torch.autograd.grad((matrix @ x * upstream).sum(), x)
    torch.testing.assert_close(found, dense.T @ upstream)


@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_products_with_learnt_entries(stack: int, rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    matrix, _ = random_matrix(rows, columns, False, generator)
    x = torch.randn(stack, columns, 3, generator=generator).requires_grad_()
    weights = torch.randn(stack, len(matrix.row_of), generator=generator).requires_grad_()
    upstream = torch.randn(stack, rows, 3, generator=generator)
    places, nothing = (matrix.row_of, matrix.rows.index), torch.zeros(rows, columns)
    dense = torch.stack([nothing.index_put(places, one, accumulate=True) for one in weights])
    torch.testing.assert_close(matrix.weighted(x, weights), dense @ x)
    found = torch.autograd.grad((matrix.weighted(x, weights) * upstream).sum(), [x, weights])
    expected = torch.autograd.grad((dense @ x * upstream).sum(), [x, weights])
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(own, other)


@pytest.mark.parametrize("rows", [3, 2**40])
def test_order_is_stable(rows: int) -> None:
    index = torch.tensor([2, 0, 2, 1, 0, 2])
    assert order_of(index, rows).tolist() == [1, 4, 3, 0, 2, 5]
    assert ends_of(index, 4).tolist() == [0, 2, 3, 6, 6]
    nothing = torch.zeros(0, dtype=torch.int64)
    assert order_of(nothing, rows).tolist() == [] and ends_of(nothing, 2).tolist() == [0, 0, 0]

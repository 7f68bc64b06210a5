"""Soft ranks against golden values, a generic solver, finite differences and their limits; the ranking loss by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.optimize import minimize
from scipy.stats import pearsonr, rankdata, spearmanr

import autobuild_lib as ab
from autobuild_lib.losses import RANK_LOSSES, RankLoss, correlation, rank_loss, soft_rank


def double(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_golden_values_and_gradients(reference: Path) -> None:
    cases = json.loads((reference / "soft_rank_golden.json").read_text())
    assert len(cases) >= 20
    for case in cases:
        values = double(case["values"]).requires_grad_()
        ranks = soft_rank(values, regularization_strength=case["regularization_strength"])
        (ranks * double(case["upstream"])).sum().backward()
        np.testing.assert_allclose(ranks.detach(), case["soft_rank"], atol=1e-6)
        np.testing.assert_allclose(values.grad, case["gradient"], atol=1e-6)


def test_public_name() -> None:
    assert ab.losses.soft_rank is soft_rank


@pytest.mark.parametrize("seed", range(6))
def test_is_the_nearest_point_of_the_permutahedron(seed: int) -> None:
    rng, n = np.random.default_rng(seed), 4
    z = rng.normal(size=n) * 3
    subsets = [[i for i in range(n) if mask >> i & 1] for mask in range(1, 2**n - 1)]
    most = [{"type": "ineq", "fun": lambda x, s=s: sum(range(n, n - len(s), -1)) - x[s].sum()} for s in subsets]
    total = [{"type": "eq", "fun": lambda x: x.sum() - n * (n + 1) / 2}]
    nearest = minimize(lambda x: ((x - z) ** 2).sum(), np.full(n, (n + 1) / 2), constraints=most + total, tol=1e-12)
    np.testing.assert_allclose(soft_rank(double(z)), nearest.x, atol=1e-5)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=12), st.floats(0.05, 20))
def test_sum_order_and_bounds(values: list[float], strength: float) -> None:
    n, ranks = len(values), soft_rank(double(values), strength).numpy()
    assert ranks.sum() == pytest.approx(n * (n + 1) / 2)
    assert (np.diff(ranks[np.argsort(values, kind="stable")]) > -1e-9).all()
    assert ranks.min() > 1 - 1e-9 and ranks.max() < n + 1e-9


@pytest.mark.parametrize("shape", [(5,), (1, 5), (3, 5), (2, 3, 5), (2, 3, 1), (4, 1)])
def test_any_batch_shape_is_row_by_row(shape: tuple[int, ...]) -> None:
    values = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    upstream = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    ranks = soft_rank(values)
    gradient = torch.autograd.grad(ranks, values, upstream)[0]
    rows = values.detach().reshape(-1, shape[-1])
    for i, row in enumerate(rows):
        alone = row.clone().requires_grad_()
        one = soft_rank(alone)
        torch.testing.assert_close(ranks.reshape(rows.shape)[i], one, rtol=0, atol=1e-12)
        own = torch.autograd.grad(one, alone, upstream.reshape(rows.shape)[i])[0]
        torch.testing.assert_close(gradient.reshape(rows.shape)[i], own, rtol=0, atol=1e-12)


@pytest.mark.parametrize("strength", [0.3, 1.0, 5.0])
def test_gradients_equal_finite_differences(strength: float) -> None:
    values = torch.randn(3, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(4)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: soft_rank(x, strength), values, eps=1e-7, atol=1e-5)


def test_limits() -> None:
    values = double([0.3, -2.0, 5.0, 0.31])
    for tiny in (1e-4, 1e-320):
        np.testing.assert_allclose(soft_rank(values, tiny), [2, 1, 4, 3], atol=1e-9)
    np.testing.assert_allclose(soft_rank(values, 1e9), [2.5] * 4, atol=1e-6)


def test_ties_share_a_rank_and_single_values_are_first() -> None:
    np.testing.assert_allclose(soft_rank(double([2.0, 2.0, 9.0, 2.0])), [2, 2, 4, 2])
    assert soft_rank(double([[7.0], [-3.0]])).tolist() == [[1.0], [1.0]]
    assert soft_rank(torch.zeros(3, 0)).shape == (3, 0)


def test_huge_rows_disturb_neither_themselves_nor_their_neighbours() -> None:
    rows = double([[1e17, 3e17, -2e17], [0.1, 0.2, 0.3], [1e308, -1e308, 0.0], [5.0, 5.5, 4.0]])
    expected = [[2, 3, 1], [1.9, 2, 2.1], [3, 1, 2], soft_rank(rows[3]).tolist()]
    np.testing.assert_allclose(soft_rank(rows), expected, atol=1e-9)


def test_keeps_the_type_of_its_input() -> None:
    assert soft_rank(torch.randn(4)).dtype == torch.float32
    assert soft_rank(torch.randn(4)).sum() == pytest.approx(10, abs=1e-5)


@pytest.mark.parametrize("strength", [0, -1.0, float("nan")])
def test_strength_must_be_positive(strength: float) -> None:
    with pytest.raises(ValueError, match=f"regularization_strength must be positive, given {strength}"):
        soft_rank(double([1.0, 2.0]), strength)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_must_be_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="soft_rank needs finite values"):
        soft_rank(double([[1.0, bad], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="given a single number"):
        soft_rank(double(1.0))


def test_correlation_is_pearsons_and_zero_for_a_constant() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 9))
    expected = [pearsonr(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(correlation(double(a), double(b)), expected)
    constant = double([2.0, 2.0, 2.0]).requires_grad_()
    value = correlation(constant, double([1.0, 2.0, 4.0]))
    assert value == 0 and torch.isfinite(torch.autograd.grad(value, constant)[0]).all()


def test_rank_loss_by_hand() -> None:
    first = [[10.0, 20.0, 30.0, 40.0], [40.0, 30.0, 20.0, 10.0]]  # gaps of 10: soft ranks are hard ranks
    second = [[10.0, 30.0, 20.0, 40.0], [0.0, 10.0, 20.0, 30.0]]
    norms, targets = double([first, second]), double([[1.0, 2.0, 4.0, 8.0], [1.0, 2.0, 3.0, 9.0]])
    rho = [np.corrcoef(ranks, [1, 2, 3, 9])[0, 1] for ranks in ([1, 3, 2, 4], [1, 2, 3, 4])]
    np.testing.assert_allclose(rank_loss(norms, targets, "released"), [1.0, 1 - np.mean(rho)], atol=1e-9)
    np.testing.assert_allclose(rank_loss(norms, targets, "spearman"), [1.0, 1 - (0.8 + 1) / 2], atol=1e-9)
    np.testing.assert_array_equal(rank_loss(norms, targets, "off"), [0, 0])
    np.testing.assert_array_equal(rank_loss(norms[..., :1], targets[..., :1]), [0, 0])


def test_rank_loss_does_not_see_the_scale_of_the_targets() -> None:
    rng = np.random.default_rng(1)
    norms, targets = double(rng.normal(size=(1, 2, 8))), double(rng.normal(size=(1, 8)))
    torch.testing.assert_close(rank_loss(norms, targets), rank_loss(norms, targets * 7 + 3))


def test_spearman_kind_is_the_spearman_correlation_for_spread_out_norms() -> None:
    rng = np.random.default_rng(2)
    order, targets = rng.permutation(9).astype(float), rng.integers(0, 4, 9).astype(float)  # with ties
    loss = rank_loss(double(order * 100)[None, None], double(targets)[None], "spearman")
    assert float(loss) == pytest.approx(1 - spearmanr(rankdata(order), targets).statistic)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'kendall'.* " + ", ".join(RANK_LOSSES)):
        rank_loss(double([[[1.0, 2.0]]]), double([[1.0, 2.0]]), "kendall")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", [np.array, list, tuple], ids=["array", "list", "tuple"])
def test_arrays_in_arrays_out(form: Callable[[object], object]) -> None:
    rows, targets = [[1.0, 3.0, 2.5], [0.1, 0.2, 0.4]], [1.0, 2.0, 4.0]
    ranks, value = soft_rank(form(rows)), correlation(form(rows[0]), form(targets))
    assert isinstance(ranks, np.ndarray) and isinstance(value, float)
    np.testing.assert_array_equal(ranks, soft_rank(double(rows)))
    assert value == correlation(double(rows[0]), double(targets))
    for kind in get_args(RankLoss):
        loss = rank_loss(form(rows), form(targets), kind)
        assert isinstance(loss, float) and loss == rank_loss(double([rows]), double([targets]), kind)
        np.testing.assert_array_equal(rank_loss([rows, rows], [targets, targets], kind), [loss, loss])


def test_an_array_beside_a_tensor_keeps_the_gradient() -> None:
    norms, targets = double([[3.0, 1.0, 2.5]]).requires_grad_(), np.array([1.0, 2.0, 4.0])
    for result in (rank_loss(norms, targets), correlation(norms[0], targets), correlation(targets, norms[0])):
        assert isinstance(result, torch.Tensor)
        (gradient,) = torch.autograd.grad(result, norms)
        assert torch.isfinite(gradient).all() and gradient.any()


@pytest.mark.parametrize("odd", [3.0, np.array(3.0), "abc", None, [[1.0], [1.0, 2.0]], [1.0, "a"], [1.0, None]])
def test_what_is_no_row_of_numbers_is_refused(odd: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        soft_rank(odd)

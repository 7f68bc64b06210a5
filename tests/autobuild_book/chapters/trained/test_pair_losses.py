"""Losses over pairs: against sums by hand, and against the change of NDCG when two networks change places."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from sklearn.metrics import ndcg_score

from autobuild_book.chapters.trained import pair_losses
from autobuild_lib.training import HeadLoss


def rows(*values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_ranknet_by_hand() -> None:
    scores, targets = rows([0.0, 1.0, 3.0]), rows([2.0, 5.0, 2.0])  # pairs: 1 above 0, 1 above 2
    expected = (math.log1p(math.exp(-1.0)) + math.log1p(math.exp(2.0))) / 2
    assert pair_losses.ranknet(scores, targets).tolist() == pytest.approx([expected])


def swapped(scores: np.ndarray, i: int, j: int) -> np.ndarray:
    changed = scores.copy()
    changed[[i, j]] = scores[[j, i]]
    return changed


@given(st.permutations(range(6)), st.lists(st.integers(0, 4), min_size=6, max_size=6).filter(lambda y: len(set(y)) > 1))
def test_lambdarank_weighs_pairs_by_their_change_of_ndcg(order: list[int], grades: list[int]) -> None:
    scores, targets = np.array(order, float) / 3, np.array(grades, float)
    gains = 2 ** (4 * (targets[:, None] > targets).sum(1) / 5) - 1
    before = ndcg_score([gains], [scores])
    expected = sum(
        abs(ndcg_score([gains], [swapped(scores, i, j)]) - before) * math.log1p(math.exp(scores[j] - scores[i]))
        for i, j in itertools.permutations(range(6), 2)
        if targets[i] > targets[j]
    )
    both = pair_losses.lambdarank(rows(scores.tolist(), scores.tolist()), rows(targets.tolist(), [1.0] * 6))
    assert both.tolist() == pytest.approx([expected, 0.0])  # of equal targets nothing is asked
    error = np.square(scores - targets).mean()
    beside = pair_losses.squared_and_lambdarank(rows(scores.tolist()), rows(targets.tolist()))
    assert beside.item() == pytest.approx(expected + error)


@pytest.mark.parametrize("loss", [pair_losses.ranknet, pair_losses.lambdarank])
def test_steps_downhill_put_networks_in_order(loss: HeadLoss) -> None:
    targets = rows([3.0, 1.0, 4.0, 0.0, 2.0], [0.0, 1.0, 2.0, 3.0, 4.0])
    scores = torch.zeros_like(targets, requires_grad=True)
    for _ in range(200):
        (gradient,) = torch.autograd.grad(loss(scores, targets).sum(), scores)
        scores = (scores - gradient).detach().requires_grad_()
    assert scores.argsort(1).tolist() == targets.argsort(1).tolist()


@pytest.mark.parametrize("loss", [pair_losses.ranknet, pair_losses.lambdarank])
def test_a_batch_of_one_asks_for_nothing(loss: HeadLoss) -> None:
    scores = torch.ones(2, 1, requires_grad=True)
    result = loss(scores, torch.zeros(2, 1))
    assert result.tolist() == [0, 0] and torch.autograd.grad(result.sum(), scores)[0].tolist() == [[0], [0]]

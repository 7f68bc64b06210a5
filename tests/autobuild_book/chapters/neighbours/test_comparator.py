"""The comparator: pairs by hand, both orders, what exploration keeps, and ranks by wins."""

import numpy as np
import pytest
import torch

from autobuild_book.chapters.neighbours.comparator import (
    CTNAS_LABELLED,
    Comparator,
    ComparatorModel,
    Wins,
    confident_pairs,
    log_odds,
    pair_loss,
)
from autobuild_book.chapters.neighbours.graphs import graphs_of, vocabulary
from autobuild_book.chapters.neighbours.learning import Recipe
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.statistics import srcc


def counted(rows: int) -> Table:
    """Cells that are better the more convolutions they have."""
    drawn = list(dict.fromkeys(SPACE.sample(rows, 0)))
    return make_table(
        SPACE, drawn, {"y": [10.0 * str(cell).count("3x3") for cell in drawn]}, source="cells", kind="yours"
    )


def test_log_odds_by_hand() -> None:
    first, second = torch.tensor([[1.0, 9.0], [2.0, 9.0]]), torch.tensor([[7.0, 0.5], [7.0, -2.0], [7.0, 0.0]])
    assert log_odds(first, second).tolist() == [[1.5, -1.0, 1.0], [2.5, 0.0, 2.0]]


def test_loss_by_hand() -> None:
    numbers = torch.tensor([[1.0, 0.0], [0.5, 2.0]])  # log odds of 0 over 1: 1 + 2; of 1 over 0: 0.5 + 0
    won, lost = np.log1p(np.exp(-3.0)), np.log1p(np.exp(0.5))
    assert pair_loss(numbers, torch.tensor([2.0, 1.0])).item() == pytest.approx((won + lost) / 2)
    tied = np.log1p(np.exp(-3.0)) + np.log1p(np.exp(-0.5))
    assert pair_loss(numbers, torch.tensor([1.0, 1.0])).item() == pytest.approx(tied / 2), "equals are as good"
    sure = torch.tensor([[50.0, -50.0], [-50.0, 50.0]])
    assert pair_loss(sure, torch.tensor([2.0, 1.0])).item() == pytest.approx(0, abs=1e-6)
    assert pair_loss(sure, torch.tensor([1.0, 2.0])).item() == pytest.approx(100)


def test_a_pair_is_a_pass_over_both() -> None:
    """The log odds of all pairs are what a linear layer says of two networks side by side."""
    torch.manual_seed(0)
    comparator, graphs = Comparator(vocabulary(SPACE)), graphs_of(SPACE, SPACE.sample(2, 1))
    caught: list[torch.Tensor] = []
    comparator.sides.register_forward_pre_hook(lambda _, given: caught.append(given[0]))
    with torch.no_grad():
        numbers = comparator(graphs)
        (means,) = caught
        weights, bias = comparator.sides.weight, comparator.sides.bias
        beside = torch.cat([means[0], means[1]]) @ torch.cat([weights[0], weights[1]]) + bias.sum()
    assert log_odds(numbers, numbers)[0, 1].item() == pytest.approx(beside.item(), abs=1e-5)


def test_exploration_keeps_the_surest() -> None:
    numbers = torch.tensor([[3.0, -3.0], [0.1, 0.0], [-2.0, 2.0]])
    pairs = torch.tensor([[0, 1, 2, 1], [2, 1, 0, 0]])  # log odds 5, 0.1, -5, -2.9
    kept, says = confident_pairs(numbers, pairs, 0.5)
    assert {(int(a), int(b)): float(s) for a, b, s in zip(*kept, says, strict=True)} == {(0, 2): 1.0, (2, 0): 0.0}


@pytest.fixture(scope="module")
def learnt() -> tuple[Wins, Table]:
    train, test = counted(140).split(0.6, seed=0)
    model = ComparatorModel("quick", CTNAS_LABELLED.about, Recipe(150, 32, 5e-3), explored=200)
    (wins,) = model.fit_many(train, ["y"], seed=1)
    (again,) = model.fit_many(train, ["y"], seed=1)
    assert np.array_equal(again.predict(test.architectures), wins.predict(test.architectures))
    return wins, test


def test_wins_rank_and_labels_come_back(learnt: tuple[Wins, Table]) -> None:
    wins, test = learnt
    predicted = wins.predict(test.architectures)
    assert srcc(predicted, test.labels["y"].to_numpy()) > 0.8
    assert abs(predicted.mean() - test.labels["y"].mean()) < 4
    chances = wins.chances(test.architectures)
    assert chances.min() >= 0 and chances.max() <= 1 and np.array_equal(np.argsort(chances), np.argsort(predicted))
    assert len(wins.predict([])) == 0


def test_who_wins_does_not_lose_the_other_way_round(learnt: tuple[Wins, Table]) -> None:
    wins, test = learnt
    good, bad = (test.architectures[int(place)] for place in (test.labels["y"].idxmax(), test.labels["y"].idxmin()))
    with torch.no_grad():
        numbers = wins.comparator(graphs_of(SPACE, [good, bad]))
        chances = log_odds(numbers, numbers).sigmoid()
    assert chances[0, 1] > 0.9 and chances[0, 1] + chances[1, 0] == pytest.approx(1, abs=0.1)

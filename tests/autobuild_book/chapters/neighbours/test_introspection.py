"""Introspectability by hand, and the pool of perceptrons that are labelled with it."""

import numpy as np
import pytest
import torch

from autobuild_book.chapters.neighbours.introspection import pool
from autobuild_book.chapters.neighbours.introspection.score import activations_of, introspectability
from autobuild_book.chapters.shared import perceptrons


def test_distances_between_classes_by_hand() -> None:
    activations = np.array([[2.0, 0.0], [4.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert introspectability(activations, np.array([0, 0, 1, 2])) == pytest.approx((1 + 2 + 1) / 3)
    assert introspectability(activations, np.array([0, 0, 1, 1])) == pytest.approx(1 + 1 / 2**0.5), "means are compared"
    assert introspectability(activations * 7, np.array([0, 0, 1, 2])) == pytest.approx(4 / 3), "lengths do not matter"
    assert introspectability(activations[:2], np.array([0, 1])) == pytest.approx(0), "the same direction"


def test_nothing_is_told_apart_by_one_class_or_silent_neurons() -> None:
    assert introspectability(np.ones((3, 2)), np.array([5, 5, 5])) == 0
    assert introspectability(np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([0, 1])) == 0


def test_activations_of_all_layers_stand_side_by_side() -> None:
    network = torch.nn.Sequential(
        torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(2, 1), torch.nn.Identity(),
        torch.nn.Linear(1, 2),
    ).eval()  # fmt: skip
    with torch.no_grad():
        for place, weights in ((0, [[1.0], [-1.0]]), (3, [[1.0, 10.0]]), (5, [[1.0], [0.0]])):
            network[place].weight.copy_(torch.tensor(weights))
            network[place].bias.zero_()
        network[5].bias.copy_(torch.tensor([0.0, 5.0]))
    activations, predicted = activations_of(network, torch.tensor([[3.0], [-2.0]]))
    assert activations.tolist() == [[3, 0, 3], [0, 2, 20]] and predicted.tolist() == [1, 0]


def test_networks_of_the_pool_are_perceptrons_of_the_book() -> None:
    architecture = pool.SPACE.parse("relu;dense,dense|tanh;width6;dense|linear;dense")
    text = "width64;relu_dropout0,relu_dropout0|width6;tanh_dropout0|linear_dropout0"
    assert str(pool.as_perceptron(architecture)) == text
    assert len({str(pool.as_perceptron(each)) for each in pool.SPACE}) == 6**3


def test_parts_cover_the_space_and_label_it(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = pool.plan((), (0, 1))
    assert len({part.key for part in parts}) == len(parts)
    for seed in (0, 1):
        texts = [text for part in parts if part.seed == seed for text in part.architectures]
        assert sorted(texts) == sorted(map(str, pool.SPACE))
    monkeypatch.setattr(perceptrons, "EPOCHS", 2)
    (row,) = pool.PoolPart(parts[-1].architectures[:1], 3).measure().to_dict("records")
    network = perceptrons.train(pool.as_perceptron(pool.SPACE.parse(row["architecture"])), 3)
    assert list(row) == pool.COLUMNS and row["seed"] == 3
    assert row["error"] == pytest.approx(1 - perceptrons.accuracy(network)) and 0 < row["introspectability"] < 2

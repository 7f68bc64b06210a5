"""What systems make of networks, by hand on NAS-Bench-201's cell and on a small tree."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.neighbours import seen
from autobuild_book.chapters.neighbours.comparator import log_odds
from autobuild_book.chapters.neighbours.convolutions import GCN, normalized
from autobuild_book.chapters.neighbours.network_graphs import NETWORK_GRAPHS
from autobuild_lib.data.table import make_table

SPACE = ab.SequenceSpace("fork", [ab.Unit(1, 1)] * 3, {"op": ["a", "b"]}, links=[[], [0], [0]])
FORK = SPACE.parse("a|b|a")


def test_nodes_are_named_by_their_operations() -> None:
    assert seen.node_names(SPACE, FORK) == ["input", "1 a", "2 b", "3 a", "output"]
    assert seen.values_of(SPACE) == ["a", "b"]


def test_masks_of_a_fork() -> None:
    masks = seen.attention_masks(SPACE, FORK)
    assert list(masks) == list(seen.HEADS) and all(np.diag(mask).all() for mask in masks.values())
    edges = {(1, 0), (2, 1), (3, 1), (4, 2), (4, 3)}
    off = {name: {(int(i), int(j)) for i, j in np.argwhere(mask) if i != j} for name, mask in masks.items()}
    assert off["what it reads"] == edges and off["what reads it"] == {(j, i) for i, j in edges}
    assert off["same reader"] == off["same source"] == {(2, 3), (3, 2)}


def test_a_convolution_mixes_in_equal_parts() -> None:
    along = seen.mixing(SPACE, FORK, normalized)["along the edges"]
    assert along.sum(1) == pytest.approx(1) and along[4, [2, 3, 4]] == pytest.approx(1 / 3)


def test_principal_components_keep_distances_in_a_plane() -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(9, 2)) @ np.linalg.qr(rng.normal(size=(5, 5)))[0][:2]
    made = seen.principal(plane)
    assert np.linalg.norm(made[:, None] - made, axis=2) == pytest.approx(np.linalg.norm(plane[:, None] - plane, axis=2))
    assert made[:, 0].var() >= made[:, 1].var() and seen.principal(plane[::-1]) == pytest.approx(made[::-1])


def test_chances_of_a_comparator_that_counts() -> None:
    def numbers(graphs: seen.Graphs) -> torch.Tensor:
        count = graphs.features[..., 0].sum(1)
        return torch.stack([count, -count], dim=1)

    chances = seen.chances(SimpleNamespace(space=SPACE, comparator=numbers), [FORK, SPACE.parse("b|b|b")], log_odds)
    assert chances == pytest.approx(1 / (1 + np.exp([[0.0, -2.0], [2.0, 0.0]])))


def test_networks_from_the_worst_to_the_best() -> None:
    labels = np.arange(8)[::-1].astype(float)
    table = SimpleNamespace(labels={"y": SimpleNamespace(to_numpy=lambda: labels)}, architectures=list("abcdefgh"))
    assert seen.spread_over(table, "y", 3) == ["h", "d", "a"]  # type: ignore[arg-type,comparison-overlap]


def test_true_ranks_are_those_of_the_rows_of_a_table() -> None:
    rows = [FORK, SPACE.parse("b|b|b"), SPACE.parse("a|a|a")]
    table = make_table(SPACE, rows, {"y": [2.0, 1.0, 3.0]}, source="three", kind="yours")
    asked = [SPACE.parse("b|b|b"), SPACE.parse("b|a|a"), rows[2], FORK]
    assert seen.true_ranks(table, "y", asked) == [3, None, 1, 2]


def test_points_move_a_little_and_the_same_way_again() -> None:
    points = np.array([[0.0, 0.0], [0.0, 0.0], [10.0, 1.0]])
    moved = seen.jittered(points, 1)
    assert (np.abs(moved - points) < [2, 0.2]).all() and len(np.unique(moved, axis=0)) == 3
    assert (moved == seen.jittered(points, 1)).all() and (moved != seen.jittered(points, 2)).any()


def test_models_with_steps_take_fewer() -> None:
    assert seen.shortened(GCN, 5).recipe.steps == 5 and seen.shortened(GCN, 10_000) == GCN
    assert seen.shortened(NETWORK_GRAPHS, 5) is NETWORK_GRAPHS

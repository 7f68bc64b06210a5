"""Checks of lab 1: right answers pass in any form, and its numbers are those of a seed."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import autobuild_lib as ab
from autobuild_book.labs import embeddings, usual
from autobuild_book.labs.verdicts import AnswerError, apart


class TestLab1:
    def test_a_node(self, lab1: embeddings.Lab) -> None:
        right = {name: abs(np.dot(v, w) + b) for name, (v, w, b) in lab1.categories.items()}
        for answer in (right, dict(reversed(right.items())), [*right.values()], np.round([*right.values()], 3)):
            assert lab1.node_embedding(answer)

    def test_a_norm(self, lab1: embeddings.Lab) -> None:
        assert lab1.graph_norm(sum(sum(column) / 3 for column in zip(*lab1.nodes.tolist(), strict=True)))

    def test_ranks(self, lab1: embeddings.Lab) -> None:
        assert lab1.hard_ranks([1 + sum(other < value for other in lab1.values) for value in lab1.values])

    def test_the_soft_rank_of_a_pair_in_three_ways(self, lab1: embeddings.Lab) -> None:
        def clipped(a: float, b: float, strength: float) -> tuple[float, float]:
            d = max(-1, min(1, (b - a) / strength))
            return 1.5 - d / 2, 1.5 + d / 2

        assert lab1.soft_rank_pair(clipped)
        assert lab1.soft_rank_pair(lambda a, b, s: np.array(clipped(a, b, s)))
        assert lab1.soft_rank_pair(lambda a, b, s: ab.losses.soft_rank(torch.tensor([a, b]), s))

    def test_the_largest_strength_is_where_soft_ranks_stop_being_hard(self, lab1: embeddings.Lab) -> None:
        (right,) = usual.strengths(lab1.values)[0]
        hard = np.argsort(np.argsort(lab1.values)) + 1
        assert lab1.largest_strength(right)
        assert np.allclose(ab.losses.soft_rank(lab1.values, right), hard)
        assert not np.allclose(ab.losses.soft_rank(lab1.values, 1.01 * right), hard)

    def test_the_ranking_loss_is_that_of_the_library(self, lab1: embeddings.Lab) -> None:
        right = ab.losses.rank_loss(lab1.norms[None], lab1.targets)
        assert isinstance(right, float) and lab1.ranking_loss(right) and lab1.ranking_loss(round(right, 4))

    @given(st.floats(0.01, 0.09), st.floats(0.5, 50))
    def test_many_norms_have_no_loss(self, slope: float, shift: float) -> None:
        lab = embeddings.Lab()
        norms = shift + slope * (lab.targets - lab.targets.min())
        assert lab.better_norms(norms.tolist())

    def test_losses_by_hop(self, lab1: embeddings.Lab, batch: tuple[Any, Any]) -> None:
        norms, targets = batch
        right = [ab.losses.rank_loss(level[None], targets) for level in norms]
        assert lab1.losses_by_hop(right, norms, targets) and lab1.losses_by_hop(np.round(right, 3), norms, targets)

    @pytest.mark.parametrize("seed", range(60))
    def test_targets_are_no_norms(self, seed: int) -> None:
        lab = embeddings.Lab(seed)
        for norms in (lab.targets, np.argsort(np.argsort(lab.targets)) + 1):
            with pytest.raises(AnswerError) as caught:
                lab.better_norms(norms)
            assert caught.value.mistake == "far apart"


def test_no_guess_of_the_largest_strength_is_often_right() -> None:
    answers = Counter(round(float(usual.strengths(usual.material(seed).values)[0][0]), 6) for seed in range(60))
    assert len(answers) >= 10 and max(answers.values()) <= 20


def as_row(material: usual.Material) -> Sequence[float]:
    return [*material.nodes.ravel(), *material.values, *material.norms, *material.targets]


@settings(max_examples=20)
@given(st.integers(0, 2**63 - 1))
def test_every_seed_makes_numbers_whose_mistakes_are_told_apart(seed: int) -> None:
    material = usual.material(seed)
    assert apart(*usual.node_embeddings(material.categories)) and apart(*usual.graph_norms(material.nodes))
    assert apart(*usual.strengths(material.values)) and apart(*usual.losses(material.norms, material.targets))
    assert apart(*usual.soft_ranks_of_pairs(material.pairs))
    assert as_row(material) == as_row(usual.material(seed)) != as_row(usual.material(seed // 2 + 1))

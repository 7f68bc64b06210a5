"""Checks of lab 1: right answers pass in any form, and usual wrong ones get the hint that fits."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.labs import embeddings
from tests.helpers.refusals import refused


class TestLab1:
    def test_the_first_answer_by_hand(self) -> None:
        assert embeddings.node_embedding([0.25, 0.48, 0.6])
        assert embeddings.node_embedding({"e = 6": 0.48, "k = 3": 0.6, "unit = 0": 0.25})

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ([-0.25, -0.48, 0.6], "never negative"),
            ([0.1, 0.58, 0.3], "bias is missing"),
            ([-0.1, -0.58, 0.3], "Two things are missing"),
            ([0.65, 1.32, 1.0], "absolute values too early"),
            ([0.25, 0.48, 0.7], "Number 3 of 3, 0.7, is too high"),
        ],
    )
    def test_wrong_node_embeddings(self, answer: list[float], hint: str) -> None:
        refused(hint, embeddings.node_embedding, answer)

    def test_the_norm_by_hand(self) -> None:
        assert embeddings.graph_norm(0.3 + 0.6 + 0.4 + 1.2)

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            (7.5, "sum over nodes"),
            ((0.09 + 0.36 + 0.16 + 1.44) ** 0.5, "Euclidean"),
            (2.5 / 4, "averaged over the channels"),
            (0.6 + 1.2 + 0.8 + 2.4, "maximum over nodes"),
            (1.2, "largest channel"),
        ],
    )
    def test_wrong_norms(self, answer: float, hint: str) -> None:
        refused(hint, embeddings.graph_norm, answer)

    def test_ranks(self) -> None:
        assert embeddings.hard_ranks((4, 1, 2, 5, 3))

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ([1, 2, 4, 0, 3], "argsort"),
            ([2, 3, 5, 1, 4], "argsort"),
            ([3, 0, 1, 4, 2], "begin at 0"),
            ([2, 5, 4, 1, 3], "descend"),
        ],
    )
    def test_wrong_ranks(self, answer: list[int], hint: str) -> None:
        refused(hint, embeddings.hard_ranks, answer)

    def test_the_soft_rank_of_a_pair_in_three_ways(self) -> None:
        def clipped(a: float, b: float, strength: float) -> tuple[float, float]:
            d = max(-1, min(1, (b - a) / strength))
            return 1.5 - d / 2, 1.5 + d / 2

        assert embeddings.soft_rank_pair(clipped)
        assert embeddings.soft_rank_pair(lambda a, b, s: np.array(clipped(a, b, s)))
        assert embeddings.soft_rank_pair(lambda a, b, s: ab.losses.soft_rank(torch.tensor([a, b]), s))

    @pytest.mark.parametrize(
        ("step", "hint"),
        [
            (lambda a, b, s: (b - a) / s, "clip"),
            (lambda a, b, s: np.clip(b - a, -1, 1), "strength has no effect"),
            (lambda a, b, s: np.clip((b - a) * s, -1, 1), "multiply by the strength"),
            (lambda a, b, s: np.clip((a - b) / s, -1, 1), "descend"),
            (lambda a, b, s: np.sign(b - a), "hard ranks"),
        ],
    )
    def test_wrong_soft_ranks(self, step: Callable[..., float], hint: str) -> None:
        def ranks(a: float, b: float, s: float) -> list[float]:
            return [1.5 - step(a, b, s) / 2, 1.5 + step(a, b, s) / 2]

        refused(hint, embeddings.soft_rank_pair, ranks)

    def test_other_soft_ranks(self) -> None:
        refused("add up to 2", embeddings.soft_rank_pair, lambda a, b, s: (1, 1))
        refused("asks for 2 numbers", embeddings.soft_rank_pair, lambda a, b, s: 1.5)
        refused("no answer yet", embeddings.soft_rank_pair, lambda a, b, s: ...)

    def test_the_largest_strength_is_where_soft_ranks_stop_being_hard(self) -> None:
        assert embeddings.largest_strength(0.5)
        values = torch.tensor(embeddings.VALUES)
        assert torch.allclose(ab.losses.soft_rank(values, 0.5), torch.tensor([4.0, 1, 2, 5, 3]).double())
        assert not torch.allclose(ab.losses.soft_rank(values, 0.51), torch.tensor([4.0, 1, 2, 5, 3]).double())

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [(1.2, "widest gap"), (0.925, "mean gap"), (2, "inverse"), (1, "closer than 1"), (0.1, "too low")],
    )
    def test_wrong_strengths(self, answer: float, hint: str) -> None:
        refused(hint, embeddings.largest_strength, answer)

    def test_the_ranking_loss(self) -> None:
        norms, targets = torch.tensor(embeddings.NORMS), torch.tensor(embeddings.TARGETS)
        right = float(ab.losses.rank_loss(norms[None, None], targets[None]))
        assert embeddings.ranking_loss(right) and embeddings.ranking_loss(round(right, 3))
        refused("the loss is 1 minus it", embeddings.ranking_loss, 1 - right)
        raw = 1 - np.corrcoef(embeddings.NORMS, embeddings.TARGETS)[0, 1]
        refused("take their soft ranks first", embeddings.ranking_loss, raw)
        hard = 1 - np.corrcoef([4, 1, 2, 3, 5], embeddings.TARGETS)[0, 1]
        refused("You used hard ranks", embeddings.ranking_loss, hard)
        refused("1 - Spearman", embeddings.ranking_loss, 1 - 0.9)  # two neighbours of five swapped

    @given(st.floats(0.01, 0.2), st.floats(0.5, 50))
    def test_many_norms_have_no_loss(self, slope: float, shift: float) -> None:
        norms = shift + slope * (embeddings.TARGETS - embeddings.TARGETS.min())
        assert embeddings.better_norms(norms.tolist())

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ([4, 1, 3, 2, 5], "The order is right, but the loss is"),
            ([4, 1, 2, 3, 5], "Network 2 has a higher target than network 3"),
            ([1, 1, 1, 1, 1], "All your norms are equal"),
            ([4, -1, 3, 2, 5], "must be above 0"),
        ],
    )
    def test_wrong_norms_of_a_batch(self, answer: list[float], hint: str) -> None:
        refused(hint, embeddings.better_norms, answer)

    def test_losses_by_hop(self) -> None:
        rng = np.random.default_rng(0)
        targets = rng.normal(size=32)
        norms = np.stack([targets * weight + rng.normal(size=32) for weight in (0.2, 1, 3)])
        right = [embeddings.loss_of(level, targets) for level in norms]
        assert embeddings.losses_by_hop(right, norms, targets)
        refused("That is one number", embeddings.losses_by_hop, np.mean(right), norms, targets)
        refused("These are correlations", embeddings.losses_by_hop, [1 - loss for loss in right], norms, targets)
        refused("reverse order", embeddings.losses_by_hop, right[::-1], norms, targets)
        refused("no answer yet", embeddings.losses_by_hop, ..., norms, targets)

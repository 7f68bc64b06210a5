"""Mutations: what one changes, how often, and that it never leaves its space."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare

import autobuild_lib as ab
from autobuild_lib.search import StageMutation
from autobuild_lib.search.mutations import choose_stages
from autobuild_lib.units.reduced import GroupContents, ReducedSpace
from tests.helpers.mutations import pairs

FAMILIES = (ab.spaces.ofa_mbv3(), ab.spaces.ofa_pn())


def small(space: ab.SequenceSpace, size: int, seed: int = 0) -> ReducedSpace:
    rng = np.random.default_rng(seed)
    codes = [rng.permutation(group.contents())[:size] for group in space.scoring_groups]
    head = space.encode_globals({})
    return ReducedSpace(space, head, tuple(GroupContents(each, np.zeros(len(each))) for each in codes))


# -------------------------------------------------------------------- which stages


@pytest.mark.parametrize("probability", [[0.5] * 5, [0.25, 0.25, 0.25, 0.5, 0.5], [1.0, 0.1, 0.0]])
def test_stages_are_chosen_independently_given_at_least_one(probability: list[float]) -> None:
    p = np.array(probability)
    chosen = choose_stages(np.random.default_rng(0), 20_000, p)
    assert chosen.any(axis=1).all()
    some = 1 - np.prod(1 - p)
    for count, own in zip(chosen.sum(axis=0), p / some, strict=True):
        assert binomtest(int(count), 20_000, min(float(own), 1.0)).pvalue > 1e-3
    first_two = (p[0] * p[1]) / some
    assert binomtest(int((chosen[:, 0] & chosen[:, 1]).sum()), 20_000, first_two).pvalue > 1e-3


def test_no_stage_that_can_change_no_choice() -> None:
    assert not choose_stages(np.random.default_rng(0), 3, np.zeros(4)).any()


@pytest.mark.parametrize("probability", [0.0, -0.5, 1.5, float("nan")])
def test_impossible_probabilities_are_refused(toy: ab.SequenceSpace, probability: float) -> None:
    stage = StageMutation(ReducedSpace.full(toy), probability)
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        stage.mutate(np.random.default_rng(0), stage.sample(np.random.default_rng(0), 2))


# -------------------------------------------------------------------- stages


@pytest.mark.parametrize("space", FAMILIES, ids=lambda space: space.name)
def test_a_stage_mutation_swaps_whole_contents_of_the_reduced_space(space: ab.SequenceSpace) -> None:
    reduced = small(space, 7)
    number = Counter[int]()
    for before, after in pairs(StageMutation(reduced), 2000):
        assert before in reduced and after in reduced
        old, new = before.to_lists(), after.to_lists()
        groups = [[[lists[unit] for unit in group.units] for lists in (old, new)] for group in space.scoring_groups]
        number[sum(a != b for a, b in groups)] += 1
    expected = np.array([5, 10, 10, 5, 1]) / 31  # binomial(5, 1/2) given at least one
    assert chisquare([number[i] for i in range(1, 6)], expected * 2000).pvalue > 1e-3


def test_all_other_contents_are_equally_likely() -> None:
    reduced = small(FAMILIES[0], 6)
    mutation, rng = StageMutation(reduced, probability=1.0), np.random.default_rng(1)
    codes = np.repeat(mutation.sample(rng, 1), 5000, axis=0)
    before, after = reduced.positions(codes), reduced.positions(mutation.mutate(rng, codes))
    for old, new in zip(before.T, after.T, strict=True):
        counts = np.bincount(new, minlength=6)
        assert counts[old[0]] == 0 and chisquare(np.delete(counts, old[0])).pvalue > 1e-3


def test_a_stage_with_one_content_stays_and_the_others_take_over() -> None:
    reduced = small(FAMILIES[0], 5)
    one = GroupContents(reduced.groups[2].codes[:1], np.zeros(1))
    frozen = ReducedSpace(reduced.space, reduced.head, (*reduced.groups[:2], one, *reduced.groups[3:]))
    for before, after in pairs(StageMutation(frozen), 300):
        assert before != after and before.to_lists()[2] == after.to_lists()[2]
    single = small(FAMILIES[0], 1)
    assert all(before == after for before, after in pairs(StageMutation(single), 3))


def test_stages_of_a_reduced_and_of_the_full_space() -> None:
    space = FAMILIES[1]
    several = small(space, 4)
    assert all(after in several for _, after in pairs(StageMutation(several), 200))
    full = StageMutation(ReducedSpace.full(space))
    assert all(before != after and after in space for before, after in pairs(full, 200))

"""Mutations of layers: what one changes, how often, and that it never leaves its space."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chisquare

import autobuild_lib as ab
from autobuild_book.layer_mutation import LayerMutation
from autobuild_lib.search import evolve
from tests.helpers.evaluators import label, worth
from tests.helpers.mutations import among, move, pairs

FAMILIES = (ab.spaces.ofa_mbv3(), ab.spaces.ofa_pn())


@pytest.mark.parametrize("probability", [0.0, -0.5, 1.5, float("nan")])
def test_impossible_probabilities_are_refused(toy: ab.SequenceSpace, probability: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        LayerMutation.full(toy, probability)


@pytest.mark.parametrize("space", FAMILIES, ids=lambda space: space.name)
def test_a_layer_mutation_makes_one_move_in_each_mutated_stage(space: ab.SequenceSpace) -> None:
    moves = Counter[tuple[int, str]]()
    for before, after in pairs(LayerMutation.full(space), 4000):
        assert space.parse(str(after)) == after
        made = [move(a, b) for a, b in zip(before.to_lists(), after.to_lists(), strict=True)]
        assert set(made) != {"none"}
        moves.update((len(a), own) for a, own in list(zip(before.to_lists(), made, strict=True))[:5])
        assert made[5:] in ([], ["none"], ["swap"])  # the sixth unit of PN has one layer
    shallow, middle, deep = ([moves[depth, name] for name in ("add", "remove", "swap")] for depth in (2, 3, 4))
    assert shallow[1] == 0 and chisquare([shallow[0], shallow[2]]).pvalue > 1e-3
    assert chisquare(middle).pvalue > 1e-3
    assert deep[0] == 0 and chisquare(deep[1:]).pvalue > 1e-3


def test_places_and_drawn_layers_are_uniform() -> None:
    space = ab.SequenceSpace("s", [ab.Unit(3, 4)], {"op": list("abcdefgh")})
    mutation, rng = LayerMutation.full(space), np.random.default_rng(2)
    start = np.repeat(space.to_codes([space.from_lists([["a", "b", "c"]])]), 12_000, axis=0)
    added, swapped = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for after in space.from_codes(mutation.mutate(rng, start)):
        (layers,) = after.to_lists()
        if len(layers) == 3:
            (place,) = (i for i in range(3) if layers[i] != "abc"[i])
            swapped[place, layers[place]] += 1
        else:
            added.update((i, layers[i]) for i in range(4) if layers[i] in "defgh")  # where the place is beyond doubt
    assert len(added) == 4 * 5 and chisquare(list(added.values())).pvalue > 1e-3
    assert len(swapped) == 3 * 7 and chisquare(list(swapped.values())).pvalue > 1e-3


@given(st.integers(0, 10_000))
def test_own_features_change_too_and_codes_stay_valid(seed: int) -> None:
    space = ab.SequenceSpace(
        "s",
        [
            ab.Unit(1, 3, features={"w": [8, 16, 32], "h": [1]}, layer_features={"op": ["b", "c"]}),
            ab.Unit(1, 1, layer_features={"op": ["a"], "r": [0.5]}),  # nothing to change
            ab.Unit(2, 2, score_with_previous=True),
        ],
        {"op": ["a", "b", "c"], "r": ab.Continuous(values=[0.25, 0.5])},
        {"size": [1, 2]},
    )
    found = set()
    for before, after in pairs(LayerMutation.full(space), 60, seed):
        assert space.parse(str(after)) == after and before.global_features == after.global_features
        old, new = before.units(), after.units()
        assert old[1] == new[1]
        made = [move(a["layers"], b["layers"]) for a, b in zip(old, new, strict=True)]
        made.append("feature" if old[0]["w"] != new[0]["w"] else "none")
        assert made[0] == "none" or made[3] == "none"  # one move per stage
        assert made[2] in ("none", "swap") and set(made) != {"none"}
        found.update(made)
    assert found == {"none", "add", "remove", "swap", "feature"}


def test_a_stage_that_cannot_change_is_never_the_only_one() -> None:
    space = ab.SequenceSpace("s", [ab.Unit(1, 1, layer_features={"op": ["a"]}), ab.Unit(1, 1)], {"op": ["a", "b"]})
    assert all(before != after for before, after in pairs(LayerMutation.full(space), 50))
    fixed = ab.SequenceSpace("f", [ab.Unit(2, 2)], {"op": ["a"]})
    assert all(before == after for before, after in pairs(LayerMutation.full(fixed), 5))


def test_samples_of_the_full_space_are_as_the_space_samples() -> None:
    space = FAMILIES[1]
    codes = LayerMutation.full(space).sample(np.random.default_rng(0), 9000)
    other = space.sample_codes(np.random.default_rng(1), 9000)
    assert all(a in space for a in space.from_codes(codes[:100]))
    for mine, theirs in zip(codes.T, other.T, strict=True):
        both = np.array([np.bincount(mine, minlength=5), np.bincount(theirs, minlength=5)])
        assert np.abs(both[0] - both[1]).max() < 5 * np.sqrt(9000 / 2)


def test_mutations_among_some_layers_never_leave_them() -> None:
    candidates = [["mbconv3_e3_k3", "mbconv3_e6_k7"], *[["mbconv3_e4_k5", "mbconv3_e6_k3", "mbconv3_e3_k7"]] * 4]
    mutation = among(FAMILIES[0], candidates, [2, 3, 4, 3, 2], [0.25, 0.5, 1.0, 0.5, 0.25])
    assert mutation.depths == (range(2, 3), range(2, 4), range(2, 5), range(2, 4), range(2, 3))
    reached = [set[str]() for _ in candidates]
    for before, after in pairs(mutation, 500):
        assert [move(a, b) for a, b in zip(before.to_lists(), after.to_lists(), strict=True)][2] != "none"
        for allowed, layers, names in zip(mutation.depths, after.to_lists(), reached, strict=True):
            assert len(layers) in allowed
            names.update(layers)
    assert reached == list(map(set, candidates))


GOALS = {"maximise": "acc", "minimise": "latency", "progress": False}
SOME = among(FAMILIES[0], [["mbconv3_e3_k3", "mbconv3_e6_k7", "mbconv3_e4_k5"]] * 5, [3] * 5, [0.5] * 5)


@pytest.mark.parametrize("mutation", [LayerMutation.full(FAMILIES[0]), SOME], ids=["all layers", "some layers"])
def test_searches_by_layers_keep_their_budget_and_repeat_nothing(mutation: LayerMutation) -> None:
    table = evolve(mutation, label, **GOALS)
    assert table["round"].tolist() == [number for number in range(5) for _ in range(50)]
    assert table["architecture"].nunique() == 250 and all(a in mutation.space for a in table["architecture"])
    assert table[["acc", "latency"]].to_dict("records") == [worth(a) for a in table["architecture"]]


@pytest.mark.parametrize(("links", "different"), [(None, 36), ([[], []], 21)])
def test_searches_by_layers_find_all_of_a_small_space(links: list[list[int]] | None, different: int) -> None:
    space = ab.SequenceSpace("tiny", [ab.Unit(1, 2), ab.Unit(1, 2)], {"op": ["a", "b"]}, links=links)
    table = evolve(LayerMutation.full(space), label, start=10, rounds=4, mutations=10, **GOALS)
    assert len({space.canonical(a) for a in table["architecture"]}) == len(table) == different

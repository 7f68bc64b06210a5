"""Moves of searches: inside their space, always somewhere else, and evolution that keeps to its budget."""

import numpy as np

from autobuild_book.chapters.trained.moves import StructureMutation, regularised_evolution
from autobuild_lib.spaces import Codes
from autobuild_lib.units.reduced import GroupContents, ReducedSpace
from tests.helpers.trees import EVERY, SPACE


def some(structure: str, *modules: list[int]) -> ReducedSpace:
    full = ReducedSpace.full(SPACE, links=structure)
    chosen = (GroupContents(group.codes[places], np.zeros(len(places)))
              for group, places in zip(full.groups, modules, strict=True))  # fmt: skip
    return ReducedSpace(SPACE, full.head, tuple(chosen))


def test_the_whole_space_is_drawn_uniformly() -> None:
    codes = StructureMutation.full(SPACE).sample(np.random.default_rng(0), 40_000)
    _, counts = np.unique(codes, axis=0, return_counts=True)
    assert len(counts) == len(EVERY) == 9 * 4**4
    assert abs(counts.mean() - 40_000 / len(EVERY)) < 1e-9 and counts.std() < 1.3 * np.sqrt(counts.mean())


def test_a_union_has_all_structures_and_modules_and_mutants_stay_in_it() -> None:
    mutation = StructureMutation.of([some("0112", [0], [1, 2], [3], [0]), some("0011", [0], [2], [1], [0])])
    assert mutation.sizes.tolist() == [2, 1, 2, 2, 1]
    rng = np.random.default_rng(1)
    texts = {str(each) for each in SPACE.from_codes(mutation.sample(rng, 500))}
    assert texts == {f"{tree}|a|{b}|{c}|a" for tree in ("0112", "0011") for b in "bc" for c in ("b", "skip")}
    codes = mutation.sample(rng, 500)
    mutants = mutation.mutate(rng, codes)
    assert {str(each) for each in SPACE.from_codes(mutants)} == texts
    assert (mutants != codes).any(axis=1).all()


def test_every_stage_mutates_as_often() -> None:
    rng, mutation = np.random.default_rng(2), StructureMutation.full(SPACE)
    codes = mutation.sample(rng, 20_000)
    moved = (mutation.mutate(rng, codes) != codes)[:, [0, *(codec.start + 1 for codec in SPACE.codecs)]]
    assert np.allclose(moved.mean(0), 0.5 / (1 - 0.5**5), atol=0.02)


def test_evolution_keeps_to_its_budget_repeats_nothing_and_beats_chance() -> None:
    mutation = StructureMutation.full(SPACE)
    worth = np.random.default_rng(3).random(4)

    def values(codes: Codes) -> np.ndarray:
        return worth[codes[:, [codec.start + 1 for codec in SPACE.codecs]]].sum(1) + (codes[:, 0] == 5)

    best = []
    for seed in range(5):
        codes = regularised_evolution(mutation, values, np.random.default_rng(seed), 120, 20, 5)
        assert len(codes) == 120 == len(np.unique(SPACE.canonical_codes(codes), axis=0))
        again = regularised_evolution(mutation, values, np.random.default_rng(seed), 120, 20, 5)
        np.testing.assert_array_equal(codes, again)
        best.append([values(codes).max(), values(mutation.sample(np.random.default_rng(seed), 120)).max()])
    evolved, random = np.mean(best, axis=0)
    assert evolved > random + 0.1


def test_what_failed_is_no_parent() -> None:
    mutation = StructureMutation.full(SPACE)
    codes = regularised_evolution(mutation, lambda c: np.full(len(c), np.nan), np.random.default_rng(0), 30, 10, 3)
    assert len(codes) == 30

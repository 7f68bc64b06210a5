"""Hierarchies of motifs: one assembled by hand, mutations of the paper's rule, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autobuild_book.chapters.neighbours.evolution import MOTIFS
from autobuild_book.chapters.neighbours.hierarchical import Genotype, Hierarchy, check_genotype, pairs
from autobuild_book.chapters.neighbours.wiring import Wiring

SMALL = Hierarchy(("conv", "id", "pool"), "id", ((2, 3), (1, 3)))


def edges_of(genotype: Genotype) -> np.ndarray:
    return np.array([edge for level in genotype for motif in level for edge in motif])


def test_motifs_of_motifs_by_hand() -> None:
    # first motif: conv, then pool, beside an identity; second: a convolution from its begin to its end
    level_2 = ((1, 2, 3), (0, 1, 0))
    # the first motif, then the second; beside both, the second
    genotype = check_genotype(SMALL, (level_2, ((1, 2, 2),)))
    edges = ((0, 1, "conv"), (0, 2, "id"), (0, 3, "conv"), (1, 2, "pool"), (2, 3, "conv"))
    assert SMALL.assembled(genotype) == Wiring(edges)
    cut = check_genotype(SMALL, (level_2, ((1, 2, 0),)))
    assert SMALL.assembled(cut) == Wiring(((0, 1, "conv"),)), "the first motif leads nowhere"
    assert SMALL.assembled((level_2, ((0, 0, 0),))) == Wiring(())


def test_the_trivial_genotype_is_a_chain_of_identities() -> None:
    assert SMALL.trivial() == (((2, 0, 2), (2, 0, 2)), ((1, 0, 1),))
    assert SMALL.assembled(SMALL.trivial()) == Wiring(tuple((n, n + 1, "id") for n in range(4)))
    assert pairs(4) == [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]


@given(seed=st.integers(0, 10_000), many=st.integers(0, 50))
def test_a_mutation_changes_one_edge_at_most(seed: int, many: int) -> None:
    rng = np.random.default_rng(seed)
    for hierarchy in (SMALL, MOTIFS):
        parent = hierarchy.drawn(rng, many)
        child = check_genotype(hierarchy, hierarchy.mutated(parent, rng))
        assert (edges_of(parent) != edges_of(child)).sum() <= 1
        wiring = hierarchy.assembled(child)
        assert all(begin < end <= wiring.output for begin, end, _ in wiring.edges)


def test_levels_successors_and_operations_are_drawn_evenly() -> None:
    rng, parent = np.random.default_rng(0), SMALL.trivial()
    children = [SMALL.mutated(parent, rng) for _ in range(8000)]
    changed = np.mean([edges_of(parent) != edges_of(child) for child in children], axis=0)
    # a level, a motif, a successor (1 or 2), a predecessor of it, and another of four (level 2) or three motifs
    second = np.array([1 / 2, 1 / 4, 1 / 4]) / 2 / 2 * 3 / 4
    np.testing.assert_allclose(changed, [*second, *second, *np.array([1 / 2, 1 / 4, 1 / 4]) / 2 * 2 / 3], atol=0.015)


def test_what_is_no_hierarchy_or_genotype_is_refused() -> None:
    for levels in ((), ((2, 3),), ((1, 1),), ((0, 3), (1, 3))):
        with pytest.raises(ValueError, match="allowed") as error:
            Hierarchy(("a",), "a", levels)
        assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="allowed"):
        Hierarchy(("a",), "b", ((1, 2),))
    with pytest.raises(ValueError, match=r"\(1, 3\)"):
        check_genotype(SMALL, ((), ((0, 0, 0),)))
    with pytest.raises(ValueError, match=r"level 3: motif 3 .* 0 to 2"):
        check_genotype(SMALL, (((0, 0, 0), (0, 0, 0)), ((3, 0, 0),)))

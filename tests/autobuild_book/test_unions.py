"""Unions of reduced spaces, by hand and by their laws."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.unions import union
from autobuild_lib.units.reduced import GroupContents, ReducedSpace
from tests.autobuild_lib.units.test_reduced import some


def test_union_is_the_product_of_unions_and_keeps_higher_scores(toy: ab.SequenceSpace) -> None:
    codes = [group.contents()[:4] for group in toy.scoring_groups]

    def build(rows: list[int], scores: list[float]) -> ReducedSpace:
        return ReducedSpace(toy, b"", tuple(GroupContents(each[rows], np.array(scores)) for each in codes))

    one, other = build([0, 1], [5.0, 1.0]), build([1, 2], [9.0, 2.0])
    both = union([one, other])
    for group, each in zip(both.groups, codes, strict=True):
        assert group.scores.tolist() == [9.0, 5.0, 2.0]
        np.testing.assert_array_equal(group.codes, each[[1, 0, 2]])
    assert len(both) == 9 > len(set(one) | set(other)) == 7
    assert set(one) | set(other) < set(both)


@given(st.integers(0, 1000))
def test_unions_commute_repeat_and_nest(seed: int) -> None:
    space = ab.spaces.ofa_pn()
    one, other = some(space, [3, 1, 4, 2, 6], seed), some(space, [2, 2, 5, 1, 3], seed + 1)
    third = some(space, [1, 3, 2, 2, 2], seed + 2)
    same = (
        (union([one, other]), union([other, one])),
        (union([one, one]), union([one])),
        (union([one, other, third]), union([union([one, other]), third])),
    )
    for left, right in same:
        for mine, theirs in zip(left.groups, right.groups, strict=True):
            np.testing.assert_array_equal(mine.codes, theirs.codes)
            np.testing.assert_array_equal(mine.scores, theirs.scores)
    assert union([one, one]).size == one.size


def test_unions_of_what_does_not_match_are_refused() -> None:
    two = ab.spaces.ofa_mbv3(resolutions=(192, 224))
    low, high = ReducedSpace.full(two, resolution=192), ReducedSpace.full(two, resolution=224)
    with pytest.raises(ab.SpaceError, match=r"\{'resolution': 192.0\} and .*\{'resolution': 224.0\}"):
        union([low, high])
    with pytest.raises(ab.SpaceError, match="no union of <ofa_mbv3"):
        union([low, ReducedSpace.full(ab.spaces.ofa_pn())])

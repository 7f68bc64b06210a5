"""Several reduced spaces in one."""

from collections.abc import Sequence

import numpy as np

from autobuild_lib.spaces import SpaceError
from autobuild_lib.spaces.codec import as_keys
from autobuild_lib.units.reduced import GroupContents, ReducedSpace


def union(spaces: Sequence[ReducedSpace]) -> ReducedSpace:
    """Return the product of the unions of contents; different spaces or global features are a `SpaceError`.

    A content in several keeps its highest score; scores of different targets do not compare.
    """
    first = spaces[0]
    for other in spaces:
        if first.space != other.space or first.head != other.head:
            raise SpaceError(f"no union of {first!r} with {first.global_features} "
                             f"and {other!r} with {other.global_features}")  # fmt: skip
    groups = zip(*(space.groups for space in spaces), strict=True)
    return ReducedSpace(first.space, first.head, tuple(map(_joined, groups)))


def _joined(groups: Sequence[GroupContents]) -> GroupContents:
    codes, scores = np.concatenate([g.codes for g in groups]), np.concatenate([g.scores for g in groups])
    order = np.lexsort((as_keys(codes), -scores))
    kept = order[np.sort(np.unique(as_keys(codes[order]), return_index=True)[1])]
    return GroupContents(codes[kept], scores[kept])

"""Isomorphic architectures: in which orders units may stand, and the architecture that stands for all of them.

Isomorphic are architectures whose units, with what they contain, can be matched so that descriptions and links agree.
*Twins* (equally described units that read from the same units, and are read by the same) are sorted by their contents;
in which orders other units may stand is computed once for the links of a space.
"""

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from autobuild_lib.spaces.codec import Codes, as_keys
from autobuild_lib.spaces.features import SpaceError
from autobuild_lib.spaces.layout import FrozenLists
from autobuild_lib.spaces.sequence import SequenceSpace

MOST_ORDERS = 50_000  # that an architecture is compared in
Places = tuple[int, ...]
Groups = Sequence[tuple[Places, Places]]  # twins: a mark that they share with all that they may be matched with, units


def canonical_codes(space: SequenceSpace, codes: Codes) -> Codes:
    """Return for each architecture the smallest code of those that are isomorphic to it, [N, code_width]."""
    canonical, structures = codes.copy(), space.structures(codes)
    for number in np.unique(structures):
        rows = np.flatnonzero(structures == number)
        target, twins, orders = _orders(space, int(number))
        for moved in (_moved(space, codes[rows], target, twins, order) for order in orders):
            smaller = as_keys(moved) < as_keys(canonical[rows])
            canonical[rows[smaller]] = moved[smaller]
    return canonical


def _moved(space: SequenceSpace, codes: Codes, target: int, twins: Sequence[Places], order: Places) -> Codes:
    """Put units in an order, under the links of number `target`, and sort the contents of twins."""
    head = codes[:, : space.codecs[0].start].copy()
    head[:, len(space.global_features) :] = target
    contents = [codes[:, space.codecs[unit].place] for unit in order]
    for places in twins:
        some = np.stack([contents[place] for place in places], axis=1)
        ranks = as_keys(some.reshape(-1, some.shape[2])).reshape(len(codes), -1).argsort(axis=1)
        for place, rank in zip(places, ranks.T, strict=True):
            contents[place] = some[np.arange(len(codes)), rank]
    return np.hstack([head, *contents])


@functools.lru_cache(maxsize=1024)
def _orders(space: SequenceSpace, structure: int) -> tuple[int, list[Places], list[Places]]:
    """Return the first isomorphic links, the twins there, and the orders in which units may stand there."""
    lists, groups = _twins(space, structure)
    for target in range(structure + 1):
        matchings = list(itertools.islice(_matchings(lists, groups, *_twins(space, target), {}), MOST_ORDERS + 1))
        if len(matchings) > MOST_ORDERS:
            raise SpaceError(f"{space.name}: units may stand in more than {MOST_ORDERS:,} orders, too many to compare")
        if matchings:
            break
    twins = [units for _, units in _twins(space, target)[1] if len(units) > 1]
    return target, twins, [tuple(unit for _, unit in sorted(matching.items())) for matching in matchings]


def _matchings(
    lists: FrozenLists, groups: Groups, other_lists: FrozenLists, others: Groups, matched: Mapping[int, int]
) -> Iterator[Mapping[int, int]]:
    """Yield which unit may stand in each place, so that marks and links agree; the first groups are `matched`."""
    if len(matched) == len(lists):
        yield matched
        return
    mark, units = next((mark, units) for mark, units in groups if units[0] not in matched.values())
    for other_mark, places in others:
        if mark == other_mark and places[0] not in matched and all(
            (unit in lists[units[0]]) == (place in other_lists[places[0]])
            and (units[0] in lists[unit]) == (places[0] in other_lists[place])
            for place, unit in matched.items()
        ):  # fmt: skip
            both = {**matched, **dict(zip(places, units, strict=True))}
            yield from _matchings(lists, groups, other_lists, others, both)


@functools.lru_cache(maxsize=1024)
def _twins(space: SequenceSpace, structure: int) -> tuple[FrozenLists, Groups]:
    lists = space.links[structure][1]
    readers = [tuple(unit for unit, row in enumerate(lists) if source in row) for source in range(len(lists))]
    marks = [space.units.index(unit) for unit in space.units]
    twins: dict[tuple[int, Places, Places], list[int]] = {}
    for unit, alike in enumerate(zip(marks, lists, readers, strict=True)):
        twins.setdefault(alike, []).append(unit)
    for _ in marks:  # a mark takes in those of the units around, ever further away
        around = [[tuple(sorted(marks[unit] for unit in row)) for row in rows] for rows in (lists, readers)]
        marks = [hash(mark) for mark in zip(marks, *around, strict=True)]
    return lists, [((marks[units[0]], len(units)), tuple(units)) for units in twins.values()]

"""Links of a space whose units are not in a row: which units each reads from, and so which layers a layer follows."""

import graphlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autobuild_lib.spaces.features import SpaceError, Unit, freeze
from autobuild_lib.spaces.layout import LINKS, FrozenLinks, FrozenLists, Integers
from autobuild_lib.values import shown


def freeze_links(links: object, units: Sequence[Unit]) -> FrozenLinks:
    """Check links and make them hashable; a `SpaceError` says which list is wrong, and what is allowed."""
    if not isinstance(links, Mapping):
        lists = _freeze_lists(LINKS, links, units)
        in_a_row = all(row == ((number - 1,) if number else ()) for number, row in enumerate(lists))
        return () if in_a_row else (("", lists),)
    if not links or not all(isinstance(name, str) for name in links):
        raise SpaceError(f"{LINKS}: given {shown(links)}; a choice of links needs a name (a text) for each")
    freeze({LINKS: list(links)})
    return tuple((name, _freeze_lists(f"{LINKS} {name!r}", lists, units)) for name, lists in links.items())


def _freeze_lists(where: str, lists: object, units: Sequence[Unit]) -> FrozenLists:
    rows = [_sources(f"{where}, unit {unit}", row, len(units)) for unit, row in enumerate(_listed(where, lists))]
    if len(rows) != len(units):
        raise SpaceError(f"{where}: given {len(rows)} lists, the space has {len(units)} units")
    try:
        graphlib.TopologicalSorter(dict(enumerate(rows))).prepare()
    except graphlib.CycleError as error:
        raise SpaceError(f"{where}: units {' -> '.join(map(str, error.args[1]))} form a cycle") from None
    for number, (unit, row) in enumerate(zip(units, rows, strict=True)):
        if unit.score_with_previous and row != (number - 1,):
            needed = f"a unit that is scored with the previous one reads from {number - 1} alone"
            raise SpaceError(f"{where}, unit {number}: it reads from {list(row)}; {needed}")
    return tuple(rows)


def _sources(where: str, row: object, units: int) -> tuple[int, ...]:
    numbers = _listed(where, row)
    plain = [n for n in numbers if isinstance(n, int | np.integer) and not isinstance(n, bool) and 0 <= n < units]
    if len(set(plain)) < len(numbers):
        raise SpaceError(f"{where}: it reads from {shown(numbers)}; allowed are distinct units, 0 to {units - 1}")
    return tuple(sorted(map(int, plain)))


def _listed(where: str, values: object) -> list[Any]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise SpaceError(f"{where}: given {shown(values)}; allowed is for every unit a list of those it reads from")
    return list(values)


def predecessors(depths: Integers, links: FrozenLinks, chosen: Integers) -> tuple[Integers, Integers]:
    """Return the number of predecessors of each node, [nodes], and how many places before it each stands, [edges].

    depths: layers of each unit, [N, units]; nodes are laid end to end in this order. chosen: which of the links each
    has, [N]. Edges are in the order of their nodes, then of the predecessors. An absent unit neither reads nor is read.
    """
    ends, there = depths.cumsum().reshape(depths.shape), depths > 0
    starts = ends - depths
    row, unit, source = _links_of(links, chosen)
    both = there[row, unit] & there[row, source]
    targets, lasts = starts[row, unit][both], ends[row, source][both] - 1
    degrees, first = np.ones(depths.sum(), dtype=np.int64), np.zeros(depths.sum(), dtype=np.bool_)
    first[starts[there]] = True
    degrees[first] = np.bincount(targets, minlength=len(degrees))[first]
    steps = np.ones(degrees.sum(), dtype=np.int64)
    steps[np.repeat(first, degrees)] = targets - lasts
    return degrees, steps


def _links_of(links: FrozenLinks, chosen: Integers) -> tuple[Integers, Integers, Integers]:
    """Lay links of architectures end to end: whose it is, the unit, and what it reads from, each [links of all]."""
    pairs = [[(unit, source) for unit, row in enumerate(rows) for source in row] for _, rows in links]
    counts = np.array([len(some) for some in pairs])
    numbers = counts[chosen]
    shift = (counts.cumsum() - counts)[chosen] - (numbers.cumsum() - numbers)
    place = np.arange(numbers.sum()) + np.repeat(shift, numbers)
    unit, source = np.array(list(itertools.chain(*pairs)), dtype=np.int64).reshape(-1, 2)[place].T
    return np.repeat(np.arange(len(chosen)), numbers), unit, source

"""Small search spaces of any kind, for tests of properties."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import reject, strategies as st

import autobuild_lib as ab

NUMBERS = st.one_of(st.integers(-50, 300), st.sampled_from([0.25, 0.5, -1.5, 1e-7, 2.5e20]))
TEXTS = st.text(st.sampled_from("abcXYZ019_.-=é"), min_size=1, max_size=5)


@st.composite
def choices(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        thousandths = draw(st.lists(st.integers(-100_000, 100_000), min_size=1, max_size=3, unique=True))
        return ab.Continuous(values=[n / 1000 for n in thousandths])
    return draw(st.lists(draw(st.sampled_from([NUMBERS, TEXTS])), min_size=1, max_size=3, unique=True))


@st.composite
def spaces(draw: st.DrawFn) -> ab.SequenceSpace:
    """A small space of any kind; names that PyTorch or the text form could trip over are among the features."""
    names = iter(draw(st.permutations(["e", "type", "keys", "r1", "kernel_size", "training", "width"])))
    layer = {next(names): draw(choices()) for _ in range(draw(st.integers(1, 2)))}
    unit_feature = {next(names): draw(choices())}
    units = []
    for number in range(draw(st.integers(1, 3))):
        least = draw(st.integers(1, 2))
        restricted = {
            name: draw(st.lists(st.sampled_from(list(getattr(c, "values", c))), min_size=1, unique=True))
            for name, c in layer.items()
            if draw(st.booleans())
        }
        units.append(
            ab.Unit(
                least,
                least + draw(st.integers(0, 1)),
                features=unit_feature if draw(st.booleans()) else None,
                layer_features=restricted,
                score_with_previous=number > 0 and draw(st.booleans()),
            )
        )
    whole = {next(names): draw(choices())} if draw(st.booleans()) else None
    try:
        return ab.SequenceSpace("any", units, layer, whole)
    except ab.SpaceError as refused:
        if "written alike" not in str(refused):
            raise
        reject()


@st.composite
def lists(draw: st.DrawFn, units: Sequence[ab.Unit]) -> list[list[int]]:
    """Links of units: each reads from some of those before it in a random order, tails from the previous unit."""
    order = draw(st.permutations(range(len(units))))
    rows: list[list[int]] = [[] for _ in units]
    for place, unit in enumerate(order):
        rows[unit] = draw(st.lists(st.sampled_from(order[:place]), unique=True, max_size=3)) if place else []
    return [[n - 1] if unit.score_with_previous else row for n, (unit, row) in enumerate(zip(units, rows, strict=True))]


@st.composite
def linked_spaces(draw: st.DrawFn, several: st.SearchStrategy[ab.SequenceSpace] | None = None) -> ab.SequenceSpace:
    """A small space with links: fixed ones, or up to three to choose among."""
    space = draw(spaces() if several is None else several)
    names = draw(st.lists(TEXTS, unique=True, max_size=3))
    links = {name: draw(lists(space.units)) for name in names} if names else draw(lists(space.units))
    try:
        return ab.SequenceSpace.from_json({**space.to_json(), "links": links})
    except ab.SpaceError as refused:
        if "cycle" not in str(refused):  # what a tail reads from may close one
            raise
        reject()


def edges_of(architecture: ab.Architecture) -> set[tuple[int, int]]:
    """Edges between layers, numbered unit after unit, as the description says."""
    lists = architecture.links
    first = np.cumsum([0, *architecture.depths]).tolist()
    edges = {(first[source + 1] - 1, first[unit]) for unit, sources in enumerate(lists) for source in sources}
    for unit in range(len(lists)):
        edges |= {(layer - 1, layer) for layer in range(first[unit] + 1, first[unit + 1])}
    return edges

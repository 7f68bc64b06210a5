"""Spaces whose units are not in a row: which layers a layer follows, and every form of a space and an architecture."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from tests.helpers.spaces import edges_of, linked_spaces, spaces

OP = {"op": ["a", "b"]}
CELL = [[], [], [0], [], [0], [1, 2]]  # NAS-Bench-201's, edges as nodes
UP = {"row": [[], [0], [1]], "back": [[2], [], [1]], "both": [[], [], [0, 1]]}


def several(units: list[ab.Unit], links: Any = None) -> ab.SequenceSpace:
    return ab.SequenceSpace("s", units, OP, links=links)


@pytest.mark.parametrize(
    ("space", "text", "degrees", "steps"),
    [
        (several([ab.Unit(1, 2)] * 3), "a,a|a|a,a", [0, 1, 1, 1, 1], [1, 1, 1, 1]),
        (several([ab.Unit(1, 1)] * 6, CELL), "a|a|a|a|a|a", [0, 0, 1, 0, 1, 2], [2, 4, 4, 3]),
        (several([ab.Unit(1, 2)] * 3, UP), "row|a,a|a|a,a", [0, 1, 1, 1, 1], [1, 1, 1, 1]),
        (several([ab.Unit(1, 2)] * 3, UP), "back|a,a|a|a,a", [1, 1, 0, 1, 1], [-4, 1, 1, 1]),
        (several([ab.Unit(1, 2)] * 3, UP), "both|a,a|a|a,a", [0, 1, 0, 2, 1], [1, 2, 1, 1]),
        (several([ab.Unit(1, 1)] * 3, [[]] * 3), "a|a|a", [0, 0, 0], []),
    ],
)
def test_predecessors_by_hand(space: ab.SequenceSpace, text: str, degrees: list[int], steps: list[int]) -> None:
    counted, back = space.predecessors(space.to_codes([space.parse(text)]))
    assert (counted.tolist(), back.tolist()) == (degrees, steps) and counted.dtype == back.dtype == np.int64


@given(st.one_of(linked_spaces(), spaces().map(lambda s: ab.SequenceSpace.from_json(s.to_json()))), st.integers(0, 99))
def test_predecessors_are_those_of_the_description(space: ab.SequenceSpace, seed: int) -> None:
    drawn = space.sample(5, seed)
    if not space.links:  # the general way agrees with the short one
        row = [[number - 1] if number else [] for number in range(len(space.units))]
        named = ab.SequenceSpace.from_json({**space.to_json(), "links": {"row": row}})
        again = [named.architecture(a.units(), **a.global_features, links="row") for a in drawn]
        one, other = space.predecessors(space.to_codes(drawn)), named.predecessors(named.to_codes(again))
        assert all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))
        return
    degrees, steps = space.predecessors(space.to_codes(drawn))
    assert len(degrees) == len(space.nodes(space.to_codes(drawn))) and len(steps) == degrees.sum()
    targets = np.repeat(np.arange(len(degrees)), degrees)
    start, expected = 0, []
    for architecture in drawn:
        expected += sorted((target + start, source + start) for source, target in edges_of(architecture))
        start += sum(architecture.depths)
    assert list(zip(targets, targets - steps, strict=True)) == expected


@given(linked_spaces())
def test_a_module_alone_has_its_own_edges_only(space: ab.SequenceSpace) -> None:
    head = space.to_codes(space.sample(1, 0))[0, : len(space.global_choices)].tobytes()
    for group in space.scoring_groups:
        codes = group.isolated(group.contents()[:50], head)
        degrees, steps = space.predecessors(codes)
        lengths = space.depths(codes).sum(1)
        assert np.array_equal(np.flatnonzero(degrees == 0), lengths.cumsum() - lengths) and (steps == 1).all()


@given(linked_spaces())
def test_space_survives_json_and_pickle(space: ab.SequenceSpace) -> None:
    from_json = ab.SequenceSpace.from_json(json.loads(json.dumps(space.to_json())))
    for again in (from_json, pickle.loads(pickle.dumps(space))):
        assert again == space and hash(again) == hash(space) and again.size == space.size
        assert again.links == space.links and again.categories == space.categories


@given(linked_spaces(), st.integers(0, 2**32))
def test_every_form_reads_back(space: ab.SequenceSpace, seed: int) -> None:
    for architecture in space.sample(np.random.default_rng(seed), 5):
        again = [
            space.parse(str(architecture)),
            space.architecture(architecture.units(), **architecture.global_features),
            pickle.loads(pickle.dumps(architecture)),
            space.from_codes(space.to_codes([architecture]))[0],
            ab.SequenceSpace.from_json(space.to_json()).adopt(architecture),
        ]
        assert all(a == architecture and hash(a) == hash(architecture) for a in again)
        assert architecture in space and len(architecture.code) == space.code_width


def test_a_choice_of_links_counts_and_is_no_feature_of_nodes() -> None:
    space = ab.SequenceSpace("s", [ab.Unit(1, 1)] * 3, OP, {"r": [1, 2]}, links=UP)
    assert len({str(a) for a in space}) == space.size == 2 * 3 * 2**3
    assert [category.name for category in space.categories] == ["unit", "index", "op", "r"]
    assert space.nodes(space.to_codes([space.parse("r2|back|a|b|a")])).shape == (3, 4)
    drawn = [a.global_features for a in space.sample(300, 0)]
    counts = [sum(features["links"] == name for features in drawn) for name in UP]
    assert min(counts) > 70 and {features["r"] for features in drawn} == {1, 2}


def test_units_in_a_row_are_described_as_before() -> None:
    row = several([ab.Unit(1, 2)] * 3, [[], [0], [1]])
    assert row == several([ab.Unit(1, 2)] * 3) and "links" not in row.to_json()
    assert several([ab.Unit(1, 2)] * 3, [[], [0], [1, 0]]) == several([ab.Unit(1, 2)] * 3, ((), {0}, np.array([0, 1])))
    assert row != several([ab.Unit(1, 2)] * 3, {"row": [[], [0], [1]]})
    feature = ab.SequenceSpace("s", [ab.Unit(1, 1)], {"links": ["a", "b"]})  # a name like any other, without links
    assert feature.architecture([["a"]]).to_lists() == [["a"]]


TAIL = [ab.Unit(1, 1), ab.Unit(1, 1), ab.Unit(1, 1, score_with_previous=True)]
WRONG: list[tuple[Any, str]] = [
    ([[]], "1 lists"),
    ([[]] * 4, "4 lists"),
    ([], "0 lists"),
    ([[1], [0], []], "0 -> 1 -> 0|1 -> 0 -> 1"),
    ([[0], [], []], "cycle"),
    ([[], [2], [1]], "cycle"),
    ([[], [3], [1]], r"unit 1: .*\[3\].* 0 to 2"),
    ([[], [-1], [1]], "unit 1"),
    ([[], [True], [1]], r"\[True\]"),
    ([[], [0.0], [1]], r"\[0.0\]"),
    ([[], ["0"], [1]], r"\['0'\]"),
    ([[], [[0]], [1]], r"\[\[0\]\]"),
    ([[], [np.nan], [1]], "nan"),
    ([[], [0, 0], [1]], r"\[0, 0\]"),
    ([[], 0, [1]], "unit 1: given 0"),
    ([[], None, [1]], "unit 1: given None"),
    ([[], "0", [1]], "unit 1: given '0'"),
    ("abc", "given 'abc'"),
    (5, "given 5"),
    ({}, "given {}"),
    ({1: [[], [0], [1]]}, "given {1"),
    ({"": [[], [0], [1]]}, "value ''"),
    ({"a|b": [[], [0], [1]]}, r"'a\|b'"),
    ({"a": 5}, "links 'a': given 5"),
    ({"a": [[], [0], [1]], "b": [[], [], []]}, "links 'b', unit 2"),
    ([[], [0], [0]], "unit 2: .* from 1 alone"),
    ([[], [0], [0, 1]], "unit 2"),
    ({str(n): [[], [0], [1]] for n in range(256)}, "256 in all"),
]


@pytest.mark.parametrize(("links", "message"), WRONG)
def test_wrong_links_are_refused_in_one_line(links: Any, message: str) -> None:
    with pytest.raises(ab.SpaceError, match=message) as refused:
        several(TAIL, links)
    assert "\n" not in str(refused.value) and str(refused.value).startswith("space 's'")


def test_an_architecture_says_its_links() -> None:
    units = [ab.Unit(1, 1)] * 3
    assert several(units).parse("a|a|a").links == ((), (0,), (1,))
    assert several(units, UP).parse("both|a|a|a").links == ((), (), (0, 1))
    feature = ab.SequenceSpace("s", units, OP, {"links": ["row", "both"]}, links=UP["back"])
    assert feature.parse("both|a|a|a").links == ((2,), (), (1,)) and feature.size == 2 * 8


def test_adopting_keeps_the_graph() -> None:
    units = [ab.Unit(1, 1)] * 3
    row, fixed, named = several(units), several(units, UP["both"]), several(units, UP)
    other = several(units, {"both": UP["both"], "row": UP["back"]})
    assert other.adopt(named.parse("both|a|b|a")).links == ((), (), (0, 1))
    for space, architecture in (
        (fixed, row.parse("a|a|a")),
        (row, fixed.parse("a|a|a")),
        (named, row.parse("a|a|a")),
        (row, named.parse("row|a|a|a")),
        (other, named.parse("row|a|a|a")),
        (other, named.parse("back|a|a|a")),
    ):
        assert architecture not in space
        with pytest.raises(ab.SpaceError, match="links"):
            space.adopt(architecture)


def test_links_share_names_with_no_feature() -> None:
    with pytest.raises(ab.SpaceError, match="different names"):
        ab.SequenceSpace("s", [ab.Unit(1, 1)] * 3, {"links": ["a", "b"]}, links=UP)
    with pytest.raises(ab.SpaceError, match="unknown features"):
        ab.SequenceSpace("s", [ab.Unit(1, 1)] * 3, OP, links=UP, embedding_widths={"links": 2})


@pytest.mark.parametrize("chosen", [{}, {"links": "none"}, {"links": 0}, {"links": None}, {"links": UP["row"]}])
def test_an_architecture_names_its_links(chosen: Any) -> None:
    space = several([ab.Unit(1, 1)] * 3, UP)
    with pytest.raises(ab.SpaceError, match="row"):
        space.architecture([["a"]] * 3, **chosen)
    single = several([ab.Unit(1, 1)] * 3, {"both": UP["both"]})
    assert str(single.architecture([["a"]] * 3)) == "both|a|a|a"
    with pytest.raises(ab.SpaceError, match="links"):
        several([ab.Unit(1, 1)] * 3, UP["both"]).architecture([["a"]] * 3, links="both")

"""Scoring groups: their contents in order, as text, alone and in hosts."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab


def plain_contents(unit: ab.Unit, layers: dict[str, list[Any]]) -> list[str]:
    """Texts of all contents of a unit, by nested loops in the order that enumeration promises."""

    def written(name: str, value: Any) -> str:
        return value if isinstance(value, str) else f"{name}{value:g}"

    values = [layers[n] if n not in dict(unit.layer_features) else dict(unit.layer_features)[n] for n in layers]
    names = ["_".join(map(written, layers, chosen)) for chosen in itertools.product(*values)]
    features = [[written(name, value) for value in choices] for name, choices in unit.features]
    return [
        ";".join([*chosen, ",".join(path)])
        for depth in range(unit.min_layers, unit.max_layers + 1)
        for chosen in itertools.product(*features)
        for path in itertools.product(names, repeat=depth)
    ]


def test_contents_are_complete_and_in_order() -> None:
    layers: dict[str, list[Any]] = {"op": ["a", "b"], "k": [3, 5]}
    units = [
        ab.Unit(1, 2),
        ab.Unit(2, 3, features={"w": [8, 16]}, layer_features={"op": ["b"]}),
        ab.Unit(1, 1, score_with_previous=True),
    ]
    space = ab.SequenceSpace("s", units, layers, {"r": [1, 2]})
    first, second, third = (plain_contents(unit, layers) for unit in units)
    one, two = space.scoring_groups
    assert one.texts(one.contents()) == first
    assert two.texts(two.contents()) == [f"{a}|{b}" for a in second for b in third]


def test_numbers_of_contents_of_the_ofa_spaces() -> None:
    families = (ab.spaces.ofa_mbv3(), ab.spaces.ofa_pn())
    mbv3, pn = ([len(group.contents()) for group in space.scoring_groups] for space in families)
    assert mbv3 == [7371] * 5 and sum(mbv3) == 36_855
    assert pn == [7371] * 4 + [66_339]


def test_a_large_unit_is_enumerated_whole() -> None:
    space = ab.SequenceSpace("large", [ab.Unit(1, 6)], {"e": [1, 2, 3], "k": [1, 2, 3]})
    codes = space.scoring_groups[0].contents()
    assert len(codes) == sum(9**depth for depth in range(1, 7)) == 597_870
    assert len({row.tobytes() for row in codes}) == len(codes)
    for row in codes[[0, 9, 12_345, -1]]:
        assert space.from_codes(row[None])[0] in space


def test_texts_of_contents_read_back(toy: ab.SequenceSpace) -> None:
    for group in toy.scoring_groups:
        contents = group.contents()[::37]
        np.testing.assert_array_equal(group.parse(group.texts(contents)), contents)
        assert group.parse([]).shape == (0, group.width)
    with pytest.raises(ab.SpaceError, match=r"1 parts, units \[1, 2\]"):
        toy.scoring_groups[1].parse(["width16;identity_ratio1"])


def test_a_group_knows_its_units_lengths_and_bytes(toy: ab.SequenceSpace) -> None:
    first, second = toy.scoring_groups
    assert (first.units, second.units) == ((0,), (1, 2)) and (first.lengths, second.lengths) == (
        range(2, 3),
        range(2, 5),
    )
    assert (first.place, second.place) == (slice(0, 5), slice(5, 16)) and (first.width, second.width) == (5, 11)
    columns = toy.columns[second.place]
    assert columns == second.codecs[0].columns + second.codecs[1].columns and len(toy.columns) == toy.code_width
    assert [column.feature for column in columns[:3]] == ["layers", "width", "op"]
    assert [group.units for group in ab.spaces.ofa_pn().scoring_groups] == [(0,), (1,), (2,), (3,), (4, 5)]


@given(st.integers(0, 1000))
def test_contents_are_put_into_hosts_and_stand_alone(seed: int) -> None:
    space, rng = ab.spaces.ofa_pn(), np.random.default_rng(seed)
    hosts, guests = space.sample_codes(rng, 5), space.sample_codes(rng, 5)
    for group in space.scoring_groups:
        contents = guests[:, group.place]
        pairs = zip(space.from_codes(group.put(hosts, contents)), space.from_codes(hosts), strict=True)
        for guest, (placed, host) in zip(space.from_codes(guests), pairs, strict=True):
            expected = [(guest if unit in group.units else host).to_lists()[unit] for unit in range(6)]
            assert placed.to_lists() == expected
        alone = group.isolated(contents, b"\0")
        assert not np.delete(alone, group.place, axis=1).any()
        np.testing.assert_array_equal(group.put(hosts, alone[:, group.place]), group.put(hosts, contents))
        np.testing.assert_array_equal(group.depths(contents), space.depths(guests)[:, list(group.units)])
        assert (group.put(hosts, contents[:1])[:, group.place] == contents[0]).all()

"""Sequence spaces: architectures in all their forms, enumerated, sampled, and texts that are none."""

import contextlib
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chisquare

import autobuild_lib as ab
from tests.helpers.spaces import spaces


@given(spaces())
def test_enumeration_gives_size_distinct_members(space: ab.SequenceSpace) -> None:
    first = list(itertools.islice(space, 3000))
    assert len(first) == len(set(first)) == min(space.size, 3000)
    assert all(a in space for a in first[:20]) and type(space.size) is int


def test_whole_enumeration_of_a_space_with_everything() -> None:
    space = ab.SequenceSpace(
        "s",
        [ab.Unit(1, 2, features={"w": [1, 2]}), ab.Unit(1, 1, layer_features={"op": ["b"]})],
        {"op": ["a", "b"]},
        {"r": [1, 2]},
    )
    everything = {str(a) for a in space}
    assert len(everything) == space.size == 2 * (2 * (2 + 4)) * 1
    assert "r1|w2;a,b|b" in everything


@given(spaces(), st.integers(0, 2**32))
def test_every_form_reads_back(space: ab.SequenceSpace, seed: int) -> None:
    for architecture in space.sample(np.random.default_rng(seed), 5):
        again = [
            space.parse(str(architecture)),
            space.parse(f" {architecture} ".replace(",", " , ")),
            space.architecture(architecture.units(), **architecture.global_features),
            pickle.loads(pickle.dumps(architecture)),
            space.from_codes(space.to_codes([architecture]))[0],
        ]
        if not space.unit_features:
            again.append(space.from_lists(architecture.to_lists(), **architecture.global_features))
        assert all(a == architecture and hash(a) == hash(architecture) for a in again)
        assert "\n" not in str(architecture) and tuple(map(len, architecture.to_lists())) == architecture.depths


def test_architectures_are_immutable_and_of_one_space(toy: ab.SequenceSpace) -> None:
    architecture = toy.sample(np.random.default_rng(0))
    with pytest.raises(AttributeError):
        architecture.code = b""  # type: ignore[misc]
    assert architecture != str(architecture) and str(architecture) not in toy
    renamed = ab.SequenceSpace.from_json({**toy.to_json(), "name": "other"})
    assert architecture not in renamed and renamed.sample(np.random.default_rng(0)) != architecture


@given(spaces(), st.integers(0, 2**32))
def test_samples_are_members_and_repeatable(space: ab.SequenceSpace, seed: int) -> None:
    drawn = space.sample(np.random.default_rng(seed), 10)
    assert all(space.parse(str(a)) == a for a in drawn)
    assert drawn == space.sample(np.random.default_rng(seed), 10)


@pytest.mark.parametrize("reduced", [False, True])
def test_both_kinds_of_space_are_sampled_in_the_same_ways(toy: ab.SequenceSpace, reduced: bool) -> None:
    space, rng = ab.ReducedSpace.full(toy) if reduced else toy, np.random.default_rng
    drawn = space.sample(4, 7)
    assert len(drawn) == 4 and all(one in space for one in drawn)
    others = [
        space.sample(rng(7), 4),
        space.sample(4, rng(7)),
        space.sample(size=4, rng=7),
        space.sample(rng(7), size=4),
    ]
    assert all(other == drawn for other in others)
    assert [space.sample(rng(7)), space.sample(rng=rng(7))] == 2 * space.sample(1, 7)
    assert len(space.sample(3)) == 3 and space.sample(0) == [] and len(space.sample(np.int64(2))) == 2
    assert len({str(space.sample(50)) for _ in range(2)}) == 2, "without a seed, draws differ"
    for wrong in (-1, 1.5, "three"):
        with pytest.raises(ValueError, match=f"size={wrong!r}; the number of architectures"):
            space.sample(wrong)  # type: ignore[call-overload]


def test_texts_are_no_architectures_and_the_error_says_how_to_read_them(toy: ab.SequenceSpace) -> None:
    text = str(toy.sample(np.random.default_rng(0)))
    for refuse in (lambda: toy.to_codes([text]), lambda: toy.adopt(text), lambda: toy.to_codes(text)):  # type: ignore[arg-type]
        with pytest.raises(ab.SpaceError, match=r"toy: given '.*, allowed are architectures; space.parse\(text\)"):
            refuse()
    assert toy.to_codes([toy.parse(text)]).shape == (1, toy.code_width)


def test_marginals_are_uniform() -> None:
    space = ab.SequenceSpace(
        "s",
        [ab.Unit(1, 3, features={"w": [8, 16]}), ab.Unit(1, 1, layer_features={"k": [3, 7]})],
        {"op": ["a", "b", "c"], "k": [3, 5, 7]},
        {"r": [1, 2]},
    )
    codes = space.sample_codes(np.random.default_rng(0), 9000)
    r, depth, w, op, k, second_op = codes[:, :6].T
    columns = [(r, 2), (depth, 3), (w, 2), (op, 3), (k, 3), (second_op[depth >= 2], 3), (codes[:, -1], 2)]
    for column, values in columns:
        counts = np.unique(column, return_counts=True)[1]
        assert len(counts) == values and chisquare(counts).pvalue > 1e-3
    assert set(depth) == {1, 2, 3} and set(codes[:, -1]) == {0, 2} and not second_op[depth == 1].any()


def test_numbers_choose_the_first_to_the_last_of_what_is_allowed() -> None:
    space = ab.spaces.ofa_mbv3()
    large, small = (space.choose(np.full((1, space.code_width), number)) for number in (np.nextafter(1, 0), 0.0))
    assert str(space.from_codes(large)[0]) == "resolution224|" + "|".join(["e6_k7,e6_k7,e6_k7,e6_k7"] * 5)
    assert str(space.from_codes(small)[0]) == "resolution224|" + "|".join(["e3_k3,e3_k3"] * 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has 1 parts, expected resolution|unit 0"),
        ("resolution224", "has 1 parts"),
        ("resolution224" + "|e3_k3,e3_k3" * 6, "has 7 parts"),
        ("resolution192" + "|e3_k3,e3_k3" * 5, "'resolution192' .* resolution224"),
        ("224" + "|e3_k3,e3_k3" * 5, "'224' is not allowed"),
        ("resolution224" + "|e3_k3" * 5, "unit 0: given 1 layers, .* 2, 3, 4"),
        ("resolution224|e3_k3,e3_k4" + "|e3_k3,e3_k3" * 4, "layer 'e3_k4' .* mbconv3_e3_k3"),
        ("resolution224|e3_k3," + "|e3_k3,e3_k3" * 4, "unit 0: layer ''"),
        ("resolution224|w1;e3_k3,e3_k3" + "|e3_k3,e3_k3" * 4, r"'w1;e3_k3,e3_k3' needs features \[\]"),
        ("resolution224" + "|e3_k3,e3_k3" * 4 + "|e3_k3,E3_k3", "unit 4: layer 'E3_k3'"),
        ("resolution224" + "|e3_k3,e3_k3\x00" * 5, "layer 'e3_k3\\\\x00'"),
        ("__import__('os')", "has 1 parts"),
        ("|" * 10_000, "has 10001 parts"),
        ("resolution224" + "|e3_k3,e3_k3" * 4 + "|" + "e3_k3," * 10_000, "given 10001 layers"),
    ],
)
def test_hostile_texts_are_refused_in_one_short_line(text: str, message: str) -> None:
    with pytest.raises(ab.SpaceError, match=message.replace("|", r"\|")) as caught:
        ab.spaces.ofa_mbv3().parse(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    space = ab.spaces.ofa_mbv3()
    with contextlib.suppress(ab.SpaceError):
        assert space.parse(text) in space


@pytest.mark.parametrize("text", [float("nan"), None, 3, b"a"])
def test_what_is_no_text_is_no_architecture(toy: ab.SequenceSpace, text: Any) -> None:
    with pytest.raises(ab.SpaceError, match=r"toy: an architecture is .*text form"):
        toy.parse(text)


def test_one_architecture_without_a_list(toy: ab.SequenceSpace) -> None:
    with pytest.raises(ab.SpaceError, match=r"one architecture .*\[architecture\]"):
        toy.to_codes(toy.sample(np.random.default_rng(0)))  # type: ignore[arg-type]

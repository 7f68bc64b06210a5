"""Search spaces: counts, texts, lists, JSON and codes say the same, and errors say what is allowed."""

import contextlib
import functools
import itertools
import json
import math
import operator
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, strategies as st
from scipy.stats import chisquare

import autobuild_lib as ab
from autobuild_lib.spaces.features import values_of

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


# -------------------------------------------------------------------- sizes


def test_sizes_of_the_ofa_spaces_are_exact() -> None:
    contents = 9**2 + 9**3 + 9**4
    assert contents == 7371
    assert ab.spaces.ofa_mbv3().size == 7371**5
    assert ab.spaces.ofa_pn().size == 7371**5 * 9
    assert ab.spaces.ofa_mbv3(resolutions=(192, 224)).size == 2 * 7371**5
    assert sum(codec.size for codec in ab.spaces.ofa_mbv3().codecs) == 36_855


def test_size_counts_unit_features_and_restrictions(toy: ab.SequenceSpace) -> None:
    assert toy.size == 9**2 * (3 * (9 + 81 + 729)) * 9
    narrow = ab.SequenceSpace(
        "n",
        [ab.Unit(1, 2, layer_features={"op": ["a"]}), ab.Unit(1, 1)],
        {"op": ["a", "b"], "k": [3, 5]},
        {"r": [1, 2, 3]},
    )
    assert narrow.size == 3 * (2 + 4) * 4


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


# -------------------------------------------------------------------- round trips


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


@given(spaces())
def test_space_survives_json_and_pickle(space: ab.SequenceSpace) -> None:
    from_json = ab.SequenceSpace.from_json(json.loads(json.dumps(space.to_json())))
    for again in (from_json, pickle.loads(pickle.dumps(space))):
        assert again == space and hash(again) == hash(space) and again.size == space.size
        assert again.categories == space.categories
        drawn = space.sample(np.random.default_rng(0))
        assert drawn in again and again.parse(str(drawn)) == drawn


def test_unpickled_space_hashes_like_its_equals_in_another_process(toy: ab.SequenceSpace) -> None:
    hash(toy)
    code = """if True:
        import pickle, sys
        space = pickle.load(sys.stdin.buffer)
        print(hash(space) == hash(type(space).from_json(space.to_json())))"""
    other = {**os.environ, "PYTHONHASHSEED": "77"}
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(toy), env=other, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"True"


def test_layers_as_dicts_and_as_names_are_the_same(toy: ab.SequenceSpace) -> None:
    layer = {"op": "mb3_k3", "ratio": 0.5}
    dicts = toy.architecture([[layer, layer], {"width": 32, "layers": [layer]}, [layer]])
    name = "mb3_k3_ratio0.5"
    names = toy.architecture([[name, name], {"width": 32, "layers": [name]}, [name]])
    assert dicts == names and str(dicts) == f"{name},{name}|width32;{name}|{name}"
    assert dicts.depths == (2, 1, 1) and dicts.units()[1] == {"width": 32, "layers": ["mb3_k3_ratio0.5"]}


def test_authors_lists_and_text_of_ofa() -> None:
    stages = [["mbconv3_e6_k7", "mbconv3_e3_k3"]] * 5
    architecture = ab.spaces.ofa_mbv3().from_lists(stages, resolution=224)
    assert str(architecture) == "resolution224|" + "|".join(["e6_k7,e3_k3"] * 5)
    assert architecture.to_lists() == stages and architecture.global_features == {"resolution": 224}
    assert ab.spaces.ofa_mbv3().from_lists(stages) == architecture  # the only resolution may be left out


def test_architectures_are_immutable_and_of_one_space(toy: ab.SequenceSpace) -> None:
    architecture = toy.sample(np.random.default_rng(0))
    with pytest.raises(AttributeError):
        architecture.code = b""  # type: ignore[misc]
    assert architecture != str(architecture) and str(architecture) not in toy
    renamed = ab.SequenceSpace.from_json({**toy.to_json(), "name": "other"})
    assert architecture not in renamed and renamed.sample(np.random.default_rng(0)) != architecture


def test_adopt_between_resolutions() -> None:
    one, three = ab.spaces.ofa_mbv3(), ab.spaces.ofa_mbv3(resolutions=(192, 208, 224))
    for architecture in one.sample(np.random.default_rng(0), 10):
        adopted = three.adopt(architecture)
        assert adopted.space == three and str(adopted) == str(architecture) and one.adopt(adopted) == architecture
        np.testing.assert_array_equal(three.to_codes([architecture])[0], list(adopted.code))
    other = three.from_lists([["mbconv3_e3_k3"] * 2] * 5, resolution=192)
    assert other not in one
    with pytest.raises(ab.SpaceError, match=r"resolution: value 192.0 is not allowed; choose from 224"):
        one.adopt(other)
    with pytest.raises(ab.SpaceError, match="'ofa_mbv3' given to space 'ofa_pn'"):
        ab.spaces.ofa_pn().adopt(architecture)


def test_categories_and_widths_of_ofa() -> None:
    found = [(c.name, len(c.values), c.width) for c in ab.spaces.ofa_pn(resolutions=(192, 208, 224)).categories]
    assert found == [("unit", 6, 3), ("index", 4, 2), ("op", 1, 2), ("e", 3, 2), ("k", 3, 3), ("resolution", 3, 3)]
    assert ab.spaces.ofa_mbv3(resolutions=(192, 208, 224)).categories[-1].scaled == (0.0, 0.5, 1.0)


# -------------------------------------------------------------------- samples


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


def test_exponent_tilts_samples_to_either_edge() -> None:
    space, rng = ab.spaces.ofa_mbv3(), np.random.default_rng(0)
    large, small = (space.sample_codes(rng, 200, exponent=e) for e in (1e-6, 1e6))
    assert str(space.from_codes(large)[0]) == "resolution224|" + "|".join(["e6_k7,e6_k7,e6_k7,e6_k7"] * 5)
    assert str(space.from_codes(small)[0]) == "resolution224|" + "|".join(["e3_k3,e3_k3"] * 5)


# -------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has 1 parts, expected resolution|unit 0"),
        ("resolution224", "has 1 parts"),
        ("resolution224" + "|e3_k3,e3_k3" * 6, "has 7 parts"),
        ("resolution192" + "|e3_k3,e3_k3" * 5, "'resolution192' is not allowed; write one of resolution224"),
        ("224" + "|e3_k3,e3_k3" * 5, "'224' is not allowed"),
        ("resolution224" + "|e3_k3" * 5, "unit 0: given 1 layers, allowed are 2, 3, 4 layers"),
        ("resolution224|e3_k3,e3_k4" + "|e3_k3,e3_k3" * 4, "layer 'e3_k4' is not allowed; choose from mbconv3_e3_k3"),
        ("resolution224|e3_k3," + "|e3_k3,e3_k3" * 4, "unit 0: layer '' is not allowed"),
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


LAYER = {"op": "mb3_k3", "ratio": 0.5}
WIDE = {"width": 32, "layers": [LAYER]}


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([[LAYER, LAYER], WIDE], "given 2 units, the space has 3"),
        ([[LAYER], WIDE, [LAYER]], "unit 0: given 1 layers, allowed are 2 layers"),
        ([[LAYER, LAYER], [LAYER], [LAYER]], r"unit 1: given features \[\], needs \['width'\]"),
        ([[LAYER, LAYER], {**WIDE, "height": 1}, [LAYER]], r"given features \['height', 'width'\]"),
        ([[LAYER, LAYER], {**WIDE, "width": 20}, [LAYER]], "width: value 20 is not allowed; choose from 16, 32, 48"),
        ([[LAYER, LAYER], {**WIDE, "width": True}, [LAYER]], "value True is not allowed"),
        ([[LAYER, LAYER], {"width": 32}, [LAYER]], "given 0 layers"),
        ([[LAYER, {"op": "mb3_k3"}], WIDE, [LAYER]], r"needs exactly the features \['op', 'ratio'\]"),
        ([[LAYER, {**LAYER, "ratio": 0.3}], WIDE, [LAYER]], r"ratio: value 0.3 is not allowed; choose from 0.25"),
        ([[LAYER, {**LAYER, "op": 3}], WIDE, [LAYER]], "op: value 3 is not allowed; choose from identity"),
        ([[LAYER, 7], WIDE, [LAYER]], "layer 7 is not allowed"),
        ([5, WIDE, [LAYER]], "unit 0: given 5, needs a list of 2 layers"),
        ([None, WIDE, [LAYER]], r"unit 0: given None, needs a list"),
        (["ab", WIDE, [LAYER]], "unit 0: given 'ab', needs a list"),
    ],
)
def test_wrong_architectures_name_what_is_given_and_allowed(toy: ab.SequenceSpace, units: Any, message: str) -> None:
    with pytest.raises(ab.SpaceError, match=message):
        toy.architecture(units)


def test_global_features_are_checked() -> None:
    space, stages = ab.spaces.ofa_mbv3(resolutions=(192, 224)), [["mbconv3_e3_k3"] * 2] * 5
    with pytest.raises(ab.SpaceError, match=r"'resolution' is missing; choose from \[192.0, 224.0\]"):
        space.from_lists(stages)
    with pytest.raises(ab.SpaceError, match=r"unknown global features \['size'\]; it has \['resolution'\]"):
        space.from_lists(stages, resolution=192, size=3)
    with pytest.raises(ab.SpaceError, match="value '224' is not allowed"):
        space.from_lists(stages, resolution="224")
    with pytest.raises(ab.SpaceError, match=r"resolutions \[225\]; allowed are 128 to 224 in steps of 4"):
        ab.spaces.ofa_mbv3(resolutions=(225,))


def test_restricted_unit_refuses_what_others_allow() -> None:
    space = ab.SequenceSpace("s", [ab.Unit(1, 1, layer_features={"op": ["b"]}), ab.Unit(1, 1)], {"op": ["a", "b"]})
    assert str(space.parse("b|a")) == "b|a"
    for build in (lambda: space.parse("a|a"), lambda: space.architecture([[{"op": "a"}], ["a"]])):
        with pytest.raises(ab.SpaceError, match=r"unit 0: layer .* is not allowed; choose from b$"):
            build()


OP = {"op": ["a", "b"]}
UNITS = [ab.Unit(1, 2)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ab.Unit(0, 2), "min_layers is 0; allowed are whole numbers from 1 to 255"),
        (lambda: ab.Unit(3, 2), "min_layers is 3; allowed is at most max_layers, which is 2"),
        (lambda: ab.Unit(1, 256), "max_layers is 256; allowed are whole numbers from 1 to 255"),
        (lambda: ab.SequenceSpace(None, UNITS, OP), "name of a space is None; allowed is a text"),  # type: ignore[arg-type]
        (lambda: ab.SequenceSpace("s", [], OP), "at least one unit"),
        (lambda: ab.SequenceSpace("s", UNITS, {}), "one layer feature"),
        (lambda: ab.SequenceSpace("s", [ab.Unit(1, 1, score_with_previous=True)], OP), "first unit has no previous"),
        (lambda: ab.SequenceSpace("s", UNITS, OP, {"op": [1]}), "need different names"),
        (lambda: ab.SequenceSpace("s", UNITS, OP, embedding_widths={"k": 2}), r"unknown features \['k'\]"),
        (
            lambda: ab.SequenceSpace("s", UNITS, OP, embedding_widths={"op": 0}),
            "embedding width of 'op' is 0; allowed are whole numbers from 1 to 1,024",
        ),
        (lambda: ab.SequenceSpace("s", [ab.Unit(1, 1, layer_features={"k": [1]})], OP), r"layer features \['k'\]"),
        (
            lambda: ab.SequenceSpace("s", [ab.Unit(1, 1, layer_features={"op": ["c"]})], OP),
            "'s', unit 0: op: value 'c' is",
        ),
        (lambda: ab.SequenceSpace("s", UNITS * 256, OP), "'unit' has 256 values"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": []}), "1 to 255 distinct values"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": ["a", "a"]}), "distinct values, given a, a"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": range(256)}), r"given 0, 1, .*\(256 in all\)"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": "abc"}), "needs a list of values or a Continuous, given 'abc'"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": 5}), "needs a list of values"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [True]}), "value True must be a number or a text"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [None]}), "value None"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [math.nan]}), "not finite"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [10**400]}), "not finite"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": ["a b"]}), "must not hold spaces"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": ["a|b"]}), "must not hold spaces or any of"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [""]}), "must be a number or a text"),
        (lambda: ab.SequenceSpace("s", UNITS, {"index": [1]}), "feature name 'index'"),
        (lambda: ab.SequenceSpace("s", UNITS, {"a b": [1]}), "must be an identifier"),
        (lambda: ab.SequenceSpace("s", UNITS, OP, {"r": ["r1", 1]}), "distinct values"),
        (lambda: ab.SequenceSpace("s", UNITS, {"a": ["x", "x_y"], "b": ["y_z", "z"]}), "written alike"),
        (lambda: ab.SequenceSpace("s", UNITS, {"a": ["x"], "b": ["y", "x_y"]}), "written alike"),
        (lambda: ab.SequenceSpace("s", UNITS, {n: range(50) for n in "abc"}), "at most 100,000 combinations"),
        (lambda: ab.Continuous(), "a continuous feature needs values"),
        (lambda: ab.Continuous(0, 1), "grid"),
        (lambda: ab.Continuous(0, 1, grid=10**12), "grid of a continuous feature is 10+; allowed are .* 1 to 255"),
        (lambda: ab.Continuous(0, math.nan, grid=2), "high of a continuous feature: nan is not a finite number"),
        (lambda: ab.Continuous(values=[1, 1]), "must be distinct, given 1.0, 1.0"),
        (lambda: ab.Continuous(values=[1, math.inf]), "values of a continuous feature: inf is not a finite number"),
        (lambda: ab.Continuous(values=[1, 2], offset=10**400), "offset of a continuous feature: 10+.* is not a finite"),
        (lambda: ab.Continuous(values=[1, 2], scale=0), "scale of a continuous feature"),
        (lambda: ab.SequenceSpace.from_json({"name": "s"}), "not the description of a search space"),
        (lambda: ab.SequenceSpace.from_json({**ab.spaces.ofa_pn().to_json(), "more": 1}), "not the description"),
    ],
)
def test_contradicting_descriptions_are_refused(build: Any, message: str) -> None:
    with pytest.raises(ab.SpaceError, match=message):
        build()


UNIT = "min_layers, max_layers, features, layer_features, score_with_previous"
RATIO = "layer_features: ratio: "
WRONG_DESCRIPTIONS: dict[str, tuple[tuple[str | int, ...], Any, str]] = {  # place in the description, what stands there
    "no globals": (
        ("global_features",),
        ...,
        "there is no 'global_features'; needed are name, units, layer_features, ",
    ),
    "unknown": (("more",), 1, "there is an unknown entry 'more'; allowed are name, units, "),
    "a list": ((), [1, 2], r"not a description of a space \(it holds a list"),
    "null name": (("name",), None, "name of a space is None; allowed is a text"),
    "list as name": (("name",), ["toy"], r"name of a space is \['toy'\]; allowed is a text"),
    "text as units": (("units",), "abc", "units is 'abc'; allowed is a list of units"),
    "number as unit": (("units", 1), 3, f"unit 1: given 3; allowed is an object with {UNIT}"),
    "text as depth": (
        ("units", 0, "min_layers"),
        "2",
        "unit 0: min_layers is '2', a text; allowed are whole numbers from 1 to",
    ),
    "true as depth": (("units", 2, "max_layers"), True, "unit 2: max_layers is True; allowed are whole numbers from 1"),
    "fraction as depth": (("units", 2, "max_layers"), 2.5, "unit 2: max_layers is 2.5; allowed are whole numbers from"),
    "long as depth": (("units", 2, "max_layers"), "9" * 500, "unit 2: max_layers is '9+.*; allowed are whole numbers"),
    "reversed": (("units", 1, "min_layers"), 9, "unit 1: min_layers is 9; allowed is at most max_layers, which is 3"),
    "misspelt": (("units", 0, "max_layer"), 3, f"unit 0: there is an unknown entry 'max_layer'; allowed are {UNIT}"),
    "no depth": (("units", 0, "max_layers"), ..., "unit 0: there is no 'max_layers'; needed are min_layers, max"),
    "text as bool": (("units", 2, "score_with_previous"), "no", "unit 2: .* is 'no'; allowed is true or false"),
    "unit feature": (("units", 1, "features"), ["w"], r"unit 1: features is \['w'\]; allowed is an object with"),
    "unit values": (("units", 1, "features", "width"), 5, "unit 1: feature 'width' needs a list of values.*given 5"),
    "restriction": (("units", 1, "layer_features"), {"op": ["c"]}, "unit 1: op: value 'c' is not allowed; choose from"),
    "null features": (("layer_features",), None, "layer_features is None; allowed is an object with the values"),
    "values": (("layer_features", "ratio", "values"), [1, "2"], RATIO + "values .*: '2' is not a finite number"),
    "value": (("layer_features", "ratio", "values"), 3, RATIO + ".*'values' needs a list of values .* given 3"),
    "offset": (("layer_features", "ratio", "offset"), "0", RATIO + "offset .*: '0' is not a finite number below"),
    "step": (("layer_features", "ratio", "step"), 1, RATIO + "there is an unknown entry 'step'; allowed are values, "),
    "widths": (("embedding_widths",), [2], r"embedding_widths is \[2\]; allowed is an object with a width for each"),
    "fraction as width": (("embedding_widths", "op"), 2.5, "embedding width of 'op' is 2.5; allowed are whole numbers"),
    "absurd width": (("embedding_widths", "op"), 10**12, "embedding width of 'op' is 10+; allowed are .* to 1,024"),
}


@pytest.mark.parametrize("name", WRONG_DESCRIPTIONS)
def test_a_wrong_description_names_file_unit_field_value_and_what_is_allowed(
    toy: ab.SequenceSpace, tmp_path: Path, name: str
) -> None:
    place, wrong, message = WRONG_DESCRIPTIONS[name]
    whole: dict[Any, Any] = {"space": toy.to_json()}
    *above, last = ("space", *place)
    part = functools.reduce(operator.getitem, above, whole)
    if wrong is ...:
        del part[last]
    else:
        part[last] = wrong
    (tmp_path / "toy.json").write_text(json.dumps(whole["space"]))
    with pytest.raises(ab.SpaceError, match=message) as caught:
        ab.spaces.read_space(str(tmp_path / "toy.json"))
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 'toy.json'}: ") and "\n" not in text and len(text) < 400


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"name": ' + b"9" * 5000 + b"}"])
def test_what_is_not_json_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "toy.json").write_bytes(content)
    with pytest.raises(ab.SpaceError, match=r"toy.json: not a description of a space \(") as caught:
        ab.spaces.read_space(str(tmp_path / "toy.json"))
    assert "\n" not in str(caught.value)


def test_unit_features_may_differ_between_units_but_not_beyond_a_byte() -> None:
    two = [ab.Unit(1, 1, features={"w": range(200)}), ab.Unit(1, 1, features={"w": range(150, 300)})]
    with pytest.raises(ab.SpaceError, match="'w' has 300 values"):
        ab.SequenceSpace("s", two, OP)
    fine = ab.SequenceSpace("s", [ab.Unit(1, 1, features={"w": [1, 2]}), ab.Unit(1, 1, features={"w": [2, 3]})], OP)
    assert values_of(dict(fine.unit_features)["w"]) == (1, 2, 3) and len(set(map(str, fine))) == fine.size == 16


def test_numpy_numbers_are_numbers() -> None:
    space = ab.SequenceSpace("s", UNITS, {"k": np.array([3, 5]), "r": [np.float32(0.5)]})
    assert space.layer_features == (("k", (3, 5)), ("r", (0.5,))) and "k" in str(space.to_json())
    assert space.architecture([[{"k": np.int64(3), "r": 0.5}]]) == space.parse("k3")


def test_continuous_grid_is_scaled_onto_the_unit_interval() -> None:
    feature = ab.Continuous(2, 10, grid=5)
    assert feature.values == (2, 4, 6, 8, 10) and feature.scaled() == (0, 0.25, 0.5, 0.75, 1)
    assert ab.Continuous(values=[7]).scaled() == (0,)


def test_resolutions_in_any_form_of_whole_numbers() -> None:
    plain = ab.spaces.ofa_mbv3(resolutions=(192, 224))
    for odd in ([192, 224], np.array([192, 224]), [192.0, np.int64(224)], range(192, 225, 32)):
        assert ab.spaces.ofa_mbv3(resolutions=odd) is plain
    for wrong in (224, "224", ["224"], [224.5], [True], [162]):
        with pytest.raises(ab.SpaceError, match="resolution"):
            ab.spaces.ofa_pn(resolutions=wrong)  # type: ignore[arg-type]


def test_depths_and_numbers_as_numpy_gives_them() -> None:
    odd = ab.SequenceSpace("s", [ab.Unit(np.int64(1), 2.0)], {"x": ab.Continuous(np.float32(0), 1, grid=3.0)})  # type: ignore[arg-type]
    assert odd == ab.SequenceSpace("s", [ab.Unit(1, 2)], {"x": ab.Continuous(0, 1, grid=3)})


@pytest.mark.parametrize("text", [float("nan"), None, 3, b"a"])
def test_what_is_no_text_is_no_architecture(toy: ab.SequenceSpace, text: Any) -> None:
    with pytest.raises(ab.SpaceError, match=r"toy: an architecture is .*; allowed is its text form"):
        toy.parse(text)


def test_one_architecture_without_a_list(toy: ab.SequenceSpace) -> None:
    with pytest.raises(ab.SpaceError, match=r"one architecture was given; give a list of them, \[architecture\]"):
        toy.to_codes(toy.sample(np.random.default_rng(0)))  # type: ignore[arg-type]


def test_resolutions_of_the_once_for_all_networks() -> None:
    space = ab.spaces.ofa_mbv3(resolutions=range(128, 225, 4))
    small = space.parse("resolution132" + "|e3_k3,e3_k3" * 5)
    assert space.size == 25 * 7371**5 and ab.networks.count_macs(small) < 1e8
    assert ab.spaces.ofa_mbv3(resolutions=[192, 224]) == ab.spaces.ofa_mbv3((192, 224))
    for wrong in ([130], [228], [124], []):
        with pytest.raises(ab.SpaceError, match="allowed are 128 to 224 in steps of 4"):
            ab.spaces.ofa_pn(resolutions=wrong)
    with pytest.raises(ab.SpaceError, match=r"resolution: value 132.0 is not allowed; choose from 224"):
        ab.surrogate.ofa_mbv3().predict([small])

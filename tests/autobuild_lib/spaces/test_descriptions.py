"""Descriptions that contradict themselves: errors say which entry is wrong and what is allowed."""

import functools
import json
import math
import operator
from pathlib import Path
from typing import Any

import pytest

import autobuild_lib as ab

OP = {"op": ["a", "b"]}
UNITS = [ab.Unit(1, 2)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ab.Unit(0, 2), "min_layers is 0; .* 1 to 255"),
        (lambda: ab.Unit(3, 2), "min_layers is 3; .* max_layers, which is 2"),
        (lambda: ab.Unit(1, 256), "max_layers is 256; .* 1 to 255"),
        (lambda: ab.SequenceSpace(None, UNITS, OP), "name of a space is None"),  # type: ignore[arg-type]
        (lambda: ab.SequenceSpace("s", [], OP), "at least one unit"),
        (lambda: ab.SequenceSpace("s", UNITS, {}), "one layer feature"),
        (lambda: ab.SequenceSpace("s", [ab.Unit(1, 1, score_with_previous=True)], OP), "first unit has no previous"),
        (lambda: ab.SequenceSpace("s", UNITS, OP, {"op": [1]}), "need different names"),
        (lambda: ab.SequenceSpace("s", UNITS, OP, embedding_widths={"k": 2}), r"unknown features \['k'\]"),
        (
            lambda: ab.SequenceSpace("s", UNITS, OP, embedding_widths={"op": 0}),
            "width of 'op' is 0; .* 1 to 1,024",
        ),
        (lambda: ab.SequenceSpace("s", [ab.Unit(1, 1, layer_features={"k": [1]})], OP), r"layer features \['k'\]"),
        (
            lambda: ab.SequenceSpace("s", [ab.Unit(1, 1, layer_features={"op": ["c"]})], OP),
            "'s', unit 0: op: value 'c'",
        ),
        (lambda: ab.SequenceSpace("s", UNITS * 256, OP), "'unit' has 256 values"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": []}), "1 to 255 distinct values"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": ["a", "a"]}), "distinct values, given a, a"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": range(256)}), r"given 0, 1, .*\(256 in all\)"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": "abc"}), "list .* Continuous, given 'abc'"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": 5}), "needs a list of values"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [True]}), "value True must be"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [None]}), "value None"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [math.nan]}), "not finite"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [10**400]}), "not finite"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": ["a b"]}), "must not hold spaces"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": ["a|b"]}), "must not hold spaces"),
        (lambda: ab.SequenceSpace("s", UNITS, {"op": [""]}), "a number or a text"),
        (lambda: ab.SequenceSpace("s", UNITS, {"index": [1]}), "feature name 'index'"),
        (lambda: ab.SequenceSpace("s", UNITS, {"a b": [1]}), "must be an identifier"),
        (lambda: ab.SequenceSpace("s", UNITS, OP, {"r": ["r1", 1]}), "distinct values"),
        (lambda: ab.SequenceSpace("s", UNITS, {"a": ["x", "x_y"], "b": ["y_z", "z"]}), "written alike"),
        (lambda: ab.SequenceSpace("s", UNITS, {"a": ["x"], "b": ["y", "x_y"]}), "written alike"),
        (lambda: ab.SequenceSpace("s", UNITS, {n: range(50) for n in "abc"}), "at most 100,000 combinations"),
        (lambda: ab.Continuous(), "a continuous feature needs values"),
        (lambda: ab.Continuous(0, 1), "grid"),
        (lambda: ab.Continuous(0, 1, grid=10**12), "grid .* is 10+; .* 1 to 255"),
        (lambda: ab.Continuous(0, math.nan, grid=2), "high .*: nan is not"),
        (lambda: ab.Continuous(values=[1, 1]), "must be distinct, given 1.0, 1.0"),
        (lambda: ab.Continuous(values=[1, math.inf]), "values .*: inf is not"),
        (lambda: ab.Continuous(values=[1, 2], offset=10**400), "offset .*: 10+.* is not"),
        (lambda: ab.Continuous(values=[1, 2], scale=0), "scale of a continuous feature"),
        (lambda: ab.SequenceSpace.from_json({"name": "s"}), "not the description"),
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
    "null name": (("name",), None, "name of a space is None"),
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
    with pytest.raises(ab.SpaceError, match=r"toy.json: not a description .*\(") as caught:
        ab.spaces.read_space(str(tmp_path / "toy.json"))
    assert "\n" not in str(caught.value)

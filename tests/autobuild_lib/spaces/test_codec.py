"""Units as bytes: layers in their forms, and contents that are not allowed."""

from typing import Any

import pytest

import autobuild_lib as ab


def test_layers_as_dicts_and_as_names_are_the_same(toy: ab.SequenceSpace) -> None:
    layer = {"op": "mb3_k3", "ratio": 0.5}
    dicts = toy.architecture([[layer, layer], {"width": 32, "layers": [layer]}, [layer]])
    name = "mb3_k3_ratio0.5"
    names = toy.architecture([[name, name], {"width": 32, "layers": [name]}, [name]])
    assert dicts == names and str(dicts) == f"{name},{name}|width32;{name}|{name}"
    assert dicts.depths == (2, 1, 1) and dicts.units()[1] == {"width": 32, "layers": ["mb3_k3_ratio0.5"]}


LAYER = {"op": "mb3_k3", "ratio": 0.5}
WIDE = {"width": 32, "layers": [LAYER]}


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([[LAYER, LAYER], WIDE], "given 2 units, the space has 3"),
        ([[LAYER], WIDE, [LAYER]], "unit 0: given 1 layers, .* 2"),
        ([[LAYER, LAYER], [LAYER], [LAYER]], r"unit 1: given features \[\], needs \['width'\]"),
        ([[LAYER, LAYER], {**WIDE, "height": 1}, [LAYER]], r"given features \['height', 'width'\]"),
        ([[LAYER, LAYER], {**WIDE, "width": 20}, [LAYER]], "width: value 20 .* 16, 32, 48"),
        ([[LAYER, LAYER], {**WIDE, "width": True}, [LAYER]], "value True is not allowed"),
        ([[LAYER, LAYER], {"width": 32}, [LAYER]], "given 0 layers"),
        ([[LAYER, {"op": "mb3_k3"}], WIDE, [LAYER]], r"needs exactly the features \['op', 'ratio'\]"),
        ([[LAYER, {**LAYER, "ratio": 0.3}], WIDE, [LAYER]], r"ratio: value 0.3 .* 0.25"),
        ([[LAYER, {**LAYER, "op": 3}], WIDE, [LAYER]], "op: value 3 .* identity"),
        ([[LAYER, 7], WIDE, [LAYER]], "layer 7 is not allowed"),
        ([5, WIDE, [LAYER]], "unit 0: given 5, .* 2 layers"),
        ([None, WIDE, [LAYER]], r"unit 0: given None, "),
        (["ab", WIDE, [LAYER]], "unit 0: given 'ab', "),
    ],
)
def test_wrong_architectures_name_what_is_given_and_allowed(toy: ab.SequenceSpace, units: Any, message: str) -> None:
    with pytest.raises(ab.SpaceError, match=message):
        toy.architecture(units)


def test_restricted_unit_refuses_what_others_allow() -> None:
    space = ab.SequenceSpace("s", [ab.Unit(1, 1, layer_features={"op": ["b"]}), ab.Unit(1, 1)], {"op": ["a", "b"]})
    assert str(space.parse("b|a")) == "b|a"
    for build in (lambda: space.parse("a|a"), lambda: space.architecture([[{"op": "a"}], ["a"]])):
        with pytest.raises(ab.SpaceError, match=r"unit 0: layer .* .* b$"):
            build()

"""The importance of stages: features by hand, the stages of a perceptron, and growth by what is said of them."""

import numpy as np
import numpy.typing as npt
import pytest

from autobuild_book.chapters.neighbours.stagewise import importance
from autobuild_book.chapters.shared import perceptrons
from autobuild_lib.spaces import SequenceSpace, Unit

Array = npt.NDArray[np.float64]
SPACE = SequenceSpace("stages", [Unit(1, 2), Unit(1, 3)], {"op": ["a", "b"]})


def test_features_by_hand() -> None:
    classes = np.array([0, 0, 1, 1])
    told, nothing = np.array([-1.0, -1, 1, 1]), np.array([-1.0, 1, -1, 1])
    scores = importance.variable_importance(np.column_stack([told, nothing]), classes, 1)
    assert scores == pytest.approx([2**0.5, 0])
    both = importance.variable_importance(np.column_stack([told, 5 * told, nothing]), classes, 1)
    assert both == pytest.approx([1.5**0.5, 1.5**0.5, 0]), "scales do not matter"


def test_the_mean_square_is_one() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(3, size=60)
    features = rng.normal(size=(60, 5)) + np.eye(3)[classes] @ rng.normal(size=(3, 5))
    for components in (1, 2, 9):
        assert (importance.variable_importance(features, classes, components) ** 2).mean() == pytest.approx(1)


def test_stages_end_with_their_last_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptrons, "EPOCHS", 1)
    seen: list[tuple[int, ...]] = []
    monkeypatch.setattr(importance, "variable_importance", lambda features, classes: seen.append(features.shape) or
                        np.array([len(seen), 0.0]))  # fmt: skip
    space = perceptrons.mlp_space()
    text = "width32;relu_dropout0,relu_dropout0.1|width6;tanh_dropout0|tanh_dropout0,tanh_dropout0"
    code = space.to_codes([space.parse(text)])[0]
    assert importance.trained_importance(space, 0)(code).tolist() == [0.5, 1, 1.5]
    assert seen == [(797, 32), (797, 6), (797, 6)]


def test_growth_by_hand() -> None:
    said = {
        "a|b": [1.0, 1.0], "a,a|b,b": [2.0, 0.5],  # only the first stage gains
        "a,a|b": [2.0, 1.0],
    }  # fmt: skip
    asked: list[str] = []

    def look_up(code: npt.NDArray[np.uint8]) -> Array:
        asked.append(str(SPACE.from_codes(code[None])[0]))
        return np.array(said[asked[-1]])

    start = SPACE.to_codes([SPACE.parse("a|b")])[0]
    path = importance.grow_by_importance(SPACE, start, look_up)
    assert [str(each) for each in SPACE.from_codes(np.array(path))] == ["a|b", "a,a|b"]
    assert asked == ["a|b", "a,a|b,b", "a,a|b", "a,a|b,b"], "then the second stage is tried, and loses"
    deep = SPACE.to_codes([SPACE.parse("a,a|b,b,b")])[0]
    assert len(importance.grow_by_importance(SPACE, deep, lambda code: np.zeros(2))) == 1, "nothing left to deepen"
    rising = importance.grow_by_importance(SPACE, start, lambda code: SPACE.depths(code[None])[0].astype(float))
    assert str(SPACE.from_codes(rising[-1][None])[0]) == "a,a|b,b,b"

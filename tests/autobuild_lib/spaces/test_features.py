"""Features: numbers in any form, and grids."""

import numpy as np

import autobuild_lib as ab

UNITS = [ab.Unit(1, 2)]


def test_numpy_numbers_are_numbers() -> None:
    space = ab.SequenceSpace("s", UNITS, {"k": np.array([3, 5]), "r": [np.float32(0.5)]})
    assert space.layer_features == (("k", (3, 5)), ("r", (0.5,))) and "k" in str(space.to_json())
    assert space.architecture([[{"k": np.int64(3), "r": 0.5}]]) == space.parse("k3")


def test_continuous_grid_is_scaled_onto_the_unit_interval() -> None:
    feature = ab.Continuous(2, 10, grid=5)
    assert feature.values == (2, 4, 6, 8, 10) and feature.scaled() == (0, 0.25, 0.5, 0.75, 1)
    assert ab.Continuous(values=[7]).scaled() == (0,)


def test_depths_and_numbers_as_numpy_gives_them() -> None:
    odd = ab.SequenceSpace("s", [ab.Unit(np.int64(1), 2.0)], {"x": ab.Continuous(np.float32(0), 1, grid=3.0)})  # type: ignore[arg-type]
    assert odd == ab.SequenceSpace("s", [ab.Unit(1, 2)], {"x": ab.Continuous(0, 1, grid=3)})

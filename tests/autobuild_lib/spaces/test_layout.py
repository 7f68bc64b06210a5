"""Layouts: sizes, what follows from a description, and the description as JSON and pickle."""

import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given

import autobuild_lib as ab
from autobuild_lib.spaces.features import values_of
from tests.helpers.spaces import spaces


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


OP = {"op": ["a", "b"]}


def test_unit_features_may_differ_between_units_but_not_beyond_a_byte() -> None:
    two = [ab.Unit(1, 1, features={"w": range(200)}), ab.Unit(1, 1, features={"w": range(150, 300)})]
    with pytest.raises(ab.SpaceError, match="'w' has 300 values"):
        ab.SequenceSpace("s", two, OP)
    fine = ab.SequenceSpace("s", [ab.Unit(1, 1, features={"w": [1, 2]}), ab.Unit(1, 1, features={"w": [2, 3]})], OP)
    assert values_of(dict(fine.unit_features)["w"]) == (1, 2, 3) and len(set(map(str, fine))) == fine.size == 16

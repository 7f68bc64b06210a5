"""Units with more contents than can be enumerated: refused before anything is allocated, and searched all the same."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_lib.data.files import bundled_space, manifest
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.predictor import Network, NetworkConfig, Predictor
from autobuild_lib.search import evolve
from autobuild_lib.spaces.groups import MOST_CONTENTS
from tests.helpers.redrawn import Redrawn

LAYERS = {"op": ["a", "b", "c"], "k": [3, 5, 7]}
DEEP = sum(9**depth for depth in range(1, 15))
MESSAGE = f"space 'deep': unit 1 has {DEEP:,} contents; at most 5,000,000 are enumerated; split the unit into .*"


def deep_space() -> ab.SequenceSpace:
    return ab.SequenceSpace("deep", [ab.Unit(1, 2), ab.Unit(1, 14), ab.Unit(1, 2)], LAYERS)


def untrained(space: ab.SequenceSpace) -> Predictor:
    return Predictor(Network(LayerEncoder(space), NetworkConfig(), [0]).eval(), "y", 0.0, 1.0)


ENUMERATE: dict[str, Callable[[ab.SequenceSpace], Any]] = {
    "norm score": lambda space: ab.score_units(untrained(space)),
    "effect score": lambda space: ab.score_units(untrained(space), "effect"),
    "whole space": ab.ReducedSpace.full,
    "group": lambda space: space.scoring_groups[1].contents(),
    "iteration": lambda space: next(iter(space)),
}


@pytest.mark.parametrize("how", ENUMERATE)
def test_a_unit_with_too_many_contents_is_refused_at_once(how: str) -> None:
    space = deep_space()
    tracemalloc.start()
    try:
        with pytest.raises(ab.SpaceError, match=f"^{MESSAGE}$"):
            ENUMERATE[how](space)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_units_that_are_scored_together_count_together() -> None:
    units = [ab.Unit(1, 1), ab.Unit(4, 4), ab.Unit(4, 4, score_with_previous=True)]
    space = ab.SequenceSpace("tail", units, LAYERS)
    assert space.alone(1).count_contents() == space.alone(2).count_contents() == 9**4 == len(space.alone(2).contents())
    message = f"units 1, 2, which are scored together, have {9**8:,} contents; at most 5,000,000 are enumerated"
    for refuse in (space.scoring_groups[1].contents, lambda: ab.score_units(untrained(space))):
        with pytest.raises(ab.SpaceError, match=message):
            refuse()


def test_sizes_beyond_what_python_writes_are_rounded() -> None:
    tails = [ab.Unit(255, 255, score_with_previous=number > 0) for number in range(20)]
    space = ab.SequenceSpace("s", tails, LAYERS)
    with pytest.raises(ab.SpaceError, match=rf"have about 10\^{255 * 20 * np.log10(9):.0f} contents"):
        ab.ReducedSpace.full(space)


def test_every_bundled_space_is_far_below_the_limit() -> None:
    spaces = [bundled_space(entry) for entry in manifest().values()]
    largest = max(group.count_contents() for space in spaces for group in space.scoring_groups)
    assert largest == 66_339 < MOST_CONTENTS / 50


def test_a_space_with_a_deep_unit_is_sampled_and_searched() -> None:
    space = deep_space()
    drawn = space.sample(20, 0)
    assert all(space.parse(str(one)) == one for one in drawn)

    def evaluator(architectures: list[ab.Architecture]) -> pd.DataFrame:
        depths = [sum(one.depths) for one in architectures]
        return pd.DataFrame({"worth": [str(one).count("a") for one in architectures], "depth": depths})

    options = {"start": 10, "rounds": 2, "mutations": 5, "progress": False}
    found = evolve(Redrawn(space), evaluator, maximise="worth", minimise="depth", **options)  # type: ignore[arg-type]
    assert len(found) == 20


def test_training_says_beforehand_what_cannot_be_scored(caplog: pytest.LogCaptureFixture) -> None:
    space = deep_space()
    table = ab.data.from_records(space, [(one, {"y": number}) for number, one in enumerate(space.sample(30, 0))])
    ab.fit(space, table, "y", epochs=1, width=4, hops=1, progress=False)
    assert any("unit 1 has" in text and "split the unit" in text for text in caplog.messages)


@pytest.mark.parametrize("layers", [63, 64, 200])
def test_a_unit_of_many_layers_without_a_choice_is_enumerated(layers: int) -> None:
    space = ab.SequenceSpace("long", [ab.Unit(1, layers)], {"k": [3]})
    codes = space.scoring_groups[0].contents()
    assert codes.shape == (layers, 1 + layers) and codes[:, 0].tolist() == list(range(1, layers + 1))


def test_many_units_of_many_choices_share_their_names() -> None:
    values = list(range(46))
    space = ab.SequenceSpace("wide", [ab.Unit(1, 1)] * 255, {"a": values, "b": values, "c": values})
    assert len({id(codec.layer_names) for codec in space.codecs}) == 1 and len(space.codecs[0].layer_names) == 97_336

"""The page on the method: in any space a change is found that leaves layers behind it, if there is one."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

import autobuild_lib as ab
from autobuild_book.chapters.foundations.method import change_with_layers_behind, edges, hops_to, replace_unit
from tests.helpers.spaces import linked_spaces

OPS = ["a", "b", "c"]
STEM = ab.Unit(1, 1, layer_features={"op": ["a"]})
SPACES = {  # with the unit and the last node that are to change
    "as the paper's": (ab.spaces.ofa_mbv3(), 0, None),
    "one unit": (ab.SequenceSpace("cell", [ab.Unit(6, 6)], {"op": OPS}), 0, 4),
    "a stem without a choice": (ab.SequenceSpace("stem", [STEM, ab.Unit(2, 2), ab.Unit(1, 1)], {"op": OPS}), 1, 2),
    "a stem and one unit": (ab.SequenceSpace("stem", [STEM, ab.Unit(3, 3)], {"op": OPS}), 1, 2),
}


@pytest.mark.parametrize("name", SPACES)
def test_a_change_with_layers_behind_it(name: str) -> None:
    space, unit, last = SPACES[name]
    donors = space.sample(np.random.default_rng(0), 300)
    architecture = donors[0]
    change = change_with_layers_behind(architecture, donors)
    assert change is not None and change.unit == unit and change.changed.depths == architecture.depths
    assert last is None or change.last == last
    own, other = (
        [layer for content in a.units() for layer in content["layers"]] for a in (architecture, change.changed)
    )
    assert own[change.last] != other[change.last] and own[change.last + 1 :] == other[change.last + 1 :]
    assert len(own[change.last + 1 :]) > 0


@pytest.mark.parametrize("units", [[ab.Unit(1, 1)], [STEM, STEM], [STEM, ab.Unit(1, 1)]])
def test_no_layer_with_a_choice_has_another_behind_it(units: list[ab.Unit]) -> None:
    space = ab.SequenceSpace("small", units, {"op": OPS})
    donors = space.sample(np.random.default_rng(0), 50)
    assert change_with_layers_behind(donors[0], donors) is None


def test_another_content_of_one_unit(toy: ab.SequenceSpace) -> None:
    one, two = toy.sample(np.random.default_rng(0), 2)
    content = two.units()[1]
    placed = replace_unit(one, 1, content)
    assert placed.units() == [one.units()[0], content, *one.units()[2:]]


@given(linked_spaces())
def test_hops_are_the_shortest_ways_back(space: ab.SequenceSpace) -> None:
    architecture = space.sample(1, 0)[0]
    graph = nx.DiGraph(edges(architecture))
    graph.add_nodes_from(range(sum(architecture.depths)))
    for root in graph:
        assert hops_to(architecture, root) == nx.single_target_shortest_path_length(graph, root)

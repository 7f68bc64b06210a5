"""Graph features of sequence architectures: by hand, and as the op-level features of the path that they are."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.chapters.shared.models import graf, sequence_graf
from autobuild_book.chapters.shared.models.graf import graph_features
from autobuild_book.chapters.shared.models.sequence_graf import (
    feature_names,
    features_of_codes,
    sequence_features,
    vocabularies,
)
from autobuild_lib.graphs import OPERATIONS, IRNode, graph_of
from tests.helpers.spaces import linked_spaces


@pytest.fixture
def small() -> ab.SequenceSpace:
    return ab.SequenceSpace("small", [ab.Unit(1, 2), ab.Unit(1, 3)], {"e": [3, 6], "k": [3, 5]})


def test_by_hand(small: ab.SequenceSpace) -> None:
    found = sequence_features(small, [small.from_lists([["e3_k3", "e6_k3"], ["e6_k5"]])]).iloc[0]
    expected = {
        "network count[e3]": 1, "network count[e6]": 2, "network count[e6_k3]": 1, "network count[e3_k5]": 0,
        "unit 0 count[e3]": 1, "unit 0 count[e6]": 1, "unit 1 count[e6]": 1, "unit 1 count[e3]": 0,
        "network path[e6]": -1, "network path[e3+e6]": 3, "unit 0 path[k3]": 2, "unit 0 path[e3]": -1,
        "unit 1 path[e6]": 1, "unit 1 path[k3]": -1, "network path[e3_k3+e6_k3+e6_k5]": 3,
        "network input[e3]": 1, "network input[e6]": 0, "unit 1 input[e6]": 1, "network output[k5]": 1,
        "unit 0 output[e6]": 1, "unit 0 output[k5]": 0, "unit 0 input[e3_k3+e6_k5]": 1,
        "network average[e6]": 2 / 5, "unit 0 average[e6]": 1 / 4, "unit 1 average[k5]": 1 / 3,
        "network average[e3+e6]": 3 / 5,
    }  # fmt: skip
    assert found[list(expected)].to_dict() == pytest.approx(expected)


def as_path(kinds: list[int], number: int) -> dict[str, float]:
    """Op-level features of a path whose operations are the given ones of the first `number` of the vocabulary."""
    names = OPERATIONS[2 : 2 + number]
    nodes = [IRNode("Input"), *(IRNode(names[kind], (place,)) for place, kind in enumerate(kinds))]
    row = graph_features([graph_of([*nodes, IRNode("Output", (len(kinds),))])], names).iloc[0]
    return {str(name): float(value) for name, value in row.items()}


SAME = {"path": "longest", "input": "input", "output": "output", "average": "average_in"}


def check(space: ab.SequenceSpace, architecture: ab.Architecture) -> None:
    """Raise `AssertionError` unless all features are those of the paths of the network and of its units."""
    found = sequence_features(space, [architecture]).iloc[0]
    nodes = ab.graphs.layer_graphs(space, [architecture]).codes.numpy()
    scopes = {"network": nodes} | {f"unit {n}": nodes[nodes[:, 0] == n] for n in range(len(space.units))}
    for vocabulary in vocabularies(space):
        number = len(vocabulary.operations)
        renamed = dict(zip(OPERATIONS[2 : 2 + number], vocabulary.operations, strict=True))
        assert list(renamed) == list(OPERATIONS[2 : 2 + number])
        for scope, own in scopes.items():
            kinds = np.ravel_multi_index(own[:, list(vocabulary.columns)].T, vocabulary.sizes)
            plain = as_path(kinds.tolist(), number)
            for kind, same in SAME.items():
                own_values = [found[f"{scope} {kind}[{name}]"] for name in vocabulary.sets.names]
                values = [value for name, value in plain.items() if name.startswith(f"{same}[")]
                assert own_values == pytest.approx(values), (scope, kind)
            # what is left out says nothing more
            for text, value in plain.items():
                if text.startswith("shortest["):
                    longest = plain[text.replace("shortest", "longest")]
                    assert value == (longest + 1 if longest >= 0 else longest)
                if text.startswith("average_out["):
                    assert value == pytest.approx(plain[text.replace("out", "in")])
                if text.startswith("count["):
                    assert value == found[f"{scope} count[{renamed[text[6:-1]]}]"]


@given(st.integers(0, 2**32 - 1))
def test_is_graf_of_a_path(toy: ab.SequenceSpace, seed: int) -> None:
    check(toy, toy.sample(np.random.default_rng(seed)))


@pytest.mark.parametrize("family", ["ofa_mbv3", "ofa_pn"])
def test_families(family: str) -> None:
    space = ab.spaces.read_space(family)
    check(space, space.sample(np.random.default_rng(3)))
    assert [len(vocabulary.operations) for vocabulary in vocabularies(space)] == [3, 3, 9]
    assert len(feature_names(space)) == (1 + len(space.units)) * (3 + 7 * 4 + 3 + 7 * 4 + 9 + 18 * 4)


def as_graph(architecture: ab.Architecture, kinds: list[int], number: int) -> dict[str, float]:
    """Op-level features of a network whose layers, numbered unit after unit, have the given operations."""
    space, names = architecture.space, OPERATIONS[2 : 2 + number]
    degrees, steps = space.predecessors(space.to_codes([architecture]))
    graph = nx.DiGraph([(target, -1) for target in range(len(kinds))])
    rows = iter(steps.tolist())
    graph.add_edges_from((node - next(rows), node) for node, degree in enumerate(degrees) for _ in range(degree))
    order = [node for node in nx.topological_sort(graph) if node != -1]
    nodes = [IRNode(names[kinds[n]], tuple(order.index(p) for p in graph.predecessors(n))) for n in order]
    row = graph_features([graph_of(nodes)], names).iloc[0]
    return {str(name): float(value) for name, value in row.items()}


@given(linked_spaces().filter(lambda space: space.links), st.integers(0, 2**32 - 1))
def test_with_links_a_network_is_a_graph_and_a_unit_a_path(space: ab.SequenceSpace, seed: int) -> None:
    architectures = space.sample(3, seed)
    table = sequence_features(space, architectures)
    assert list(table) == feature_names(space) and len(set(table)) == table.shape[1]
    row = ab.SequenceSpace.from_json({**space.to_json(), "links": None})  # the same units, in a row
    free = {name: value for name, value in architectures[1].global_features.items() if name != "links"}
    units = sequence_features(row, [row.architecture(architectures[1].units(), **free)]).iloc[0]
    expected = {name: value for name, value in units.items() if str(name).startswith("unit")}
    nodes = space.nodes(space.to_codes(architectures[1:2]))
    for vocabulary in vocabularies(space):
        kinds = np.ravel_multi_index(nodes[:, list(vocabulary.columns)].T, vocabulary.sizes).tolist()
        if len(vocabulary.operations) <= len(OPERATIONS) - 2:
            values = as_graph(architectures[1], kinds, len(vocabulary.operations)).values()
            names = graf.names_of(vocabulary.operations, vocabulary.sets)
            expected |= {f"network {name}": value for name, value in zip(names, values, strict=True)}
    assert table.iloc[1][list(expected)].to_dict() == pytest.approx(expected)


def test_a_network_with_links_by_hand() -> None:
    units = [ab.Unit(1, 2), ab.Unit(1, 1), ab.Unit(1, 1)]
    space = ab.SequenceSpace("s", units, {"op": ["a", "b"]}, links={"skip": [[], [0], [0, 1]], "back": [[2], [], []]})
    skip, back = sequence_features(space, [space.parse("skip|a,b|b|b"), space.parse("back|a,b|b|b")]).to_dict("records")
    both = "shortest[a+b]", "longest[a+b]", "shortest[b]", "input[b]", "output[b]", "average_in[b]", "average_out[b]"
    assert [skip[f"network {name}"] for name in both] == pytest.approx([4, 4, -1, 0, 1, 4 / 6, 4 / 6])
    assert [back[f"network {name}"] for name in both] == pytest.approx([2, 3, 2, 2, 2, 3 / 6, 3 / 6])


def test_features_of_units_and_networks_are_vocabularies() -> None:
    space = ab.SequenceSpace(
        "all", [ab.Unit(1, 1, features={"width": [8, 16]}), ab.Unit(1, 2)], {"op": ["a"]}, {"side": [32, 64]}
    )
    first = space.architecture([{"width": 16, "layers": ["a"]}, ["a", "a"]], side=64)
    found = sequence_features(space, [first]).iloc[0]
    assert [found[f"network count[{name}]"] for name in ("width8", "width16", "no width", "side32", "side64")] == [
        0, 1, 2, 0, 3,
    ]  # fmt: skip
    check(space, first)


def test_many_combinations_leave_each_feature_alone() -> None:
    space = ab.SequenceSpace("wide", [ab.Unit(1, 1)], {"a": list(range(4)), "b": list(range(4))})
    assert [vocabulary.operations for vocabulary in vocabularies(space)] == [
        ("a0", "a1", "a2", "a3"), ("b0", "b1", "b2", "b3"),
    ]  # fmt: skip


def test_rows_do_not_depend_on_others_or_on_chunks(toy: ab.SequenceSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = toy.sample_codes(np.random.default_rng(0), 50)
    together = features_of_codes(toy, codes)
    monkeypatch.setattr(sequence_graf, "CHUNK", 7)
    np.testing.assert_array_equal(features_of_codes(toy, codes), together)
    np.testing.assert_array_equal(features_of_codes(toy, codes[[41]]), together[[41]])


def test_names_are_distinct(toy: ab.SequenceSpace) -> None:
    names = feature_names(toy)
    found = features_of_codes(toy, toy.sample_codes(np.random.default_rng(0), 1))
    assert len(set(names)) == len(names) == found.shape[1]


def test_other_spaces_are_refused(toy: ab.SequenceSpace) -> None:
    with pytest.raises(ab.SpaceError, match="'ofa_mbv3' given to space 'toy'"):
        sequence_features(toy, [ab.spaces.ofa_mbv3().sample(np.random.default_rng(0))])

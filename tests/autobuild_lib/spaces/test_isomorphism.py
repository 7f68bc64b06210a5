"""Isomorphic architectures, against graphs that networkx compares, and the counts of a published benchmark."""

import functools
import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from tests.helpers.spaces import linked_spaces

OP = {"op": ["a", "b"]}
TREES = [  # NAS-Bench-Graph: what each of four operations reads from, 0 is the input (Qin et al., 2022)
    "0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123",
]  # fmt: skip
OPERATIONS = ["gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip"]


def graph(architecture: ab.Architecture) -> nx.DiGraph:
    """Units with their description and content, and links."""
    space, result = architecture.space, nx.DiGraph()
    lists = dict(space.links).get(architecture.global_features.get("links", ""))
    for codec, unit in zip(space.codecs, space.units, strict=True):
        result.add_node(codec.number, label=(unit, codec.text(architecture.code[codec.place])))
    result.add_edges_from((source, unit) for unit, row in enumerate(lists or ()) for source in row)
    return result


def isomorphic(one: ab.Architecture, other: ab.Architecture) -> bool:
    heads = [{n: v for n, v in a.global_features.items() if n != "links"} for a in (one, other)]
    return heads[0] == heads[1] and nx.is_isomorphic(
        graph(one), graph(other), node_match=lambda a, b: a["label"] == b["label"]
    )


@st.composite
def alike(draw: st.DrawFn) -> ab.SequenceSpace:
    """A space of up to five units, of which many are described alike."""
    kinds = [ab.Unit(1, 1), ab.Unit(1, 1, layer_features={"op": ["a"]}), ab.Unit(1, 2)]
    units = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5))
    return ab.SequenceSpace("any", units, OP)


@given(linked_spaces(alike()), st.integers(0, 99))
def test_equal_for_isomorphic_graphs_only(space: ab.SequenceSpace, seed: int) -> None:
    drawn = space.sample(12, seed)
    for one, other in itertools.combinations(drawn, 2):
        assert (space.canonical(one) == space.canonical(other)) == isomorphic(one, other)
    for architecture in drawn:
        canonical = space.canonical(architecture)
        assert canonical in space and space.canonical(canonical) == canonical and isomorphic(canonical, architecture)


@given(linked_spaces(alike()).filter(lambda space: space.size < 500))
def test_it_is_the_first_of_all_isomorphic_ones(space: ab.SequenceSpace) -> None:
    every = list(space)
    drawn = space.sample(1, 0)[0]
    assert space.canonical(drawn).code == min(other.code for other in every if isomorphic(drawn, other))


@given(linked_spaces())
def test_any_space_has_them(space: ab.SequenceSpace) -> None:
    codes = space.to_codes(space.sample(20, 1))
    canonical = space.canonical_codes(codes)
    assert np.array_equal(space.canonical_codes(canonical), canonical)
    assert all(isomorphic(*pair) for pair in zip(*map(space.from_codes, (codes, canonical)), strict=True))


def test_in_a_path_it_is_the_architecture(toy: ab.SequenceSpace) -> None:
    codes = toy.sample_codes(np.random.default_rng(0), 9)
    assert toy.canonical_codes(codes) is codes
    assert [toy.canonical(a) for a in toy.from_codes(codes)] == toy.from_codes(codes)


def test_descriptions_of_one_hash_are_two() -> None:
    units = [ab.Unit(1, 1, features={"w": [number, 5]}) for number in (-1, -2)]  # Python: hash(-1) == hash(-2)
    space = ab.SequenceSpace("s", units, OP, links=[[], []])
    assert len({space.canonical(a) for a in space}) == space.size == 16


def test_many_twins_and_too_many_orders() -> None:
    wide = ab.SequenceSpace("s", [ab.Unit(1, 1)] * 30, OP, links=[[]] * 29 + [list(range(29))])
    some = wide.parse("|".join("ba" * 15))
    assert str(wide.canonical(some)) == "|".join("a" * 14 + "b" * 15 + "a")
    pairs = [[] if unit % 2 == 0 else [unit - 1] for unit in range(24)]
    with pytest.raises(ab.SpaceError, match="50,000 orders"):
        ab.SequenceSpace("s", [ab.Unit(1, 1)] * 24, OP, links=pairs).canonical_codes(np.ones((1, 48), np.uint8))


def read(name: str) -> list[list[int]]:
    return [[int(parent) - 1] if parent != "0" else [] for parent in name]


@functools.cache
def nas_bench_graph() -> ab.SequenceSpace:
    links = {name: read(name) for name in TREES}
    return ab.SequenceSpace("nas_bench_graph", [ab.Unit(1, 1)] * 4, {"op": OPERATIONS}, links=links)


def tree(parents: str, operations: tuple[str, ...], node: int = 0) -> str:
    """A rooted tree in writing, the same for isomorphic ones."""
    below = (tree(parents, operations, child + 1) for child in range(4) if parents[child] == str(node))
    return f"({operations[node - 1] if node else ''}{''.join(sorted(below))})"


def test_the_classes_of_nas_bench_graph() -> None:
    space = nas_bench_graph()
    codes = space.to_codes(list(space))
    assert space.size == 9 * 9**4 == len(codes)
    classes = space.from_codes(np.unique(space.canonical_codes(codes), axis=0))
    texts = {tree(str(a.global_features["links"]), tuple(layer for (layer,) in a.to_lists())) for a in space}
    assert len(classes) == len(texts) == 35_919


def without_skips(architecture: ab.Architecture) -> nx.MultiDiGraph:
    """The tree without `skip`, which passes on what it reads; a reader of it reads that, and so does the output."""
    parents, operations = str(architecture.global_features["links"]), [layer for (layer,) in architecture.to_lists()]

    def source(unit: int) -> int:
        return source(int(parents[unit - 1])) if unit and operations[unit - 1] == "skip" else unit

    result = nx.MultiDiGraph()
    result.add_nodes_from((unit, {"label": operations[unit - 1] if unit else "in"}) for unit in range(5))
    result.add_node(5, label="out")
    result.add_edges_from((source(int(parents[unit - 1])), unit) for unit in range(1, 5))
    result.add_edges_from((source(unit), 5) for unit in range(1, 5) if str(unit) not in parents and source(unit))
    result.remove_nodes_from([unit for unit in range(1, 5) if operations[unit - 1] == "skip"])
    return result


def written(graph: nx.MultiDiGraph, node: int = 0) -> str:
    below = sorted(written(graph, child) for _, child in graph.out_edges(node))
    return f"({graph.nodes[node]['label']}{''.join(below)})"


def test_the_benchmark_counts_classes_without_skips() -> None:
    space = nas_bench_graph()
    classes = space.from_codes(np.unique(space.canonical_codes(space.to_codes(list(space))), axis=0))
    trained = [a for a in classes if any(layer != "skip" for (layer,) in a.to_lists())]
    assert len({written(without_skips(a)) for a in trained}) == 26_206

"""Graphs of layers: their codes, order and edges, on spaces small enough to encode by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_lib.graphs import LayerGraphs, layer_graphs
from tests.helpers.edges import edge_index


@pytest.fixture(scope="module")
def tiny() -> ab.SequenceSpace:
    """Unit 1 has a feature that unit 0 lacks, and allows only the last operation."""
    return ab.SequenceSpace(
        "tiny",
        [ab.Unit(1, 2), ab.Unit(1, 2, features={"w": [16, 32]}, layer_features={"op": ["c"]})],
        {"op": ["a", "b", "c"], "k": ab.Continuous(values=[3, 5])},
        {"r": [10, 20]},
    )


def test_codes_by_hand(tiny: ab.SequenceSpace) -> None:
    architectures = [tiny.parse("r20|b_k5,a_k3|w32;c_k5"), tiny.parse("r10|c_k3|w16;c_k3,c_k5")]
    graphs = layer_graphs(tiny, architectures)
    assert [category.name for category in tiny.categories] == ["unit", "index", "op", "k", "w", "r"]
    absent = 2
    assert graphs.codes.tolist() == [
        [0, 0, 1, 1, absent, 1],
        [0, 1, 0, 0, absent, 1],
        [1, 0, 2, 1, 1, 1],
        [0, 0, 2, 0, absent, 0],
        [1, 0, 2, 0, 0, 0],
        [1, 1, 2, 1, 0, 0],
    ]
    assert graphs.lengths.tolist() == [3, 3] and graphs.starts.tolist() == [0, 3] and len(graphs) == 2
    assert edge_index(graphs).tolist() == [[0, 1, 3, 4], [1, 2, 4, 5]]
    assert graphs.codes.dtype == graphs.lengths.dtype == torch.int64


def test_ofa_nodes_have_the_features_of_the_published_checkpoints_in_order() -> None:
    space = ab.spaces.ofa_pn(resolutions=(192, 208, 224))
    stages = [["mbconv2_e3_k3", "mbconv2_e6_k7"]] * 5 + [["mbconv2_e4_k5"]]
    graphs = layer_graphs(space, [space.from_lists(stages, resolution=208)])
    assert graphs.codes[:2].tolist() == [[0, 0, 0, 0, 0, 1], [0, 1, 0, 2, 2, 1]]
    assert graphs.codes[-1].tolist() == [5, 0, 0, 1, 1, 1] and graphs.lengths.tolist() == [11]


@given(st.data())
def test_take_is_the_encoding_of_the_chosen_architectures(toy: ab.SequenceSpace, data: st.DataObject) -> None:
    drawn = toy.sample(np.random.default_rng(data.draw(st.integers(0, 99))), 8)
    chosen = data.draw(st.lists(st.integers(0, 7), min_size=1, max_size=12))
    taken, wanted = layer_graphs(toy, drawn).take(torch.tensor(chosen)), layer_graphs(toy, [drawn[i] for i in chosen])
    assert torch.equal(taken.codes, wanted.codes) and torch.equal(taken.lengths, wanted.lengths)
    assert torch.equal(edge_index(taken), edge_index(wanted))


@given(st.integers(1, 9))
def test_split_cuts_without_loss(toy: ab.SequenceSpace, size: int) -> None:
    graphs = layer_graphs(toy, toy.sample(np.random.default_rng(1), 7))
    parts = list(graphs.split(size))
    assert [len(part) for part in parts] == [size] * (7 // size) + [7 % size] * (7 % size > 0)
    assert torch.equal(torch.cat([part.codes for part in parts]), graphs.codes)
    assert all(len(part.codes) == part.lengths.sum() for part in parts)
    starts = torch.tensor([0, *(len(part.codes) for part in parts)]).cumsum(0)[:-1]
    edges = [edge_index(part) + start for part, start in zip(parts, starts, strict=True)]
    assert torch.equal(torch.cat(edges, dim=1), edge_index(graphs))


def test_single_nodes_have_no_edges() -> None:
    nothing = torch.zeros(2, dtype=torch.int64)
    lonely = LayerGraphs(nothing[:1, None], nothing, nothing + 1, nothing + 1, nothing)
    assert edge_index(lonely).shape == (2, 0)


def test_no_architectures_give_no_nodes(toy: ab.SequenceSpace) -> None:
    graphs = layer_graphs(toy, [])
    assert len(graphs) == 0 and graphs.codes.shape == (0, len(toy.categories))


def test_architectures_of_another_space_are_refused(toy: ab.SequenceSpace, tiny: ab.SequenceSpace) -> None:
    with pytest.raises(ab.SpaceError, match=r"'tiny' .* 'toy'"):
        layer_graphs(toy, [next(iter(tiny))])

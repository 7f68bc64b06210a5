"""Architectures as graphs in batches: by hand, against a loop over nodes, and what is refused."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.chapters.neighbours.graphs import INPUT, OUTPUT, checked, chunks, graphs_of, vocabulary
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE as CELLS
from autobuild_lib.data.table import DataError
from autobuild_lib.spaces import Architecture, SequenceSpace

PATHS = SequenceSpace(
    "paths", [ab.Unit(1, 2), ab.Unit(1, 3, {"width": [8, 16]})], {"op": ["a", "none"], "k": [3, 5, 7]}
)
LINKED = SequenceSpace(
    "linked", [ab.Unit(1, 1), ab.Unit(1, 2), ab.Unit(1, 3)], {"op": ["a", "b"]}, {"size": [1, 2]},
    links={"row": [[], [0], [1]], "skip": [[], [0], [0, 1]], "wide": [[], [], [0]]},
)  # fmt: skip


def edges_by_loops(architecture: Architecture) -> set[tuple[int, int]]:
    """Reader and what it reads, for every edge: input 0, layers from 1 on, the output last."""
    depths, ends, edges = architecture.depths, {}, set()
    first = 1
    for unit, depth in enumerate(depths):
        ends[unit] = (first, first + depth - 1)
        edges |= {(node, node - 1) for node in range(first + 1, first + depth)}
        first += depth
    for unit, sources in enumerate(architecture.links):
        edges |= {(ends[unit][0], node) for node in [ends[source][1] for source in sources] or [0]}
    inner = {source for _, source in edges}
    return edges | {(first, node) for node in range(1, first) if node not in inner}


@pytest.mark.parametrize("space", [CELLS, LINKED], ids=lambda space: space.name)
@given(seed=st.integers(0, 2**32 - 1))
def test_edges_are_those_of_a_loop(space: SequenceSpace, seed: int) -> None:
    drawn = space.sample(4, seed)
    graphs = graphs_of(space, drawn)
    for architecture, reads, there in zip(drawn, graphs.reads, graphs.there, strict=True):
        assert {(int(i), int(j)) for i, j in reads.nonzero()} == edges_by_loops(architecture)
        assert there.sum() == sum(architecture.depths) + 2 and there[: int(there.sum())].all()


def test_a_path_by_hand() -> None:
    network = PATHS.architecture([[{"op": "a", "k": 5}], {"width": 16, "layers": [{"op": "none", "k": 3}]}])
    graphs = graphs_of(PATHS, [network])
    # unit 0, 1; a, none; k 3, 5, 7; width 8, 16, absent; input, output
    rows = [[0] * 10 + [1, 0], [1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0], [0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0]]
    assert graphs.features[0].tolist() == [*rows, [0] * 10 + [0, 1], [0] * 12, [0] * 12, [0] * 12]
    assert vocabulary(PATHS).nothing == (3,) and vocabulary(PATHS).width == 12
    assert graphs.reads[0].nonzero().tolist() == [[1, 0], [2, 1], [3, 2]]
    values = torch.arange(7.0).reshape(1, 7, 1)
    assert graphs.mean(values).item() == 1.5 and graphs.output(values).item() == 3


def test_units_are_choices_in_a_row_and_not_in_a_cell() -> None:
    assert vocabulary(CELLS).width == 5 + 2 and vocabulary(LINKED).width == 2 + 2 + 2
    graphs = graphs_of(CELLS, CELLS.sample(3, 0))
    assert graphs.features[:, 0, INPUT].tolist() == [1] * 3 and graphs.features[:, 7, OUTPUT].tolist() == [1] * 3
    assert (graphs.features.sum(-1) == 1).all(), "a node of a cell is one operation, or an end"


def test_parts_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = PATHS.sample(7, 1)
    monkeypatch.setattr("autobuild_book.chapters.neighbours.graphs.CHUNK", 3)
    parts = list(chunks(PATHS, drawn))
    assert [len(part) for part in parts] == [3, 3, 1]
    assert torch.equal(torch.cat([part.reads for part in parts]), graphs_of(PATHS, drawn).reads)
    assert list(chunks(PATHS, [])) == []


def test_what_has_no_graphs_is_refused() -> None:
    same = SequenceSpace("same", [ab.Unit(1, 3)], {"op": ["a"]})
    with pytest.raises(DataError, match="same"):
        vocabulary(same)

    @dataclass
    class Bare:
        source: str = "bare.csv"

    with pytest.raises(DataError, match=r"bare\.csv"):
        checked(Bare())  # type: ignore[arg-type]
    table = ab.data.from_records(PATHS, [(PATHS.sample(1, 0)[0], {"y": 1.0})])
    assert checked(table) is table and np.isfinite(table.labels["y"]).all()

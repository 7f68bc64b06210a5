"""Properties of graphs against NetworkX, and search by rewiring."""

from types import SimpleNamespace

import networkx as nx  # type: ignore[import-untyped]
import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE as CELLS
from autobuild_book.chapters.neighbours.network_graphs import (
    NETWORK_GRAPHS,
    NETWORK_GRAPHS_OF_CHOICES,
    NONE,
    PROPERTIES,
    graph_features,
    properties,
    rewired,
    search,
)
from autobuild_lib.data.table import make_table
from autobuild_lib.spaces import SequenceSpace

PATHS = SequenceSpace("paths", [ab.Unit(1, 3), ab.Unit(1, 2)], {"op": ["a", "none"], "k": [3, 5]})


def by_networkx(reads: np.ndarray, nodes: list[int], first: int, last: int) -> list[float]:
    """The same properties of one graph, one after the other."""
    directed = nx.DiGraph()
    directed.add_nodes_from(nodes)
    directed.add_edges_from((j, i) for i, j in np.argwhere(reads) if i in nodes and j in nodes)
    graph = directed.to_undirected()
    degrees = [degree for _, degree in graph.degree]
    distances = [
        d for source, to in nx.all_pairs_shortest_path_length(graph) for node, d in to.items() if node != source
    ]
    ways = [len(way) - 1 for way in nx.all_simple_paths(directed, first, last)]
    matrix = nx.to_numpy_array(graph)
    return [
        len(nodes), directed.number_of_edges(), np.mean(degrees), np.std(degrees), max(degrees),
        np.mean(distances) if distances else 0, max(distances, default=0), nx.global_efficiency(graph),
        nx.average_clustering(graph), nx.transitivity(graph), np.linalg.eigvalsh(matrix)[-1],
        np.sort(nx.laplacian_spectrum(graph))[1], max(ways, default=NONE), min(ways, default=NONE), np.log1p(len(ways)),
    ]  # fmt: skip


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_properties_are_those_of_networkx(share: float) -> None:
    rng = np.random.default_rng(int(10 * share))
    reads = np.tril(rng.random((12, 7, 7)) < share, -1).astype(np.float32)
    alive = rng.random((12, 7)) < 0.8
    alive[:, [0, 6]] = True
    ends = torch.eye(7)[[0, 6]][:, None].expand(2, 12, 7)
    made = properties(torch.from_numpy(reads), torch.from_numpy(alive).float(), *ends)
    for row, matrix, kept in zip(made, reads, alive, strict=True):
        expected = by_networkx(matrix, np.flatnonzero(kept).tolist(), 0, 6)
        assert row.tolist() == pytest.approx(expected, abs=2e-4), PROPERTIES


def test_a_cell_by_hand() -> None:
    conv, none = "nor_conv_3x3", "none"
    cut = CELLS.parse("|".join([conv, none, none, none, conv, none]))  # input -> unit 0 -> unit 4 -> output
    row = graph_features(CELLS, [cut]).iloc[0]
    assert row[["network nodes", "network edges", "network depth", "network shortest way"]].tolist() == [4, 3, 3, 3]
    assert row["network path length"] == pytest.approx((3 * 1 + 2 * 2 + 1 * 3) / 6) and row["network clustering"] == 0
    many = graph_features(CELLS, [cut], choices=True)
    assert (
        many.shape[1] == 6 * len(PROPERTIES)
        and many["choice 2 nodes"].item() == 4
        and many["choice 0 nodes"].item() == 2
    )
    assert graph_features(CELLS, []).empty


def test_a_rewiring_changes_one_choice_and_stays_in_the_space() -> None:
    rng = np.random.default_rng(0)
    for space in (CELLS, PATHS):
        codes = space.sample_codes(rng, 200)
        made = rewired(space, codes, rng)
        changed = (codes != made).sum(1)
        assert changed.max() >= 1 and all(network in space for network in space.from_codes(made))
        same = (space.depths(codes) == space.depths(made)).all(1)
        assert (changed[same] <= 1).all() and (changed[~same].max(initial=0) <= 1 + 2 * 2)
        assert str(space.parse(str(space.from_codes(made)[0]))) == str(space.from_codes(made)[0])


def test_search_climbs_to_the_best_cell() -> None:
    model = SimpleNamespace(
        predict=lambda cells: np.array([str(cell).count("3x3") - str(cell).count("avg") for cell in cells])
    )
    best = search(model, CELLS, np.random.default_rng(1), 12, 150)
    worth = model.predict(CELLS.from_codes(best))
    assert worth[0] == 6 and (np.diff(worth) <= 0).all()


@pytest.mark.parametrize("model", [NETWORK_GRAPHS, NETWORK_GRAPHS_OF_CHOICES], ids=lambda model: model.name)
def test_what_rests_on_the_graph_is_learnt(model: object) -> None:
    cells = list(dict.fromkeys(CELLS.sample(150, 3)))
    depth = graph_features(CELLS, cells)["network depth"].tolist()
    train, test = make_table(CELLS, cells, {"y": depth}, source="depths", kind="yours").split(0.7, seed=0)
    (learnt,) = model.fit_many(train, ["y"])  # type: ignore[attr-defined]
    predicted = learnt.predict(test.architectures)
    assert np.corrcoef(predicted, test.labels["y"])[0, 1] > 0.85, "many depths are equal, and so ranks say little"
    assert len(learnt.predict([])) == 0

"""Networks of operations on edges: topologies in the place of edges, dead ends, cells, graphs of the library."""

import pytest

import autobuild_lib as ab
from autobuild_book.chapters.neighbours.grammars.grammar import load_grammar, read_grammar
from autobuild_book.chapters.neighbours.grammars.networks import wiring_of_term
from autobuild_book.chapters.neighbours.grammars.terms import Reader
from autobuild_book.chapters.neighbours.grammars.topologies import TOPOLOGIES
from autobuild_book.chapters.neighbours.wiring import Wiring, wired


def network(text: str) -> Wiring:
    return wiring_of_term(Reader(text, "term").term(), TOPOLOGIES)


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("a", [(0, 1, "a")]),
        ("Sequential(a, b)", [(0, 1, "a"), (1, 2, "b")]),
        ("Residual(a, c, b)", [(0, 1, "a"), (0, 2, "c"), (1, 2, "b")]),
        ("Residual(a, b, d, c)", [(0, 1, "a"), (0, 3, "d"), (1, 2, "b"), (2, 3, "c")]),
        ("Sequential(Residual(a, c, b), d)", [(0, 1, "a"), (0, 2, "c"), (1, 2, "b"), (2, 3, "d")]),
        ("Residual(Sequential(a, b), c, d)", [(0, 1, "a"), (0, 3, "c"), (1, 2, "b"), (2, 3, "d")]),
        ("Residual(a, none, b)", [(0, 1, "a"), (1, 2, "b")]),
        ("Residual(a, c, none)", [(0, 1, "c")]),
        ("Sequential(a, none)", []),
    ],
)
def test_terms_by_hand(text: str, edges: list[tuple[int, int, str]]) -> None:
    assert network(text) == Wiring(tuple(edges))


def test_a_diamond_and_who_reads_what() -> None:
    diamond = network("Diamond(a, b, c, d)")
    assert sorted(name for begin, _, name in diamond.edges if begin == 0) == ["a", "b"]
    names = diamond.labels()
    pairs = {(names[node], names[read]) for node, read in diamond.readers()}
    expected = {("a", "input"), ("b", "input"), ("c", "a"), ("d", "b"), ("output", "c"), ("output", "d")}
    assert pairs == expected and len(diamond.readers()) == 6
    assert len(network("Diamond(a, b, c, d, e, f)").edges) == 6
    assert Wiring(()).readers() == [] and Wiring(()).labels() == ["input", "output"]


def test_cells() -> None:
    cell = ("nor_conv_3x3", "none", "nor_conv_1x1", "skip_connect", "none", "avg_pool_3x3")
    assert network(f"Cell({', '.join(cell)})").cell() == cell
    assert network("Cell(a, b, c, none, none, none)").cell() == ("none",) * 6, "nothing enters the output"
    assert network("Sequential(a, b)").cell() == ("a", "none", "none", "none", "b", "none")
    assert network("Sequential(a, b, c, d)").cell() is None
    assert wired([(0, 1, "a"), (0, 1, "b")], 0, 1).cell() is None, "a cell has one operation between two vertices"


def test_networks_are_graphs_of_the_library() -> None:
    conv, skip, pool = "nor_conv_3x3", "skip_connect", "avg_pool_3x3"
    graphs = [network(text).to_networkx() for text in (f"Residual({conv}, {skip}, {pool})", conv)]
    table = ab.data.ir_table(graphs, {"acc": [1.0, 2.0]}, progress=False)
    assert sorted(table.graphs[0].names) == ["Add", "AveragePool", "Conv", "Identity", "Input", "Output"]
    assert table.graphs[0].edges.shape[1] == 6 and table.graphs[1].names == ["Input", "Conv", "Output"]
    with pytest.raises(ValueError, match="fc") as error:
        network("Sequential(fc, fc)").to_networkx()
    assert "\n" not in str(error.value) and conv in str(error.value)


def test_a_topology_of_the_text() -> None:
    grammar = read_grammar("Fork: 0>1 0>2 1>3 2>3 1>2\nA = Fork(a, b, c, d, e)")
    (right,) = grammar.productions["A"]
    edges = [(0, 1, "a"), (0, 2, "b"), (1, 2, "e"), (1, 3, "c"), (2, 3, "d")]
    assert wiring_of_term(right, grammar.topologies) == Wiring(tuple(edges))
    assert load_grammar("cells").topologies["Cell"].edges(6)[2] == (1, 2)

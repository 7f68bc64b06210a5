"""Graph features of op-level graphs: by hand, against networkx, and whatever the order of the nodes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.chapters.shared.models import graf
from autobuild_book.chapters.shared.models.graf import NO_PATH, graph_features, operation_sets, operations_of
from autobuild_lib.graphs import OPERATIONS, IRGraph, IRNode, graph_of
from autobuild_lib.graphs.ir import PLACES
from tests.benchmarks.plain_graf import plain_graf
from tests.helpers.random_dags import random_dag

SEEDS = st.integers(0, 2**32 - 1)


def graph(*nodes: tuple[str, tuple[int, ...]]) -> IRGraph:
    return graph_of([IRNode(operation, inputs) for operation, inputs in nodes])


def bridge() -> IRGraph:
    """A convolution and its activation, with a bridge around both: input -> Conv -> Relu -> Add, and input -> Add."""
    return graph(("Input", ()), ("Conv", (0,)), ("Relu", (1,)), ("Add", (0, 2)), ("Output", (3,)))


def rows(frame: pd.DataFrame) -> dict[str, float]:
    return {str(name): float(value) for name, value in frame.iloc[0].items()}


class TestByHand:
    def test_bridge(self) -> None:
        found = rows(graph_features([bridge()]))
        expected = {
            # edges of the shortest path, and most operations on any path, that keep to the set
            "shortest[Conv]": NO_PATH, "longest[Conv]": NO_PATH,
            "shortest[Relu]": NO_PATH, "longest[Relu]": NO_PATH,
            "shortest[Add]": 2, "longest[Add]": 1,
            "shortest[Conv+Relu]": NO_PATH, "longest[Conv+Relu]": NO_PATH,
            "shortest[Conv+Add]": 2, "longest[Conv+Add]": 1,
            "shortest[Relu+Add]": 2, "longest[Relu+Add]": 1,
            "shortest[Conv+Relu+Add]": 2, "longest[Conv+Relu+Add]": 3,
            # edges from the input, and to the output
            "input[Conv]": 1, "input[Relu]": 0, "input[Add]": 1, "input[Conv+Add]": 2, "input[Conv+Relu+Add]": 2,
            "output[Conv]": 0, "output[Relu]": 0, "output[Add]": 1, "output[Conv+Relu]": 0, "output[Relu+Add]": 1,
            # edges out of, and into, nodes of the set: 5 edges and 5 nodes in all
            "average_in[Conv]": 1 / 5, "average_in[Relu]": 1 / 5, "average_in[Add]": 1 / 5,
            "average_in[Conv+Relu+Add]": 3 / 5,
            "average_out[Conv]": 1 / 5, "average_out[Relu]": 1 / 5, "average_out[Add]": 2 / 5,
            "average_out[Relu+Add]": 3 / 5,
            "count[Conv]": 1, "count[Relu]": 1, "count[Add]": 1,
        }  # fmt: skip
        assert {name: found[name] for name in expected} == pytest.approx(expected)
        assert len(found) == 3 + 6 * 7

    def test_the_ends_are_no_operations(self) -> None:
        chain = rows(graph_features([graph(("Input", ()), ("Conv", (0,)), ("Conv", (1,)), ("Output", (2,)))]))
        assert (chain["shortest[Conv]"], chain["longest[Conv]"], chain["count[Conv]"]) == (3, 2, 2)

    def test_two_arms_of_different_length(self) -> None:
        arms = graph(("Input", ()), ("Conv", (0,)), ("Conv", (1,)), ("Conv", (2,)), ("Relu", (0,)), ("Add", (3, 4)),
                     ("Output", (5,)))  # fmt: skip
        found = rows(graph_features([arms]))
        assert (found["shortest[Conv+Add]"], found["longest[Conv+Add]"]) == (5, 4)
        assert (found["shortest[Relu+Add]"], found["longest[Relu+Add]"]) == (3, 2)
        assert (found["shortest[Conv+Relu+Add]"], found["longest[Conv+Relu+Add]"]) == (3, 4)

    def test_an_edge_that_occurs_twice_counts_twice(self) -> None:
        square = rows(graph_features([graph(("Input", ()), ("Mul", (0, 0)), ("Output", (1,)))]))
        assert (square["input[Mul]"], square["average_out[Mul]"], square["longest[Mul]"]) == (2, 2 / 3, 1)

    def test_ends_are_added_to_graphs_without(self) -> None:
        with_ends = graph(("Input", ()), ("Conv", (0,)), ("Relu", (1,)), ("Add", (1, 2)), ("Output", (3,)))
        inner = graph(("Conv", ()), ("Relu", (0,)), ("Add", (0, 1)))
        pd.testing.assert_frame_equal(graph_features([inner]), graph_features([with_ends]))

    def test_an_operation_that_is_not_looked_at_is_in_no_set(self) -> None:
        found = rows(graph_features([bridge()], ["Conv", "Relu"]))
        assert found["shortest[Conv+Relu]"] == NO_PATH and "count[Add]" not in found
        assert found["average_in[Conv+Relu]"] == 2 / 5

    def test_operations_that_do_not_occur_have_columns(self) -> None:
        assert rows(graph_features([bridge()], ["Gelu"]))["count[Gelu]"] == 0


class TestSets:
    @pytest.mark.parametrize("number", range(1, 7))
    def test_all_sets_of_few(self, number: int) -> None:
        sets = operation_sets([f"o{n}" for n in range(number)])
        assert len(sets.names) == len(set(map(tuple, sets.members.tolist()))) == 2**number - 1
        assert sets.members.any(1).all()

    def test_singles_and_complements_of_many(self) -> None:
        sets = operation_sets(list("abcdefg"))
        assert sets.names == (*"abcdefg", *(f"not {x}" for x in "abcdefg"))
        assert (sets.members[:7] == np.eye(7, dtype=bool)).all() and (sets.members[7:] == ~np.eye(7, dtype=bool)).all()


def drawn(seed: int) -> list[IRGraph]:
    """Random graphs of up to nine operations; in half of them, some first and last nodes are inputs and outputs."""
    rng = np.random.default_rng(seed)
    kinds, ends = int(rng.choice([2, 6, 14, 18])), rng.random() < 0.5
    found = []
    for _ in range(4):
        one = random_dag(rng, kinds, most=14)
        operations = one.operations.copy()
        if ends:
            bare = ~np.isin(np.arange(len(one)), one.edges[1])
            last = ~np.isin(np.arange(len(one)), one.edges[0]) & ~bare
            operations[bare & (rng.random(len(one)) < 0.7)] = PLACES["Input"]
            operations[last & (rng.random(len(one)) < 0.7)] = PLACES["Output"]
        found.append(IRGraph(operations, one.shapes, one.attributes, one.edges))
    return found


@given(SEEDS)
def test_equals_networkx(seed: int) -> None:
    graphs = drawn(seed)
    kinds = operations_of(graphs) or ["Conv"]
    found = graph_features(graphs, kinds)
    for (_, row), one in zip(found.iterrows(), graphs, strict=True):
        assert row.to_dict() == pytest.approx(plain_graf(one, kinds))


def in_another_order(one: IRGraph, rng: np.random.Generator) -> IRGraph:
    """The same graph, its nodes in another topological order and its edges in any."""
    waiting = np.bincount(one.edges[1], minlength=len(one))
    free, order = list(np.flatnonzero(waiting == 0)), []
    while free:
        order.append(free.pop(int(rng.integers(len(free)))))
        for target in one.edges[1][one.edges[0] == order[-1]]:
            waiting[target] -= 1
            if waiting[target] == 0:
                free.append(target)
    place = np.argsort(order)
    edges = place[one.edges][:, rng.permutation(one.edges.shape[1])]
    return IRGraph(one.operations[order], one.shapes[order], one.attributes[order], edges)


@given(SEEDS)
def test_the_order_of_nodes_does_not_matter(seed: int) -> None:
    rng, graphs = np.random.default_rng(seed), drawn(seed)
    kinds = operations_of(graphs) or ["Conv"]
    shuffled = [in_another_order(one, rng) for one in graphs]
    pd.testing.assert_frame_equal(graph_features(shuffled, kinds), graph_features(graphs, kinds))


def test_a_real_network_equals_networkx() -> None:
    for space in (ab.spaces.ofa_mbv3(), ab.spaces.ofa_pn()):
        one = ab.graphs.ir_graph(space.sample(np.random.default_rng(0)))
        kinds = operations_of([one])
        assert rows(graph_features([one])) == pytest.approx(plain_graf(one, kinds))


def test_rows_do_not_depend_on_other_graphs_or_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    graphs = [random_dag(rng, 8, most=20) for _ in range(11)]
    kinds = operations_of(graphs)
    together = graph_features(graphs, kinds)
    monkeypatch.setattr(graf, "CHUNK", 3)
    pd.testing.assert_frame_equal(graph_features(graphs, kinds), together)
    alone = pd.concat([graph_features([one], kinds) for one in graphs], ignore_index=True)
    pd.testing.assert_frame_equal(alone, together)


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one graph"):
        graph_features([])
    with pytest.raises(ValueError, match=r"Convolve .* vocabulary: Input, Output, Conv"):
        graph_features([bridge()], ["Convolve"])
    for wrong in (["Conv", "Conv"], ["Input", "Conv"]):
        with pytest.raises(ValueError, match="each must stand there once"):
            graph_features([bridge()], wrong)


def test_operations_are_in_the_order_of_the_vocabulary() -> None:
    found = operations_of([graph(("Input", ()), ("Tanh", (0,)), ("Conv", (1,)), ("Output", (2,)))])
    assert found == ["Conv", "Tanh"] and found == sorted(found, key=OPERATIONS.index)

"""Tables of a reader's networks: graphs, files and networkx side by side, trained on, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from onnx import helper

import autobuild_lib as ab
from autobuild_lib.data import DataError, IRTable, ir_table
from autobuild_lib.graphs import IRGraph, IRNode, graph_of
from autobuild_lib.graphs.ir import ir_from_networkx
from tests.helpers.onnx_files import IMAGE, written
from tests.helpers.random_dags import random_dag

INSIDE = (1, 8, 16, 16)


def chain(*activations: str) -> IRGraph:
    """An image, activations, the end."""
    nodes = [IRNode("Input", output_shapes=[IMAGE])]
    for operation in activations:
        nodes.append(IRNode(operation, [len(nodes) - 1], [IMAGE], [IMAGE]))
    return graph_of([*nodes, IRNode("Output", [len(nodes) - 1], [IMAGE])])


def file(path: Path, *activations: str) -> Path:
    names = ["x", *(f"t{place}" for place in range(len(activations) - 1)), "y"]
    pairs = zip(activations, names, names[1:], strict=False)
    return written(path, [helper.make_node(name, [read], [made]) for name, read, made in pairs])


def digraph(*activations: str) -> nx.DiGraph:
    graph = nx.DiGraph()
    for place, operation in enumerate(activations):
        graph.add_node(f"a{place}", operation=operation, output_shapes=[IMAGE], label="ignored")
    graph.add_node("end", operation="Output")
    graph.add_node("start", operation="Input", output_shapes=[IMAGE])
    nx.add_path(graph, ["start", *(f"a{place}" for place in range(len(activations))), "end"])
    return graph


def same(a: IRGraph, b: IRGraph) -> None:
    for name in ("operations", "shapes", "attributes", "edges"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_networks_of_every_kind_stand_in_one_table(tmp_path: Path) -> None:
    networks = [chain("Relu", "Tanh"), file(tmp_path / "a.onnx", "Elu"), str(file(tmp_path / "b.onnx", "Tanh", "Relu"))]
    table = ir_table([*networks, digraph("Sigmoid", "Elu")], {"acc": [1, 2, 3, np.nan], "size": (4.0, 3, 2, 1)})
    assert isinstance(table, IRTable) and len(table) == 4 and list(table.labels) == ["acc", "size"]
    for graph, names in zip(table.graphs, ["Relu Tanh", "Elu", "Tanh Relu", "Sigmoid Elu"], strict=True):
        same(graph, chain(*names.split()))
    assert table.kind == "yours" and len(set(table.names)) == 4 and table.families == ("yours",) * 4
    assert table.labels["size"].tolist() == [4, 3, 2, 1] and np.isnan(table.labels["acc"][3])
    with pytest.raises(DataError, match="missing in 1 of 4 rows: 3"):
        table.evaluate(ab.Target("acc"))
    assert len(table.complete("acc")) == 3


def test_labels_are_taken_by_row_not_by_index() -> None:
    labels = pd.DataFrame({"y": [3.0, 1.0]}, index=[7, 5])
    table = ir_table([chain("Relu"), chain("Tanh")], labels, names=["first", "second"])
    assert table.labels["y"].tolist() == [3, 1] and table.names == ("first", "second")
    column = pd.Series([3.0, 1.0], index=["b", "a"])
    again = ir_table([chain("Relu"), chain("Tanh")], {"y": column, "z": np.arange(2)}, names=["first", "second"])
    assert again.labels["y"].tolist() == [3, 1] and again.labels["z"].tolist() == [0, 1]
    assert again.sha256 != table.sha256 == ir_table(table.graphs, labels, names=table.names).sha256


REFUSED: dict[str, tuple[Callable[[], list[Any]], Any, str]] = {
    "equal": (lambda: [chain("Relu"), chain("Tanh"), chain("Relu")], {"y": [1, 2, 3]}, "row 2: .* row 0"),
    "fewer": (lambda: [chain("Relu"), chain("Tanh")], {"x": [1, 2], "y": [1]}, "2 networks.*y.: 1"),
    "more": (lambda: [chain("Relu")], pd.DataFrame({"y": [1.0, 2.0]}), "1 networks.*y.: 2"),
    "nothing": (list, {"y": []}, "at least one"),
    "no label": (lambda: [chain("Relu")], {}, "label"),
    "infinite": (lambda: [chain("Relu")], {"y": [np.inf]}, "row 0: label y"),
    "text": (lambda: [chain("Relu")], {"y": ["good"]}, "row 0: label y"),
    "no labels": (lambda: [chain("Relu")], None, "labels for its networks"),
    "module": (lambda: [chain("Relu"), object()], {"y": [1, 2]}, "row 1: .*object.*ir_from_module"),
    "no operation": (lambda: [nx.path_graph(3, nx.DiGraph)], {"y": [1]}, "row 0: operations .none, of node 0"),
    "vocabulary": (lambda: [digraph("Relu", "conv3x3")], {"y": [1]}, "row 0: .*conv3x3"),
    "cycle": (lambda: [nx.cycle_graph(3, nx.DiGraph)], {"y": [1]}, "row 0: .*cycle"),
    "empty": (lambda: [nx.DiGraph()], {"y": [1]}, "row 0: .*at least one"),
    "shapes": (lambda: [nx.DiGraph([("a", "b")])], {"y": [1]}, "row 0: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_tables(name: str) -> None:
    networks, labels, message = REFUSED[name]
    with pytest.raises(DataError, match=message):
        ir_table(networks(), labels)


@pytest.mark.parametrize("fields", [{"output_shapes": 3}, {"output_shapes": ["ab"]}, {"kernel": "x"}, {"groups": "2"},
                                    {"groups": 2, "output_shapes": []}, {"output_shapes": [(1, np.nan)]}])  # fmt: skip
def test_attributes_that_are_none(fields: dict[str, Any]) -> None:
    graph = digraph("Relu")
    graph.nodes["a0"].update(fields)
    with pytest.raises(DataError, match="row 0"):
        ir_table([graph], {"y": [1]})


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\x01")
    with pytest.raises(DataError, match=r"row 1: .*broken"):
        ir_table([chain("Relu"), tmp_path / "broken.onnx"], {"y": [1, 2]})
    with pytest.raises(FileNotFoundError):
        ir_table([tmp_path / "none.onnx"], {"y": [1]})


def test_edges_and_attributes_of_networkx() -> None:
    """Nodes in any order; several edges in order; what stands in no attribute is 0."""
    point = {"kernel": (3, 3), "groups": 2, "dilation": (1, 1), "bias": True}
    graph = nx.MultiDiGraph()
    graph.add_node("twice", operation="Add", output_shapes=[INSIDE])
    graph.add_node("conv", operation="Conv", output_shapes=[INSIDE], **point)
    graph.add_node("image", operation="Input", output_shapes=[IMAGE])
    graph.add_edges_from([("image", "conv"), ("conv", "twice"), ("conv", "twice")])
    nodes = [IRNode("Input", output_shapes=[IMAGE]), IRNode("Conv", [0], [IMAGE], [INSIDE], **point)]  # type: ignore[arg-type]
    same(ir_from_networkx(graph), graph_of([*nodes, IRNode("Add", [1, 1], [INSIDE] * 2, [INSIDE])]))


def test_any_order_of_random_graphs_is_the_same_network() -> None:
    for seed in range(20):
        graph = random_dag(np.random.default_rng(seed))
        order = np.random.default_rng(seed + 1).permutation(len(graph)).tolist()
        shuffled, again = nx.MultiDiGraph(), nx.MultiDiGraph()
        shuffled.add_nodes_from((place, {"operation": graph.names[place]}) for place in order)
        shuffled.add_edges_from(graph.edges.T.tolist())
        made = ir_from_networkx(shuffled)
        again.add_nodes_from((place, {"operation": name}) for place, name in enumerate(made.names))
        again.add_edges_from(made.edges.T.tolist())
        assert nx.is_isomorphic(shuffled, again, node_match=lambda a, b: a["operation"] == b["operation"])


def test_a_table_trains_a_predictor_with_importances() -> None:
    names = ["Relu", "Tanh", "Elu", "Sigmoid"]
    graphs = [chain(*np.random.default_rng(seed).choice(names, 5)) for seed in range(24)]
    table = ir_table(graphs, {"y": [graph.names.count("Tanh") + 1.0 for graph in graphs]})
    predictor = ab.fit_ir(table, "y", preset="tuned", progress=False, epochs=3)
    importance = predictor.operation_importance()
    assert set(importance.operation) == {*names, "Input", "Output"} and importance.importance.is_monotonic_decreasing
    assert np.isfinite(predictor.predict(table.graphs)).all()

"""Tables of IR graphs from released caches, and what is refused."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.tracing.onnx_nodes import onnx_nodes
from autobuild_book.tracing.released import load_ir
from autobuild_lib.data import DataError
from autobuild_lib.graphs import IRGraph, IRNode, graph_of, ir_graph
from autobuild_lib.released.caches import RELEASED, read_records
from autobuild_lib.released.unpickle import Graph, Node

FILE = RELEASED["ofa_mbv3_pn_ir"]


def same(a: IRGraph, b: IRGraph) -> None:
    for name in ("operations", "shapes", "attributes", "edges"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_golden_cache(reference: Path, tmp_path: Path) -> None:
    path = reference / "released_format" / FILE
    table = load_ir(path)
    assert table.families == ("ofa_mbv3", "ofa_mbv3", "ofa_pn", "ofa_pn") and table.kind == "released"
    assert list(table.labels) == ["acc", "latency_gpu", "latency_cpu", "latency_npu"]
    assert [len(graph) for graph in table.graphs] == [325, 325, 161, 188]
    edges = [vars(record.graph)["src2dst"].values() for record in read_records(path)]
    assert [graph.edges.shape[1] for graph in table.graphs] == [sum(map(len, readers)) for readers in edges]
    shutil.copy(path, tmp_path)
    again = load_ir("released:ofa_mbv3_pn_ir", tmp_path)
    assert again.sha256 == table.sha256 and again.source == "released:ofa_mbv3_pn_ir"
    with pytest.raises(DataError, match="load_ir"):
        ab.data.load(path)


def test_golden_cache_has_the_convolutions_of_our_graphs(reference: Path) -> None:
    """Hard swish is spelt out there; convolutions, normalisation and the classifier must be ours, features included."""
    table = load_ir(reference / "released_format" / FILE)
    spaces = {"ofa_mbv3": ab.spaces.ofa_mbv3, "ofa_pn": ab.spaces.ofa_pn}
    for graph, family, name in zip(table.graphs, table.families, table.names, strict=True):
        ours = ir_graph(spaces[family](resolutions=(192, 208, 224)).parse(name))
        for operation in ("Conv", "BatchNormalization", "Gemm"):
            assert rows(graph, operation) == rows(ours, operation)


def rows(graph: IRGraph, operation: str) -> Counter[tuple[float, ...]]:
    chosen = [name == operation for name in graph.names]
    features = np.concatenate([graph.shapes[chosen], graph.attributes[chosen]], axis=1)
    return Counter(map(tuple, features.tolist()))


def test_a_released_cache_trains_a_predictor(reference: Path) -> None:
    table = load_ir(reference / "released_format" / FILE)
    predictor = ab.fit_ir(table, "acc", epochs=2, progress=False)
    assert np.isfinite(predictor.predict(table.graphs)).all()


# -------------------------------------------------------------------- graphs of the released format


def tensor(name: str, *shape: int) -> dict[str, Any]:
    return {"name": name, "type": {"tensorType": {"shape": {"dim": [{"dimValue": str(size)} for size in shape]}}}}


def node(key: str, operation: str, inputs: list[Any], outputs: list[Any], **more: Any) -> Node:
    made = Node()
    fields = {"str_id": key, "name": key, "op_type": operation, "inputs": inputs, "outputs": outputs}
    vars(made).update({"attribute": [], "initializer": None} | fields | more)
    return made


def convolution(**change: Any) -> dict[str, Any]:
    sizes = {"kernel_shape": ["3", "3"], "dilations": ["2", "2"]} | change
    return {
        "attribute": [{"name": "group", "i": "2"}, *({"name": name, "ints": each} for name, each in sizes.items())],
        "initializer": {"w": {"dims": ["8", "2", "3", "3"]}, "b": {"dims": ["8"]}},
    }


IMAGE, INNER = (1, 4, 16, 16), (1, 8, 16, 16)


def graph(**change: Any) -> Graph:
    """image -> conv -> relu -> add(conv, relu), with dummy nodes at the ends."""
    made = Graph()
    fields = {
        "nodes": [
            node("in", "input_dummy", [], [tensor("image", *IMAGE)]),
            node("c", "Conv", [tensor("image", *IMAGE)], [tensor("c", *INNER)], **convolution()),
            node("r", "Relu", [tensor("c", *INNER)], [tensor("r", *INNER)]),
            node("a", "Add", [tensor("c", *INNER), tensor("r", *INNER)], [tensor("a", *INNER)]),
            node("out", "output_dummy", [tensor("a", *INNER)], []),
        ],
        "src2dst": {"in": ["c"], "c": ["r", "a"], "r": ["a"], "a": ["out"]},
    }
    vars(made).update(fields | change)
    return made


def test_a_small_graph_by_hand() -> None:
    expected = graph_of([
        IRNode("Input", output_shapes=[IMAGE]),
        IRNode("Conv", [0], [IMAGE], [INNER], kernel=(3, 3), groups=2, dilation=(2, 2), bias=True),
        IRNode("Relu", [1], [INNER], [INNER]),
        IRNode("Add", [1, 2], [INNER, INNER], [INNER]),
        IRNode("Output", [3], [INNER]),
    ])  # fmt: skip
    found = graph_of(onnx_nodes(graph(), "here"))
    same(found, IRGraph(found.operations, expected.shapes, expected.attributes, expected.edges[:, [0, 1, 2, 3, 4]]))
    assert found.names == expected.names


def test_nodes_in_any_order() -> None:
    shuffled = graph(nodes=vars(graph())["nodes"][::-1])
    found = graph_of(onnx_nodes(shuffled, "here"))
    assert found.names == ["Input", "Conv", "Relu", "Add", "Output"]


def test_defaults_of_convolutions() -> None:
    bare = node("c", "Conv", [tensor("image", *IMAGE)], [tensor("c", *INNER)], attribute=[], initializer=None)
    vars(bare)["attribute"] = [{"name": "kernel_shape", "ints": ["1", "1"]}]
    (found,) = onnx_nodes(graph(nodes=[bare], src2dst={}), "here")
    assert (found.groups, list(found.dilation), found.bias) == (1, [1, 1], False)
    assert found.input_shapes == [list(IMAGE)]  # nobody computes it, so it is the image


def changed(number: int, **fields: Any) -> Callable[[], Graph]:
    def make() -> Graph:
        made = graph()
        vars(vars(made)["nodes"][number]).update(fields)
        return made

    return make


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: None, "graph is a NoneType"),
        (lambda: [graph()], "graph is a list"),
        (Graph, "there is no 'nodes'"),
        (lambda: graph(nodes={}), "a dict; allowed: a list"),
        (lambda: graph(nodes=[1]), "a int among the nodes"),
        (lambda: graph(src2dst={"in": ["nowhere"]}), "src2dst .*'nowhere'"),
        (lambda: graph(src2dst={"in": "c"}), "a str; allowed: a list"),
        (lambda: graph(src2dst=None), "malformed graph"),
        (lambda: graph(src2dst={"r": ["a"], "a": ["r"]}), "cycle"),
        (lambda: graph(src2dst={1: ["a"]}), "a int; allowed: text"),
        (changed(1, op_type=None), "a NoneType; allowed: text"),
        (changed(1, inputs=None), "a NoneType; allowed: a list"),
        (changed(1, inputs=[3]), "malformed graph"),
        (changed(1, attribute=[]), "there is no 'kernel_shape'"),
        (changed(1, outputs=[]), "node c .*output channels"),
        (changed(1, outputs=[tensor("c", 1, 0, 4)]), "node c .*output channels"),
        (changed(1, **convolution(kernel_shape=["x"])), "malformed graph"),
        (changed(1, **convolution(kernel_shape=[-1])), "size -1; allowed: whole numbers from 0"),
        (changed(1, **convolution(kernel_shape=["9" * 5000])), "malformed graph"),
        (changed(1, **convolution(dilations=[float("nan")])), "size nan"),
        (changed(2, outputs=[tensor("r", 1, 2**40)]), "size '1099511627776'"),
    ],
)
def test_malformed_graphs_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        onnx_nodes(make(), "cache.pkl, entry 3")
    assert str(caught.value).startswith("cache.pkl, entry 3: ") and "\n" not in str(caught.value)


def test_all_unknown_operations_are_named(reference: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = read_records(reference / "released_format" / FILE)
    for record, name in zip(records, ("Loop", "If", "Loop", "Conv"), strict=True):
        vars(record.graph)["nodes"][0].op_type = name
    monkeypatch.setattr("autobuild_lib.data.caches.read_records", lambda path: records)
    with pytest.raises(DataError, match=r"If, Loop .*: Input, Output, Conv"):
        load_ir(reference / "released_format" / FILE)


def test_swish_of_onnx_is_silu(reference: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = read_records(reference / "released_format" / FILE)
    vars(records[0].graph)["nodes"][0].op_type = "Swish"
    monkeypatch.setattr("autobuild_lib.data.caches.read_records", lambda path: records)
    assert "Silu" in load_ir(reference / "released_format" / FILE).graphs[0].names


def test_missing_graphs_and_files(reference: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="entry 0: graph is a NoneType"):
        load_ir(reference / "released_format" / RELEASED["ofa_pn"])
    with pytest.raises(FileNotFoundError, match="fetch released"):
        load_ir("released:ofa_mbv3_pn_ir", tmp_path)
    with pytest.raises(FileNotFoundError):
        load_ir(tmp_path / "none.pkl")

"""Tables of IR graphs: from architectures, from released caches, and what is refused."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_lib.data import DataError, IRTable, Table, ir_table, load_ir, make_ir_table
from autobuild_lib.graphs import IRGraph, IRNode, graph_of, ir_graph
from autobuild_lib.released.caches import RELEASED, read_records
from autobuild_lib.released.onnx_nodes import onnx_nodes
from autobuild_lib.released.unpickle import Graph, Node
from tests.helpers.random_dags import random_dag

FILE = RELEASED["ofa_mbv3_pn_ir"]

# -------------------------------------------------------------------- tables


@pytest.fixture(scope="module")
def mixed() -> tuple[Table, Table, IRTable]:
    tables = [ab.data.load(family).take(range(20)) for family in ("ofa_mbv3", "ofa_pn")]
    return *tables, ir_table(tables, progress=False)


def test_families_in_one_table(mixed: tuple[Table, Table, IRTable]) -> None:
    mbv3, pn, both = mixed
    assert len(both) == 40 and both.families == ("ofa_mbv3",) * 20 + ("ofa_pn",) * 20
    assert both.names == tuple(map(str, (*mbv3.architectures, *pn.architectures)))
    assert both.kind == "surrogate" and both.source == "ofa_mbv3 (all) + ofa_pn (all)"
    for table, start in ((mbv3, 0), (pn, 20)):
        pd.testing.assert_series_equal(both.labels["acc"][start:][:20].reset_index(drop=True), table.labels["acc"])
        assert table.noise_free is not None and both.noise_free is not None
        assert list(both.noise_free["acc"][start:][:20]) == list(table.noise_free["acc"])
        same(both.graphs[start + 3], ir_graph(table.architectures[3]))


def same(a: IRGraph, b: IRGraph) -> None:
    for name in ("operations", "shapes", "attributes", "edges"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_split_keeps_rows_together(mixed: tuple[Table, Table, IRTable]) -> None:
    both = mixed[2]
    train, test = both.split(0.9, seed=7)
    assert len(train) == 36 and len(test) == 4 and not set(train.names) & set(test.names)
    for part in (train, test):
        for name, family, graph, acc in zip(part.names, part.families, part.graphs, part.labels["acc"], strict=True):
            row = both.names.index(name)
            assert both.families[row] == family and both.graphs[row] is graph and both.labels["acc"][row] == acc
    assert test.describe() == both.describe() | {"rows": 4, "part": "test of split(0.9, seed=7)"}
    assert test.inputs is test.graphs


def test_only_common_labels_are_joined() -> None:
    mbv3, pn = (ab.data.load(family).take(range(3)) for family in ("ofa_mbv3", "ofa_pn"))
    fewer = ab.data.from_records(pn.space, [(a, {"acc": 0.5 + i}) for i, a in enumerate(pn.architectures)])
    both = ir_table([mbv3, fewer], progress=False)
    assert list(both.labels) == ["acc"] and both.noise_free is None and both.kind == "surrogate + yours"
    other = ab.data.from_records(pn.space, [(a, {"f1": 0.5}) for a in pn.architectures])
    with pytest.raises(DataError, match="there is no label"):
        ir_table([mbv3, other], progress=False)
    with pytest.raises(DataError, match="at least one table"):
        ir_table([])


def small(**change: Any) -> IRTable:
    fields: dict[str, Any] = {
        "graphs": [random_dag(np.random.default_rng(i)) for i in range(3)],
        "labels": pd.DataFrame({"y": [1.0, 2.0, 3.0]}),
        "families": ["f"] * 3,
        "names": ["a", "b", "c"],
    } | change
    return make_ir_table(**fields)


def test_checksum_sees_names_labels_and_graphs() -> None:
    graphs = [random_dag(np.random.default_rng(i)) for i in (0, 1, 3)]
    changes: list[dict[str, Any]] = [{}, {"names": ["a", "b", "d"]}, {"families": ["f", "f", "g"]}, {"graphs": graphs}]
    changes.append({"labels": pd.DataFrame({"y": [1.0, 2.0, 4.0]})})
    assert len({small(**change).sha256 for change in changes}) == 5 and small().sha256 == small().sha256


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ["a", "b"]}, "3 graphs, 3 .* 3 families, 2 names"),
        ({"graphs": [], "labels": pd.DataFrame(), "families": [], "names": []}, "at least one"),
        ({"names": ["a", "b", "a"]}, "row 2: network f a .* row 0"),
        ({"labels": pd.DataFrame({"y": [1.0, np.inf, 3.0]})}, "row 1: label y is .*inf"),
    ],
)
def test_wrong_tables_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        small(**change)
    assert len(small(names=["a", "a", "a"], families=["f", "g", "h"])) == 3


# -------------------------------------------------------------------- the released format


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

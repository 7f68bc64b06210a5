"""Graphs of ONNX files put together by hand: every rule against a graph made by hand, and what is refused."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from autobuild_lib.graphs import IRGraph, IRNode, graph_of, ir_from_onnx, onnx_ir
from tests.helpers.onnx_files import IMAGE, written

node = helper.make_node
INSIDE = (1, 4, 14, 14)


def weight(name: str, *shape: int, data_type: int = TensorProto.FLOAT) -> TensorProto:
    return numpy_helper.from_array(np.ones(shape, helper.tensor_dtype_to_np_dtype(data_type)), name)


def numbers(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def same(graph: IRGraph, nodes: Sequence[IRNode]) -> None:
    other = graph_of(nodes)
    assert graph.names == other.names
    for name in ("shapes", "attributes", "edges"):
        np.testing.assert_array_equal(getattr(graph, name), getattr(other, name), err_msg=name)


def between(path: Path) -> list[str]:
    """Operations between the ends."""
    return [name for name in ir_from_onnx(path).names if name not in ("Input", "Output")]


def test_a_network_by_hand(tmp_path: Path) -> None:
    nodes = [
        node("Identity", ["w"], ["v"]), node("Conv", ["x", "v", "b"], ["c"], dilations=[1, 1]),
        node("Cast", ["c"], ["f"], to=TensorProto.FLOAT), node("Dropout", ["f"], ["d"]),
        node("Sigmoid", ["d"], ["s"]), node("Mul", ["s", "d"], ["m"]), node("ReduceMean", ["m"], ["p"], axes=[-1, 2]),
        node("Shape", ["p"], ["size"]), node("Slice", ["size", "zero", "one"], ["batch"]),
        node("Concat", ["batch", "rest"], ["flat"], axis=0), node("Reshape", ["p", "flat"], ["r"]),
        node("Gemm", ["r", "g"], ["y"]), node("Relu", ["c"], ["unread"]),
    ]  # fmt: skip
    weights = [weight("w", 4, 3, 3, 3), weight("b", 4), weight("g", 4, 2)]
    path = written(tmp_path / "n.onnx", nodes, weights=[*weights, *map(numbers, ["zero", "one", "rest"], [0, 1, -1])])
    pooled, flat, scores = (1, 4, 1, 1), (1, 4), (1, 2)
    same(
        ir_from_onnx(path),
        [
            IRNode("Input", output_shapes=[IMAGE]),
            IRNode("Conv", [0], [IMAGE], [INSIDE], kernel=(3, 3), groups=1, dilation=(1, 1), bias=True),
            IRNode("Silu", [1], [INSIDE], [INSIDE]),
            IRNode("GlobalAveragePool", [2], [INSIDE], [pooled]),
            IRNode("Flatten", [3], [pooled], [flat]),
            IRNode("Gemm", [4], [flat], [scores]),
            IRNode("Output", [5], [scores]),
        ],
    )


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    nodes = [node("Add", ["a", "b"], ["sum"]), node("Split", ["sum"], ["y", "z"], axis=1, num_outputs=2)]
    nodes += [node("Identity", ["w"], ["constant"])]
    inputs: dict[str, Sequence[int | str]] = {"a": ("batch", 4), "b": (1, 4), "idle": (3,)}
    outputs = ("y", "z", "a", "constant")
    path = written(tmp_path / "n.onnx", nodes, inputs, outputs, [weight("w", 2)], opset=18)
    half = (1, 2)
    ends = [IRNode("Input", output_shapes=[shape]) for shape in ((1, 4), (1, 4), (3,))]
    inner = [IRNode("Add", [0, 1], [(1, 4)] * 2, [(1, 4)]), IRNode("Split", [3], [(1, 4)], [half] * 2)]
    outs = [IRNode("Output", [place], [shape]) for place, shape in ((4, half), (4, half), (0, (1, 4)))]
    same(ir_from_onnx(path), [*ends, *inner, *outs])


RULES: dict[str, tuple[list[onnx.NodeProto], list[TensorProto], list[str]]] = {
    "sides": ([node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)], [], ["GlobalAveragePool"]),
    "one side": ([node("ReduceMean", ["x"], ["y"], axes=[3])], [], ["ReduceMean"]),
    "all": ([node("ReduceMean", ["x"], ["y"])], [], ["ReduceMean"]),
    "maximum": ([node("ReduceMax", ["x"], ["y"], axes=[3, -2])], [], ["GlobalMaxPool"]),
    "whole": ([node("MaxPool", ["x"], ["y"], kernel_shape=[16, 16])], [], ["GlobalMaxPool"]),
    "part": ([node("MaxPool", ["x"], ["y"], kernel_shape=[15, 16])], [], ["MaxPool"]),
    "merged": ([node("Reshape", ["x", "s"], ["y"])], [numbers("s", 1, 3, -1)], ["Flatten"]),
    "mixed": ([node("Reshape", ["x", "s"], ["y"])], [numbers("s", 1, 48, 16)], ["Reshape"]),
    "split": ([node("Reshape", ["x", "s"], ["y"])], [numbers("s", 1, 3, 4, 4, 16)], ["Reshape"]),
    "other tensor": ([node("Sigmoid", ["x"], ["s"]), node("Relu", ["x"], ["r"]), node("Mul", ["s", "r"], ["y"])], [],
                     ["Sigmoid", "Relu", "Mul"]),
    "read again": ([node("Sigmoid", ["x"], ["s"]), node("Mul", ["s", "x"], ["m"]), node("Add", ["s", "m"], ["y"])], [],
                   ["Sigmoid", "Silu", "Add"]),
    "matrix": ([node("MatMul", ["x", "w"], ["m"]), node("Add", ["b", "m"], ["y"])],
               [weight("w", 16, 4), weight("b", 4)], ["Gemm"]),
    "no vector": ([node("MatMul", ["x", "w"], ["m"]), node("Add", ["b", "m"], ["y"])],
                  [weight("w", 16, 4), weight("b", 16, 4)], ["Gemm", "Add"]),
    "two": ([node("MatMul", ["x", "x"], ["y"])], [], ["MatMul"]),
    "left": ([node("MatMul", ["w", "x"], ["y"])], [weight("w", 16, 16)], ["MatMul"]),
    "renamed": ([node("Tile", ["x", "s"], ["y"])], [numbers("s", 1, 2, 1, 1)], ["Expand"]),
    "noise": ([node("RandomNormalLike", ["x"], ["n"]), node("Add", ["x", "n"], ["y"])], [], ["Add"]),
    "constants": ([node("Constant", [], ["c"], value_float=2.0), node("Mul", ["x", "c"], ["y"])], [], ["Mul"]),
    "arithmetic": ([node("Shape", ["x"], ["s"]), node("Gather", ["s", "i"], ["g"]), node("Div", ["g", "two"], ["h"]),
                    node("Slice", ["x", "zero", "h", "axis"], ["y"])],
                   [numbers("i", 2), numbers("two", 2), numbers("zero", 0), numbers("axis", 3)], ["Slice"]),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_rules(name: str, tmp_path: Path) -> None:
    nodes, weights, operations = RULES[name]
    assert between(written(tmp_path / "n.onnx", nodes, weights=weights)) == operations


def test_a_vector_is_the_bias_and_shapes_are_computed(tmp_path: Path) -> None:
    nodes, weights, _ = RULES["matrix"]
    graph = ir_from_onnx(written(tmp_path / "n.onnx", nodes, weights=weights))
    assert graph.attributes[1].tolist() == [0] * 7 + [1] and graph.shapes[1, 6:9].tolist() == [3 / 256, 1 / 8, 4 / 128]
    nodes, weights, _ = RULES["arithmetic"]
    graph = ir_from_onnx(written(tmp_path / "n.onnx", nodes, weights=weights))
    assert graph.shapes[1, 6:9].tolist() == np.float32([3 / 256, 16 / 128, 8 / 128]).tolist()


def test_names_of_older_and_newer_files(tmp_path: Path) -> None:
    """Weights among the inputs, as before IR version 4; a domain spelt out; an operator of operator set 24."""
    inputs: dict[str, Sequence[int | str]] = {"x": IMAGE, "w": (4, 3, 3, 3)}
    path = written(tmp_path / "n.onnx", [node("Conv", ["x", "w"], ["y"])], inputs, weights=[weight("w", 4, 3, 3, 3)])
    assert ir_from_onnx(path).names == ["Input", "Conv", "Output"]
    newest = onnx.defs.onnx_opset_version()
    path = written(tmp_path / "n.onnx", [node("Swish", ["x"], ["y"], domain="ai.onnx")], opset=newest)
    assert ir_from_onnx(str(path)).names == ["Input", "Silu", "Output"]


# -------------------------------------------------------------------- what is refused


def refused(path: Path, *parts: str) -> None:
    with pytest.raises(ValueError, match="cannot be read") as caught:
        ir_from_onnx(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text and len(text) < 3000
    for part in parts:
        assert part in text, text


def relu(x: str = "x", y: str = "y", **attributes: Any) -> onnx.NodeProto:
    return node("Relu", [x], [y], **attributes)


BRANCH = helper.make_graph([node("Identity", ["x"], ["z"])], "b", [], [helper.make_tensor_value_info("z", 1, None)])
HOSTILE: dict[str, tuple[list[onnx.NodeProto], tuple[str, ...]]] = {
    "unknown": ([node("Det", ["x"], ["d"]), node("LRN", ["x"], ["y"], size=1), node("NonZero", ["x"], ["n"])],
                ("LRN", "NonZero")),
    "domains": ([node("Fused", ["x"], ["a"], domain="com.microsoft"), relu("a", domain="evil"), node("If", ["x"], ["z"],
                then_branch=BRANCH, else_branch=BRANCH)], ("com.microsoft::Fused", "evil::Relu", "If,")),
    "domain on constants": ([node("Secret", [], ["c"], domain="evil"), relu()], ("evil::Secret",)),
    "disguised": ([node("Silu", ["x"], ["y"])], ("tensor y",)),
    "cycle": ([relu("b", "a"), relu("a", "b"), relu("b")], ("tensor b",)),
    "missing": ([relu("nothing")], ("nothing",)),
    "twice": ([relu(), relu()], ("tensor y",)),
    "no output": ([relu("x", "z")], ("tensor y",)),
    "few inputs": ([node("Conv", ["x"], ["y"])], ("Conv",)),
    "no inputs": ([node("Add", [], ["y"])], ()),
    "wrong attribute": ([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[0, 0])], ("strides",)),
    "text": ([node("MaxPool", ["x"], ["y"], kernel_shape="abc")], ()),
    "depends on values": ([node("Reshape", ["x", "minus"], ["r"]), node("Cast", ["r"], ["s"], to=TensorProto.INT64),
                           node("Expand", ["x", "s"], ["y"])], ("tensor y",)),
    "huge constant": ([node("Constant", [], ["n"], value_ints=[2**40]), node("ConstantOfShape", ["n"], ["c"]),
                       node("Cast", ["c"], ["h"], to=TensorProto.INT64), node("Expand", ["x", "h"], ["y"])],
                      ("tensor y",)),
    "long range": ([node("Constant", [], ["n"], value_int=2**50), node("Constant", [], ["z"], value_int=0),
                    node("Constant", [], ["o"], value_int=1), node("Range", ["z", "n", "o"], ["r"]),
                    node("Reshape", ["x", "r"], ["y"])], ("tensor y",)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_nodes(name: str, tmp_path: Path) -> None:
    nodes, parts = HOSTILE[name]
    refused(written(tmp_path / "n.onnx", nodes, weights=[numbers("minus", -1)]), *parts)


@pytest.mark.parametrize("shape", [("batch", 3, "height", 16), (1, -3, 4, 4), (1, 0, 4, 4), None])
def test_inputs_without_sizes(shape: Any, tmp_path: Path) -> None:
    refused(written(tmp_path / "n.onnx", [relu()], {"x": shape}), "input x")


def test_weights_outside_are_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir(mode=0)
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3, 3, 3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    path = written(secret.parent / "n.onnx", [node("Conv", ["x", "w"], ["y"])], weights=[tensor])
    assert ir_from_onnx(path).names == ["Input", "Conv", "Output"]
    tensor.dims[:], tensor.data_type = [2], TensorProto.INT64
    refused(written(path, [node("Reshape", ["x", "w"], ["y"])], weights=[tensor]), "tensor y")
    inside = node("Constant", [], ["c"])
    inside.attribute.append(AttributeProto(name="value", type=AttributeProto.TENSOR, t=tensor))
    refused(written(path, [inside, node("Reshape", ["x", "c"], ["y"])]), "tensor y")
    tensor.dims[:] = [-1, 2]
    refused(written(path, [node("Reshape", ["x", "w"], ["y"])], weights=[tensor]))


def test_functions(tmp_path: Path) -> None:
    function = helper.make_function("own", "F", ["a"], ["b"], [relu("a", "b")], [helper.make_opsetid("", 17)])
    refused(written(tmp_path / "n.onnx", [node("F", ["x"], ["y"], domain="own")], functions=[function]), "functions")
    function.domain = ""  # in place of an operator
    function.name = "Relu"
    refused(written(tmp_path / "n.onnx", [relu()], functions=[function]), "functions")


def test_too_many_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "n.onnx", [relu("x", "z"), relu("z")])
    monkeypatch.setattr(onnx_ir, "MOST_NODES", 1)
    refused(path, "1 nodes")
    monkeypatch.setattr(onnx_ir, "MOST_NODES", 2)
    monkeypatch.setattr(onnx_ir, "MOST_BYTES", path.stat().st_size - 1)
    refused(path)


def test_no_model(tmp_path: Path) -> None:
    path = tmp_path / "n.onnx"
    for content in (b"", b"PK\x03\x04 a zip", b"\x80\x04pickle", "<html>öä</html>".encode(), b"\0" * 1000):
        path.write_bytes(content)
        refused(path)
    with pytest.raises(FileNotFoundError):
        ir_from_onnx(tmp_path / "nothing.onnx")
    with pytest.raises(IsADirectoryError):
        ir_from_onnx(tmp_path)


WHOLE = [node("Conv", ["x", "w"], ["c"]), node("Shape", ["c"], ["s"]), node("Reshape", ["c", "s"], ["y"])]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    path = written(tmp_path / "n.onnx", WHOLE, weights=[weight("w", 4, 3, 3, 3)])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), *range(len(content))]))])
    with suppress(ValueError):
        assert ir_from_onnx(path).names

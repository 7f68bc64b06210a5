"""The command `autobuild graph`: what it prints and writes of a file, and refusals in one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx import helper, numpy_helper

from autobuild_lib.graphs import ir_from_onnx
from tests.helpers.commands import Run, assert_refused, assert_wrong_usage
from tests.helpers.onnx_files import written


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Two convolutions with an activation, added, and pooled."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Conv", ["x", "v"], ["d"], group=3), helper.make_node("Add", ["r", "d"], ["a"]),
        helper.make_node("GlobalAveragePool", ["a"], ["y"]),
    ]  # fmt: skip
    shapes = {"w": (6, 3, 3, 3), "b": (6,), "v": (6, 1, 1, 1)}
    weights = [numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in shapes.items()]
    return written(tmp_path / "network.onnx", nodes, {"x": ("batch", 3, 8, 10)}, weights=weights)


def test_it_says_what_is_in_a_file(run: Run, network: Path) -> None:
    code, out, err = run("graph", network)
    assert (code, err) == (0, "")
    first, inputs, outputs, _, *counts = out.splitlines()
    assert first == "7 nodes, 7 edges" and inputs.endswith(": 3 x 8 x 10") and outputs.endswith(": 6 x 1 x 1")
    assert counts[0].split() == ["Conv", "2"]
    assert {line.split()[0] for line in counts} == {"Conv", "Relu", "Add", "GlobalAveragePool", "Input", "Output"}


def test_it_writes_a_row_for_each_node(run: Run, network: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "nodes.csv"
    code, text, err = run("graph", network, "--out", out)
    assert (code, err) == (0, "") and str(out) in text
    nodes = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert nodes.operation.tolist() == ir_from_onnx(network).names
    conv = nodes.iloc[1]
    assert (conv.reads, conv.input, conv.output, conv.kernel, conv.dilation, conv.bias) == (
        "0", "3 x 8 x 10", "6 x 8 x 10", "3 x 3", "1 x 1", "1",
    )  # fmt: skip
    add = nodes[nodes.operation == "Add"].iloc[0]
    assert [nodes.operation[int(place)] for place in add.reads.split()] == ["Relu", "Conv"] and add.kernel == ""


def test_refusals(run: Run, network: Path, tmp_path: Path) -> None:
    assert_refused(run("graph", tmp_path / "none.onnx"), "none.onnx")
    assert_refused(run("graph", tmp_path), str(tmp_path))
    (tmp_path / "text.onnx").write_text("network")
    assert_refused(run("graph", tmp_path / "text.onnx"), "text.onnx", "ONNX")
    nodes = [helper.make_node("Bad\n\x1b[31m", ["x"], ["z"], domain="a\tb")]
    nodes += [helper.make_node("LRN", ["z"], ["y"], size=1)]
    assert_refused(run("graph", written(tmp_path / "other.onnx", nodes)), "LRN", "Bad")
    assert_refused(run("graph", network, "--out", network), "--out")
    assert_refused(run("graph", network, "--out", tmp_path), "folder")
    assert ir_from_onnx(network).names[0] == "Input"
    assert_wrong_usage(run("graph"), "file")


def test_many_unsupported_operators_are_listed_in_one_line(run: Run, tmp_path: Path) -> None:
    names = [f"Operator{number}" for number in range(40)]
    nodes = [helper.make_node(name, ["x"], [name], domain="made.up") for name in names]
    path = written(tmp_path / "many.onnx", nodes, outputs=names[:1])
    assert_refused(run("graph", path), *(f"made.up::{name}" for name in names))

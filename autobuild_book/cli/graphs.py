"""The command `autobuild graph`: a network in an ONNX file, as the graph of operations that predictors see."""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.arguments import check_file
from autobuild_lib import graphs
from autobuild_lib.graphs.ir import SCALES, SIDES, IRGraph
from autobuild_lib.storage import replace_text

TEXT = """Show the graph of operations (the op-level IR) of a network in an ONNX file: how many nodes of each operation,
and the sizes of its inputs and outputs. Nothing of the network is run, and weights in further files are not opened.
Needs the extra `onnx`."""
EXAMPLE = """Where a file comes from (either exporter of PyTorch will do, batch normalisation folded or not):

  torch.onnx.export(module.eval(), (torch.zeros(1, 3, 224, 224),), "network.onnx")

then

  autobuild graph network.onnx --out nodes.csv

In Python this graph is autobuild_lib.graphs.ir_from_onnx("network.onnx"). With labels, many become a table, and that a
predictor: autobuild_lib.fit_ir(autobuild_lib.data.ir_table(paths, {"accuracy": [...]}), "accuracy")."""


def add_graph(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild graph`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = TEXT, EXAMPLE
    parser.add_argument("file", type=Path, help="an ONNX file, of operator set 11 or newer")
    parser.add_argument("--out", type=Path, help="write a row for each node as this CSV file")
    parser.set_defaults(run=_graph)


def _graph(arguments: argparse.Namespace) -> None:
    check_file(arguments.out)
    if arguments.out is not None and arguments.out.resolve() == arguments.file.resolve():
        raise ValueError(f"--out {arguments.out}: it is the network, and would be overwritten")
    graph = graphs.ir_from_onnx(arguments.file)
    nodes = node_table(graph)
    if arguments.out is not None:
        replace_text(arguments.out, nodes.to_csv(index=False, lineterminator="\n"))
    print(f"{len(graph):,} nodes, {graph.edges.shape[1]:,} edges")
    for end, column in (("Input", "output"), ("Output", "input")):
        sizes = nodes[column][nodes.operation == end]
        print(f"{end.lower()}s, without the batch: {', '.join(sizes) or 'none'}")
    print(nodes.operation.value_counts(sort=True).rename_axis("operation").rename("nodes").to_string())
    if arguments.out is not None:
        print(f"all nodes are in {arguments.out}")


def node_table(graph: IRGraph) -> pd.DataFrame:
    """Return a row for each node: operation, the rows it reads, sizes of its first input and output, and attributes."""
    kernels = np.rint(3 * graph.attributes[:, :SIDES])
    dilations = graph.attributes[:, SIDES + 1 : -1]
    half = graph.shapes.shape[1] // 2  # inputs before outputs
    columns = {
        "operation": graph.names,
        "reads": [" ".join(map(str, graph.edges[0, graph.edges[1] == place])) for place in range(len(graph))],
        "input": [_sizes(row) for row in graph.shapes[:, :3] * SCALES],
        "output": [_sizes(row) for row in graph.shapes[:, half : half + 3] * SCALES],
        "kernel": list(map(_sizes, kernels)),
        "dilation": list(map(_sizes, dilations)),
        "bias": graph.attributes[:, -1].astype(int),
    }
    return pd.DataFrame(columns)


def _sizes(row: npt.NDArray[np.floating]) -> str:
    """Write sizes as "64 x 32 x 32"; zeros stand for what is not there."""
    return " x ".join(f"{round(float(size))}" for size in row if round(float(size)))

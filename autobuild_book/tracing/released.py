"""Tables of networks as IR graphs, from the caches that the authors published."""

from pathlib import Path

import pandas as pd

from autobuild_book.tracing.onnx_nodes import onnx_nodes
from autobuild_lib.data import DataError, IRTable, make_ir_table
from autobuild_lib.data.caches import family_of, read_source
from autobuild_lib.graphs.ir import check_operations, graph_of
from autobuild_lib.released.caches import ReleasedRecord
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.released.limits import FREE, Allowance
from autobuild_lib.spaces import Architecture
from autobuild_lib.spaces.ofa import ALLOWED
from autobuild_lib.values import naming


def load_ir(source: str | Path, folder: Path | None = None) -> IRTable:
    """Load "released:ofa_mbv3_pn_ir" from `folder` (default: `data_folder()`), or a `.pkl` file in its format.

    Its graphs spell out some operations that are one in ours (hard swish is `Add`, `Clip`, `Mul`, `Div`). Raises
    `FileNotFoundError`, or `DataError`: an entry has no graph, or a malformed one, or an operation that we lack.
    """
    path, records = read_source(str(source), folder)
    allowance = Allowance(FREE + path.stat().st_size)
    nodes = [onnx_nodes(record.graph, record.place, allowance) for record in records]
    with naming(f"{path}", DataError):
        check_operations(node.operation for graph in nodes for node in graph)
    networks = list(map(_architecture, records))
    graphs, labels = [graph_of(graph) for graph in nodes], pd.DataFrame([record.labels for record in records])
    families, names = [network.space.name for network in networks], list(map(str, networks))
    return make_ir_table(graphs, labels, families=families, names=names, source=str(source), kind="released",
                         sha256=sha256_of(path))  # fmt: skip


def _architecture(record: ReleasedRecord) -> Architecture:
    """Return the architecture of a record, at any resolution of its family; `DataError` where there is none."""
    space = family_of([record], record.place, ALLOWED)
    with naming(record.place, DataError):
        return space.from_lists(record.stages, resolution=record.resolution)

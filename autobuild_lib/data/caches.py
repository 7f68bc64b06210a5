"""Tables from caches in the released format: of architectures, or of networks as IR graphs."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from autobuild_lib.data.ir import IRTable, make_ir_table
from autobuild_lib.data.table import DataError, Table, make_table
from autobuild_lib.graphs.ir import check_operations, graph_of
from autobuild_lib.released.caches import RELEASED as RELEASED, ReleasedRecord, find_released, read_records
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.released.limits import FREE, Allowance
from autobuild_lib.released.onnx_nodes import onnx_nodes
from autobuild_lib.spaces import Architecture, SequenceSpace, ofa_mbv3, ofa_pn
from autobuild_lib.spaces.ofa import ALLOWED
from autobuild_lib.values import naming

FAMILIES = {"mbconv3": ofa_mbv3, "mbconv2": ofa_pn}  # by the kind of their layers


def read_cache(source: str, space: SequenceSpace | None, folder: Path | None, duplicates: str) -> Table:
    """Read evaluated architectures: arguments and errors are those of `load`, the source is a cache."""
    path, records = _read(source, folder)
    space = space or _family(records, f"{path}", [record.resolution for record in records])
    names = list(records[0].labels)
    for record in records:
        if set(record.labels) != set(names):
            raise DataError(f"{record.place}: labels {sorted(record.labels)}, entry 0 has {sorted(names)}")
    return make_table(
        space, [_architecture(space, record) for record in records],
        pd.DataFrame([record.labels for record in records], columns=names),
        source=source, kind="released", sha256=sha256_of(path), duplicates=duplicates,
    )  # fmt: skip


def load_ir(source: str | Path, folder: Path | None = None) -> IRTable:
    """Load "released:ofa_mbv3_pn_ir" from `folder` (default: `data_folder()`), or a `.pkl` file in its format.

    Its graphs spell out some operations that are one in ours (hard swish is `Add`, `Clip`, `Mul`, `Div`). Raises
    `FileNotFoundError`, or `DataError`: an entry has no graph, or a malformed one, or an operation that we lack.
    """
    path, records = _read(str(source), folder)
    allowance = Allowance(FREE + path.stat().st_size)
    nodes = [onnx_nodes(record.graph, record.place, allowance) for record in records]
    with naming(f"{path}", DataError):
        check_operations(node.operation for graph in nodes for node in graph)
    networks = [_architecture(_family([record], record.place, ALLOWED), record) for record in records]
    graphs, labels = [graph_of(graph) for graph in nodes], pd.DataFrame([record.labels for record in records])
    families, names = [network.space.name for network in networks], list(map(str, networks))
    return make_ir_table(graphs, labels, families=families, names=names, source=str(source), kind="released",
                         sha256=sha256_of(path))  # fmt: skip


def _read(source: str, folder: Path | None) -> tuple[Path, list[ReleasedRecord]]:
    """Return the file of a source, and its records."""
    name = source.removeprefix("released:")
    path = Path(source) if name == source else find_released(name, folder)
    return path, read_records(path)


def _family(records: Sequence[ReleasedRecord], place: str, resolutions: Iterable[int]) -> SequenceSpace:
    kinds = {record.stages[0][0].split("_")[0] for record in records}
    if len(kinds) != 1 or not kinds <= set(FAMILIES):
        allowed = f"one family of {', '.join(FAMILIES)} (load_ir reads caches of both)"
        raise DataError(f"{place}: layers of {', '.join(sorted(kinds))}; allowed: {allowed}")
    with naming(place, DataError):
        return FAMILIES[kinds.pop()](resolutions=tuple(sorted(set(resolutions))))


def _architecture(space: SequenceSpace, record: ReleasedRecord) -> Architecture:
    with naming(record.place, DataError):
        return space.from_lists(record.stages, resolution=record.resolution)

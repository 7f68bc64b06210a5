"""Tables from caches in the released format: of architectures, or of networks as IR graphs."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from autobuild_lib.data.ir import IRTable, make_ir_table
from autobuild_lib.data.table import DataError, Table, make_table
from autobuild_lib.graphs.ir import PLACES, graph_of
from autobuild_lib.released.caches import RELEASED as RELEASED, ReleasedRecord, find_released, read_records
from autobuild_lib.released.limits import FREE, Allowance
from autobuild_lib.released.onnx_nodes import onnx_nodes
from autobuild_lib.spaces import Architecture, SequenceSpace, SpaceError, ofa_mbv3, ofa_pn
from autobuild_lib.spaces.ofa import ALLOWED

FAMILIES = {"mbconv3": ofa_mbv3, "mbconv2": ofa_pn}  # by the kind of their layers


def read_cache(source: str, space: SequenceSpace | None, folder: Path | None, duplicates: str) -> Table:
    """Read evaluated architectures: arguments and errors are those of `load`, the source is a cache."""
    path = _path(source, folder)
    records = read_records(path)
    places = [f"{path}, entry {number}" for number in range(len(records))]
    space = space or _family(records, f"{path}", [record.resolution for record in records])
    architectures = [_architecture(space, record, place) for record, place in zip(records, places, strict=True)]
    names = list(records[0].labels)
    for record, place in zip(records, places, strict=True):
        if set(record.labels) != set(names):
            raise DataError(f"{place}: labels {sorted(record.labels)}, entry 0 has {sorted(names)}")
    labels = pd.DataFrame([[record.labels[name] for name in names] for record in records], columns=names)
    return make_table(
        space, architectures, labels, source=source, kind="released", sha256=_sha256(path), duplicates=duplicates
    )


def load_ir(source: str | Path, folder: Path | None = None) -> IRTable:
    """Load a cache in the format of the released IR caches.

    Its vocabulary may differ from ours in which operations it spells out (hard swish there is `Add`, `Clip`, `Mul`,
    `Div`); the type of graph is the same. Shapes and attributes mean the same in both.

    Args:
        source: "released:ofa_mbv3_pn_ir", found in `folder` or the default data folder, or the path of a `.pkl` file.
        folder: where downloaded caches live.

    Raises:
        DataError: an entry has no graph, or a malformed one, or operations outside the vocabulary, which are all named.
        FileNotFoundError: for a file that is not there; the text says where to put it.
    """
    path = _path(str(source), folder)
    records = read_records(path)
    places = [f"{path}, entry {number}" for number in range(len(records))]
    allowance = Allowance(FREE + path.stat().st_size)
    nodes = [onnx_nodes(record.graph, place, allowance) for record, place in zip(records, places, strict=True)]
    if unknown := sorted({node.operation for graph in nodes for node in graph} - set(PLACES)):
        raise DataError(f"{path}: operations {', '.join(unknown)} are not in the vocabulary: {', '.join(PLACES)}")
    networks = [
        _architecture(_family([record], place, ALLOWED), record, place)
        for record, place in zip(records, places, strict=True)
    ]
    return make_ir_table(
        [graph_of(graph) for graph in nodes],
        pd.DataFrame([record.labels for record in records]),
        families=[network.space.name for network in networks],
        names=list(map(str, networks)),
        source=str(source),
        kind="released",
        sha256=_sha256(path),
    )


def _path(source: str, folder: Path | None) -> Path:
    name = source.removeprefix("released:")
    return Path(source) if name == source else find_released(name, folder)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _family(records: Sequence[ReleasedRecord], place: str, resolutions: Iterable[int]) -> SequenceSpace:
    """Return the space that all records belong to."""
    kinds = {record.stages[0][0].split("_")[0] for record in records}
    if len(kinds) != 1 or not kinds <= set(FAMILIES):
        allowed = f"one family of {', '.join(FAMILIES)} (load_ir reads caches of both)"
        raise DataError(f"{place}: layers of {', '.join(sorted(kinds))}; allowed: {allowed}")
    try:
        return FAMILIES[kinds.pop()](resolutions=tuple(sorted(set(resolutions))))
    except SpaceError as error:
        raise DataError(f"{place}: {error}") from None


def _architecture(space: SequenceSpace, record: ReleasedRecord, place: str) -> Architecture:
    try:
        return space.from_lists(record.stages, resolution=record.resolution)
    except SpaceError as error:
        raise DataError(f"{place}: {error}") from None

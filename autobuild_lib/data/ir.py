"""Tables of networks as IR graphs, of one or more families: from tables of architectures, or from released caches."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autobuild_lib.data.files import FAMILIES
from autobuild_lib.data.table import DataError, Labelled, Table, check_labels, digest_rows
from autobuild_lib.graphs import IRGraph, graph_of, ir_graph
from autobuild_lib.graphs.ir import PLACES
from autobuild_lib.progress import progress_bar
from autobuild_lib.released.caches import ReleasedRecord, find_released, read_records
from autobuild_lib.released.limits import FREE, Allowance
from autobuild_lib.released.onnx_nodes import onnx_nodes
from autobuild_lib.spaces import SpaceError
from autobuild_lib.spaces.ofa import ALLOWED


@dataclass(frozen=True, eq=False)
class IRTable(Labelled):
    """Evaluated networks as op-level graphs.

    families: the search space of each. names: text that tells a network from others of its family.
    """

    ROW_FIELDS = ("graphs", "families", "names")

    graphs: tuple[IRGraph, ...]
    families: tuple[str, ...]
    names: tuple[str, ...]

    def texts(self) -> list[str]:
        """Return for each row its family, and the text that tells its network from others."""
        return [f"{family} {name}" for family, name in zip(self.families, self.names, strict=True)]


def make_ir_table(
    graphs: Sequence[IRGraph],
    labels: pd.DataFrame,
    *,
    families: Sequence[str],
    names: Sequence[str],
    source: str = "records",
    kind: str = "yours",
    noise_free: pd.DataFrame | None = None,
    sha256: str = "",
) -> IRTable:
    """Check and assemble a table; its checksum is that of names, labels and graphs unless one is given.

    Raises:
        DataError: the numbers of rows differ, a network stands in two rows, or a label is not a finite number.
    """
    if not len(graphs) == len(labels) == len(families) == len(names) or not graphs:
        given = f"{len(graphs)} graphs, {len(labels)} rows of labels, {len(families)} families, {len(names)} names"
        raise DataError(f"{source}: {given}; allowed: the same number of each, at least one")
    rows = range(len(graphs))
    seen: dict[tuple[str, str], int] = {}
    for row, network in enumerate(zip(families, names, strict=True)):
        if (before := seen.setdefault(network, row)) != row:
            raise DataError(f"{source}, row {row}: network {' '.join(network)} stands in row {before} already")
    checked = check_labels(labels, source, rows)
    free = None if noise_free is None else check_labels(noise_free, source, rows)
    return IRTable(
        tuple(graphs),
        tuple(families),
        tuple(names),
        labels=checked,
        rows=tuple(rows),
        noise_free=free,
        kind=kind,
        source=source,
        sha256=sha256 or _digest(graphs, [" ".join(network) for network in seen], checked),
    )


def _digest(graphs: Sequence[IRGraph], names: Sequence[str], labels: pd.DataFrame) -> str:
    digest = hashlib.sha256(digest_rows(names, labels).encode())
    for graph in graphs:
        for part in (graph.operations, graph.shapes, graph.attributes, graph.edges):
            digest.update(part.tobytes())
    return digest.hexdigest()


def ir_table(tables: Sequence[Table], progress: bool = True) -> IRTable:
    """Join tables of OFA architectures into one of IR graphs, with the labels that all of them have.

    Labels before noise are kept where every table has them.

    Raises:
        DataError: there is no table, or no common label.
        SpaceError: for architectures that have no network.
    """
    if not tables:
        raise DataError("ir_table needs at least one table")
    architectures = [(table.space.name, a) for table in tables for a in table.architectures]
    bar = progress_bar(architectures, desc="graphs", unit="network", disable=not progress)
    graphs = [ir_graph(architecture) for _, architecture in bar]
    frees = [table.noise_free for table in tables if table.noise_free is not None]
    return make_ir_table(
        graphs,
        pd.concat([table.labels for table in tables], join="inner", ignore_index=True),
        families=[family for family, _ in architectures],
        names=[str(architecture) for _, architecture in architectures],
        source=" + ".join(f"{table.source} ({table.part})" for table in tables),
        kind=" + ".join(sorted({table.kind for table in tables})),
        noise_free=pd.concat(frees, join="inner", ignore_index=True) if len(frees) == len(tables) else None,
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
    text = str(source)
    path = find_released(text.removeprefix("released:"), folder) if text.startswith("released:") else Path(source)
    records = read_records(path)
    allowance = Allowance(FREE + path.stat().st_size)
    nodes = [onnx_nodes(record.graph, f"{path}, entry {number}", allowance) for number, record in enumerate(records)]
    if unknown := sorted({node.operation for graph in nodes for node in graph} - set(PLACES)):
        raise DataError(f"{path}: operations {', '.join(unknown)} are not in the vocabulary: {', '.join(PLACES)}")
    networks = [_named(record, f"{path}, entry {number}") for number, record in enumerate(records)]
    return make_ir_table(
        [graph_of(graph) for graph in nodes],
        pd.DataFrame([record.labels for record in records]),
        families=[family for family, _ in networks],
        names=[name for _, name in networks],
        source=text,
        kind="released",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _named(record: ReleasedRecord, place: str) -> tuple[str, str]:
    """Family and text form of the architecture that a cache entry was made from."""
    kind = record.stages[0][0].partition("_")[0]
    if kind not in FAMILIES:
        raise DataError(f"{place}: layers of {kind}; allowed: {', '.join(FAMILIES)}")
    space = FAMILIES[kind](resolutions=ALLOWED)
    try:
        return space.name, str(space.from_lists(record.stages, resolution=record.resolution))
    except SpaceError as error:
        raise DataError(f"{place}: {error}") from None

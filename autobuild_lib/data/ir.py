"""Tables of networks as IR graphs, of one or more families."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_lib import graphs as graphs_of_networks
from autobuild_lib.data.table import DataError, Labelled, Table, check_labels, digest_rows
from autobuild_lib.graphs.ir import IRGraph, ir_from_networkx
from autobuild_lib.progress import progress_bar


@dataclass(frozen=True, eq=False)
class IRTable(Labelled):
    """Evaluated networks as op-level graphs."""

    ROW_FIELDS = ("graphs", "families", "names")

    graphs: tuple[IRGraph, ...]
    families: tuple[str, ...]  # the search space of each
    names: tuple[str, ...]  # text that tells a network from others of its family

    def texts(self) -> list[str]:
        """Return the family and the name of each row."""
        return [f"{family} {name}" for family, name in zip(self.families, self.names, strict=True)]


def make_ir_table(
    graphs: Sequence[IRGraph], labels: pd.DataFrame, *, families: Sequence[str], names: Sequence[str],
    source: str = "records", kind: str = "yours", noise_free: pd.DataFrame | None = None, sha256: str = "",
) -> IRTable:  # fmt: skip
    """Check and assemble a table; `sha256` is that of names, labels and graphs unless one is given.

    Raises `DataError`: numbers of rows differ, a network stands in two rows, or a label is not a finite number.
    """
    if not len(graphs) == len(labels) == len(families) == len(names) or not graphs:
        counts = f"{len(graphs)} graphs, {len(labels)} rows of labels, {len(families)} families, {len(names)} names"
        raise DataError(f"{source}: {counts}; allowed: the same number of each, at least one")
    rows = range(len(graphs))
    first: dict[tuple[str, str], int] = {}
    for row, network in enumerate(zip(families, names, strict=True)):
        if (before := first.setdefault(network, row)) != row:
            raise DataError(f"{source}, row {row}: network {' '.join(network)} stands in row {before} already")
    checked = check_labels(labels, source, rows)
    content = digest_rows(map(" ".join, first), checked).encode() + b"".join(map(_content, graphs))
    return IRTable(tuple(graphs), tuple(families), tuple(names), labels=checked, rows=tuple(rows), kind=kind,
                   noise_free=None if noise_free is None else check_labels(noise_free, source, rows),
                   source=source, sha256=sha256 or hashlib.sha256(content).hexdigest())  # fmt: skip


def _content(graph: IRGraph) -> bytes:
    return b"".join(part.tobytes() for part in (graph.operations, graph.shapes, graph.attributes, graph.edges))


def ir_table(
    networks: Sequence[Any], labels: Mapping[str, Any] | pd.DataFrame | None = None, progress: bool = True,
    names: Sequence[str] | None = None,
) -> IRTable:  # fmt: skip
    """Make a table of networks as IR graphs, with labels; without labels, join tables of OFA architectures into one.

    A network is an `IRGraph`, the path of an ONNX file, or a `networkx.DiGraph` (see `ir_from_networkx`). Labels are
    columns of numbers, a row per network; `names` tell networks apart (default: digits of their graphs, so that no two
    may be equal). Joined tables keep the labels, and those before noise, that all have. Raises `DataError` for networks
    that cannot be read, and where `make_ir_table` does, and `SpaceError` for architectures that have no network.
    """
    if labels is None:
        return _joined(networks, progress)
    bar = progress_bar(networks, desc="graphs", unit="network", disable=not progress)
    graphs = [_graph(network, f"records, row {row}") for row, network in enumerate(bar)]
    columns = {name: [*column] for name, column in labels.items()}
    if wrong := {name: len(column) for name, column in columns.items() if len(column) != len(graphs)}:
        raise DataError(f"records: {len(graphs)} networks, and as many rows of labels are allowed; not so {wrong}")
    texts = names or [hashlib.sha256(_content(graph)).hexdigest()[:12] for graph in graphs]
    return make_ir_table(graphs, pd.DataFrame(columns), families=["yours"] * len(graphs), names=texts)


def _graph(network: Any, what: str) -> IRGraph:
    if isinstance(network, IRGraph):
        return network
    try:
        is_path = isinstance(network, str | Path)
        return graphs_of_networks.ir_from_onnx(network) if is_path else ir_from_networkx(network)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        kinds = "IRGraph (of modules: ir_from_module of autobuild_book.tracing), paths of ONNX files, networkx.DiGraph"
        raise DataError(f"{what}: {error}; a {type(network).__name__}, allowed are {kinds}") from None


def _joined(tables: Sequence[Table], progress: bool = True) -> IRTable:
    if not tables or not all(isinstance(table, Table) for table in tables):
        raise DataError("ir_table needs at least one table, or labels for its networks")
    architectures = [(table.space.name, a) for table in tables for a in table.architectures]
    bar = progress_bar(architectures, desc="graphs", unit="network", disable=not progress)
    frees = [table.noise_free for table in tables if table.noise_free is not None]
    families, names = [family for family, _ in architectures], [str(architecture) for _, architecture in architectures]
    return make_ir_table(
        [graphs_of_networks.ir_graph(architecture) for _, architecture in bar],
        pd.concat([table.labels for table in tables], join="inner", ignore_index=True), families=families, names=names,
        source=" + ".join(f"{table.source} ({table.part})" for table in tables),
        kind=" + ".join(sorted({table.kind for table in tables})),
        noise_free=pd.concat(frees, join="inner", ignore_index=True) if len(frees) == len(tables) else None,
    )  # fmt: skip

"""Tables of networks as IR graphs, of one or more families."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from autobuild_lib import graphs as graphs_of_networks
from autobuild_lib.data.table import DataError, Labelled, Table, check_labels, digest_rows
from autobuild_lib.graphs.ir import IRGraph
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
    return IRTable(
        tuple(graphs), tuple(families), tuple(names), labels=checked, rows=tuple(rows), kind=kind, source=source,
        noise_free=None if noise_free is None else check_labels(noise_free, source, rows),
        sha256=sha256 or _digest(graphs, map(" ".join, first), checked),
    )  # fmt: skip


def _digest(graphs: Sequence[IRGraph], names: Iterable[str], labels: pd.DataFrame) -> str:
    digest = hashlib.sha256(digest_rows(names, labels).encode())
    for graph in graphs:
        for part in (graph.operations, graph.shapes, graph.attributes, graph.edges):
            digest.update(part.tobytes())
    return digest.hexdigest()


def ir_table(tables: Sequence[Table], progress: bool = True) -> IRTable:
    """Join tables of OFA architectures into one of IR graphs, with the labels, and those before noise, that all have.

    Raises `DataError` for no table or no common label, and `SpaceError` for architectures that have no network.
    """
    if not tables:
        raise DataError("ir_table needs at least one table")
    architectures = [(table.space.name, a) for table in tables for a in table.architectures]
    bar = progress_bar(architectures, desc="graphs", unit="network", disable=not progress)
    frees = [table.noise_free for table in tables if table.noise_free is not None]
    return make_ir_table(
        [graphs_of_networks.ir_graph(architecture) for _, architecture in bar],
        pd.concat([table.labels for table in tables], join="inner", ignore_index=True),
        families=[family for family, _ in architectures],
        names=[str(architecture) for _, architecture in architectures],
        source=" + ".join(f"{table.source} ({table.part})" for table in tables),
        kind=" + ".join(sorted({table.kind for table in tables})),
        noise_free=pd.concat(frees, join="inner", ignore_index=True) if len(frees) == len(tables) else None,
    )

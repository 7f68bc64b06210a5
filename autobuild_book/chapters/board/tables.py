"""The trained tables that models are measured on: networks that were really trained, or really timed."""

import functools
from dataclasses import dataclass

from autobuild_book import benchmark_files
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_lib import data
from autobuild_lib.data.table import DataError, Table

BENCHMARK, HERE = "benchmark", "measured here"  # who trained or timed the networks
GRAPH_DATA = ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv", "proteins")


@dataclass(frozen=True)
class BoardTable:
    """Networks with labels that somebody measured.

    name: what `data.load` takes. targets: labels or equations. lower: less is better. kind: who measured them.
    """

    name: str
    targets: tuple[str, ...] = ("acc",)
    lower: bool = False
    kind: str = BENCHMARK


# Of the twelve latencies of HELP three: a card with one image, and with 64, which rank networks differently (SRCC .25),
# and another card in between, with 32. Each of the nine others has an SRCC of at least .67 with one of these.
TABLES = (
    *(BoardTable(f"nas-bench-graph:{name}") for name in GRAPH_DATA),
    BoardTable("accel-nasbench"),
    BoardTable("help-ofa", ("latency_titan_rtx_1", "latency_titan_rtx_64", "latency_v100_32"), lower=True),
    BoardTable("panoptic", ("pq",), kind=HERE),
    BoardTable("diffusion_unets", ("-log_distance",), kind=HERE),
)


def find_table(name: str) -> BoardTable:
    """Return a trained table by its name; an unknown one is a `ValueError` that lists them."""
    return look_up("trained table", name, {table.name: table for table in TABLES})


@functools.lru_cache(maxsize=3)
def load(name: str) -> Table:
    """Return the rows of a trained table; raises what `data.load` does where its files are missing."""
    return data.load(name)


def why_missing(name: str) -> str:
    """Say why the rows of a trained table are not here, "" where its files are, as they were published."""
    benchmark, _, part = name.partition(":")
    files = data.benchmarks()[benchmark].tables[part]["files"] if benchmark in data.benchmarks() else ()
    try:
        if benchmark_files.fault(benchmark, files):
            data.load(name)  # which names the file, and what to do
    except (DataError, OSError, ModuleNotFoundError) as error:
        return str(error)
    return ""

"""Which tables of trained networks are here, and what is in them."""

import pandas as pd

from autobuild_book.benchmark_files import HERE, fault
from autobuild_lib import data


def present() -> pd.DataFrame:
    """Return a row per table: source, networks, labels, licence, and `state`, which is "here" or says what to do."""
    rows = []
    for name, benchmark in data.benchmarks().items():
        for part, table in benchmark.tables.items():
            source = f"{name}:{part}".rstrip(":")
            rows.append((source, table["rows"], benchmark.licence, _state(name, table["files"])))
    return pd.DataFrame(rows, columns=["source", "networks", "licence", "state"])


def _state(name: str, files: list[str]) -> str:
    try:
        return fault(name, files) or HERE
    except (ModuleNotFoundError, data.DataError) as error:
        return str(error)

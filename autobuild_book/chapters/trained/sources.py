"""Which tables of trained networks are here, and what is in them."""

import pandas as pd

from autobuild_lib import data

HERE = "here"


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
        missing = [file for file in files if not data.find_benchmark(name, file).is_file()]
    except (ModuleNotFoundError, data.DataError) as error:
        return str(error)
    return f"run `autobuild data fetch {name}`" if missing else HERE

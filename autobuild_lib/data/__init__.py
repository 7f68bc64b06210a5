"""Tables of evaluated architectures: bundled, released, or your own."""

from autobuild_lib.data.files import load, manifest, read_csv
from autobuild_lib.data.table import DataError, Table, from_records

__all__ = ["DataError", "Table", "from_records", "load", "manifest", "read_csv"]

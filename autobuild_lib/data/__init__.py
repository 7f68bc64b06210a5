"""Tables of evaluated architectures: bundled, released, or your own."""

from autobuild_lib.data.files import load, manifest, read_csv
from autobuild_lib.data.ir import IRTable, ir_table, load_ir, make_ir_table
from autobuild_lib.data.table import DataError, Table, from_records

__all__ = [
    "DataError",
    "IRTable",
    "Table",
    "from_records",
    "ir_table",
    "load",
    "load_ir",
    "make_ir_table",
    "manifest",
    "read_csv",
]

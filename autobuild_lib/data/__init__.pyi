from .caches import load_ir, read_cache
from .files import load, manifest, read_csv
from .ir import IRTable, ir_table, make_ir_table
from .table import DataError, Table, from_records

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
    "read_cache",
    "read_csv",
]

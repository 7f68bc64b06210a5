from .caches import RELEASED as RELEASED, read_cache as read_cache
from .files import load as load, manifest as manifest, read_csv as read_csv
from .ir import IRTable as IRTable, ir_table as ir_table, make_ir_table as make_ir_table
from .published import benchmarks as benchmarks, find_benchmark as find_benchmark, read_benchmark as read_benchmark
from .table import DataError as DataError, Table as Table, from_records as from_records

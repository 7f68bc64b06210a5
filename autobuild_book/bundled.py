"""Files of the library's bundled tables, and those beside them, compared with the manifest."""

from pathlib import Path

from autobuild_lib.data import files
from autobuild_lib.data.cells import read_cells
from autobuild_lib.data.table import DataError


def check_bundled(entry: files.Bundled) -> None:
    """Raise `DataError` unless a bundled file, and those beside it, have the checksums of the manifest entry."""
    for name, sha256 in {entry.file: entry.sha256, **entry.beside}.items():
        files.checked_bytes(files.FILES / name, sha256)


def bundled_file(table: str, name: str) -> Path:
    """Return the path of a file beside a bundled table, after comparing its checksum with the manifest.

    Raises `DataError` for a table or a file that the manifest does not know, and for a changed file.
    """
    beside = files.manifest()[table].beside if table in files.manifest() else {}
    if name not in beside:
        raise DataError(f"there is no bundled file {name} of a table {table}; there are {', '.join(beside) or 'none'}")
    files.checked_bytes(files.FILES / name, beside[name])
    return files.FILES / name


def read_header(path: Path) -> list[str]:
    """Return the names of a CSV's columns; raises `DataError` where the reader of tables does for its form."""
    return read_cells(path, files.checked_bytes(path, None))[0]

"""CSV files as programs write them: other separators, `sep=` lines, UTF-16, and index columns without a name."""

import csv
import io
import logging
import re
from pathlib import Path

from autobuild_lib.data.table import ARCHITECTURE, DataError
from autobuild_lib.values import naming

logger = logging.getLogger(__name__)
SEPARATORS = (",", ";", "\t")
MARKS_OF_UTF16 = (b"\xff\xfe", b"\xfe\xff")
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # what Excel writes, and reads, above the header
NAMELESS = re.compile(r"Unnamed: \d+(\.\d+)*")  # what pandas calls a column without a name
Rows = list[tuple[int, list[str]]]  # with their numbers in the file


def read_cells(path: Path, content: bytes) -> tuple[list[str], Rows]:
    """Split the content of a CSV file into its header and rows of texts; `DataError` for what is no such file.

    The separator is the one that a line `sep=` names, or else the first of `SEPARATORS` by which the header has a
    column `architecture`. Columns without a name are left out in front (an index), and where they are empty.
    """
    with naming(f"{path}: not a CSV in UTF-8", DataError, (UnicodeDecodeError, csv.Error)):
        text = content.decode("utf-16" if content.startswith(MARKS_OF_UTF16) else "utf-8-sig")
        separator, records = _split(text)
    if not records:
        raise DataError(f"{path}: the file is empty; expected a header with {ARCHITECTURE} and label names")
    header = [name.strip() for name in records[0][1]]
    rows = [(number, row) for number, row in records[1:] if row]
    for number, row in rows:
        if len(row) != len(header):
            counted = f"{len(row)} cells, the header has {len(header)} ({', '.join(header)})"
            raise DataError(f"{path}, row {number}: {counted}; a cell that holds {separator!r} stands in double quotes")
    return _named(path, header, rows)


def _split(text: str) -> tuple[str, Rows]:
    """Return the separator, and the records with their numbers; those that a `sep=` line takes are counted."""
    first, _, rest = text.partition("\n")
    if line := SEPARATOR_LINE.fullmatch(first.strip("\r ")):
        return line[1], _records(rest, line[1], 2)
    for separator in SEPARATORS:
        header = next(csv.reader(io.StringIO(text), delimiter=separator, strict=True), [])
        if ARCHITECTURE in [name.strip() for name in header]:
            return separator, _records(text, separator, 1)
    return SEPARATORS[0], _records(text, SEPARATORS[0], 1)


def _records(text: str, separator: str, first: int) -> Rows:
    return list(enumerate(csv.reader(io.StringIO(text), delimiter=separator, strict=True), start=first))


def _named(path: Path, header: list[str], rows: Rows) -> tuple[list[str], Rows]:
    """Leave out the columns without a name, and check the names of the others."""
    kept = [place for place, name in enumerate(header) if name and not NAMELESS.fullmatch(name)]
    for place in sorted(set(range(1, len(header))) - set(kept)):
        if not header[place] and any(row[place].strip() for _, row in rows):
            raise DataError(f"{path}: column {place + 1} has no name; give every column one in the header")
    names = [header[place] for place in kept]
    if names.count(ARCHITECTURE) != 1 or len(set(names)) < len(names):
        raise DataError(f"{path}: header {header}; needs one column {ARCHITECTURE!r} and distinct label names")
    if len(kept) == len(header):
        return header, rows
    logger.info("%s: %d of %d columns have no name and are left out", path, len(header) - len(kept), len(header))
    return names, [(number, [row[place] for place in kept]) for number, row in rows]

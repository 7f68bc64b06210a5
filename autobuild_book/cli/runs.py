"""The command `autobuild runs`: the tables in a folder, and which run each belongs to."""

import argparse
import logging
from pathlib import Path

from autobuild_book.runs.tables import CHANGED, MISSING, list_tables, runs_of, unreadable

logger = logging.getLogger(__name__)


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild runs`."""
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="with runs in it, at any depth")
    text = "say which of the runs wrote this file, wherever it lies now"
    parser.add_argument("--table", type=Path, metavar="CSV", help=text)
    parser.set_defaults(run=_runs)


def _runs(arguments: argparse.Namespace) -> int:
    """Print what was asked for; the exit status is 1 where a record could not be read, as a table may be its."""
    _show(arguments)
    for line in (lines := unreadable(arguments.folders)):
        logger.warning("%s; left out", line)
    return 1 if lines else 0


def _show(arguments: argparse.Namespace) -> None:
    if arguments.table is not None:
        if not (runs := runs_of(arguments.table, arguments.folders)):
            raise ValueError(f"{arguments.table}: no run in {', '.join(map(str, arguments.folders))} wrote it as it is")
        print("\n".join(map(str, runs)))
        return
    tables = list_tables(arguments.folders)
    print(tables.to_string(index=False, na_rep=""))
    if (wrong := tables.state.isin([CHANGED, MISSING])).any():
        raise ValueError(f"{wrong.sum()} of {len(tables)} tables are not as their runs wrote them")

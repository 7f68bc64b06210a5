"""The commands `autobuild board ...`: measure models on trained tables, show the rows, and export them."""

import argparse
import importlib
from pathlib import Path

from autobuild_book.arguments import check_file, check_writable, whole
from autobuild_book.chapters.board import measuring, results, tables
from autobuild_book.chapters.shared.models.registry import MODELS, find_model


def add_board(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild board`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_measure(actions.add_parser("measure", help="measure models on trained tables, and append a row for each"))
    _add_show(actions.add_parser("show", help="means of the measured rows"))
    _add_export(actions.add_parser("export", help="write the rows and where they come from into a folder (RO-Crate)"))


def _add_choice(parser: argparse.ArgumentParser) -> None:
    names = [table.name for table in tables.TABLES]
    parser.add_argument("--tables", nargs="+", metavar="TABLE", help=f"default: all that are here: {'; '.join(names)}")
    free = [model.name for model in MODELS.values() if not model.needs_proxies]
    parser.add_argument("--models", nargs="+", metavar="MODEL", help=f"default: {'; '.join(free)}")
    sizes = " ".join(map(str, measuring.SIZES))
    text = f"training rows (default: {sizes}, those that leave a quarter of a table)"
    parser.add_argument("--sizes", nargs="+", type=whole(2), default=measuring.SIZES, metavar="ROWS", help=text)


def _add_rows(parser: argparse.ArgumentParser) -> None:
    text = "a CSV file of measured rows (default: the rows that come with this book)"
    parser.add_argument("--rows", type=Path, default=measuring.BUNDLED_ROWS, help=text)


def _add_measure(parser: argparse.ArgumentParser) -> None:
    _add_choice(parser)
    seeds = len(measuring.SEEDS)
    parser.add_argument("--seeds", type=whole(1, 100), default=seeds, help=f"training sets (default: {seeds})")
    parser.add_argument("--processes", type=whole(1), default=1, help="of one thread each (default: 1)")
    text = "a CSV file; rows that it holds are not measured again (default: the rows that come with this book)"
    parser.add_argument("--out", type=Path, default=measuring.BUNDLED_ROWS, help=text)
    parser.set_defaults(run=_measure, keeps="out")


def _add_show(parser: argparse.ArgumentParser) -> None:
    _add_choice(parser)
    _add_rows(parser)
    parser.set_defaults(run=_show)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    _add_rows(parser)
    parser.set_defaults(run=_export)


def _measure(arguments: argparse.Namespace) -> None:
    models = [find_model(name) for name in arguments.models or MODELS]
    jobs = measuring.plan(_present(arguments.tables), models, arguments.sizes, range(arguments.seeds))
    check_file(arguments.out)
    rows = measuring.measure(jobs, arguments.out, arguments.processes)
    print(f"{len(rows):,} rows of {len(jobs):,} fits are in {arguments.out}")


def _present(names: list[str] | None) -> list[tables.BoardTable]:
    """Return the named tables, or all that are here, and say which are not."""
    if names:
        return [tables.find_table(name) for name in dict.fromkeys(names)]
    for table in tables.TABLES:
        if reason := tables.why_missing(table.name):
            print(f"left out: {reason}", flush=True)
    return [table for table in tables.TABLES if not tables.why_missing(table.name)]


def _show(arguments: argparse.Namespace) -> None:
    rows = results.chosen(measuring.read_rows(arguments.rows), arguments.tables, arguments.models, arguments.sizes)
    print(results.readable(results.summary(rows)).to_string(index=False))


def _export(arguments: argparse.Namespace) -> None:
    check_writable(arguments.folder)
    exporting = importlib.import_module("autobuild_book.chapters.board.exporting")  # needs what only an extra brings
    print(exporting.export(arguments.folder, arguments.rows))

"""The commands `autobuild task mlps ...`: train and measure small perceptrons, and make their table from the rows."""

import argparse

from autobuild_book.arguments import add_out, add_rows, check_file, whole
from autobuild_book.chapters.your_space import mlps
from autobuild_book.measured.tables import join_manifest


def add_mlps(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task mlps`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_measure(actions.add_parser("measure", help="train architectures and append a row for each run"))
    _add_table(actions.add_parser("table", help="make the bundled table from measured rows"))


def _add_measure(parser: argparse.ArgumentParser) -> None:
    text = "number of architectures drawn by a fixed seed"
    parser.add_argument("--sample", type=whole(1, 10_000), required=True, help=text)
    parser.add_argument("--seeds", type=whole(0), nargs="+", default=[0, 1], help="runs of each (default: 0 1)")
    add_out(parser)
    parser.set_defaults(run=_measure)


def _add_table(parser: argparse.ArgumentParser) -> None:
    add_rows(parser)
    parser.set_defaults(run=_table)


def _measure(arguments: argparse.Namespace) -> None:
    check_file(arguments.out)
    architectures = mlps.sample_architectures(arguments.sample)
    rows = mlps.measure(architectures, arguments.seeds, arguments.out, workers=arguments.workers)
    print(f"{len(rows)} rows of {arguments.sample} architectures are in {arguments.out}")


def _table(arguments: argparse.Namespace) -> None:
    print(join_manifest(arguments.folder, mlps.NAME, mlps.write_table(arguments.rows, arguments.folder)))

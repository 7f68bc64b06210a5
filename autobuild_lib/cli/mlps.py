"""The commands `autobuild task mlps ...`: train and measure small perceptrons, and make their table from the rows."""

import argparse
from pathlib import Path

from autobuild_lib.cli.common import check_writable, join_manifest, whole
from autobuild_lib.data.files import FILES
from autobuild_lib.tasks import mlps


def add_mlps(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task mlps`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_measure(actions.add_parser("measure", help="train architectures and append a row for each run"))
    _add_table(actions.add_parser("table", help="make the bundled table from measured rows"))


def _add_measure(parser: argparse.ArgumentParser) -> None:
    text = "number of architectures drawn by a fixed seed"
    parser.add_argument("--sample", type=whole(1, 10_000), required=True, help=text)
    parser.add_argument("--seeds", type=whole(0), nargs="+", default=[0, 1], help="runs of each (default: 0 1)")
    parser.add_argument("--workers", type=whole(1), default=1, help="processes of one thread each (default: 1)")
    parser.add_argument("--out", type=Path, required=True, help="a CSV file; rows that it holds are not measured again")
    parser.set_defaults(run=_measure)


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True, help="a CSV file that `measure` wrote")
    parser.add_argument("--folder", type=Path, default=FILES, help="where to write (default: inside the package)")
    parser.set_defaults(run=_table)


def _measure(given: argparse.Namespace) -> None:
    check_writable(given.out.parent)
    rows = mlps.measure(mlps.sample_architectures(given.sample), given.seeds, given.out, workers=given.workers)
    print(f"{len(rows)} rows of {given.sample} architectures are in {given.out}")


def _table(given: argparse.Namespace) -> None:
    join_manifest(given.folder, mlps.NAME, mlps.write_table(given.rows, given.folder))

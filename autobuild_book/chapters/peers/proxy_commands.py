"""The commands `autobuild task proxies ...`: measure zero-cost proxies of real networks, and bundle the rows."""

import argparse

from autobuild_book.arguments import add_out, add_rows, check_file, whole
from autobuild_book.chapters.peers import proxy_tables
from autobuild_book.chapters.peers.models.proxies import Minibatch
from autobuild_book.measured.tables import join_manifest


def add_proxies(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task proxies`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_measure(actions.add_parser("measure", help="measure networks of a bundled table and append a row for each"))
    _add_table(actions.add_parser("table", help="make the bundled tables from measured rows"))


def _add_measure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--space", choices=proxy_tables.SPACES, required=True, help="family of the networks")
    parser.add_argument("--sample", type=whole(1), required=True, help="number of networks, chosen by a fixed seed")
    usual = Minibatch()
    text = f"side of the images in pixels (default: {usual.resolution})"
    parser.add_argument("--resolution", type=whole(1, 1024), default=usual.resolution, help=text)
    text = f"number of images (default: {usual.batch})"
    parser.add_argument("--batch", type=whole(2, 1024), default=usual.batch, help=text)
    parser.add_argument("--seed", type=whole(0), default=usual.seed, help="of images and labels (default: 0)")
    add_out(parser)
    parser.set_defaults(run=_measure)


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--space", choices=proxy_tables.SPACES, required=True, help="family of the networks")
    add_rows(parser)
    parser.set_defaults(run=_table)


def _measure(arguments: argparse.Namespace) -> None:
    architectures = proxy_tables.sample_architectures(arguments.space, arguments.sample)
    check_file(arguments.out)
    minibatch = Minibatch(arguments.resolution, arguments.batch, arguments.seed)
    rows = proxy_tables.measure(arguments.space, architectures, minibatch, arguments.out, workers=arguments.workers)
    print(f"{len(rows)} rows are in {arguments.out}")


def _table(arguments: argparse.Namespace) -> None:
    for name, entry in proxy_tables.write_tables(arguments.rows, arguments.space, arguments.folder).items():
        print(join_manifest(arguments.folder, name, entry))

"""The commands `autobuild peers ...`, for all models, and `autobuild task proxies ...`, for zero-cost proxies."""

import argparse
from pathlib import Path

from autobuild_book.arguments import add_out, add_rows, check_file, whole
from autobuild_book.chapters.peers import measuring, proxy_tables
from autobuild_book.chapters.peers.contests import CONTESTS, contests_that_exist
from autobuild_book.chapters.shared.models.proxies import Minibatch
from autobuild_book.chapters.shared.models.registry import MODELS
from autobuild_book.measured.parts import kept_beside, write_rows
from autobuild_book.measured.tables import join_manifest


def add_peers(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild peers`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    measure = actions.add_parser("measure", help="learning curves of all models on the bundled tables")
    names = [contest.name for contest in CONTESTS]
    text = f"default: all of these whose tables there are: {'; '.join(names)}"
    measure.add_argument("--contests", nargs="+", choices=names, metavar="CONTEST", help=text)
    measure.add_argument("--models", nargs="+", choices=MODELS, metavar="MODEL", help=f"default: {'; '.join(MODELS)}")
    seeds = len(measuring.SEEDS)
    measure.add_argument("--seeds", type=whole(1, 100), default=seeds, help=f"training subsets (default: {seeds})")
    measure.add_argument("--workers", type=whole(1), default=1, help="processes of one thread each (default: 1)")
    measure.add_argument("--plan", action="store_true", help="only say what would run, and what it would cost")
    text = "a CSV file; finished runs are kept beside it, in a folder of that name with .parts, and not repeated: "
    text += "delete it when the code of a model has changed"
    measure.add_argument("--out", type=Path, required=True, help=text)
    measure.set_defaults(run=_measure)


def _measure(arguments: argparse.Namespace) -> None:
    existing = contests_that_exist()
    contests = [contest for contest in existing if not arguments.contests or contest.name in arguments.contests]
    names = [contest.name for contest in existing]
    if missing := sorted(set(arguments.contests or ()) - set(names)):
        raise ValueError(f"no tables for {'; '.join(missing)}; there are those for {'; '.join(names)}")
    jobs = measuring.plan(contests, seeds=range(arguments.seeds), models=arguments.models or tuple(MODELS))
    print(measuring.describe(jobs), flush=True)
    if arguments.plan:
        return
    check_file(arguments.out)
    print(write_rows(measuring.run_all(jobs, kept_beside(arguments.out), arguments.workers), arguments.out))


# -------------------------------------------------------------------- zero-cost proxies


def add_proxies(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task proxies`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_measure_proxies(
        actions.add_parser("measure", help="measure networks of a bundled table and append a row for each")
    )
    _add_proxy_tables(actions.add_parser("table", help="make the bundled tables from measured rows"))


def _add_measure_proxies(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--space", choices=proxy_tables.SPACES, required=True, help="family of the networks")
    parser.add_argument("--sample", type=whole(1), required=True, help="number of networks, chosen by a fixed seed")
    usual = Minibatch()
    text = f"side of the images in pixels (default: {usual.resolution})"
    parser.add_argument("--resolution", type=whole(1, 1024), default=usual.resolution, help=text)
    text = f"number of images (default: {usual.batch})"
    parser.add_argument("--batch", type=whole(2, 1024), default=usual.batch, help=text)
    parser.add_argument("--seed", type=whole(0), default=usual.seed, help="of images and labels (default: 0)")
    add_out(parser)
    parser.set_defaults(run=_measure_proxies)


def _add_proxy_tables(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--space", choices=proxy_tables.SPACES, required=True, help="family of the networks")
    add_rows(parser)
    parser.set_defaults(run=_proxy_tables)


def _measure_proxies(arguments: argparse.Namespace) -> None:
    architectures = proxy_tables.sample_architectures(arguments.space, arguments.sample)
    check_file(arguments.out)
    minibatch = Minibatch(arguments.resolution, arguments.batch, arguments.seed)
    rows = proxy_tables.measure(arguments.space, architectures, minibatch, arguments.out, workers=arguments.workers)
    print(f"{len(rows)} rows are in {arguments.out}")


def _proxy_tables(arguments: argparse.Namespace) -> None:
    for name, entry in proxy_tables.write_tables(arguments.rows, arguments.space, arguments.folder).items():
        print(join_manifest(arguments.folder, name, entry))

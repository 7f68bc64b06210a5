"""The commands `autobuild task panoptic ...`: train, measure, search, choose, compare, and bundle what was measured."""

import argparse
from pathlib import Path

from autobuild_book.arguments import (
    add_folder,
    add_out,
    add_rows,
    check_file,
    check_writable,
    whole,
)
from autobuild_book.chapters.panoptic import search
from autobuild_book.chapters.panoptic.bundled_rows import write_rows
from autobuild_book.chapters.panoptic.choice import choose
from autobuild_book.chapters.panoptic.task import measuring, table
from autobuild_book.chapters.panoptic.task.jackknife import FINAL, measure_paired
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.training import train
from autobuild_book.chapters.panoptic.task.weights import Recipe
from autobuild_book.chapters.shared.choices import write_choices
from autobuild_book.measured.tables import join_beside, join_manifest
from autobuild_book.measured.tasks import read_architectures

SUPERNET = "a folder that `train` wrote (default: the bundled supernet)"


def add_panoptic(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task panoptic`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_train(actions.add_parser("train", help="train a supernet, or one architecture alone"))
    _add_measure(actions.add_parser("measure", help="measure architectures and append a row for each"))
    _add_table(actions.add_parser("table", help="bundle measured rows and the supernet behind them"))
    _add_search(actions.add_parser("search", help="search with as many evaluations as there are labels"))
    _add_choose(actions.add_parser("choose", help="choose what is built from the bundled table, to be compared next"))
    text = f"measure on {FINAL.count:,} images of set {FINAL.images}, part by part"
    _add_compare(actions.add_parser("compare", help=text))
    _add_rows(actions.add_parser("rows", help="bundle measured rows beside the table"))


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=whole(0), default=0, help="of weights and order of images (default: 0)")
    steps = Recipe().steps
    parser.add_argument("--steps", type=whole(1), default=steps, help=f"of 16 images each (default: {steps})")
    parser.add_argument("--architecture", help="train only this one, alone, by the same recipe")
    parser.add_argument("--out", type=Path, required=True, help="a folder; a training that was stopped there goes on")
    parser.set_defaults(run=_train, keeps="out")


def _add_measure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--architectures", type=Path, help="a text file with one architecture per line")
    which.add_argument("--sample", type=whole(1, measuring.MOST_SAMPLES), help="number drawn by a fixed seed")
    parser.add_argument("--supernet", type=Path, help=SUPERNET)
    parser.add_argument(
        "--images", choices=measuring.POOLS, default="A", help="for labels, or for the end (default: A)"
    )
    parser.add_argument("--count", type=whole(2, 100_000), default=800, help="number of images (default: 800)")
    text = "number of the batch that normalisations are calibrated on (default: 0)"
    parser.add_argument("--calibration", type=whole(0, 10_000), default=0, help=text)
    add_out(parser)
    parser.set_defaults(run=_measure)


def _add_table(parser: argparse.ArgumentParser) -> None:
    add_rows(parser)
    parser.add_argument("--supernet", type=Path, required=True, help="the folder of the network that was measured")
    parser.set_defaults(run=_table)


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--supernet", type=Path, help=SUPERNET)
    add_out(parser)
    parser.set_defaults(run=_search)


def _add_choose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--searched", type=Path, required=True, help="the CSV file that `search` wrote")
    text = "a folder for chosen.csv, chosen.txt (one architecture per line, for `compare`) and predictors"
    parser.add_argument("--out", type=Path, required=True, help=text)
    parser.set_defaults(run=_choose, keeps="out")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--architectures", type=Path, required=True, help="a text file with one architecture per line")
    parser.add_argument("--supernet", type=Path, help=SUPERNET)
    add_out(parser)
    parser.set_defaults(run=_compare)


def _add_rows(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, nargs="+", required=True, help="CSV files of `measure` and `search`")
    parser.add_argument("--finals", type=Path, nargs="+", required=True, help="CSV files of `compare`")
    parser.add_argument("--chosen", type=Path, required=True, help="the chosen.csv that `choose` wrote")
    parser.add_argument("--trainings", type=Path, nargs="+", required=True, help="folders of all networks in the rows")
    add_folder(parser)
    parser.set_defaults(run=_rows)


def _train(options: argparse.Namespace) -> None:
    check_writable(options.out)
    architecture = None if options.architecture is None else backbone_space().parse(options.architecture)
    network = train(options.out, seed=options.seed, architecture=architecture, recipe=Recipe(steps=options.steps))
    print(f"network {network.id} is in {options.out}")


def _measure(options: argparse.Namespace) -> None:
    if options.sample is None:
        architectures = read_architectures(options.architectures, backbone_space())
    else:
        architectures = measuring.sample_architectures(options.sample)
    check_file(options.out)
    exam = measuring.Exam(options.images, options.count, options.calibration)
    rows = measuring.measure(architectures, options.out, folder=options.supernet, exam=exam, workers=options.workers)
    print(f"{len(rows)} rows are in {options.out}")


def _table(options: argparse.Namespace) -> None:
    print(join_manifest(options.folder, table.NAME, table.write_table(options.rows, options.supernet, options.folder)))


def _search(options: argparse.Namespace) -> None:
    check_file(options.out)
    evaluations = search.search(search.by_measuring(options.out, options.supernet, options.workers))
    print(f"{len(evaluations)} evaluations are in {options.out}")


def _choose(options: argparse.Namespace) -> None:
    check_writable(options.out)
    if not (rows := measuring.ROWS.read(options.searched)):
        raise ValueError(f"{options.searched}: there are no rows; `autobuild task panoptic search` makes them")
    chosen = choose(rows, options.out / "predictors")
    different = write_choices(chosen, options.out, "chosen")
    print(f"{len(chosen)} proposals, {different} different architectures, are in {options.out}")


def _compare(options: argparse.Namespace) -> None:
    architectures = read_architectures(options.architectures, backbone_space())
    check_file(options.out)
    rows = measure_paired(architectures, options.out, folder=options.supernet, workers=options.workers)
    print(f"{len(rows)} rows are in {options.out}")


def _rows(options: argparse.Namespace) -> None:
    written = write_rows(
        options.folder, rows=options.rows, finals=options.finals, chosen=options.chosen, trainings=options.trainings
    )
    print(join_beside(options.folder, table.NAME, written))
